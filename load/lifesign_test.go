package load

import (
	"testing"
	"time"
)

func TestDeadSince(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for _, c := range []struct {
		name    string
		samples []Sample
		p99     time.Duration
		want    time.Duration
	}{
		{"nothing", nil, 0, 0},
		{"never alive", []Sample{{Done: 9 * s, Failure: Timeout}}, 0, 0},
		{"dead", []Sample{{Done: 4 * s}, {Done: 12 * s, Failure: Aborted}}, 10 * ms, 4 * s},
		{"failing", []Sample{{Done: 5 * s, Failure: Reset}, {Done: 4 * s}}, 10 * ms, 4 * s},
		{"nothing was due", []Sample{{Done: 3 * s, Failure: Reset}, {Done: 4 * s}}, 10 * ms, 0},
		{"nothing left this machine", []Sample{{Done: 4 * s}, {Done: 9 * s, Failure: Local}}, 10 * ms, 0},
		{"just now", []Sample{{Done: 8 * s}, {Done: 12 * s, Failure: Aborted}}, 10 * ms, 0},
		{"slow", []Sample{{Done: 4 * s}, {Done: 12 * s, Failure: Aborted}}, 600 * ms, 0},
		{"a stream goes on", []Sample{{Done: 4 * s}, {Done: 12 * s, Failure: Aborted}, {Done: 12 * s, Failure: Aborted, Stream: &Stream{Last: 11 * s, Events: 9}}}, 10 * ms, 0},
	} {
		var l lifeSign
		for i := range c.samples {
			l.add(&c.samples[i])
		}
		if got := l.deadSince(10*s, c.p99); got != c.want {
			t.Errorf("%s: deadSince(10s, %v) = %v, want %v", c.name, c.p99, got, c.want)
		}
	}
}

// Users that wait for a target that froze send nothing else, and all that they
// sent before was well.
func TestATargetThatFrozeIsSaidToBeDead(t *testing.T) {
	plan := closedPlan(5, 100, 10*time.Second)
	plan.StopGrace = time.Second
	r := run(t, plan, hung(t, "p95<100ms"), nil)
	if !r.SLO[0].Holds || r.Health.Verdict != Sound {
		t.Errorf("%s, %s; want a run that looks well", r.SLO[0].Format(), r.Health.Verdict)
	}
	within(t, "dead since (s)", r.DeadSince.Seconds(), 4, 0.02)
	if r := run(t, plan, fake(10*time.Millisecond, nil), nil); r.DeadSince != 0 {
		t.Errorf("a target that lives is dead since %v", r.DeadSince)
	}
}
