package sim

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"headroom/profiles"
)

// knob is one number of a policy that a search turns, and the values that it
// tries for it, from low to high.
type knob struct {
	name  string
	turns []func(*profiles.Policy)
	start int  // that which changes nothing
	full  bool // the scaler does not follow what is beyond the last of them
}

// mostKnobs is how many a space has at most.
const mostKnobs = 5

// place is the values of all knobs, by their indices.
type place [mostKnobs]int

// space is all policies that a search knows: those that one becomes when its
// knobs are turned, and that a scaler can follow.
type space struct {
	from   profiles.Policy
	follow Follow
	knobs  []knob
}

// around is the policies around one, a few hundred, that differ in the
//
//	target     of its metric, and the max that it takes along
//	min        from one less to twice as many
//	interval   half to twice
//	step       up, limited or not
//	time down  the stabilization, or the idle time where the metric is of the fleet as one
//
// The error says why there is nothing to turn, or that the policy itself cannot
// be followed.
func around(p profiles.Policy, follow Follow) (space, error) {
	if len(p.Metrics) == 0 || p.Fixed() {
		return space{}, fmt.Errorf("got a policy that keeps %s, want one that scales by a metric", p.Summary())
	}
	if _, err := follow(p); err != nil {
		return space{}, err
	}
	target, step := []float64{0.6, 0.8, 0.9, 1, 1.2, 1.5}, []float64{0.25, 1}
	if !p.Metrics[0].PerReplica() { // a few replicas, or requests
		target = []float64{0.5, 0.75, 1, 1.5, 2}
	}
	if p.Up.Step > 0 {
		step = []float64{0.5, 1, 2}
	}
	least := float64(p.Replicas.Min)
	s := space{from: p, follow: follow}
	s.add("target", turnTarget, target...)
	s.add("min", turnMin, -1, 0, 1, math.Ceil(least/2), least)
	s.add("interval", turnInterval, 0.5, 1, 2)
	s.add("step", turnStep, step...)
	s.add("time down", turnDown, 0.25, 1, 2)
	return s, nil
}

// add has a knob for those values that the scaler follows otherwise than the
// value before.
func (s *space) add(name string, turn func(*profiles.Policy, float64), values ...float64) {
	k := knob{name: name}
	var last profiles.Policy
	for _, v := range values {
		p := clone(s.from)
		turn(&p, v)
		scaler, err := s.scaler(p)
		if k.full = err != nil; k.full {
			continue
		}
		same, itself := len(k.turns) > 0 && reflect.DeepEqual(scaler.Policy, last), reflect.DeepEqual(p, s.from)
		switch {
		case same && !itself:
			continue
		case same:
			k.turns = k.turns[:len(k.turns)-1]
		}
		if itself {
			k.start = len(k.turns)
		}
		k.turns, last = append(k.turns, func(p *profiles.Policy) { turn(p, v) }), scaler.Policy
	}
	s.knobs = append(s.knobs, k)
}

// scaler follows a policy, if it is one.
func (s space) scaler(p profiles.Policy) (Scaler, error) {
	if err := p.Validate(); err != nil {
		return Scaler{}, err
	}
	return s.follow(p)
}

// start is the place of the policy that the others are around.
func (s space) start() (at place) {
	for i, k := range s.knobs {
		at[i] = k.start
	}
	return at
}

// at follows the policy of a place; the error says that it cannot be.
func (s space) at(at place) (Scaler, error) {
	p := clone(s.from)
	for i, k := range s.knobs {
		k.turns[at[i]](&p)
	}
	return s.scaler(p)
}

// places are all of them that can be followed, those that differ in the fewest
// knobs from the start first.
func (s space) places() []place {
	all := []place{{}}
	for i, k := range s.knobs {
		var longer []place
		for _, at := range all {
			for at[i] = range k.turns {
				longer = append(longer, at)
			}
		}
		all = longer
	}
	all = slices.DeleteFunc(all, func(at place) bool { _, err := s.at(at); return err != nil })
	start := s.start()
	away := func(at place) (n int) {
		for i := range at {
			if at[i] != start[i] {
				n++
			}
		}
		return n
	}
	slices.SortStableFunc(all, func(a, b place) int { return cmp.Compare(away(a), away(b)) })
	return all
}

// beside are the places that are one turn of one knob away.
func (s space) beside(at place) (out []place) {
	for i, k := range s.knobs {
		for _, to := range []int{at[i] - 1, at[i] + 1} {
			next := at
			if next[i] = to; to < 0 || to >= len(k.turns) {
				continue
			}
			if _, err := s.at(next); err == nil {
				out = append(out, next)
			}
		}
	}
	return out
}

// ends are the names of the knobs that a search around the place would turn
// further, of those whose value is no matter of taste.
func (s space) ends(at place) (out []string) {
	for i, k := range s.knobs[:2] {
		if last := len(k.turns) - 1; last > 0 && (at[i] == last && !k.full || at[i] == 0 && i == 0) {
			out = append(out, k.name)
		}
	}
	return out
}

// clone is a policy whose metrics may be changed.
func clone(p profiles.Policy) profiles.Policy {
	p.Metrics = slices.Clone(p.Metrics)
	return p
}

// turnTarget turns the targets of all metrics. The fleet must be able to grow by
// as much as each replica carries less.
func turnTarget(p *profiles.Policy, factor float64) {
	for i, m := range p.Metrics {
		target := profiles.MilliOf(m.Target.Float() * factor)
		switch {
		case m.PerReplica():
			raise(p, int(math.Ceil(float64(p.Replicas.Max)/factor-1e-9)))
		case m.Kind == profiles.FreeWorkers || m.Kind == profiles.Queue:
			target = max(1000, target/1000*1000)
			if m.Kind == profiles.FreeWorkers {
				raise(p, int(p.Replicas.Max)+int((target-m.Target)/1000))
			}
		}
		p.Metrics[i].Target = target
	}
}

// raise lets the fleet be so large.
func raise(p *profiles.Policy, most int) {
	if p.Replicas.Max != profiles.Unlimited {
		p.Replicas.Max = max(p.Replicas.Max, profiles.Limit(most))
	}
}

// turnMin adds to the least size. A fleet that may go to none does so for a
// reason.
func turnMin(p *profiles.Policy, more float64) {
	if p.Replicas.Min == 0 {
		return
	}
	p.Replicas.Min += int(more)
	if p.Replicas.Initial > 0 {
		p.Replicas.Initial = max(p.Replicas.Initial, p.Replicas.Min)
	}
	raise(p, p.Replicas.Min)
}

// turnInterval turns the time between decisions; a window that covers it goes
// on to.
func turnInterval(p *profiles.Policy, factor float64) {
	before := p.Interval
	p.Interval = times(before, factor)
	for i, m := range p.Metrics {
		if m.Window >= before {
			p.Metrics[i].Window = max(m.Window, p.Interval)
		}
	}
}

// turnDown turns how long it takes until a replica is let go.
func turnDown(p *profiles.Policy, factor float64) {
	if p.Metrics[0].PerReplica() {
		p.Down.Stabilization = times(p.Down.Stabilization, factor)
	} else {
		p.Down.Idle = times(p.Down.Idle, factor)
	}
}

// times is a duration times a factor, in whole seconds.
func times(d profiles.Duration, factor float64) profiles.Duration {
	if factor == 1 {
		return d
	}
	return profiles.Duration(time.Duration(float64(d) * factor).Round(time.Second))
}

// turnStep turns by how many replicas the fleet may grow at once: where that has
// no limit, to a share of all that it may grow.
func turnStep(p *profiles.Policy, factor float64) {
	switch {
	case factor == 1:
	case p.Up.Step > 0:
		p.Up.Step = max(1, int(float64(p.Up.Step)*factor))
	case p.Replicas.Max != profiles.Unlimited:
		p.Up.Step = max(1, int(math.Ceil(float64(int(p.Replicas.Max)-p.Replicas.Min)*factor)))
	}
}
