package advisor

import (
	"slices"
	"time"

	"headroom/advisor/model"
	"headroom/profiles"
)

// Block is what a step judged in one of equally long parts. Intervals rest on
// them: requests that waited in one line are in one block.
type Block struct {
	Requests int   `json:"requests"`
	OK       int   `json:"ok"`           // of them, answered
	Over     []int `json:"over"`         // over the limit of each percentile of the SLO
	Of       []int `json:"of,omitempty"` // of so many that it speaks of; nil: of all
}

const (
	shortestBlock = 2 * time.Second
	fewestBlocks  = 5 // of a step, though they be shorter
	mostBlocks    = 30
)

// blocksOf divides the judged requests of a step, by when they were due or, in
// the closed model, answered. A block lasts twice as long as most requests
// take.
func blocksOf(requests []witness, over, p95 time.Duration, slo profiles.SLO) []Block {
	if over <= 0 || len(requests) == 0 {
		return nil
	}
	length := max(shortestBlock.Seconds(), 2*p95.Seconds())
	n := int(min(max(over.Seconds()/length, fewestBlocks), mostBlocks))
	percentiles := slo.Percentiles()
	blocks := make([]Block, n)
	for i := range blocks {
		blocks[i].Over = make([]int, len(percentiles))
		if slices.ContainsFunc(percentiles, partial) {
			blocks[i].Of = make([]int, len(percentiles))
		}
	}
	for _, r := range requests {
		b := &blocks[min(n-1, int(r.at.Seconds()/over.Seconds()*float64(n)))]
		b.Requests++
		if r.latency != infinite {
			b.OK++
		}
		for k, objective := range percentiles {
			d, ok := r.time(objective)
			if !ok {
				continue
			}
			if b.Of != nil {
				b.Of[k]++
			}
			if isOver(objective, d) {
				b.Over[k]++
			}
		}
	}
	return blocks
}

// of is how many requests the k-th percentile of the SLO speaks of.
func (b Block) of(k int) int {
	if b.Of == nil {
		return b.Requests
	}
	return b.Of[k]
}

// shareOf is the share of the requests that the k-th percentile of the SLO
// speaks of; 1 where nothing was judged.
func shareOf(k int, blocks []Block) float64 {
	of, all := 0, 0
	for _, b := range blocks {
		of, all = of+b.of(k), all+b.Requests
	}
	if all == 0 {
		return 1
	}
	return float64(of) / float64(all)
}

// overs are the requests over the limit of the k-th percentile of the SLO, of
// those that it speaks of, at the rate of all requests of the step.
func (o Observation) overs(k int) model.Blocks {
	out := o.tallies(func(b Block) (int, int) { return b.Over[k], b.of(k) })
	share := shareOf(k, o.Blocks)
	for i := range out {
		out[i].Seconds *= share
	}
	return out
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

// answers are the blocks of a step with its successful answers.
func (o Observation) answers() model.Blocks {
	return o.tallies(func(b Block) (int, int) { return 0, b.OK })
}
