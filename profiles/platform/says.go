package platform

import (
	"time"

	"headroom/profiles"
)

// Answer is what a platform makes of something that a policy asks for.
type Answer string

// The answers.
const (
	Says     Answer = "yes"
	Converts Answer = "~" // in other terms, or in part; the export says how
	Refuses  Answer = "-"
)

// asked are the things that a policy may ask of a platform, each added to a
// policy of 5 to 20 replicas at 10 requests/s that take 200 ms.
var asked = []struct {
	name string
	add  func(*profiles.Policy)
}{
	{"rps", func(p *profiles.Policy) {}},
	{"in flight", metric(profiles.InFlight, 2000)},
	{"queue", metric(profiles.Queue, 2000)},
	{"free workers", metric(profiles.FreeWorkers, 1000)},
	{"cpu", metric(profiles.CPU, 70_000)},
	{"memory", func(p *profiles.Policy) { metric(profiles.Memory, 70_000)(p); p.Metrics[0].Unit = "%" }},
	{"two metrics", func(p *profiles.Policy) {
		p.Metrics = append(p.Metrics, profiles.Metric{Kind: profiles.CPU, Target: 70_000, Window: p.Interval})
	}},
	{"fractions", func(p *profiles.Policy) { p.Metrics[0].Target = 10_500 }},
	{"hours", func(p *profiles.Policy) {
		p.Schedules = []profiles.Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: "UTC", Min: 8}}
	}},
	{"to zero", func(p *profiles.Policy) {
		p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: profiles.DefaultToZero}
	}},
	{"no limit", func(p *profiles.Policy) { p.Replicas.Max = profiles.Unlimited }},
}

func metric(kind profiles.Kind, target profiles.Milli) func(*profiles.Policy) {
	return func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = kind, target }
}

// Asked are the names of what Says answers, in its order.
func Asked() []string {
	out := make([]string, len(asked))
	for i, a := range asked {
		out[i] = a.name
	}
	return out
}

// Says tries what the platform can say.
func (pl Platform) Says() []Answer {
	out := make([]Answer, len(asked))
	for i, a := range asked {
		p := profiles.DefaultPolicy()
		p.Replicas = profiles.Bounds{Min: 5, Max: 20}
		p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: 10_000, Window: p.Interval}}
		p.Calibration = &profiles.Calibration{Latency: profiles.Duration(200 * time.Millisecond)}
		a.add(&p)
		out[i] = pl.answer(p)
	}
	return out
}

func (pl Platform) answer(p profiles.Policy) Answer {
	doc, err := pl.Export(p, Options{})
	if err != nil {
		return Refuses
	}
	for _, l := range doc.Losses {
		if l.Severe {
			return Converts
		}
	}
	return Says
}
