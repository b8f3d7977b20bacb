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

// asked are the things that a policy may ask of a platform, each in the ways
// in which it may be put, of which the best answer counts: each is added to a
// policy of 5 to 20 replicas at 10 requests/s that take 200 ms.
var asked = []struct {
	name string
	ways []func(*profiles.Policy)
}{
	{"rps", ways(func(*profiles.Policy) {})},
	{"in flight", ways(metric(profiles.Metric{Kind: profiles.InFlight, Target: 2000}))},
	{"queue", eitherScope(profiles.Metric{Kind: profiles.Queue, Target: 2000})},
	{"free workers", eitherScope(profiles.Metric{Kind: profiles.FreeWorkers, Target: 1000})},
	{"cpu", besides(profiles.Metric{Kind: profiles.CPU, Target: 70_000})},
	{"memory", append(
		besides(profiles.Metric{Kind: profiles.Memory, Target: 70_000, Unit: "%"}),
		besides(profiles.Metric{Kind: profiles.Memory, Target: 512_000, Unit: "MiB"})...)},
	{"latency", eitherScope(profiles.Metric{Kind: profiles.Latency, Target: 500_000})},
	{"custom", eitherScope(profiles.Metric{Kind: profiles.Custom, Name: "jobs", Query: "sum(jobs_waiting)", Target: 5000})},
	{"two metrics", ways(add(profiles.Metric{Kind: profiles.CPU, Target: 70_000}), add(profiles.Metric{Kind: profiles.InFlight, Target: 2000}))},
	{"fractions", ways(func(p *profiles.Policy) { p.Metrics[0].Target = 10_500 })},
	{"hours", ways(hours, fixedHours)},
	{"to zero", ways(func(p *profiles.Policy) {
		p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: profiles.DefaultToZero}
	})},
	{"idle size", ways(idle(0), idle(1))},
	{"no limit", ways(func(p *profiles.Policy) { p.Replicas.Max = profiles.Unlimited })},
}

func ways(of ...func(*profiles.Policy)) []func(*profiles.Policy) { return of }

// metric is the only one of a policy.
func metric(m profiles.Metric) func(*profiles.Policy) {
	return func(p *profiles.Policy) {
		p.Metrics = nil
		add(m)(p)
	}
}

// add puts a metric next to those that are there.
func add(m profiles.Metric) func(*profiles.Policy) {
	return func(p *profiles.Policy) {
		m.Window = p.Interval
		p.Metrics = append(p.Metrics, m)
	}
}

// eitherScope asks for a metric as each replica's share and as a total.
func eitherScope(m profiles.Metric) []func(*profiles.Policy) {
	share, total := m, m
	share.Scope, total.Scope = profiles.PerReplica, profiles.WholeFleet
	return ways(metric(m), metric(share), metric(total))
}

// besides asks for a metric alone and next to requests.
func besides(m profiles.Metric) []func(*profiles.Policy) { return ways(metric(m), add(m)) }

func hours(p *profiles.Policy) {
	p.Schedules = []profiles.Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: "UTC", Min: 8}}
}

// fixedHours are those of a size that nothing else changes.
func fixedHours(p *profiles.Policy) {
	hours(p)
	p.Metrics, p.Replicas.Max = nil, profiles.Limit(p.Replicas.Min)
}

// idle is a size below min for when nothing arrives.
func idle(n int) func(*profiles.Policy) {
	return func(p *profiles.Policy) {
		p.Replicas.Idle, p.ToZero = &n, &profiles.ToZero{After: profiles.DefaultToZero}
	}
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
		out[i] = Refuses
		for _, way := range a.ways {
			p := profiles.DefaultPolicy()
			p.Replicas = profiles.Bounds{Min: 5, Max: 20}
			p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: 10_000, Window: p.Interval}}
			p.Calibration = &profiles.Calibration{Latency: profiles.Duration(200 * time.Millisecond)}
			way(&p)
			out[i] = better(out[i], pl.answer(p))
		}
	}
	return out
}

func better(a, b Answer) Answer {
	if a == Says || b == Refuses {
		return a
	}
	return b
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
