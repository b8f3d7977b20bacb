package advisor

import (
	"math"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// Block is what a step judged in one of equally long parts. Intervals rest on
// them: requests that waited in one line are in one block.
type Block struct {
	Requests int   `json:"requests"`
	OK       int   `json:"ok"`   // of them, answered
	Over     []int `json:"over"` // of them, over the limit of each percentile of the SLO
}

const (
	shortestBlock = 2 * time.Second
	fewestBlocks  = 5 // of a step, though they be shorter
	mostBlocks    = 30
)

// blocksOf divides the judged requests of a step by when they were due or, in
// the closed model, answered: at is that time from the cut on, in the order of
// the latencies. A block lasts twice as long as most requests take.
func blocksOf(at, latencies []time.Duration, over, p95 time.Duration, slo profiles.SLO) []Block {
	if over <= 0 || len(at) == 0 {
		return nil
	}
	length := max(shortestBlock.Seconds(), 2*p95.Seconds())
	n := int(min(max(over.Seconds()/length, fewestBlocks), mostBlocks))
	percentiles := percentilesOf(slo)
	blocks := make([]Block, n)
	for i := range blocks {
		blocks[i].Over = make([]int, len(percentiles))
	}
	for i, latency := range latencies {
		b := &blocks[min(n-1, int(at[i].Seconds()/over.Seconds()*float64(n)))]
		b.Requests++
		if latency != infinite {
			b.OK++
		}
		for k, objective := range percentiles {
			if isOver(objective, latency) {
				b.Over[k]++
			}
		}
	}
	return blocks
}

func percentilesOf(slo profiles.SLO) []profiles.Objective {
	var out []profiles.Objective
	for _, objective := range slo {
		if objective.Measure == profiles.Percentile {
			out = append(out, objective)
		}
	}
	return out
}

// isOver reports whether a request is over the limit: too late, failed or
// never answered.
func isOver(objective profiles.Objective, latency time.Duration) bool {
	return latency == infinite || !objective.Holds(latency.Seconds())
}

// tallies are the blocks of a step with the hits that are meant.
func (o Observation) tallies(hits func(Block) (hits, all int)) model.Blocks {
	out := make(model.Blocks, len(o.Blocks))
	for i, b := range o.Blocks {
		h, all := hits(b)
		out[i] = model.Tally{Hits: float64(h), All: float64(all), Seconds: o.Over.Seconds() / float64(len(o.Blocks))}
	}
	return out
}

// estimate replaces the figures that the search ended on by those that all of
// its steps together say, with the interval of each.
//
// The search ends on a load that met the SLO. The estimate is where the share
// of requests over its limit crosses what is allowed, the lowest of all its
// percentiles. Its interval reaches down to the load that the search ended on,
// which is known to be met.
func (c *Capacity) estimate(slo profiles.SLO, seed uint64) {
	if low, high, ok := c.saturationSpread(seed); ok {
		c.Saturation.Low, c.Saturation.High = min(low, c.Saturation.Value), max(high, c.Saturation.Value)
	}
	if c.failing(slo) {
		return
	}
	var steps []Observation
	for _, o := range c.Steps {
		if o.Trial.Rate > 0 && !o.Spoiled && len(o.Blocks) > 0 {
			steps = append(steps, o)
		}
	}
	if len(steps) < 2 {
		return
	}
	found := Interval{Value: math.Inf(1), Low: c.settled, High: math.Inf(1), Unit: "/s"}
	for k, objective := range percentilesOf(slo) {
		blocks, totals := make([]model.Blocks, len(steps)), make([]model.Tally, len(steps))
		for i, o := range steps {
			blocks[i] = o.tallies(func(b Block) (int, int) { return b.Over[k], b.Requests })
			totals[i] = blocks[i].Total()
		}
		cross := func(totals []model.Tally) (float64, bool) {
			return model.Crossing(totals, c.Saturation.High, 1-objective.Quantile)
		}
		value, ok := cross(totals)
		if !ok {
			return
		}
		low, high, ok := model.Spread(blocks, seed, cross)
		if !ok {
			return
		}
		found.Value, found.Low, found.High = min(found.Value, value), min(found.Low, low), min(found.High, high)
	}
	found.Low, found.High = min(found.Low, found.Value), max(found.High, found.Value)
	c.SLO = found
}

// failing reports whether errors, not latencies, ended what the SLO allows.
func (c *Capacity) failing(slo profiles.SLO) bool {
	for _, o := range c.Steps {
		for _, objective := range slo {
			if o.Trial.Rate > 0 && !o.Spoiled && o.Requests > 0 && objective.Measure == profiles.Errors &&
				!objective.Holds(float64(o.Failed)/float64(o.Requests)) {
				return true
			}
		}
	}
	return false
}

// saturationSpread is how sure the saturation is, from the rungs of the ladder.
func (c *Capacity) saturationSpread(seed uint64) (low, high float64, ok bool) {
	var rungs []model.Blocks
	for _, o := range c.Steps {
		if o.Trial.Users > 1 && !o.Spoiled && len(o.Blocks) > 0 {
			rungs = append(rungs, o.tallies(func(b Block) (int, int) { return 0, b.OK }))
		}
	}
	if len(rungs) == 0 {
		return 0, 0, false
	}
	return model.Spread(rungs, seed, func(totals []model.Tally) (float64, bool) {
		rates := make([]float64, len(totals))
		for i, t := range totals {
			rates[i] = t.Rate()
		}
		on := plateau(rates)
		return on[len(on)/2], true
	})
}
