package advisor

import (
	"fmt"
	"math"

	"headroom/profiles"
)

// tolerance is how far the metric may be off its target before anything is done.
// It fills the replicas beyond their target, so that it may use up no more than
// half of what is kept free, and nothing of what growth will.
func (s sized) tolerance() Value {
	usual, kept := profiles.DefaultPolicy().Tolerance, s.kept.share
	given := 1000 - kept // a share of the capacity, as all of these
	half, left := 500*kept/given, 1000*(1000-s.grows)/given-1000
	most := min(usual, half, left)
	v := Value{Name: "tolerance", Value: profiles.Milli(100 * most).Float(), Unit: "%",
		Inputs: []string{fmt.Sprintf("%s kept free, %s of it for growth", kept, s.grows)},
		Why:    "a metric that is as near to its target changes nothing, so that chance does not move the fleet",
	}
	v.Formula = fmt.Sprintf("min(%s, %s / %s / 2, (100%% - %s) / %s - 1) = %s", usual, kept, given, s.grows, given, most)
	switch {
	case kept == 0:
		v.Why = "nothing is kept free that a fleet which waits could use up"
	case left == most:
		v.Why = "what is kept free beyond the growth until a new replica answers is all that may be used up by waiting"
	}
	if most < usual {
		v.Rejected = []Rejection{{usual.String() + ", as is usual", "replicas would be filled by as much more than their target, which they have no room for"}}
	} else {
		v.Rejected = []Rejection{{"0%", "each look would move the fleet by what is chance"}}
	}
	return exact(v)
}

func (s sized) timingValues() []Value {
	from := []string{fmt.Sprintf("start-up %s, interval %s", s.startText(), seconds(s.interval))}
	return []Value{
		s.spanned(s.intervalValue(), func(s sized) float64 { return s.interval.Seconds() }),
		s.spanned(s.windowValue(), func(s sized) float64 { return s.window.Seconds() }),
		exact(Value{Name: "up after", Value: 0, Unit: "s", Formula: "up after = 0 s", Inputs: from,
			Why:      "what is missing is added at once: waiting for certainty is what requests would pay for",
			Rejected: []Rejection{{seconds(s.interval) + ", one interval", "a new replica would answer as much later, and more would have to be kept free until then"}}}),
		s.spanned(Value{Name: "down after", Unit: "s", Formula: s.quietFormula(), Inputs: from,
			Why:      "a lull shorter than this would only stop replicas that are needed again",
			Rejected: []Rejection{{"0 s", "each lull would stop replicas, and the next requests would wait for others to start"}}},
			func(s sized) float64 { return s.quiet.Seconds() }),
	}
}

func (s sized) intervalValue() Value {
	v := Value{Name: "interval", Unit: "s", Why: "how often the metric is looked at", Inputs: []string{"start-up " + s.startText()}}
	derived := s.Needs
	derived.Interval = 0
	usual := seconds(derived.decideEvery())
	switch {
	case s.Interval > 0:
		v.Formula = "--interval = " + seconds(s.interval)
		v.Rejected = []Rejection{{usual + ", by the start-up time", "another one was said, which counts"}}
	case s.StartUp == 0:
		v.Formula = "start-up time not known: " + usual
		v.Rejected = []Rejection{{"another", "what it should be follows from the start-up time: --start-up says it"}}
	default:
		v.Formula = fmt.Sprintf("start-up %s / 4, between %s and %s = %s", seconds(s.StartUp), seconds(shortestInterval), seconds(longestInterval), usual)
		v.Rejected = []Rejection{{"more often", "it gains little while a start takes longer than that"}}
	}
	return v
}

func (s sized) windowValue() Value {
	v := Value{Name: "window", Unit: "s",
		Formula:  fmt.Sprintf("max(min(%d / %s, 60 s), interval %s) = %s", enoughArrivals, s.Traffic.High, seconds(s.interval), seconds(s.window)),
		Inputs:   []string{fmt.Sprintf("%d arrivals: (1.96 / 20 %%)², of a Poisson stream at 95 %%", enoughArrivals)},
		Why:      "long enough that in the busy hours chance moves the measured rate by at most 20 %",
		Rejected: []Rejection{{"longer", "half of it is added to the time until a new replica answers"}}}
	if times := s.burstiness(); times > 1 {
		v.Formula = fmt.Sprintf("max(min(%d x %.3g / %s, 60 s), interval %s) = %s", enoughArrivals, times, s.Traffic.High, seconds(s.interval), seconds(s.window))
		v.Inputs = append(v.Inputs, fmt.Sprintf("%.3g times as many, as those of the trace come in bursts", times))
	}
	if s.window < s.neededWindow() {
		v.Why = fmt.Sprintf("in the busy hours chance moves the measured rate by up to %.0f %%, but a longer one would be too slow", s.chance(s.Traffic.High))
	}
	if quiet := s.chance(s.Traffic.Low); s.Traffic.Low < s.Traffic.High && quiet > 20 {
		v.Why += fmt.Sprintf("; in the quiet ones, at %s/s, by up to %.0f %%", s.Traffic.Low, quiet)
	}
	return v
}

// chance is by how many percent it moves a rate that is measured over the window,
// 19 of 20 times by no more.
func (s sized) chance(rate profiles.Milli) float64 {
	return 196 * math.Sqrt(s.burstiness()/(rate.Float()*s.window.Seconds()))
}

func (s sized) quietFormula() string {
	if s.StartUp == 0 {
		return fmt.Sprintf("2 x interval %s, between 60 s and 1 h = %s; the start-up time is not known", seconds(s.interval), seconds(s.quiet))
	}
	return fmt.Sprintf("2 x (start-up %s + interval %s), between 60 s and 1 h = %s", seconds(s.StartUp), seconds(s.interval), seconds(s.quiet))
}
