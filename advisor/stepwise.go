package advisor

import (
	"fmt"

	"headroom/profiles"
)

// free is how many workers are to be free, and busy how many are not in the busy
// hours.
func (s sized) free() int {
	return freeWorkers(s.Traffic.High.Float(), s.Rise.Float(), s.Service, s.interval+s.StartUp)
}

func (s sized) busy() int {
	return ceilProduct(s.Traffic.High, s.Service)
}

// raiseByFree raises min and max where the workers that are to be free ask for
// more than the rate does.
func (s sized) raiseByFree(low, high Value) (Value, Value) {
	const why = "the workers that are to be free come on top of those that are busy"
	free := s.spanned(Value{}, func(s sized) float64 { return float64(s.free()) })
	all := s.spanned(Value{}, func(s sized) float64 { return float64(s.busy() + s.free()) })
	return raise(low, free, fmt.Sprintf("%d free", s.free()), why), raise(high, all, fmt.Sprintf("%d busy + %d free", s.busy(), s.free()), why)
}

// freeWorkers keeps some replicas without a request.
func (s sized) freeWorkers(p *profiles.Policy, rate Value) []Value {
	lead, free := s.interval+s.StartUp, s.free()
	f := s.spanned(Value{Name: "target", Unit: "free " + plural(free),
		Formula: fmt.Sprintf("ceil(g S T + 1.645 sqrt(2 a (1 - e^(-T/S)))) = %d, with g %s/s², S %s, T %s, a = %s x S = %.1f",
			free, s.Rise, latency(s.Service), seconds(lead), s.Traffic.High, s.Traffic.High.Float()*s.Service.Seconds()),
		Inputs:   append(rate.Inputs, "one request at a time per replica"),
		Rejected: []Rejection{{"none", "each request that finds no free replica would wait for one to start"}},
		Why:      fmt.Sprintf("so many take what chance and a rise add in the %s until a new replica answers; about one request in twenty waits", seconds(lead)),
	}, func(s sized) float64 { return float64(s.free()) })
	return append([]Value{f}, s.stepwise(p, sized.free)...)
}

// queue lets so many requests wait before another replica is started.
func (s sized) queue(p *profiles.Policy, rate Value) ([]Value, error) {
	lead := s.interval + s.StartUp
	objective, _ := s.SLO.Latency()
	most := fromSeconds(objective.Limit)
	spare := max(0, most-s.Service)
	limit := func(replicas float64) func(sized) float64 {
		return func(s sized) float64 {
			return float64(queueLimit(int(replicas), max(0, most-s.Service), s.interval+s.StartUp, s.Service))
		}
	}
	least := s.least()
	q := s.spanned(Value{Name: "target", Unit: "waiting requests",
		Inputs:   append(rate.Inputs, fmt.Sprintf("%s for waiting under %s", seconds(spare), s.SLO)),
		Rejected: []Rejection{{"more", "the last of them would wait for longer than the SLO leaves"}},
		Why:      fmt.Sprintf("so many are worked off by min replicas in what the SLO leaves for waiting, once a new replica has had its %s to answer", seconds(lead)),
	}, limit(least.Value))
	if q.Value < 1 {
		return []Value{rate}, refuseMetric(profiles.Queue, fmt.Sprintf("the SLO leaves %s for waiting and a new replica answers after %s", latency(spare), seconds(lead)), nil)
	}
	q.Low, q.High = s.spanned(q, limit(least.Low)).Low, s.spanned(q, limit(least.High)).High
	q.Formula = fmt.Sprintf("floor(%d x (%s - %s) / %s) = %g", p.Replicas.Min, seconds(spare), seconds(lead), latency(s.Service), q.Value)
	return append([]Value{q}, s.stepwise(p, func(sized) int { return 1 })...), nil
}

// stepwise are the values of metrics that add a step at a time, no less than
// least, and take away what is idle.
func (s sized) stepwise(p *profiles.Policy, least func(sized) int) []Value {
	from := []string{fmt.Sprintf("start-up %s, interval %s", s.startText(), seconds(s.interval))}
	steps := func(s sized) float64 {
		return float64(max(least(s), stepFor(s.Rise, s.Service, s.StartUp+s.interval)))
	}
	idleTime := func(s sized) float64 { return idleFor(s.interval, s.StartUp).Seconds() }
	step := s.spanned(Value{Name: "up step", Inputs: from,
		Rejected: []Rejection{{"less", "a steeper rise than the step allows for would never be caught up with"}},
		Formula:  fmt.Sprintf("max(%d, ceil(g S (start-up + interval))) = %.0f, with g %s/s², S %s and %s", least(s), steps(s), s.Rise, latency(s.Service), seconds(s.StartUp+s.interval)),
		Why:      "nothing is added while a replica starts, so that the step limits how steep a rise is followed"}, steps)
	step.Unit = plural(int(step.Value))
	idle := s.spanned(Value{Name: "idle", Unit: "s", Inputs: from,
		Formula:  fmt.Sprintf("max(3 x interval, %d x start-up %s) = %g s", idleStarts, s.startText(), idleTime(s)),
		Why:      "a replica that has been idle for longer costs more than starting it again; it needs a dispatch that packs",
		Rejected: []Rejection{{"less", "replicas would go and come with every lull"}}}, idleTime)
	p.Up.Step, p.Down.Idle = int(step.Value), profiles.Duration(fromSeconds(idle.Value))
	return []Value{step, idle}
}
