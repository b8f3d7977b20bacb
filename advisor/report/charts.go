package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"headroom/advisor"
	"headroom/load"
)

// overTime are the charts of a run. Those without data are nil.
func overTime(r Run) []*chart {
	points := r.Result.Points
	at := overSeconds(pick(points, func(p load.Point) float64 { return p.At.Seconds() }))
	all := series{"requests", pick(points, func(p load.Point) float64 { return p.Rate })}
	failing := series{"failed", pick(points, func(p load.Point) float64 { return p.Failed })}
	planned := series{"planned", pick(points, func(p load.Point) float64 { return p.Planned })}
	users := series{"users", pick(points, func(p load.Point) float64 { return float64(p.Users) })}
	inFlight := series{"in flight", pick(points, func(p load.Point) float64 { return float64(p.InFlight) })}

	rates, who := []series{all, failing}, []series{users, inFlight}
	if r.Result.Open {
		rates, who = append(rates, planned), []series{inFlight}
	}
	title := "Users and requests in flight"
	if r.Result.Open {
		title = "Requests in flight"
	}
	return []*chart{
		plot("Throughput", "requests/s", at, false, rates...),
		plot("Latency of successes, from the intended start", "ms, logarithmic", at, true,
			latency("p50", points, func(q load.Quantiles) time.Duration { return q.P50 }),
			latency("p95", points, func(q load.Quantiles) time.Duration { return q.P95 }),
			latency("p99", points, func(q load.Quantiles) time.Duration { return q.P99 }),
			latency("max", points, func(q load.Quantiles) time.Duration { return q.Max })),
		plot(title, "", at, false, who...),
		replicasOverTime(r),
	}
}

// pick is one figure of all points.
func pick[P any](points []P, figure func(P) float64) []float64 {
	out := make([]float64, len(points))
	for i, p := range points {
		out[i] = figure(p)
	}
	return out
}

// latency is a quantile of all points in ms.
func latency(name string, points []load.Point, quantile func(load.Quantiles) time.Duration) series {
	return series{name, pick(points, func(p load.Point) float64 {
		if p.Latency.Count == 0 {
			return math.NaN()
		}
		return inMillis(quantile(p.Latency))
	})}
}

// replicasOverTime is the chart of the replicas while the load ran, with what
// the timeline notes of them; nil where nothing is known of any.
func replicasOverTime(r Run) *chart {
	started := r.offset()
	length := r.Result.Elapsed.Seconds()
	var at, wanted, up, answering []float64
	known, most := false, 0
	for _, p := range r.Points {
		if seconds := (p.At - started).Seconds(); seconds >= 0 && seconds <= length {
			at = append(at, seconds)
			wanted, up = append(wanted, float64(p.Wanted)), append(up, float64(p.Up))
			answering = append(answering, float64(p.Answering))
			known, most = known || p.Wanted+p.Up > 0, max(most, p.Answering)
		}
	}
	if !known && most == 0 {
		return nil
	}
	all := []series{{"answering", answering}}
	if known {
		all = append(all, series{"up", up}, series{"wanted", wanted})
	}
	c := plot("Replicas", "with what happened to them", overSeconds(at), false, all...)
	if c == nil {
		return nil
	}
	for _, a := range r.Timeline.Annotations {
		c.mark((a.At - started).Seconds(), at[len(at)-1], fmt.Sprintf("%s %s", clock(a.At-started), a.Text))
	}
	return c
}

// scalingCurve is how the latency of the steps of a measurement grew with what
// they carried, with the fleet as it was found; nil where too few carried anything.
func scalingCurve(c advisor.Capacity) *chart {
	steps := slices.DeleteFunc(slices.Clone(c.Steps), func(o advisor.Observation) bool { return o.Requests == 0 || o.Spoiled || o.Trial.Replicas > 0 })
	slices.SortStableFunc(steps, func(a, b advisor.Observation) int { return cmp.Compare(a.Rate, b.Rate) })
	quantile := func(of func(advisor.Observation) time.Duration) []float64 {
		return pick(steps, func(o advisor.Observation) float64 {
			if of(o) > time.Hour { // too many failed
				return math.NaN()
			}
			return inMillis(of(o))
		})
	}
	carried := base{pick(steps, func(o advisor.Observation) float64 { return o.Rate }), rateTicks, func(v float64) string { return compact(v) + "/s" }}
	return plot("Latency of the steps over what they carried", "ms, logarithmic, over requests/s", carried, true,
		series{"p50", quantile(func(o advisor.Observation) time.Duration { return o.P50 })},
		series{"p95", quantile(func(o advisor.Observation) time.Duration { return o.P95 })})
}

// spreadBars is how many bars a distribution has at most.
const spreadBars = 48

// spread is the chart of a distribution on a logarithmic scale; nil without
// data.
func spread(h load.Histogram) *chart {
	if len(h) == 0 {
		return nil
	}
	millis := func(d time.Duration) float64 { return max(inMillis(d), 0.001) }
	low, high := millis(h[0].Time)*0.999, millis(h[len(h)-1].Time)*1.001
	x := axis{low: low, high: high, log: true}
	counts := make([]int64, spreadBars)
	for _, b := range h {
		counts[min(int(x.share(millis(b.Time))/100*spreadBars), spreadBars-1)] += b.Count
	}
	shares := make([]float64, spreadBars)
	for i, n := range counts {
		shares[i] = 100 * float64(n) / float64(h.Count())
	}
	y, ticks := upTo(shares)
	c := &chart{Title: "Latency of successes", Unit: "% of the requests over ms, logarithmic"}
	for _, v := range ticks {
		c.YTicks = append(c.YTicks, tick{hundredths(100 - y.share(v)), compact(v)})
	}
	edge := func(i int) float64 { return low * math.Pow(high/low, float64(i)/spreadBars) }
	c.XTicks = logTicks(x)
	for i, share := range shares {
		if share > 0 {
			c.Bars = append(c.Bars, bar{
				Left: hundredths(100 * float64(i) / spreadBars), Width: hundredths(100.0 / spreadBars), Top: hundredths(100 - y.share(share)), Height: y.share(share),
				Text: fmt.Sprintf("%s to %s ms: %d", compact(edge(i)), compact(edge(i+1)), counts[i]),
			})
		}
	}
	return c
}
