package advisor

import (
	"strings"
	"testing"
	"time"

	"headroom/advisor/sim"
	"headroom/profiles"
)

// Two replicas of one request at a time under four users: chosen at random they
// would reach 4/(2+4-1) of what they hold.
func TestDispatch(t *testing.T) {
	for _, c := range []struct {
		name       string
		efficiency Interval
		host       bool
		takes      time.Duration // of a request; it saturates at 4/s
		want       dispatch
	}{
		{"nothing is lost", Interval{Value: 0.99, Low: 0.95, High: 1.03}, false, 250 * time.Millisecond, shared},
		{"as much as at random", Interval{Value: 0.8, Low: 0.76, High: 0.85}, false, 250 * time.Millisecond, split},
		{"either", Interval{Value: 0.9, Low: 0.78, High: 1.02}, false, 250 * time.Millisecond, untold},
		{"less than at random: something else is shared", Interval{Value: 0.65, Low: 0.6, High: 0.7}, false, 250 * time.Millisecond, untold},
		{"a machine at its limit", Interval{Value: 0.99, Low: 0.95, High: 1.03}, true, 250 * time.Millisecond, untold},
		{"two requests at a time", Interval{Value: 0.99, Low: 0.95, High: 1.03}, false, 500 * time.Millisecond, untold},
	} {
		m := &Capacity{
			Saturation: Interval{Value: 4}, SLO: Interval{Value: 3, Low: 2.9, High: 3.2}, Service: c.takes, Replicas: 1,
			Steps:   []Observation{{Trial: Trial{Name: "2 replicas", Replicas: 2, Users: 4}}, {Trial: Trial{Name: "2 replicas, 5/s", Replicas: 2, Rate: 5}}},
			Scaling: &Scaling{Replicas: 2, Efficiency: c.efficiency, HostLimited: c.host},
		}
		if got, random := m.dispatchClass(); got != c.want || random != 0 && random != 0.8 {
			t.Errorf("%s: dispatchClass = %s, %v; want %s, 0.8", c.name, got, random, c.want)
		}
		most, ok := Measurement{Capacity: *m}.Ceiling()
		if want := (sim.Estimate{Value: 3, Low: 2.9, High: 3.2}); ok != (c.want != shared) || ok && most != want {
			t.Errorf("%s: Ceiling() = %v, %v; want %v where they do not share a queue", c.name, most, ok, want)
		}
	}
}

// A constant 250 ms, one at a time, p95 within 500 ms: 1.15/s alone and 2.8/s
// each of four with one queue.
func TestPooling(t *testing.T) {
	c := &Capacity{Saturation: Interval{Value: 4}, SLO: Interval{Value: 1.15}, Service: 250 * time.Millisecond, Replicas: 1}
	c.Baseline.Service = c.Service
	p := profiles.FixedPolicy(4)
	for _, x := range []struct {
		slo  string
		want string // in the formula; empty: nothing is said
	}{
		{"p95<500ms", "/s each of 4 with one queue (Allen-Cunneen), 1.15/s"},
		{"errors<1%", ""},
		{"p95<200ms", ""},
	} {
		s := sized{Needs: Needs{Capacity: 1_150, Evidence: c, SLO: mustSLO(t, x.slo)}, target: 1_000}
		v, ok := s.pooling(p)
		if ok != (x.want != "") || !strings.Contains(v.Formula, x.want) {
			t.Errorf("%s: pooling = %+v, %v; want %q", x.slo, v, ok, x.want)
		}
		if ok && (v.Value < 140 || v.Value > 155) {
			t.Errorf("%s: pooling gives %v %% more, want about 1.15/s to 2.8/s: %s", x.slo, v.Value, v.Formula)
		}
	}
}

// Measured at two replicas, what was measured comes first, and theory is held
// against it: 2.05/s each of two with one queue.
func TestPoolingAsMeasured(t *testing.T) {
	for _, x := range []struct {
		name  string
		two   Interval
		slo   string
		value float64
		why   string
	}{
		{"as theory says", Interval{Value: 4, Low: 3.8, High: 4.2}, "p95<500ms", 74, "with one queue, as was measured; the target does not count on it"},
		{"no queue", Interval{Value: 2.3, Low: 2.2, High: 2.4}, "p95<500ms", 0, "with one queue, more than was measured: they have no such queue, or share something; the target does not"},
		{"more than theory", Interval{Value: 6, Low: 5.5, High: 6.5}, "p95<500ms", 161, "with one queue, less than was measured"},
		{"less than one alone", Interval{Value: 1.8, Low: 1.7, High: 1.9}, "p95<500ms", -22, "they share something: the target counts on the less"},
		{"where theory says nothing", Interval{Value: 4, Low: 3.8, High: 4.2}, "ttft.p95<500ms", 74, "the target does not count on it"},
	} {
		c := &Capacity{Saturation: Interval{Value: 4}, SLO: Interval{Value: 1.15, Low: 1.1, High: 1.2}, Service: 250 * time.Millisecond, Replicas: 1,
			Scaling: &Scaling{Replicas: 2, SLO: &x.two}}
		c.Baseline.Service = c.Service
		s := sized{Needs: Needs{Capacity: c.PerReplica(), Evidence: c, SLO: mustSLO(t, x.slo)}, target: 1_000}
		v, ok := s.pooling(profiles.FixedPolicy(4))
		if !ok || v.Value != x.value || v.Low >= v.Value || v.High <= v.Value || !strings.Contains(v.Why, x.why) || len(v.Rejected) == 0 {
			t.Errorf("%s: pooling = %+v, %v; want %v %% within an interval, and %q", x.name, v, ok, x.value, x.why)
		}
		told := strings.Contains(strings.Join(v.Inputs, "\n"), "dispatch: shared, as each of 2 replicas holds")
		if _, capped := (Measurement{Capacity: *c}).Ceiling(); told != (x.value > 0) || capped == told {
			t.Errorf("%s: inputs %q, and a search is capped %v; want a shared queue where each holds more with another", x.name, v.Inputs, capped)
		}
		if theory := strings.Contains(strings.Join(v.Inputs, "\n"), "each of 4 with one queue (Allen-Cunneen)"); theory != strings.HasPrefix(x.slo, "p95") {
			t.Errorf("%s: inputs %q, want theory only where it says something", x.name, v.Inputs)
		}
	}
}
