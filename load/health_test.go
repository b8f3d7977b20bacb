package load

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	ms := time.Millisecond
	late := func(p95, p99, typical time.Duration) (Health, grounds) {
		return Health{LagP99: p99}, grounds{lag: p95, typical: typical}
	}
	held := func(p95, p99, typical time.Duration) (Health, grounds) {
		return Health{Hiccup: p99}, grounds{hiccup: p95, typical: typical}
	}
	counted := func(h Health) (Health, grounds) { return h, grounds{typical: 5 * ms, opened: 90} }
	using := func(cores float64, h Health) (Health, grounds) { return h, grounds{typical: 5 * ms, used: cores} }
	type row struct {
		name string
		h    Health
		g    grounds
		want Verdict
	}
	of := func(name string, want Verdict) func(Health, grounds) row {
		return func(h Health, g grounds) row { return row{name, h, g, want} }
	}
	for _, c := range []row{
		of("nothing to say", Sound)(counted(Health{})),
		of("late by 5 ms, of 250 ms", Sound)(late(5*ms, 5*ms, 250*ms)),
		of("late by 5 ms, of 20 ms", Strained)(late(5*ms, 5*ms, 20*ms)),
		of("late by 12 ms, of 20 ms", Limited)(late(12*ms, 12*ms, 20*ms)),
		of("late by 12 ms, of 20 ms, now and then", Strained)(late(ms, 12*ms, 20*ms)),
		of("late by 60 ms, of 2 s", Sound)(late(60*ms, 60*ms, 2*time.Second)),
		of("late by 150 ms, of 2 s", Strained)(late(150*ms, 150*ms, 2*time.Second)),
		of("late by 600 ms, of 2 s", Limited)(late(600*ms, 600*ms, 2*time.Second)),
		of("no answers yet", Sound)(late(ms, ms, 0)),
		of("it stood still", Limited)(held(1500*ms, 1900*ms, 2*ms)),
		of("it stood still for a moment", Strained)(held(ms, 30*ms, 2*ms)),
		of("for less than matters", Sound)(held(100*ms, 200*ms, 2*time.Second)),
		of("processes that take turns", Sound)(held(20*ms, 25*ms, ms)),
		of("1.5 of 2 cores", Strained)(counted(Health{CPU: 1.5})),
		of("1.9 of 2 cores", Limited)(counted(Health{CPU: 1.9})),
		of("late arrivals alone are the target's doing", Sound)(counted(Health{Late: 1000})),
		of("a load that was not offered", Strained)(counted(Health{Late: 1000, Unsent: 500})),
		of("a twentieth of the arrivals was not sent", Limited)(counted(Health{Due: 1000, Sent: 949})),
		of("a fiftieth", Strained)(counted(Health{Due: 1000, Sent: 979})),
		of("too few to tell", Sound)(counted(Health{Due: 10, Sent: 9})),
		of("those for want of a user are the target's doing", Strained)(counted(Health{Due: 1000, Sent: 500, Dropped: 500})),
		of("all of them would need more processors than there are", Limited)(using(0.4, Health{Due: 1000, Sent: 110, Unsent: 890})),
		of("and so would those that were dropped", Limited)(using(0.4, Health{Due: 1000, Sent: 110, Dropped: 890})),
		of("there are enough for them", Strained)(using(1.2, Health{Due: 1000, Sent: 900, Unsent: 100})),
		of("a target that hung after a busy start", Strained)(using(0.15, Health{Due: 1000, Sent: 100, Unsent: 900, CPU: 1.2})),
		of("an idle generator tells nothing of what it would need", Strained)(using(0.1, Health{Due: 1000, Sent: 10, Unsent: 990})),
		of("out of descriptors for one user in ten", Limited)(counted(Health{Local: 10})),
		of("for one in thirty", Strained)(counted(Health{Local: 3})),
		of("beats that were missed are the target's doing", Sound)(counted(Health{Missed: 1000})),
		of("pressure and steal alone", Sound)(counted(Health{Pressure: new(0.9), Steal: new(0.5)})),
		of("the worst counts", Limited)(counted(Health{Unsent: 500, CPU: 1.9})),
	} {
		c.g.cores, c.g.maxUsers = 2, 10
		h := c.h
		h.judge(c.g)
		if h.Verdict != c.want || (h.Reason == "") != (c.want == Sound) {
			t.Errorf("%s: judge(%+v) of %+v = %s (%q), want %s", c.name, c.g, c.h, h.Verdict, h.Reason, c.want)
		}
	}
}

// What the processor was used for during the load still counts when a drain
// has made it idle.
func TestCPUMeterKeepsTheHighest(t *testing.T) {
	now := time.Now()
	m := newCPUMeter(now)
	used := m.used
	for range 5 {
		for began := ProcessCPU(); ProcessCPU()-began < 30*time.Millisecond; {
		}
		now = now.Add(time.Second)
		m.read(now)
	}
	busy := m.highest
	if mean := (m.used - used).Seconds() / 5; busy < mean*0.999 || busy == 0 {
		t.Errorf("highest %v after a mean of %v cores", busy, mean)
	}
	if m.mean() > m.highest || m.mean() == 0 {
		t.Errorf("mean %v of all readings, highest %v of some", m.mean(), m.highest)
	}
	for range 20 {
		now = now.Add(time.Second)
		m.read(now)
	}
	if m.highest != busy {
		t.Errorf("highest %v after idling, want %v still", m.highest, busy)
	}
	m.read(now.Add(100 * time.Millisecond))
	if m.n != 25 {
		t.Errorf("%d readings, want none before a second has passed", m.n)
	}
}

func TestPressureAndStealAnnotate(t *testing.T) {
	h := Health{CPU: 1.9, Pressure: new(0.42), Steal: new(0.12)}
	h.judge(grounds{cores: 2, typical: time.Second})
	want := "the generator uses 95 % of its cores; somebody on this machine waits for a processor 42 % of the time; its host takes 12 % of its processors away"
	if h.Verdict != Limited || h.Reason != want {
		t.Errorf("judge = %s (%q), want %s (%q)", h.Verdict, h.Reason, Limited, want)
	}
}
