package advisor

import (
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
