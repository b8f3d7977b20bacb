package tui

import (
	"math"
	"strings"
	"time"

	"headroom/advisor"
	"headroom/probe"
)

// trends are the requests per second of each replica in the latest seconds, by
// its ID, the oldest first; not a number where it gave no answer yet. They are
// a value: what is on a frozen screen does not change.
type trends struct {
	at    time.Time // of the latest figures
	rates map[string][]float64
}

const (
	trendSeconds = 20
	trendSlack   = time.Second / 8 // States come four times a second, not quite on time
)

// with is t with the rates of a State, where a second has passed. Replicas that
// are not in it are forgotten.
func (t trends) with(st advisor.State) trends {
	if len(st.Fleet.Replicas) == 0 || st.At.Sub(t.at).Abs() < time.Second-trendSlack {
		return t
	}
	next := trends{at: st.At, rates: make(map[string][]float64, len(st.Fleet.Replicas))}
	for _, r := range st.Fleet.Replicas {
		rate := math.NaN()
		if r.Answered {
			rate = r.Rate
		}
		before := t.rates[r.ID]
		next.rates[r.ID] = append(append(make([]float64, 0, trendSeconds), before[max(0, len(before)-trendSeconds+1):]...), rate)
	}
	return next
}

// trendColumn shows the trends over so many seconds beside each other: the
// highest line is the highest rate of all.
func trendColumn(t trends, seconds int) replicaColumn {
	highest := 0.0
	for _, rates := range t.rates {
		for _, v := range rates[max(0, len(rates)-seconds):] {
			if v > highest {
				highest = v
			}
		}
	}
	title := "last " + span(time.Duration(seconds)*time.Second)
	return replicaColumn{column{title: title, width: seconds, rank: 1}, func(r probe.Replica) cell {
		rates := t.rates[r.ID]
		return number(r.Rate, sparkline(rates[max(0, len(rates)-seconds):], highest)).in(accent)
	}}
}

// sparks are heights, the first for nothing and the others for shares of the
// highest.
var sparks = [...]rune{'▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'}

// sparkline draws values of 0 up to highest in one cell each; nothing where a
// value is not a number.
func sparkline(values []float64, highest float64) string {
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteByte(' ')
		case !(v > 0):
			b.WriteRune(sparks[0])
		default:
			share := min(v, highest) / highest
			b.WriteRune(sparks[1+min(int(share*float64(len(sparks)-1)), len(sparks)-2)])
		}
	}
	return b.String()
}
