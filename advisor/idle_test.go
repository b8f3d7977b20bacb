package advisor

import (
	"math"
	"testing"
	"time"

	"headroom/profiles"
)

// What a replica uses without load is looked at before the first step, where a
// scaler tells it.
func TestIdleUse(t *testing.T) {
	for _, uses := range []float64{0, 0.3} {
		f := newFakeFleet(50*time.Millisecond, profiles.FixedPolicy(1))
		f.uses = uses
		inSession(t, f, nil, func(t *testing.T, s *Session) {
			if err := s.Advise(); err != nil {
				t.Fatal(err)
			}
			got := await(t, s, "the end", idle).Search.Capacity.Idle
			if uses == 0 && got != nil || uses > 0 && (got == nil || math.Abs(*got-uses) > 0.001) {
				t.Errorf("a replica that uses %g cores: got %v", uses, got)
			}
		})
	}
}

// The steps of a search are close to the capacity, so that a line through them
// says little of what is far from there, whatever the CPU does: what is used
// without load does.
func TestCPUOfStepsThatAreClose(t *testing.T) {
	none, most := 0.01, 0.6
	for _, c := range []struct {
		name string
		idle *float64
		want Fitness
	}{{"not known", nil, Usable}, {"none", &none, Good}, {"most of it", &most, Misleading}} {
		capacity := &Capacity{Replicas: 1, Service: 20 * time.Millisecond, Saturation: Interval{Value: 50}, SLO: Interval{Value: 42}, Idle: c.idle}
		for i, rate := range []float64{41, 42, 43, 44, 45, 49, 50} {
			cores := 0.02 * rate * (1 + 0.04*float64(i%2*2-1)) // as a machine that others use makes it
			if c.idle == &most {
				cores = 0.6 + 0.001*rate
			}
			capacity.Steps = append(capacity.Steps, Observation{Trial: Trial{Rate: rate}, Requests: 500, Offered: rate, Rate: rate, Host: HostUse{Known: true, Cores: 2, Replicas: cores}})
		}
		// One that is shorter than the looks of a scaler says nothing.
		capacity.Steps = append(capacity.Steps, Observation{Trial: Trial{Rate: 38}, Requests: 70, Offered: 38, Rate: 38, Host: HostUse{Known: true, Cores: 2, Replicas: 0.3}})
		now := circumstances{traffic: traffic(50, 200), window: 10 * time.Second, interval: 5 * time.Second, limit: 300 * time.Millisecond, managed: true}
		for _, score := range capacity.scoreMetrics(now) {
			if score.Kind == profiles.CPU && score.Fitness != c.want {
				t.Errorf("without load %s: CPU is %s (%s), want %s", c.name, score.Fitness, score.Why, c.want)
			}
		}
	}
}
