package advisor

import (
	"math"
	"testing"
	"time"

	"headroom/profiles"
)

// Five replicas in the quiet hours and twenty in the busy ones, at 0.35 an hour.
func TestCosts(t *testing.T) {
	r, err := Recommend(Needs{Capacity: 10_000, Traffic: traffic(50, 200), Sizing: Sizing{Price: 0.35}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]float64{"cost, least": 1.75, "cost, most": 7}
	for _, v := range r.Values {
		if cost, ok := want[v.Name]; ok && math.Abs(v.Value-cost) > 1e-9 {
			t.Errorf("%s = %v, want %v", v.Name, v.Value, cost)
		}
		delete(want, v.Name)
	}
	if len(want) > 0 {
		t.Errorf("no value says %v", want)
	}

	free := sized{Needs: Needs{Service: 5 * time.Second}, target: 200}
	p := profiles.Policy{Replicas: profiles.Bounds{Min: 2, Max: 12}, Metrics: []profiles.Metric{{Kind: profiles.FreeWorkers, Target: 3000}}}
	for rate, want := range map[profiles.Milli]float64{0: 3, 1_000: 8, 2_000: 12} { // busy and free ones, 12 at most
		if got := free.replicasAt(p, rate, free.target); got != want {
			t.Errorf("replicasAt(%s/s) = %v, want %v", rate, got, want)
		}
	}
	if got, want := free.replicasText(p), "at a rate ceil(rate x 5s) busy + 3 free replicas, 2 to 12"; got != want {
		t.Errorf("replicasText = %q, want %q", got, want)
	}
}
