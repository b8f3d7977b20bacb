package probe

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Origin is what says something of the replicas of a target.
type Origin string

// The origins, in the order in which they are shown.
const (
	FromScaler  Origin = "scaler"
	FromWorkers Origin = "workers" // a list of workers that is asked over HTTP
	FromDNS     Origin = "dns"     // the addresses behind the target's name
	FromAnswers Origin = "answers"
)

// Name is what an origin is called on screen.
func (o Origin) Name() string {
	return map[Origin]string{FromScaler: "scaler", FromWorkers: "workers list", FromDNS: "DNS", FromAnswers: "answers"}[o]
}

// Statement is what one origin says of a fleet. It is a value.
type Statement struct {
	Origin    Origin       `json:"source"`
	Known     *int         `json:"known,omitempty"`     // replicas that have not ended, or addresses; nil: it does not say
	Ready     *int         `json:"ready,omitempty"`     // of them, those that may get requests, or that answer
	Addresses []netip.Addr `json:"addresses,omitempty"` // of the name, sorted
	At        time.Time    `json:"at,omitzero"`         // when it last answered
	Since     time.Time    `json:"since,omitzero"`      // since when its numbers and addresses have been these
	Error     string       `json:"error,omitempty"`     // why it does not say anything at the moment
	Apart     bool         `json:"apart,omitempty"`     // its names are not those of the answers, so only its numbers count
}

// Report is what a list of workers, or the name of the target, says when it is
// asked.
type Report struct {
	Known     int
	Ready     *int         // nil: it does not say who is
	Addresses []netip.Addr // sorted
	Replicas  []Replica    // those that ended too
}

// ReportOf is the report of replicas.
func ReportOf(replicas []Replica) Report {
	f := Fleet{Replicas: replicas}
	ready := f.Up()
	return Report{Known: len(replicas) - f.Count(Gone), Ready: &ready, Replicas: replicas}
}

// Says is the statement once its origin has answered.
func (s Statement) Says(now time.Time, r Report) Statement {
	same := s.Known != nil && *s.Known == r.Known && (s.Ready == nil) == (r.Ready == nil) &&
		(s.Ready == nil || *s.Ready == *r.Ready) && slices.Equal(s.Addresses, r.Addresses)
	if !same {
		s.Since = now
	}
	s.At, s.Known, s.Ready, s.Addresses, s.Error = now, &r.Known, r.Ready, r.Addresses, ""
	return s
}

// Fails is the statement once its origin could not be asked: it says nothing,
// which is not 0.
func (s Statement) Fails(err error) Statement {
	return Statement{Origin: s.Origin, At: s.At, Error: err.Error()}
}

// ready is how many replicas may get requests; ok is false where that is
// not said, or has not been for so long.
func (s Statement) ready(now time.Time, least time.Duration) (n int, ok bool) {
	if s.Ready == nil || now.Sub(s.Since) < least {
		return 0, false
	}
	return *s.Ready, true
}

// String is the statement in a few words: "scaler: 5 ready of 6".
func (s Statement) String() string {
	name := s.Origin.Name()
	switch {
	case s.Error != "":
		return name + ": no answer"
	case s.Known == nil:
		return name + ": not asked yet"
	case s.Origin == FromDNS && *s.Known == 1:
		return name + ": 1 address"
	case s.Origin == FromDNS:
		return fmt.Sprintf("%s: %d addresses", name, *s.Known)
	case s.Ready == nil:
		return fmt.Sprintf("%s: %d", name, *s.Known)
	}
	text := fmt.Sprintf("%s: %d", name, *s.Ready)
	switch s.Origin {
	case FromScaler:
		text += " ready"
	case FromWorkers:
		text += " running"
	}
	if *s.Known > *s.Ready {
		text += fmt.Sprintf(" of %d", *s.Known)
		if s.Origin == FromAnswers {
			text += " seen"
		}
	}
	if s.Apart {
		text += " (by other names)"
	}
	return text
}

// Statement is what an origin says of the fleet; nothing where it was not
// asked.
func (f Fleet) Statement(o Origin) Statement {
	if i := slices.IndexFunc(f.Sources, func(s Statement) bool { return s.Origin == o }); i >= 0 {
		return f.Sources[i]
	}
	return Statement{Origin: o}
}

// SourceLine is what each source says, where others are asked than the answers.
// It is empty otherwise.
func (f Fleet) SourceLine() string {
	var parts []string
	more := false
	for _, s := range f.Sources {
		parts = append(parts, s.String())
		more = more || s.Origin != FromAnswers
	}
	if !more {
		return ""
	}
	return strings.Join(parts, " · ")
}

// Join makes a fleet of what a scaler, a list of workers and the answers say,
// with the statements of all that were asked.
func Join(scaler Fleet, workers, answers []Replica, said []Statement) Fleet {
	scaler.Sources = said
	f, named := scaler.withWorkers(workers, answers)
	f = merge(f, answers)
	foreign := f.foreign()
	for i, s := range said {
		said[i].Apart = s.Origin == FromWorkers && (!named || foreign) || s.Origin == FromScaler && foreign
	}
	return f
}

// withWorkers adds the replicas of a list of workers behind those of the
// scaler; what both have is the scaler's to describe. Names that are those of
// no answer and of no replica of the scaler are of another kind: then the fleet
// stays as it is, named is false, and only the number of the workers counts.
func (f Fleet) withWorkers(workers, answers []Replica) (out Fleet, named bool) {
	if len(workers) == 0 {
		return f, true
	}
	places := make(map[string]int, len(f.Replicas)) // of those of the scaler
	for i, r := range f.Replicas {
		places[r.ID] = i
	}
	answering := make(map[string]bool, len(answers))
	for _, a := range answers {
		answering[a.ID] = true
	}
	if len(places)+len(answering) > 0 && !slices.ContainsFunc(workers, func(w Replica) bool {
		_, managed := places[w.ID]
		return managed || answering[w.ID]
	}) {
		return f, false
	}
	f.Listed, f.Replicas = true, slices.Clone(f.Replicas)
	for _, w := range workers {
		if i, ok := places[w.ID]; ok {
			f.Replicas[i].Listed = true
			continue
		}
		w.Listed = true
		f.Replicas = append(f.Replicas, w)
	}
	return f, true
}
