package advisor

import (
	"fmt"
	"math"
	"strings"

	"headroom/advisor/model"
	"headroom/profiles"
)

// sized are needs with what follows for one replica.
type sized struct {
	Needs
	timing
	kept   reserve
	target profiles.Milli // requests per second that one replica is given
}

// capacityAt is the capacity of one replica at the ends of its interval.
func (n Needs) capacityAt() (low, high profiles.Milli) {
	if n.Evidence == nil {
		return n.Capacity, n.Capacity
	}
	of := float64(max(1, n.Evidence.Replicas))
	return profiles.MilliOf(n.Evidence.SLO.Low / of), profiles.MilliOf(n.Evidence.SLO.High / of)
}

// between fills in Low and High: what the value would be at the ends of the
// interval of the capacity.
func (s sized) between(v Value, at func(capacity profiles.Milli) float64) Value {
	low, high := s.capacityAt()
	v.Low, v.High = v.Value, v.Value
	for _, c := range []profiles.Milli{low, high} {
		if c > 0 {
			x := at(c)
			v.Low, v.High = min(v.Low, x), max(v.High, x)
		}
	}
	return v
}

// given is what one replica of that capacity is given.
func (s sized) given(capacity profiles.Milli) profiles.Milli {
	return s.filled(capacity, s.kept.share)
}

// filled is what is left of a capacity when a share of it is kept free.
func (s sized) filled(capacity profiles.Milli, kept profiles.Ratio) profiles.Milli {
	return max(1, roundDown(roundDown(capacity)*profiles.Milli(1000-kept)/1000))
}

func ceilDiv(a, b profiles.Milli) int { return int(profiles.CeilDiv(int64(a), int64(b))) }

// least is the largest of what the quiet hours need.
func (s sized) least() Value {
	atOnce := max(s.Jump, s.risesIn(s.lag))
	need := func(target, capacity profiles.Milli) int {
		n := ceilDiv(s.Traffic.Low, target)
		if atOnce > 0 {
			n = max(n, ceilDiv(s.Traffic.Low+atOnce, capacity))
		}
		if s.Spare {
			n = max(n, ceilDiv(s.Traffic.Low, capacity)+1)
		}
		return n
	}
	usual := ceilDiv(s.Traffic.Low, s.target)
	v := Value{Name: "min", Value: float64(need(s.target, s.Capacity)), Unit: plural(usual),
		Formula:  fmt.Sprintf("ceil(%s / %s) = %d", s.Traffic.Low, s.target, usual),
		Why:      fmt.Sprintf("the quiet hours bring %s requests/s and one replica is given %s", s.Traffic.Low, s.target),
		Inputs:   []string{fmt.Sprintf("traffic %s requests/s", s.Traffic), fmt.Sprintf("%s requests/s given to one replica", s.target)},
		Rejected: []Rejection{{fmt.Sprint(usual + 1), "nothing that was said asks for it: --spare is for the loss of one, --jump for what comes at once"}},
	}
	if lean := ceilDiv(s.Traffic.Low, s.Capacity); lean < usual {
		v.Rejected = []Rejection{{fmt.Sprintf("%d, by the whole capacity", lean), "nothing would be free for what comes until another replica answers"}}
	}
	jumping, spare := ceilDiv(s.Traffic.Low+atOnce, s.Capacity), ceilDiv(s.Traffic.Low, s.Capacity)+1
	switch n := int(v.Value); {
	case n == usual:
	case s.Spare && n == spare:
		v.Formula = fmt.Sprintf("ceil(%s / %s) + 1 = %d", s.Traffic.Low, s.Capacity, spare)
		v.Why = "the quiet hours must survive the loss of one"
		v.Rejected = []Rejection{{fmt.Sprint(usual), "enough only while none is lost"}}
	case n == jumping:
		v.Formula = fmt.Sprintf("ceil((%s + %s) / %s) = %d", s.Traffic.Low, atOnce, s.Capacity, jumping)
		v.Why = fmt.Sprintf("%s requests/s may come on top of the quiet hours before a new replica answers, %s later", atOnce, seconds(s.lag))
		v.Rejected = []Rejection{{fmt.Sprint(usual), s.shortWait(usual)}}
	}
	v.Unit = plural(int(v.Value))
	return s.between(v, func(capacity profiles.Milli) float64 { return float64(need(s.given(capacity), capacity)) })
}

// shortWait says what would come of n replicas in the quiet hours, until others
// answer: so many requests pile up, and the last of them waits until n replicas
// have worked off what is before it.
func (s sized) shortWait(n int) string {
	holds := float64(n) * s.Capacity.Float()
	backlog := max(s.jumpBacklog(holds), s.riseBacklog(holds))
	return fmt.Sprintf("%.0f requests would pile up, and wait for up to %s", backlog, seconds(fromSeconds(backlog/holds)))
}

// jumpBacklog is what piles up when the jump comes at once: λ2 - n x for the
// whole of the lag, in requests.
func (s sized) jumpBacklog(holds float64) float64 {
	return max(0, (s.Traffic.Low+s.Jump).Float()-holds) * s.lag.Seconds()
}

// riseBacklog is what piles up when the traffic rises steadily: what comes
// beyond n x grows from nothing to its end at the lag, a triangle with the
// slope g as its side, (λ2 - n x)²/2g requests.
func (s sized) riseBacklog(holds float64) float64 {
	if s.Rise == 0 {
		return 0
	}
	beyond := max(0, (s.Traffic.Low+s.risesIn(s.lag)).Float()-holds)
	return beyond * beyond / (2 * s.Rise.Float())
}

// most is what the busy hours need, and no less than min.
func (s sized) most() Value {
	high, each := s.Traffic.High*profiles.Milli(1000+s.Growth)/1000, s.filled(s.Capacity, s.Headroom)
	n := ceilDiv(high, each)
	v := Value{Name: "max", Value: float64(n), Unit: plural(n),
		Formula: fmt.Sprintf("ceil(%s / %s) = %d", high, each, n),
		Why:     fmt.Sprintf("the busy hours bring %s requests/s and one replica is given %s", high, each),
		Inputs:  []string{fmt.Sprintf("traffic %s requests/s", s.Traffic), fmt.Sprintf("growth %s", s.Growth)},
	}
	v.Rejected = []Rejection{{"unlimited", "a fault, or somebody's load test, would be paid for"}}
	if s.target < each {
		v.Rejected = append(v.Rejected, Rejection{fmt.Sprintf("%d, by the target", ceilDiv(high, s.target)), "what is kept free for a rise is used in the busiest hour, after which nothing rises"})
	}
	v = s.between(v, func(capacity profiles.Milli) float64 { return float64(ceilDiv(high, s.filled(capacity, s.Headroom))) })
	if low := s.least().Value; v.Value < low {
		v.Value, v.Low, v.High = low, max(v.Low, low), max(v.High, low)
		v.Formula, v.Why, v.Unit = "min", "never less than min", plural(int(low))
	}
	return v
}

// scale puts the metric into the policy, with what depends on it.
func (s sized) scale(p *profiles.Policy, chosen choice) ([]Value, error) {
	metric := profiles.Metric{Kind: chosen.kind, Target: s.target, Window: profiles.Duration(s.window)}
	rate := s.between(Value{Name: "target", Value: s.target.Float(), Unit: "requests/s per replica",
		Formula: fmt.Sprintf("%s x (100%% - %s) = %s", s.Capacity, s.kept.share, s.target), Why: s.targetWhy(), Rejected: s.targetRejected(),
		Inputs: s.capacityInputs()}, func(capacity profiles.Milli) float64 { return s.given(capacity).Float() })
	values := []Value{rate}
	var err error
	switch chosen.kind {
	case profiles.InFlight:
		values[0] = s.inFlight(rate)
	case profiles.CPU:
		values[0], metric.Unit = s.cpu(rate)
	case profiles.FreeWorkers:
		values = s.freeWorkers(p, rate)
	case profiles.Queue:
		values, err = s.queue(p, rate)
	}
	metric.Target = profiles.MilliOf(values[0].Value)
	p.Metrics = []profiles.Metric{metric}
	return values, err
}

func (s sized) capacityInputs() []string {
	if s.Evidence == nil {
		return []string{fmt.Sprintf("capacity %s requests/s of one replica, as said", s.Capacity)}
	}
	c := s.Evidence
	return []string{
		fmt.Sprintf("capacity of %d %s: %s under the SLO, %s at saturation", max(1, c.Replicas), plural(max(1, c.Replicas)), c.SLO, c.Saturation),
		fmt.Sprintf("interval %s, window %s, start-up %s: lag %s", seconds(s.interval), seconds(s.window), s.startText(), seconds(s.lag)),
	}
}

func (n Needs) startText() string {
	if n.StartUp == 0 {
		return "not known"
	}
	return seconds(n.StartUp)
}

// threeDigits rounds a level down as rates are; a target is more than 0.
func threeDigits(v float64) float64 { return roundDown(max(1, profiles.MilliOf(v))).Float() }

// inFlight is the number of requests in flight at the rate of target, between
// the measured steps.
func (s sized) inFlight(rate Value) Value {
	steps, _ := s.Evidence.signalsOf(profiles.InFlight, s.Managed)
	level := func(x float64) float64 {
		return max(0.001, math.Round(model.Interpolate(steps.load, steps.value, x)*1000)/1000)
	}
	v := rate
	v.Value, v.Unit = level(rate.Value), "requests in flight per replica"
	v.Low, v.High = level(rate.Low), level(rate.High)
	v.Formula = fmt.Sprintf("in flight at %s; in flight at %s/s = %s", rate.Formula, s.target, profiles.MilliOf(v.Value))
	v.Inputs = append(v.Inputs, "requests in flight in each step of the search")
	v.Rejected = append(v.Rejected, Rejection{profiles.MilliOf(s.target.Float()*s.Service.Seconds()).String() + ", the rate x the service time", "it leaves out what waits"})
	return v
}

// cpu is what a replica uses at the rate of target, in percent of one core
// where that is its limit, else in cores.
func (s sized) cpu(rate Value) (v Value, unit string) {
	steps, _ := s.Evidence.signalsOf(profiles.CPU, s.Managed)
	line, _ := model.FitLine(steps.load, steps.value)
	factor, unit, name := 100.0, "", "% of one core per replica"
	if s.Evidence.cpuLimit(line) > 1 {
		factor, unit, name = 1, "cores", "cores per replica"
	}
	level := func(x float64) float64 { return threeDigits(line.At(x) * factor) }
	v = rate
	v.Value, v.Unit = level(rate.Value), name
	v.Low, v.High = level(rate.Low), level(rate.High)
	v.Formula = fmt.Sprintf("%s; (%.3f + %.4f x %s) cores = %s %s", rate.Formula, math.Round(line.Base*1000)/1000+0, line.Slope, s.target, profiles.MilliOf(v.Value), strings.Fields(name)[0])
	if n, ok := decisionsFor(s.Traffic.High.Float()/s.Traffic.Low.Float(), s.Evidence.cpuLimit(line)*factor/v.Value); ok && n > 1 {
		v.Why += fmt.Sprintf("; as CPU ends at its limit, from the quiet to the busy hours it takes %d decisions", n)
	}
	v.Inputs = append(v.Inputs, fmt.Sprintf("CPU of each step: %.3f cores without load, %.4f core seconds a request (R² %.3f)", line.Base, line.Slope, line.R2))
	return v, unit
}

// freeWorkers keeps some replicas without a request.
func (s sized) freeWorkers(p *profiles.Policy, rate Value) []Value {
	lead := s.interval + s.StartUp
	high, rise, service := s.Traffic.High.Float(), s.Rise.Float(), s.Service
	free := freeWorkers(high, rise, service, lead)
	busy := int(math.Ceil(high * service.Seconds()))
	p.Replicas.Min = max(p.Replicas.Min, free)
	p.Replicas.Max = max(p.Replicas.Max, profiles.Limit(busy+free))
	f := Value{Name: "target", Value: float64(free), Low: float64(free), High: float64(free), Unit: "free " + plural(free),
		Formula: fmt.Sprintf("ceil(g S T + 1.645 sqrt(2 a (1 - e^(-T/S)))) = %d, with g %s/s², S %s, T %s, a = %s x S = %.1f",
			free, s.Rise, latency(service), seconds(lead), s.Traffic.High, high*service.Seconds()),
		Inputs:   append(rate.Inputs, "one request at a time per replica"),
		Rejected: []Rejection{{"none", "each request that finds no free replica would wait for one to start"}},
		Why:      fmt.Sprintf("so many take what chance and a rise add in the %s until a new replica answers; about one request in twenty waits", seconds(lead)),
	}
	return append([]Value{f}, s.stepwise(p, free)...)
}

// queue lets so many requests wait before another replica is started.
func (s sized) queue(p *profiles.Policy, rate Value) ([]Value, error) {
	lead := s.interval + s.StartUp
	objective, _ := s.SLO.Latency()
	spare := max(0, fromSeconds(objective.Limit)-s.Service)
	limit := queueLimit(p.Replicas.Min, spare, lead, s.Service)
	if limit < 1 {
		return []Value{rate}, refuseMetric(profiles.Queue, fmt.Sprintf("the SLO leaves %s for waiting and a new replica answers after %s", latency(spare), seconds(lead)), nil)
	}
	q := Value{Name: "target", Value: float64(limit), Low: float64(limit), High: float64(limit), Unit: "waiting requests",
		Formula:  fmt.Sprintf("floor(%d x (%s - %s) / %s) = %d", p.Replicas.Min, seconds(spare), seconds(lead), latency(s.Service), limit),
		Inputs:   append(rate.Inputs, fmt.Sprintf("%s for waiting under %s", seconds(spare), s.SLO)),
		Rejected: []Rejection{{"more", "the last of them would wait for longer than the SLO leaves"}},
		Why:      fmt.Sprintf("so many are worked off by min replicas in what the SLO leaves for waiting, once a new replica has had its %s to answer", seconds(lead)),
	}
	return append([]Value{q}, s.stepwise(p, 1)...), nil
}

// raised is a bound that the metric needs to be higher than the rate does.
func raised(v Value, to int) Value {
	if int(v.Value) >= to {
		return v
	}
	v.Rejected = append(v.Rejected, Rejection{fmt.Sprintf("%.0f, by the rate", v.Value), "it leaves no room for the workers that are to be free"})
	v.Value, v.Low, v.High = float64(to), float64(to), max(v.High, float64(to))
	v.Formula, v.Why, v.Unit = fmt.Sprintf("%d with the free workers", to), "the workers that are to be free come on top of those that are busy", plural(to)
	return v
}

// stepwise are the values of metrics that add a step at a time and take away
// what is idle.
func (s sized) stepwise(p *profiles.Policy, least int) []Value {
	cycle := s.StartUp + s.interval
	step := max(least, stepFor(s.Rise.Float(), s.Service, cycle))
	idle := idleFor(s.interval, s.StartUp)
	p.Up.Step, p.Down.Idle = step, profiles.Duration(idle)
	return []Value{
		{Name: "up step", Value: float64(step), Low: float64(step), High: float64(step), Unit: plural(step),
			Inputs:   []string{fmt.Sprintf("start-up %s, interval %s", s.startText(), seconds(s.interval))},
			Rejected: []Rejection{{"less", "a steeper rise than the step allows for would never be caught up with"}},
			Formula:  fmt.Sprintf("max(%d, ceil(g S (start-up + interval))), with g %s/s², S %s and %s", least, s.Rise, latency(s.Service), seconds(cycle)),
			Why:      "nothing is added while a replica starts, so that the step limits how steep a rise is followed"},
		{Name: "idle", Value: idle.Seconds(), Low: idle.Seconds(), High: idle.Seconds(), Unit: "s",
			Formula:  fmt.Sprintf("max(3 x interval, %d x start-up %s)", idleStarts, s.startText()),
			Inputs:   []string{fmt.Sprintf("start-up %s, interval %s", s.startText(), seconds(s.interval))},
			Why:      "a replica that has been idle for longer costs more than starting it again; it needs a dispatch that packs",
			Rejected: []Rejection{{"less", "replicas would go and come with every lull"}}},
	}
}

func (s sized) timingValues(p profiles.Policy) []Value {
	quiet := s.quiet.Seconds()
	return []Value{
		exact(Value{Name: "interval", Value: s.interval.Seconds(), Unit: "s", Formula: s.intervalFormula(), Why: "how often the metric is looked at",
			Inputs:   []string{"start-up " + s.startText()},
			Rejected: []Rejection{{"more often", "it gains little while a start takes longer than that"}}}),
		exact(s.windowValue()),
		exact(Value{Name: "down after", Value: quiet, Unit: "s", Formula: s.quietFormula(), Inputs: []string{fmt.Sprintf("start-up %s, interval %s", s.startText(), seconds(s.interval))}, Why: "a lull shorter than this would only stop replicas that are needed again",
			Rejected: []Rejection{{"up after 0 s", "what is missing is added at once: waiting for certainty is what requests would pay for"}}}),
	}
}

func (n Needs) intervalFormula() string {
	switch {
	case n.Interval > 0:
		return "given"
	case n.StartUp == 0:
		return "start-up time not known: 10 s"
	}
	return fmt.Sprintf("start-up %s / 4, between 2 s and 30 s", seconds(n.StartUp))
}

func (s sized) windowValue() Value {
	v := Value{Name: "window", Value: s.window.Seconds(), Unit: "s",
		Formula:  fmt.Sprintf("max(min(%d / %s, 60 s), interval)", enoughArrivals, s.Traffic.High),
		Inputs:   []string{fmt.Sprintf("%d arrivals: (1.96 / 20 %%)², of a Poisson stream at 95 %%", enoughArrivals)},
		Why:      "long enough that chance moves the measured rate by at most 20 %",
		Rejected: []Rejection{{"longer", "half of it is added to the time until a new replica answers"}}}
	if s.window < s.neededWindow() {
		v.Why = fmt.Sprintf("chance moves the measured rate by up to %.0f %%, but a longer one would be too slow", 196/math.Sqrt(s.Traffic.High.Float()*s.window.Seconds()))
	}
	return v
}

func (n Needs) quietFormula() string {
	if n.StartUp == 0 {
		return "2 x interval, between 60 s and 1 h; the start-up time is not known"
	}
	return "2 x (start-up + interval), between 60 s and 1 h"
}

// targetRejected are the levels that the target might have been at.
func (s sized) targetRejected() []Rejection {
	if s.kept.share == 0 {
		return []Rejection{{"less", "nothing that was said asks for a share that is kept free"}}
	}
	return append([]Rejection{{s.Capacity.String() + ", the whole capacity", "until a new replica answers, whatever comes on top would miss the SLO"}}, s.kept.rejected...)
}

func (s sized) targetWhy() string {
	holds := fmt.Sprintf("one replica carries %s/s", s.Capacity)
	if len(s.SLO) > 0 {
		holds = fmt.Sprintf("one replica holds %s up to %s/s", s.SLO, s.Capacity)
	}
	if low, high := s.capacityAt(); low != high {
		holds += fmt.Sprintf(" [%s … %s]", profiles.FormatRate(low.Float()), profiles.FormatRate(high.Float()))
	}
	if s.kept.share == 0 {
		return holds + ", and all of it is used"
	}
	return holds + "; " + s.kept.why
}

// headroomWhy says what the share that was given is for.
func (n Needs) headroomWhy(t timing) string {
	if n.StartUp == 0 {
		return fmt.Sprintf("%s of it is kept free for what arrives until a new replica answers: %s (%s) and its start-up, which is not known",
			n.Headroom, seconds(t.lag), n.lagParts(t))
	}
	return fmt.Sprintf("%s of it is kept free for what arrives in the %s until a new replica answers (%s)", n.Headroom, seconds(t.lag), n.lagParts(t))
}

func (n Needs) lagParts(t timing) string {
	parts := fmt.Sprintf("interval %s + half the window %s", seconds(t.interval), seconds(t.window/2))
	if n.StartUp > 0 {
		parts += " + start-up " + seconds(n.StartUp)
	}
	return parts
}
