package advisor

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestBlocks(t *testing.T) {
	slo := mustSLO(t, "p95<100ms,errors<1%,p99<1s")
	ms := time.Millisecond
	for _, c := range []struct {
		name string
		over time.Duration
		p95  time.Duration
		want int
	}{
		{"two seconds each", 20 * time.Second, 50 * ms, 10},
		{"twice as long as most requests take", 20 * time.Second, 2 * time.Second, 5},
		{"never fewer than five", 3 * time.Second, 50 * ms, 5},
		{"nor more than thirty", 10 * time.Minute, 50 * ms, 30},
		{"most failed", 20 * time.Second, infinite, 5},
	} {
		requests := make([]witness, 100)
		for i := range requests {
			requests[i].at = c.over * time.Duration(i+1) / 100 // the last one right at the end
			requests[i].latency = []time.Duration{50 * ms, 200 * ms, 2 * time.Second, infinite}[i%4]
		}
		blocks := blocksOf(requests, c.over, c.p95, slo)
		var sum Block
		sum.Over = []int{0, 0}
		for _, b := range blocks {
			sum.Requests, sum.OK = sum.Requests+b.Requests, sum.OK+b.OK
			sum.Over[0], sum.Over[1] = sum.Over[0]+b.Over[0], sum.Over[1]+b.Over[1]
		}
		if len(blocks) != c.want || sum.Requests != 100 || sum.OK != 75 || !slices.Equal(sum.Over, []int{75, 50}) {
			t.Errorf("%s: %d blocks with %+v in all, want %d with 100, 75 answered, 75 and 50 over", c.name, len(blocks), sum, c.want)
		}
	}
	if got := blocksOf(nil, time.Second, 0, slo); got != nil {
		t.Errorf("blocks of nothing: %v", got)
	}
}

// What limits is the lowest of the percentiles; where it is errors that limit,
// latencies say nothing.
func TestEstimate(t *testing.T) {
	step := func(rate float64, failed int, over ...int) Observation {
		o := Observation{Trial: Trial{Rate: rate}, Requests: int(rate) * 20, Failed: failed, Failing: failed > 0, Over: 20 * time.Second}
		for range 10 {
			o.Blocks = append(o.Blocks, Block{Requests: int(rate) * 2, OK: int(rate) * 2, Over: over})
		}
		return o
	}
	steps := []Observation{step(50, 0, 0, 0), step(80, 0, 2, 1), step(90, 0, 9, 8), step(100, 0, 30, 30)}
	capacity := func(steps []Observation) Capacity {
		return Capacity{Steps: steps, Saturation: Interval{Value: 110, High: 110}, SLO: Interval{Value: 80}, settled: 80}
	}
	first := capacity(steps)
	first.estimate(mustSLO(t, "p95<1s,p99.9<2s"), 1)
	if first.SLO.Value > 80 || first.SLO.Value < 40 || first.SLO.Low > first.SLO.Value || first.SLO.High < first.SLO.Value {
		t.Errorf("with p99.9 as the stricter one: %v, want less than 80", first.SLO)
	}
	loose := capacity(steps)
	loose.estimate(mustSLO(t, "p95<1s,p90<2s"), 1)
	if loose.SLO.Value < 85 || loose.SLO.Value > 92 || loose.SLO.Low > 80 {
		t.Errorf("with p95 as the stricter one: %v, want about 89 and an interval that holds the 80 that were met", loose.SLO)
	}
	for name, steps := range map[string][]Observation{
		"errors limit": append(slices.Clone(steps), step(95, 100, 12, 12)),
		"one step":     steps[:1],
		"all spoiled":  {{Trial: Trial{Rate: 50}, Spoiled: true}, {Trial: Trial{Rate: 60}, Spoiled: true}},
	} {
		c := capacity(steps)
		if c.estimate(mustSLO(t, "p95<1s,errors<1%,p90<1s"), 1); c.SLO.Value != 80 {
			t.Errorf("%s: %v, want what the search ended on", name, c.SLO)
		}
	}
	if math.IsInf(loose.SLO.High, 1) {
		t.Error("an interval without an end")
	}
}
