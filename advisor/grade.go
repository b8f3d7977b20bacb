package advisor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"headroom/profiles"
)

// Grade says how well a capacity, or advice that rests on it, is supported.
type Grade string

// The grades, the best first.
const (
	GradeA Grade = "A" // within 5 %, confirmed, at two replica counts, and nothing drifted
	GradeB Grade = "B" // within 10 %, and confirmed
	GradeC Grade = "C" // by the figures of its steps within 30 %, or something is assumed
	GradeD Grade = "D" // not even that
)

// Assessment is a grade with what it rests on.
type Assessment struct {
	Grade    Grade    `json:"grade,omitempty"`
	GradeWhy string   `json:"gradeWhy,omitempty"`
	Raise    []string `json:"raise,omitempty"` // what would raise the grade; all of it is needed
}

// String says why the grade is not better, and what would make it so.
func (a Assessment) String() string {
	if len(a.Raise) == 0 {
		return a.GradeWhy
	}
	return a.GradeWhy + "; to raise it: " + strings.Join(a.Raise, ", ")
}

// flaw is something that keeps a grade from being better than most.
type flaw struct {
	most      Grade
	why, mend string
}

// assess is the grade that the worst flaws leave.
func assess(flaws []flaw) Assessment {
	a := Assessment{Grade: GradeA, GradeWhy: "closely bracketed and confirmed at two replica counts, and nothing drifted"}
	for _, f := range flaws {
		a.Grade = max(a.Grade, f.most) // A sorts before D
	}
	var why []string
	for _, f := range flaws {
		if f.most != a.Grade {
			continue
		}
		why = append(why, f.why)
		if !slices.Contains(a.Raise, f.mend) {
			a.Raise = append(a.Raise, f.mend)
		}
	}
	if len(why) > 0 {
		a.GradeWhy = strings.Join(why, "; ")
	}
	return a
}

// with is the assessment where there are flaws of another kind as well.
func (a Assessment) with(flaws []flaw) Assessment {
	b := assess(flaws)
	switch {
	case len(flaws) == 0 || b.Grade < a.Grade:
		return a
	case b.Grade == a.Grade:
		b.GradeWhy = a.GradeWhy + "; " + b.GradeWhy
		b.Raise = append(slices.Clone(a.Raise), b.Raise...)
	}
	return b
}

// What a grade wants of the bracket, of half the interval, and of the drift
// between the first step and its repetition, as shares.
const (
	closeBracket = 0.05 // for an A
	goodBracket  = 0.10 // for a B
	wideBracket  = 0.30 // for a C
	littleDrift  = 0.05 // for a B
	tooMuchDrift = 0.15 // nothing can be said at all
)

// flaws are what speaks against the capacity.
func (c *Capacity) flaws() []flaw {
	var out []flaw
	add := func(most Grade, mend, why string, args ...any) {
		out = append(out, flaw{most, fmt.Sprintf(why, args...), mend})
	}
	const (
		longer        = "a longer --budget"
		quietMachine  = "the same on a machine with nothing else to do"
		steadyService = "a service that is as fast at the end as at the beginning"
	)
	settled, missed := profiles.FormatRate(c.settled), profiles.FormatRate(c.missed)+"/s missed it"
	if !c.over {
		missed = "saturation is at " + profiles.FormatRate(c.missed) + "/s"
	}

	switch bracket := c.missed/c.settled - 1; {
	case bracket > wideBracket && !c.over:
		add(GradeD, longer, "%s/s met the SLO, and nothing says where it ends below saturation, which is %.0f %% higher", settled, bracket*100)
	case bracket > wideBracket:
		add(GradeD, longer, "%s/s met the SLO, the next load that missed it is %.0f %% higher", settled, bracket*100)
	case c.contradicted():
		add(GradeC, longer, "%s/s passed and %s/s failed: the service does not behave the same throughout",
			profiles.FormatRate(c.passed), profiles.FormatRate(c.failed))
	case bracket < 0:
		add(GradeC, longer, "%s/s met the SLO and %s: the steps contradict each other", settled, missed)
	case bracket > goodBracket:
		add(GradeC, longer, "%s/s met the SLO and %s, %.0f %% apart", settled, missed, bracket*100)
	case bracket > closeBracket:
		add(GradeB, longer, "%s/s met the SLO and %s, %.0f %% apart", settled, missed, bracket*100)
	}
	switch half := (c.SLO.High - c.SLO.Low) / 2 / c.SLO.Value; {
	case half > wideBracket || c.SLO.Low <= 0:
		add(GradeD, longer, "the capacity lies %s", c.SLO.lies())
	case half > goodBracket:
		add(GradeC, longer, "the capacity lies %s", c.SLO.lies())
	case half > closeBracket:
		add(GradeB, longer, "the capacity lies %s", c.SLO.lies())
	}
	if c.Interrupted {
		add(GradeD, "letting it go on (capacity --continue)", "it was interrupted")
	}
	if c.Even {
		add(GradeC, "Poisson arrivals", "arrivals came at equal distances: those of real users come in bursts, of which it holds less")
	}
	if c.Grown != "" {
		add(GradeC, "a fleet that keeps its size", "%s", c.Grown)
	}
	if c.Doubt != "" {
		add(GradeC, quietMachine, "%s", c.Doubt)
	}
	if others, most := c.Host.others(); most && (c.HostLimited || c.Host.Saturated()) {
		add(GradeC, quietMachine, "%s kept %.2f of the %d cores busy, and the machine was full", c.Host.crowd(), others, c.Host.Cores)
	}
	if c.restless != "" {
		add(GradeC, longer, "step %q met the SLO, but more than half of it was unlike its end: it had not settled", c.restless)
	}
	if c.Budget < enoughForMore {
		add(GradeC, longer, "the whole search had only %v", c.Budget)
	}
	if !c.Confirmed {
		add(GradeC, longer, "it was not confirmed")
	}
	switch what, drift, ok := c.drift(); {
	case !ok:
		add(GradeB, longer, "whether the service became slower meanwhile was not controlled")
	case drift > littleDrift:
		add(GradeC, steadyService, "%s", what)
	}
	if what, drift := loadedDrift(c.Steps); drift > littleDrift {
		add(GradeC, steadyService, "%s", what)
	}
	switch {
	case c.Scaling == nil:
		add(GradeB, "a second replica count", "only one number of replicas was measured")
	case c.Scaling.HostLimited:
		add(GradeB, "replicas on machines of their own", "%d replicas were as much as their machine carries: how they scale is not known", c.Scaling.Replicas)
	case c.Scaling.SLO == nil:
		add(GradeB, "a second replica count under the SLO", "what %d replicas hold under the SLO was not measured: %s", c.Scaling.Replicas, c.Scaling.Skipped)
	}
	return out
}

const underScaler = "a measurement of replicas under a scaler"

// enoughStarts is how many start-up times say what one takes.
const enoughStarts = 3

// startFlaws are what speaks against the start-up time that advice rests on.
func startFlaws(starts []time.Duration) []flaw {
	switch n := len(starts); {
	case n == 0:
		return []flaw{{GradeC, "the start-up time of a replica is not known", underScaler}}
	case n < enoughStarts:
		return []flaw{{GradeB, fmt.Sprintf("the start-up time was measured %s", times(n)), fmt.Sprintf("%d measured start-ups", enoughStarts)}}
	}
	return nil
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
