package profiles

import (
	"fmt"
	"slices"
	"time"
)

// Timetable says which policy holds when. It is not safe for concurrent use.
type Timetable struct {
	base    Policy
	periods []period
	minute  int64    // since 1970, for which the fields below are known
	active  []bool   // by schedule
	policy  *Policy  // that holds, nil before the first minute
	seen    []effect // so that the same hours of another day take no work
}

// effect is what holds while certain schedules are active.
type effect struct {
	active []bool
	policy *Policy
}

// NewTimetable is the timetable of a valid policy.
func NewTimetable(p Policy) (*Timetable, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	t := &Timetable{base: p, active: make([]bool, len(p.Schedules))}
	for i, s := range p.Schedules {
		period, err := s.parse()
		if err != nil {
			return nil, fmt.Errorf("schedules[%d]: %w", i, err)
		}
		t.periods = append(t.periods, period)
	}
	if len(t.periods) == 0 {
		t.policy = &t.base
	}
	return t, nil
}

// At is the policy with the values of all schedules that are active, of which
// the later ones win. It must not be changed. The metrics are always those of
// the policy itself, but for their targets and windows.
func (t *Timetable) At(now time.Time) *Policy {
	// Every zone of today differs from UTC by whole minutes, within which
	// nothing changes, and to ask the expressions takes microseconds.
	minute := now.Unix() / 60
	if t.policy != nil && (minute == t.minute || len(t.periods) == 0) {
		return t.policy
	}
	t.minute = minute
	changed := t.policy == nil
	for i, p := range t.periods {
		active := p.active(now)
		changed = changed || active != t.active[i]
		t.active[i] = active
	}
	if changed {
		t.policy = t.effective()
	}
	return t.policy
}

// Initial is the number of replicas to start with at that moment.
func (t *Timetable) Initial(now time.Time) int {
	p := t.At(now)
	if t.base.Replicas.Initial == 0 {
		return p.Initial()
	}
	n := max(t.base.Replicas.Initial, p.Replicas.Min)
	if high := p.Replicas.Max; high != Unlimited {
		n = min(n, int(high))
	}
	return n
}

// Until is the first moment after now at which other schedules are active, or
// limit where they are the same until then.
func (t *Timetable) Until(now, limit time.Time) time.Time {
	t.At(now)
	for at := now.Truncate(time.Minute).Add(time.Minute); len(t.periods) > 0 && at.Before(limit); at = at.Add(time.Minute) {
		for i, p := range t.periods {
			if p.active(at) != t.active[i] {
				return at
			}
		}
	}
	return limit
}

// effective is the policy for the schedules that are active.
func (t *Timetable) effective() *Policy {
	same := func(e effect) bool { return slices.Equal(e.active, t.active) }
	if i := slices.IndexFunc(t.seen, same); i >= 0 {
		return t.seen[i].policy
	}
	p := t.base
	for i, s := range t.base.Schedules {
		if !t.active[i] {
			continue
		}
		next, err := p.during(s)
		if err != nil { // alone each of them is valid, but these two are not together
			next, _ = t.base.during(s)
		}
		p = next
	}
	t.seen = append(t.seen, effect{slices.Clone(t.active), &p})
	return &p
}
