package advisor

import (
	"fmt"
	"math"
	"slices"
	"time"

	"headroom/profiles"
)

// History is a recorded traffic that advice is derived from. It is a value;
// make it with NewHistory.
type History struct {
	profiles.Recorded
	zone   *time.Location // whose clocks its hours are of
	length time.Duration
	width  time.Duration // that rates are averaged over
	rates  []float64     // requests per second in one width after the other
}

// What is taken from a history.
const (
	rateWidth   = time.Minute // that rates are averaged over, unless they were counted over more
	fewestRates = 10
	lowShare    = 0.05 // of the rates are below low
	highShare   = 0.99 // of the rates are no more than high
	riseShare   = 0.99 // of the rises are no more than the one that is planned for
)

// NewHistory takes a recorded load whose hours are those of a zone. The error
// says that it is too short.
func NewHistory(r profiles.Recorded, zone *time.Location) (*History, error) {
	h := &History{Recorded: r, zone: zone, width: max(rateWidth, r.Step)}
	h.length = r.Shape.Length()
	for end := h.width; end <= h.length; end += h.width {
		h.rates = append(h.rates, h.rate(end, h.width))
	}
	if len(h.rates) < fewestRates {
		return nil, fmt.Errorf("got %s, want %s or more: advice takes the usual range of rates over %s",
			profiles.Duration(h.length.Round(time.Second)), profiles.Duration(fewestRates*h.width), profiles.Duration(h.width))
	}
	return h, nil
}

// rate is that of a time up to an end, in requests per second.
func (h *History) rate(end, over time.Duration) float64 {
	return (h.Shape.Area(end) - h.Shape.Area(end-over)) / over.Seconds()
}

// steepest is so much of the history around its greatest rise from one rate to
// the next, when that begins (zero: the trace has no dates), and what to call it.
// A rise near either end is not in the middle.
func (h *History) steepest(length time.Duration) (part profiles.Shape, start time.Time, name string) {
	if length >= h.length {
		return h.Shape, h.Start, fmt.Sprintf("the %s of the trace", profiles.Duration(h.length.Round(time.Second)))
	}
	at, _ := h.greatestRise()
	from := max(0, min(time.Duration(at)*h.width-length/2, h.length-length))
	when := profiles.Duration(from).String() + " after it begins"
	if start = h.Start; !start.IsZero() {
		start = start.Add(from)
		when = start.In(h.zone).Format("2006-01-02 15:04 MST")
	}
	return h.Shape.Part(from, length), start, fmt.Sprintf("the %s of the trace around its steepest rise (from %s)", profiles.Duration(length), when)
}

// greatestRise is the rate that is furthest above the one before, and by how much
// the rate rose each second until there.
func (h *History) greatestRise() (at int, slope float64) {
	most := math.Inf(-1)
	for i := range h.rates[1:] {
		if rise := h.rates[i+1] - h.rates[i]; rise > most {
			at, most = i+1, rise
		}
	}
	return at, max(0, most) / h.width.Seconds()
}

// Traffic is the range of the rates: a twentieth of them is below Low, and a
// hundredth above High.
func (h *History) Traffic() profiles.Traffic {
	sorted := slices.Sorted(slices.Values(h.rates))
	rate := func(share float64) profiles.Milli {
		m := profiles.MilliOf(quantile(sorted, share))
		return max(1, roundDown(m+(m-roundDown(m)))) // to the nearest of three digits
	}
	return profiles.Traffic{Low: rate(lowShare), High: rate(highShare)}
}

// rises are by how much the rate grows within a lag.
type rises struct {
	usual  float64 // requests per second; 99 of 100 times it grows by no more
	most   float64
	factor float64 // the same as a factor, of no less than what is always there for; 1 or more
	apart  time.Duration
	over   time.Duration
}

// mostMoments bounds how many are looked at.
const mostMoments = 50_000

// risesIn compares the rates at all moments with those a lag later, each over a
// window, as the scaler sees them. Counts of more than a lag, or a window, say
// less: they are compared over their own step, and the share of the lag in it is
// taken. A rate that the fewest replicas carry anyway counts as what they carry.
func (h *History) risesIn(lag, window time.Duration, carried float64) (rises, bool) {
	r := rises{factor: 1, apart: max(lag, h.Step), over: max(window, h.Step)}
	share := lag.Seconds() / r.apart.Seconds()
	stride := max(time.Second, r.over/4, h.length/mostMoments)
	var by, factors []float64
	for t := r.over; t+r.apart <= h.length; t += stride {
		before, after := h.rate(t, r.over), h.rate(t+r.apart, r.over)
		by = append(by, share*(after-before))
		factors = append(factors, 1+share*(after/max(before, carried)-1))
	}
	if len(by) == 0 {
		return r, false
	}
	slices.Sort(by)
	slices.Sort(factors)
	r.usual, r.most = max(0, quantile(by, riseShare)), max(0, by[len(by)-1])
	r.factor = max(1, quantile(factors, riseShare))
	return r, true
}

// fewestWindows is how many a dispersion takes.
const fewestWindows = 30

// dispersion is the index of dispersion of the arrivals in a window, their variance
// over their mean: 1 for a Poisson stream, more where they come in bursts. It is
// that of the differences of windows which follow one another, of which half is
// chance in each, so that hours which are busier than others are none. over is
// the window, whole steps of the trace; 0 where those are longer, or too few.
func (h *History) dispersion(window time.Duration) (index float64, over time.Duration) {
	if h.Step > window {
		return 0, 0
	}
	over = window
	if h.Step > 0 {
		over = (window + h.Step - 1) / h.Step * h.Step
	}
	stride := over * max(1, h.length/over/mostMoments)
	squares, sum, n := 0.0, 0.0, 0
	for end := over; end+over <= h.length; end += stride {
		first, second := h.rate(end, over)*over.Seconds(), h.rate(end+over, over)*over.Seconds()
		squares, sum, n = squares+(second-first)*(second-first)/2, sum+(first+second)/2, n+1
	}
	if n < fewestWindows || sum <= 0 {
		return 0, 0
	}
	return squares / sum, over
}

// growth is by how much the last of the whole weeks was busier than the first:
// as much is to be expected in as long again. It takes two weeks.
func (h *History) growth() (share float64, weeks int) {
	const week = 7 * 24 * time.Hour
	weeks = int(h.length / week)
	if weeks < 2 {
		return 0, weeks
	}
	first, last := h.rate(week, week), h.rate(time.Duration(weeks)*week, week)
	if first <= 0 {
		return 0, weeks
	}
	return max(0, last/first-1), weeks
}

// learn takes from the history what was not said otherwise, and shows how. The
// error is a *Refusal where the traffic rises faster than replicas come.
func (n *Needs) learn(t timing) (values []Value, more []reserve, err error) {
	h := n.History
	if h == nil {
		return nil, nil, nil
	}
	values = h.ranges()
	r, ok := h.risesIn(t.lag, t.window, max(n.Traffic.Low, n.Capacity).Float())
	if ok {
		rise := profiles.Milli(math.Ceil(r.usual / t.lag.Seconds() * 1000))
		values = append(values, h.riseValues(r, t.lag)...)
		n.Rise = max(n.Rise, rise)
		if 1/r.factor < leastReach {
			return nil, nil, refuseLag(*n, t, fmt.Sprintf("grow to %.1f times what it was", r.factor))
		}
		if r.factor > 1 {
			share := profiles.Ratio(math.Ceil((1 - 1/r.factor) * 1000))
			more = append(more, reserve{share: share, why: fmt.Sprintf("%s of it is kept free: in the trace the traffic grew to %.2f times what it was in the %s until a new replica answers (%s), 99 of 100 times by no more",
				share, r.factor, seconds(t.lag), n.lagParts(t))})
		}
	}
	if n.burstsOver > 0 {
		values = append(values, burstValue(n.bursts, n.burstsOver))
	}
	if share, weeks := h.growth(); share > 0 {
		v := Value{Name: "growth", Value: math.Round(share*1000) / 10, Unit: "%",
			Formula: fmt.Sprintf("mean of week %d / mean of week 1 - 1", weeks), Why: "as much is to be expected in as long again",
			Inputs:   []string{fmt.Sprintf("%d whole weeks of the trace", weeks)},
			Rejected: []Rejection{{"further ahead", "a trend says nothing beyond as long as it was seen"}}}
		if n.Growth == 0 {
			n.Growth = min(profiles.Ratio(math.Round(share*1000)), mostGrowth)
		} else {
			v.Why = fmt.Sprintf("--growth %s was said, which counts", n.Growth)
		}
		values = append(values, exact(v))
	}
	return values, more, nil
}

// ranges are the values of Traffic.
func (h *History) ranges() []Value {
	sorted := slices.Sorted(slices.Values(h.rates))
	traffic, every := h.Traffic(), profiles.Duration(h.width)
	from := fmt.Sprintf("%.0f arrivals in %s", h.Shape.Area(h.length), profiles.Duration(h.length.Round(time.Second)))
	if !h.Start.IsZero() {
		from += " from " + h.Start.In(h.zone).Format("2006-01-02 15:04 MST")
	}
	most, least := sorted[len(sorted)-1], sorted[0]
	return []Value{
		exact(Value{Name: "low", Value: traffic.Low.Float(), Unit: "requests/s", Inputs: []string{from},
			Formula: fmt.Sprintf("5th percentile of %d rates, each over %s", len(sorted), every), Why: "in 19 of 20 there is more: these are the quiet hours",
			Rejected: []Rejection{{profiles.FormatRate(least) + "/s, the least", "it was once, and what is more replicas are added for"}}}),
		exact(Value{Name: "high", Value: traffic.High.Float(), Unit: "requests/s", Inputs: []string{from},
			Formula: fmt.Sprintf("99th percentile of %d rates, each over %s", len(sorted), every), Why: "in 99 of 100 there is no more: these are the busy hours",
			Rejected: []Rejection{{profiles.FormatRate(most) + "/s, the most", "replicas for one hundredth of the time are what --growth is for"}}}),
	}
}

// riseValues are the usual rise within a lag, and the greatest.
func (h *History) riseValues(r rises, lag time.Duration) []Value {
	how := fmt.Sprintf("of rate(t + %s) - rate(t), each over %s", seconds(r.apart), seconds(r.over))
	if r.apart > lag {
		how += fmt.Sprintf(", x %s / %s", seconds(lag), seconds(r.apart))
	}
	from := []string{"the rates of the trace at all moments t"}
	why := fmt.Sprintf("so much is added in the %s until a new replica answers", seconds(lag))
	if h.Step > lag {
		why += " if the traffic rises evenly: " + h.unseen(lag)
	}
	most := threeDigits(max(0.001, r.most))
	return []Value{
		exact(Value{Name: "rise", Value: threeDigits(max(0.001, r.usual)), Unit: "requests/s in the lag", Formula: "99th percentile " + how, Inputs: from, Why: why,
			Rejected: []Rejection{{profiles.FormatRate(most) + "/s, the greatest", "it was once; --jump plans for it"}}}),
		exact(Value{Name: "jump", Value: most, Unit: "requests/s in the lag", Formula: "greatest " + how, Inputs: from,
			Why:      "it is shown, not planned for",
			Rejected: []Rejection{{"replicas for it", "they would idle all the rest of the time; --jump keeps them"}}}),
	}
}

// unseen says of a trace whose counts are of more than a lag what it cannot say.
func (h *History) unseen(lag time.Duration) string {
	return fmt.Sprintf("the trace counts over %s and says nothing of rises within %s", profiles.Duration(h.Step), seconds(lag))
}

// traceFlaws are what speaks against the rise that a policy takes from a trace.
func (n Needs) traceFlaws(p profiles.Policy) []flaw {
	if n.History == nil || n.Rise > 0 || n.Doubles > 0 {
		return nil
	}
	if lag := lag(p.Metrics[0].Window.Std(), p.Interval.Std(), n.StartUp); n.History.Step > lag {
		return []flaw{{GradeC, n.History.unseen(lag), fmt.Sprintf("a trace that counts over %s or less, or --rise", seconds(lag))}}
	}
	return nil
}

// burstValue is the dispersion.
func burstValue(index float64, over time.Duration) Value {
	v := Value{Name: "dispersion", Value: profiles.MilliOf(index).Float(), Unit: "times that of Poisson arrivals",
		Formula:  fmt.Sprintf("variance / mean of the arrivals in %s = %.3g", seconds(over), index),
		Inputs:   []string{"the differences of windows that follow one another, of which half is chance in each"},
		Why:      "they come in bursts: as many more of them are averaged over",
		Rejected: []Rejection{{"1, as of Poisson arrivals", "the measured rate would be moved by more than what it is to tell"}}}
	if index <= 1 {
		v.Why = "they come as evenly as chance has it, or more: it counts as 1"
		v.Rejected = []Rejection{{"less than 1", "what was even once need not be again"}}
	}
	return exact(v)
}

// exact is a value that the interval of the capacity does not touch.
func exact(v Value) Value {
	v.Low, v.High = v.Value, v.Value
	return v
}
