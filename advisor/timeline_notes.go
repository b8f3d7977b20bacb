package advisor

import (
	"fmt"
	"math"
	"strings"
	"time"

	"headroom/profiles"
)

// Annotation is a moment of a timeline, as charts mark it.
type Annotation struct {
	At   time.Duration  `json:"at"`
	Kind AnnotationKind `json:"kind"`
	Text string         `json:"text"`
}

// AnnotationKind is what an annotation tells.
type AnnotationKind string

// The kinds of annotations.
const (
	LoadBegins   AnnotationKind = "load begins"
	LoadRises    AnnotationKind = "load rises"
	LoadFalls    AnnotationKind = "load falls"
	Decided      AnnotationKind = "decision"
	Created      AnnotationKind = "created"
	Ready        AnnotationKind = "ready"
	FirstAnswer  AnnotationKind = "first answer"
	Leaves       AnnotationKind = "leaves"
	Stops        AnnotationKind = "stops" // by itself
	SLOLost      AnnotationKind = "SLO lost"
	SLORegained  AnnotationKind = "SLO regained"
	EditedByHand AnnotationKind = "hand"
)

func (c *course) note(at time.Duration, kind AnnotationKind, text string) {
	c.notes = append(c.notes, Annotation{at, kind, text})
}

// annotations are those of everything but the SLO. Decisions and replicas
// outside of a load have some too.
func annotations(episodes []Episode, moves []Move, edits []edit, replicas []life) []Annotation {
	var c course
	for _, e := range episodes {
		kind := LoadRises
		switch {
		case e.Cause == Began:
			kind = LoadBegins
		case e.direction() == down:
			kind = LoadFalls
		}
		c.note(e.At, kind, e.Change())
	}
	for _, e := range edits {
		c.note(e.At, EditedByHand, e.Text)
	}
	for _, m := range moves {
		c.note(m.At, Decided, m.String())
	}
	for _, r := range replicas {
		leaves, goes := Leaves, " must go"
		if r.ByItself {
			leaves, goes = Stops, " stops answering"
		}
		for _, moment := range []struct {
			at   *time.Duration
			kind AnnotationKind
			text string
		}{{r.Created, Created, " starts"}, {r.Ready, Ready, " is ready"}, {r.Answered, FirstAnswer, " answers for the first time"}, {r.Leaving, leaves, goes}} {
			if moment.at != nil {
				c.note(*moment.at, moment.kind, r.ID+moment.text)
			}
		}
	}
	return c.notes
}

// Change is what the load did: "10 -> 50 users".
func (e Episode) Change() string {
	if e.Open {
		return trimmedRate(e.From) + " -> " + trimmedRate(e.To) + "/s"
	}
	return fmt.Sprintf("%.0f -> %s", math.Round(e.From), profiles.Plural(int(math.Round(min(e.To, profiles.MostUsers))), "user", "users"))
}

// trimmedRate is a rate without zeros at its end.
func trimmedRate(v float64) string {
	text := profiles.FormatRate(v)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// String is the move with its reason, such as "1 -> 3: rps 28.4 with a target
// of 10 per replica asks for 3".
func (m Move) String() string {
	text := fmt.Sprintf("%d -> %d", m.From, m.To)
	if m.Why != "" {
		text += ": " + m.Why
	}
	return text
}

// Tells reports whether there is more to say of the episode than that the load
// changed: a fleet that changed, an SLO that was lost, or a replica whose first
// answer did not come at once.
func (e Episode) Tells() bool {
	if len(e.Moves)+len(e.Leaving) > 0 || e.Missed || e.Lost != nil {
		return true
	}
	for _, a := range e.Arrivals {
		if a.Created != nil || a.Answered != nil && *a.Answered-e.At > atOnce {
			return true
		}
	}
	return false
}

// atOnce is how soon replicas that are there when a load begins have answered.
const atOnce = 2 * time.Second

// Loads are the starts of the loads that have episodes.
func (t Timeline) Loads() []time.Duration {
	var out []time.Duration
	for _, e := range t.Episodes {
		if n := len(out); n == 0 || out[n-1] != e.Load {
			out = append(out, e.Load)
		}
	}
	return out
}

// Of is the episodes of the load that began at an offset.
func (t Timeline) Of(load time.Duration) []Episode {
	var out []Episode
	for _, e := range t.Episodes {
		if e.Load == load {
			out = append(out, e)
		}
	}
	return out
}

// AfterStep is how long after its load step a replica gave its first answer;
// nil where it gave none, or none that has to do with a step.
func (t Timeline) AfterStep(id string) *time.Duration {
	for _, e := range t.Episodes {
		for _, a := range e.Arrivals {
			if a.ID == id && a.Answered != nil && !a.InPlace {
				after := *a.Answered - e.At
				return &after
			}
		}
	}
	return nil
}
