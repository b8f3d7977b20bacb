package load

import (
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name    string
		h       Health
		typical time.Duration
		want    Verdict
	}{
		{"nothing to say", Health{}, 100 * ms, Sound},
		{"5 ms late for 250 ms", Health{LagP99: 5 * ms}, 250 * ms, Sound},
		{"5 ms late for 20 ms", Health{LagP99: 5 * ms}, 20 * ms, Strained},
		{"12 ms late for 20 ms", Health{LagP99: 12 * ms}, 20 * ms, Limited},
		{"60 ms late for 2 s", Health{LagP99: 60 * ms}, 2 * time.Second, Sound},
		{"150 ms late for 2 s", Health{LagP99: 150 * ms}, 2 * time.Second, Strained},
		{"600 ms late for 2 s", Health{LagP99: 600 * ms}, 2 * time.Second, Limited},
		{"no answers yet", Health{LagP99: 1 * ms}, 0, Sound},
		{"1.5 of 2 cores", Health{CPU: 1.5}, 100 * ms, Strained},
		{"1.9 of 2 cores", Health{CPU: 1.9}, 100 * ms, Limited},
		{"late arrivals alone are the target's doing", Health{Late: 1000}, 100 * ms, Sound},
		{"a load that was not offered", Health{Late: 1000, Unsent: 500}, 100 * ms, Strained},
		{"a twentieth of the arrivals was not sent", Health{Due: 1000, Sent: 949}, 100 * ms, Limited},
		{"a fiftieth", Health{Due: 1000, Sent: 979}, 100 * ms, Strained},
		{"too few to tell", Health{Due: 10, Sent: 9}, 100 * ms, Sound},
		{"those for want of a user are the target's doing", Health{Due: 1000, Sent: 500, Dropped: 500}, 100 * ms, Strained},
		{"a twentieth of the requests had no port", Health{Lacked: 51}, 100 * ms, Limited},
		{"a fiftieth had none", Health{Lacked: 21}, 100 * ms, Strained},
		{"one had none", Health{Lacked: 1}, 100 * ms, Sound},
		{"pressure and steal alone", Health{Pressure: new(0.9), Steal: new(0.5)}, 100 * ms, Sound},
		{"the worst counts", Health{Unsent: 500, CPU: 1.9}, 100 * ms, Limited},
	} {
		h := c.h
		h.judge(2, c.typical, 10, 1000)
		if h.Verdict != c.want || (h.Reason == "") != (c.want == Sound) {
			t.Errorf("%s: judge = %s (%q), want %s", c.name, h.Verdict, h.Reason, c.want)
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
	h.judge(2, time.Second, 10, 1000)
	want := "the generator uses 95 % of its cores; somebody on this machine waits for a processor 42 % of the time; its host takes 12 % of its processors away"
	if h.Verdict != Limited || h.Reason != want {
		t.Errorf("judge = %s (%q), want %s (%q)", h.Verdict, h.Reason, Limited, want)
	}
}
