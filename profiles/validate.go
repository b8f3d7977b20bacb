package profiles

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/profiles/document"
)

// Validate returns all problems at once, each as "key: got X, want Y".
func (p Policy) Validate() error { return document.Join(p.problems(nil)) }

// check is all that is wrong with a policy that was read, from the error of the
// reader on.
func (p Policy) check(lines document.Lines, read error) error {
	problems := document.Problems(read)
	for i := range problems {
		for j, m := range p.Metrics {
			target := problems[i].Key == fmt.Sprintf("metrics[%d].target", j)
			if target && m.unit() != "" && strings.HasSuffix(problems[i].Text, wantMilli) {
				problems[i].Text += fmt.Sprintf(" (its unit is %s)", m.unit())
			}
		}
	}
	return lines.Check(document.Join(problems), p.problems(lines))
}

// checker collects what is wrong with a policy.
type checker struct {
	lines document.Lines // of what was read; nil where nothing was
	found []document.Problem
}

func (c *checker) bad(key, format string, args ...any) { c.between(key, nil, format, args...) }

// between reports a value that does not fit others, which are right or wrong by
// themselves.
func (c *checker) between(key string, beside []string, format string, args ...any) {
	c.found = append(c.found, document.Problem{Key: key, Beside: beside, Text: fmt.Sprintf(format, args...)})
}

// got is a value as a problem shows it: one that was left out is not the zero
// that stands for it.
func (c *checker) got(key, value string) string {
	if _, given := c.lines[key]; c.lines != nil && !given {
		return "nothing"
	}
	return value
}

// within reports a duration outside of low to high, which other keys may set.
func (c *checker) within(key string, d Duration, low, high time.Duration, beside ...string) {
	if d.Std() < low || d.Std() > high {
		c.between(key, beside, "got %s, want %s to %s", d, Duration(low), Duration(high))
	}
}

func (p Policy) problems(lines document.Lines) []document.Problem {
	c := checker{lines: lines}
	if p.Version != Version {
		c.bad("version", "got %q, want %q", p.Version, Version)
	}
	if p.Kind != "policy" {
		c.bad("kind", "got %q, want %q", p.Kind, "policy")
	}
	c.replicas(p)
	for i, m := range p.Metrics {
		c.metric(fmt.Sprintf("metrics[%d]", i), m)
	}
	if p.Combine != "highest" {
		c.bad("combine", "got %q, want highest", p.Combine)
	}
	c.within("interval", p.Interval, time.Second, time.Hour)
	if p.Tolerance < 0 || p.Tolerance > 1000 {
		c.bad("tolerance", "got %s, want 0%% to 100%%", p.Tolerance)
	}
	c.behavior("up", p.Up)
	c.behavior("down", p.Down)
	if f := p.Up.Factor; f != 0 && (f <= 1000 || f > maxFactor) {
		c.bad("up.factor", "got %s, want more than 1 and at most %s", f, maxFactor)
	}
	if f := p.Down.Factor; f < 0 || f >= 1000 {
		c.bad("down.factor", "got %s, want at least 0 and below 1", f)
	}
	if p.Up.Idle != 0 || p.Up.Order != "" {
		c.bad("up", "got idle or order, want them under down only")
	}
	if p.Down.Idle < 0 {
		c.bad("down.idle", "got %s, want 0s or more", p.Down.Idle)
	}
	if o := p.Down.Order; o != Newest && o != Oldest {
		c.bad("down.order", "got %q, want %s or %s", o, Newest, Oldest)
	}
	for i, s := range p.Schedules {
		c.schedule(fmt.Sprintf("schedules[%d]", i), s)
	}
	if p.OnMetricError < 0 {
		c.bad("onMetricError", "got %d, want hold, or a whole number of replicas", int(p.OnMetricError))
	}
	c.calibration(p.Calibration)
	c.platforms(p.Platforms)
	valid := len(c.found) == 0
	for i, s := range p.Schedules {
		if len(s.Set) > 0 {
			c.overrides(fmt.Sprintf("schedules[%d].set", i), p, s, valid)
		}
	}
	return c.found
}

func (c *checker) replicas(p Policy) {
	r := p.Replicas
	if r.Min < 0 || r.Min == 0 && p.ToZero == nil {
		c.bad("replicas.min", "got %s, want 1 or more, or 0 together with toZero", c.got("replicas.min", fmt.Sprint(r.Min)))
	}
	switch {
	case r.Max == 0:
		c.bad("replicas.max", "got nothing, want replicas.min or more, or unlimited")
	case r.Max != Unlimited && int(r.Max) < r.Min:
		c.between("replicas.max", []string{"replicas.min"}, "got %d, want replicas.min (%d) or more, or unlimited", int(r.Max), r.Min)
	}
	if r.Initial != 0 && (r.Initial < r.Min || r.Max != Unlimited && r.Initial > int(r.Max)) {
		c.between("replicas.initial", []string{"replicas.min", "replicas.max"}, "got %d, want between replicas.min (%d) and replicas.max (%s)", r.Initial, r.Min, r.Max)
	}
	if len(p.Metrics) == 0 && r.Max != 0 && r.Max != Limit(r.Min) {
		c.between("metrics", []string{"replicas.min", "replicas.max"}, "got none, want at least one unless replicas.min equals replicas.max")
	}
	if r.Idle != nil {
		switch {
		case p.ToZero == nil:
			c.bad("replicas.idle", "got %d without toZero, want both or none", *r.Idle)
		case *r.Idle < 0:
			c.bad("replicas.idle", "got %d, want 0 or more and less than replicas.min", *r.Idle)
		case *r.Idle >= r.Min:
			c.between("replicas.idle", []string{"replicas.min"}, "got %d, want 0 or more and less than replicas.min (%d)", *r.Idle, r.Min)
		}
	}
	if p.ToZero == nil {
		return
	}
	c.within("toZero.after", p.ToZero.After, time.Second, 24*time.Hour)
	if r.Min > 0 && r.Idle == nil {
		c.between("toZero", []string{"replicas.min", "replicas.idle"}, "got replicas.min %d and no replicas.idle, want min 0, or an idle size", r.Min)
	}
	for _, m := range p.Metrics {
		if _, known := kinds[m.Kind]; !known || m.Kind.arrives() {
			return
		}
	}
	c.between("toZero", []string{"metrics"}, "got no metric that shows whether anything arrives, want one of rps, in_flight, queue or custom")
}

func (c *checker) metric(key string, m Metric) {
	if m.Target <= 0 || m.Target > maxTarget {
		c.bad(key+".target", "got %s, want more than 0 and at most %s", c.got(key+".target", m.Target.String()), maxTarget)
	}
	c.within(key+".window", m.Window, time.Second, MaxWindow)
	k, known := kinds[m.Kind]
	if !known {
		c.bad(key+".kind", "got %s, want one of %s", c.got(key+".kind", strconv.Quote(string(m.Kind))), strings.Join(kindNames(), ", "))
		return
	}
	if m.Unit != "" && !k.allowsUnit(m.Unit) {
		c.bad(key+".unit", "got %q, want %s", m.Unit, strings.Join(k.units, " or "))
	}
	if m.Scope != "" && m.Scope != PerReplica && m.Scope != WholeFleet {
		c.bad(key+".scope", "got %q, want %s or %s", m.Scope, PerReplica, WholeFleet)
	}
	if m.Kind == FreeWorkers && m.Scope == PerReplica {
		c.bad(key+".scope", "got %s, want %s: a replica is free or not", m.Scope, WholeFleet)
	}
	switch m.Aggregation {
	case "", Average, Weighted, Highest, Latest:
	default:
		c.bad(key+".aggregation", "got %q, want %s, %s, %s or %s", m.Aggregation, Average, Weighted, Highest, Latest)
	}
	if m.Kind != Custom && (m.Name != "" || m.Query != "") {
		c.bad(key+".name", "got a name or query for %s, want them for custom only", m.Kind)
	}
	if p := m.Panic; p != nil {
		if m.scope() != PerReplica {
			c.bad(key+".panic", "got it with scope %s, want scope %s", m.scope(), PerReplica)
		}
		c.within(key+".panic.window", p.Window, time.Second, max(m.Window.Std(), time.Second), key+".window", "interval")
		if p.Threshold <= 1000 || p.Threshold > maxFactor {
			c.bad(key+".panic.threshold", "got %s, want more than 1 and at most %s", p.Threshold, maxFactor)
		}
	}
	if t := m.Trend; t != nil {
		if m.Kind != InFlight || m.scope() != PerReplica {
			c.bad(key+".trend", "got it for %s of scope %s, want %s of scope %s", m.Kind, m.scope(), InFlight, PerReplica)
		}
		c.within(key+".trend.within", t.Within, 0, max(m.Window.Std(), 0), key+".window", "interval")
		c.within(key+".trend.maxWait", t.MaxWait, 0, time.Hour)
		if t.Within == 0 && !t.Ahead {
			c.between(key+".trend", []string{key + ".trend.within", key + ".trend.ahead"}, "got neither within nor ahead, want at least one")
		}
	}
}

func (c *checker) behavior(key string, b Behavior) {
	if b.Step < 0 || b.Step > maxStep {
		c.bad(key+".step", "got %d, want 1 to %d", b.Step, maxStep)
	}
	c.within(key+".stabilization", b.Stabilization, 0, time.Hour)
}

// platforms are opaque, but for what the API could not tell of them.
func (c *checker) platforms(sections map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		if _, err := json.Marshal(sections[name]); err != nil {
			c.bad("platforms."+name, "got an %s, want what JSON can say, too", strings.TrimPrefix(err.Error(), "json: "))
		}
	}
}

func (c *checker) calibration(cal *Calibration) {
	if cal == nil {
		return
	}
	if cal.MemoryPerReplica < 0 {
		c.bad("calibration.memoryPerReplica", "got %s, want more than 0 MiB", cal.MemoryPerReplica)
	}
	if cal.Measured == "" {
		return
	}
	if _, err := time.Parse(time.DateOnly, cal.Measured); err != nil {
		c.bad("calibration.measured", "got %q, want a date such as 2026-01-31", cal.Measured)
	}
}
