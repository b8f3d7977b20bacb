package advisor

import (
	"fmt"
	"math"

	"headroom/advisor/model"
	"headroom/profiles"
)

// sized are needs with what follows for one replica.
type sized struct {
	Needs
	timing
	kept      reserve
	scaleFree profiles.Ratio // largest of those that are the same whatever the fleet
	grows     profiles.Ratio // largest of those that growth uses up, until a new replica answers
	balances  balances       // zero where the traffic does not rise steadily
	target    profiles.Milli // requests per second that one replica is given
}

// capacityAt is the capacity of one replica at the ends of its interval.
func (n Needs) capacityAt() (low, high profiles.Milli) {
	if n.Evidence == nil {
		return n.Capacity, n.Capacity
	}
	each := n.Evidence.Each()
	return profiles.MilliOf(each.Low), profiles.MilliOf(each.High)
}

// alone is the SLO capacity of one replica as it was measured without others.
func (n Needs) alone() float64 {
	if n.Evidence == nil {
		return n.Capacity.Float()
	}
	return n.Evidence.SLO.each(n.Evidence.Replicas).Value
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

// given is what one replica of that capacity is given, and how many there are at
// least for what rises.
func (s sized) given(capacity profiles.Milli) (target profiles.Milli, least int) {
	if rise := s.risesIn(s.lag); rise > 0 {
		b := s.Needs.balances(capacity, rise, s.scaleFree).best
		return b.target, b.least
	}
	return s.eachGets(capacity, s.kept.share), s.balances.best.least
}

// filled is what is left of a capacity when a share of it is kept free, more
// than 0.
func (n Needs) filled(capacity profiles.Milli, kept profiles.Ratio) profiles.Milli {
	return max(1, roundDown(roundDown(capacity)*profiles.Milli(1000-kept)/1000))
}

// eachGets is filled as the platform can say it, if it is 1 or more: less is safe.
func (n Needs) eachGets(capacity profiles.Milli, kept profiles.Ratio) profiles.Milli {
	rate := n.filled(capacity, kept)
	if n.whole && rate >= 1000 {
		return rate / 1000 * 1000
	}
	return rate
}

func ceilDiv(a, b profiles.Milli) int { return int(profiles.CeilDiv(int64(a), int64(b))) }

// least is the largest of what the quiet hours need.
func (s sized) least() Value {
	need := func(target, capacity profiles.Milli, rising int) int {
		return max(ceilDiv(s.Traffic.Low, target), s.floor(capacity), rising)
	}
	usual, n := ceilDiv(s.Traffic.Low, s.target), need(s.target, s.Capacity, s.balances.best.least)
	v := Value{Name: "min", Value: float64(n), Unit: plural(n),
		Formula:  fmt.Sprintf("ceil(%s / %s) = %d", s.Traffic.Low, s.target, usual),
		Why:      fmt.Sprintf("the quiet hours bring %s requests/s and one replica is given %s", s.Traffic.Low, s.target),
		Inputs:   []string{fmt.Sprintf("traffic %s requests/s", s.Traffic), fmt.Sprintf("%s requests/s given to one replica", s.target)},
		Rejected: []Rejection{{fmt.Sprint(usual + 1), "nothing that was said asks for it: --spare is for the loss of one, --jump for what comes at once"}},
	}
	if lean := ceilDiv(s.Traffic.Low, s.Capacity); lean < usual {
		v.Rejected = []Rejection{{fmt.Sprintf("%d, by the whole capacity", lean), "nothing would be free for what comes until another replica answers"}}
	}
	jumping, spare := ceilDiv(s.Traffic.Low+s.Jump, s.Capacity), ceilDiv(s.Traffic.Low, s.Capacity)+1
	switch {
	case n == usual:
	case s.Spare && n == spare:
		v.Formula = fmt.Sprintf("ceil(%s / %s) + 1 = %d", s.Traffic.Low, s.Capacity, spare)
		v.Why = "the quiet hours must survive the loss of one"
		v.Rejected = []Rejection{{fmt.Sprint(usual), "enough only while none is lost"}}
	case s.Jump > 0 && n == jumping:
		v.Formula = fmt.Sprintf("ceil((%s + %s) / %s) = %d", s.Traffic.Low, s.Jump, s.Capacity, jumping)
		v.Why = fmt.Sprintf("%s requests/s may come on top of the quiet hours before a new replica answers, %s later", s.Jump, seconds(s.lag))
		v.Rejected = []Rejection{{fmt.Sprint(usual), s.shortWait(usual)}}
	default:
		v = s.riseMin(v, s.risesIn(s.lag))
	}
	return s.between(v, func(capacity profiles.Milli) float64 {
		target, rising := s.given(capacity)
		return float64(need(target, capacity, rising))
	})
}

// shortWait says what would come of n replicas in the quiet hours, until others
// answer: so many requests pile up, and the last of them waits until n replicas
// have worked off what is before it, at saturation. Below that nothing piles up,
// and what is beyond the capacity misses the SLO.
func (s sized) shortWait(n int) string {
	holds := float64(n) * s.saturation()
	backlog := max(s.jumpBacklog(holds), s.riseBacklog(holds))
	if backlog < 1 {
		return "the SLO would be missed until others answer"
	}
	return fmt.Sprintf("%.0f requests would pile up, and wait for up to %s", backlog, seconds(fromSeconds(backlog/holds)))
}

// saturation is how many requests per second one replica works off at most: the
// capacity, where nothing was measured.
func (n Needs) saturation() float64 {
	if n.Evidence == nil {
		return n.Capacity.Float()
	}
	return max(n.Capacity.Float(), n.Evidence.Saturation.Value/float64(max(1, n.Evidence.Replicas)))
}

// jumpBacklog is what piles up when the jump comes at once: λ2 - n x for the
// whole of the lag, in requests.
func (s sized) jumpBacklog(holds float64) float64 {
	return max(0, (s.Traffic.Low+s.Jump).Float()-holds) * s.lag.Seconds()
}

// riseBacklog is what piles up when the traffic rises steadily: what comes
// beyond n x grows from nothing to its end at the lag, a triangle with the
// slope g as its side, (λ2 - n x)²/2g requests. Where the rise ends before, as
// many come for the rest of the lag.
func (s sized) riseBacklog(holds float64) float64 {
	if s.Rise == 0 {
		return 0
	}
	rise := s.risesIn(s.lag).Float()
	beyond := max(0, s.Traffic.Low.Float()+rise-holds)
	rest := max(0, s.lag.Seconds()-rise/s.Rise.Float())
	return beyond * (beyond/(2*s.Rise.Float()) + rest)
}

// most is what the busy hours need, and no less than min.
func (s sized) most() Value {
	high, each := s.busiest(s.Traffic), s.filled(s.Capacity, s.Headroom)
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
	if low := s.least(); v.Value < low.Value {
		v = raise(v, low, fmt.Sprintf("min %.0f", low.Value), "never less than min")
	}
	return v
}

// scale puts the metric into the policy, with what depends on it.
func (s sized) scale(p *profiles.Policy, chosen choice) ([]Value, error) {
	metric := profiles.Metric{Kind: chosen.kind, Target: s.target, Window: profiles.Duration(s.window)}
	rate := s.between(Value{Name: "target", Value: s.target.Float(), Unit: "requests/s per replica",
		Formula: s.targetFormula(), Why: s.targetWhy(), Rejected: s.targetRejected(),
		Inputs: s.capacityInputs()}, func(capacity profiles.Milli) float64 {
		target, _ := s.given(capacity)
		return target.Float()
	})
	values := []Value{rate}
	var err error
	switch chosen.kind {
	case profiles.InFlight:
		values[0] = s.inFlight(rate)
	case profiles.CPU:
		values[0], metric.Unit, err = s.cpu(rate)
	case profiles.FreeWorkers:
		values = s.freeWorkers(p, rate)
	case profiles.Queue:
		values, err = s.queue(p, rate)
	}
	if chosen.kind != profiles.FreeWorkers && chosen.kind != profiles.Queue { // those go by whole replicas
		tolerance := s.tolerance()
		p.Tolerance = profiles.Ratio(math.Round(10 * tolerance.Value))
		values = append(values, tolerance)
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
	inputs := []string{fmt.Sprintf("capacity of %s: %s under the SLO, %s at saturation", profiles.Plural(max(1, c.Replicas), "replica", "replicas"), c.SLO, c.Saturation)}
	if m := c.Scaling; m != nil && m.SLO != nil {
		inputs = append(inputs, fmt.Sprintf("capacity of %d replicas: %s under the SLO", m.Replicas, m.SLO))
	}
	return append(inputs, fmt.Sprintf("interval %s, window %s, start-up %s: lag %s", seconds(s.interval), seconds(s.window), s.startText(), seconds(s.lag)))
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

func (s sized) targetFormula() string {
	rate := s.filled(s.Capacity, s.kept.share)
	formula := fmt.Sprintf("%s x (100%% - %s) = %s", s.Capacity, s.kept.share, rate)
	if s.target < rate {
		return fmt.Sprintf("floor(%s) = %s", formula, s.target)
	}
	return formula
}

// targetRejected are the levels that the target might have been at.
func (s sized) targetRejected() []Rejection {
	if rate := s.filled(s.Capacity, s.kept.share); s.target < rate {
		return []Rejection{{rate.String(), s.Within.Name + " has whole numbers only; with a lower one replicas start a little earlier"}}
	}
	if s.kept.share == 0 {
		return []Rejection{{"less", "nothing that was said asks for a share that is kept free"}}
	}
	return append([]Rejection{{s.Capacity.String() + ", the whole capacity", "until a new replica answers, whatever comes on top would miss the SLO"}}, s.kept.rejected...)
}

func (s sized) targetWhy() string {
	holds := fmt.Sprintf("one replica carries %s/s", s.Capacity)
	if len(s.SLO) > 0 {
		holds = fmt.Sprintf("%s holds %s up to %s/s", s.counted(), s.SLO, s.Capacity)
	}
	if low, high := s.capacityAt(); low != high {
		holds += fmt.Sprintf(" [%s … %s]", profiles.FormatRate(low.Float()), profiles.FormatRate(high.Float()))
	}
	if s.kept.share == 0 {
		return holds + ", and all of it is used"
	}
	return holds + "; " + s.kept.why
}

// counted is whose capacity the target counts on.
func (n Needs) counted() string {
	if n.Evidence != nil && n.Evidence.less() {
		return fmt.Sprintf("each of %d replicas, which hold less than one alone,", n.Evidence.Scaling.Replicas)
	}
	return "one replica"
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
