package profiles

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Measure is what an objective speaks of.
type Measure string

// The measures of the SLO grammar. Those that end in p are percentiles, whose
// quantile is in the Objective.
const (
	Percentile Measure = "p"      // latency quantile, seconds
	FirstEvent Measure = "ttft.p" // quantile of the time to the first event of a stream, seconds
	Gap        Measure = "gap.p"  // quantile of the time between two events of a stream, seconds
	Mean       Measure = "mean"   // mean latency, seconds
	Max        Measure = "max"    // highest latency, seconds
	Errors     Measure = "errors" // share of requests that failed, 0..1
	Throughput Measure = "rps"    // answers per second
)

// Op compares a measured value with the limit of an objective.
type Op string

// The comparisons of the SLO grammar.
const (
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
)

// Objective is one condition of an SLO, such as p95<300ms or chat.ttft.p95<500ms.
type Objective struct {
	Task     string // whose requests; empty: all
	Measure  Measure
	Quantile float64 // 0..1, of a percentile
	Op       Op
	Limit    float64 // seconds, a share 0..1, or per second, by Measure
}

// SLO is the list of objectives that all must hold. An empty SLO holds
// always.
type SLO []Objective

const sloHelp = "want objectives such as p95<300ms,errors<1% (p50..p99.9, mean, max, errors, rps, and of streams ttft.p95, gap.p95; of one task as chat.p95; < <=, and > >= of errors and rps; ms, s, %, /s)"

// ParseSLO reads objectives separated by commas:
//
//	objective = [task "."] measure op number unit
//	measure   = p50 … p99.9 | mean | max | errors | rps | ttft.pNN | gap.pNN
//	op        = < <= > >=, the latter two of errors and rps alone
//	unit      = ms | s for latency, % for errors, /s or nothing for rps
//
// A task is written as it is, dots and blanks included. In double quotes, and
// escaped as in Go, it must be where it has one of , < > " in it, or where it
// would be read as a measure: "ttft".p95<1s is about a task of that name.
func ParseSLO(s string) (SLO, error) {
	var slo SLO
	for rest, more := s, true; more; {
		var part string
		if part, rest, more = cutObjective(rest); part == "" {
			return nil, fmt.Errorf("got %q: an empty objective; %s", s, sloHelp)
		}
		o, err := parseObjective(part)
		if err != nil {
			return nil, err
		}
		slo = append(slo, o)
	}
	return slo, nil
}

func parseObjective(s string) (Objective, error) {
	bad := func(why string) (Objective, error) {
		return Objective{}, fmt.Errorf("objective %q: %s; %s", s, why, sloHelp)
	}
	task, plain, ok := cutTask(s)
	if !ok {
		return bad("a quote that is not of a task and a dot, as in \"chat\".p95")
	}
	at := strings.IndexAny(plain, "<>")
	if at < 0 {
		return bad("no comparison")
	}
	name, rest := strings.TrimSpace(plain[:at]), plain[at+1:]
	o := Objective{Task: task, Op: Op(plain[at : at+1])}
	if strings.HasPrefix(rest, "=") {
		o.Op, rest = o.Op+"=", rest[1:]
	}
	rest = strings.TrimSpace(rest)

	if task != "" && !o.setMeasure(name) || task == "" && !o.setName(name) {
		return bad(fmt.Sprintf("unknown measure %q", name))
	}

	switch o.Measure {
	case Errors:
		number, ok := strings.CutSuffix(rest, "%")
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if !ok || err != nil || !(v >= 0 && v <= 100) {
			return bad(fmt.Sprintf("limit %q is not a percentage between 0%% and 100%%", rest))
		}
		o.Limit = v / 100
	case Throughput:
		v, err := strconv.ParseFloat(strings.TrimSuffix(rest, "/s"), 64)
		if err != nil || !(v >= 0) || math.IsInf(v, 0) {
			return bad(fmt.Sprintf("limit %q is not a rate", rest))
		}
		o.Limit = v
	default:
		d, err := time.ParseDuration(rest)
		if err != nil || d <= 0 {
			return bad(fmt.Sprintf("limit %q is not a latency with its unit, such as 300ms", rest))
		}
		if o.Op != Less && o.Op != LessEqual { // met by a target that is too slow alone
			return bad("a latency has an upper limit only, with < or <=")
		}
		o.Limit = d.Seconds()
	}
	return o, nil
}

// setMeasure reads a measure; false means that there is no such one.
func (o *Objective) setMeasure(name string) bool {
	switch m := Measure(name); m {
	case Mean, Max, Errors, Throughput:
		o.Measure = m
		return true
	}
	for _, m := range []Measure{Percentile, FirstEvent, Gap} {
		if number, ok := strings.CutPrefix(name, string(m)); ok {
			q, err := ParseMilli(number)
			o.Measure, o.Quantile = m, float64(q)/100_000
			return err == nil && q > 0 && q < 100_000
		}
	}
	return false
}

// Holds reports whether the measured value v, in the unit of Limit, meets the
// objective.
func (o Objective) Holds(v float64) bool { return o.Op.Holds(v, o.Limit) }

// Holds reports whether v compares so with the limit.
func (op Op) Holds(v, limit float64) bool {
	switch op {
	case Less:
		return v < limit
	case LessEqual:
		return v <= limit
	case Greater:
		return v > limit
	case GreaterEqual:
		return v >= limit
	case Equal:
		return v == limit
	default:
		return v != limit
	}
}

// Name is the task and the measure as the grammar writes them: "p95",
// "ttft.p95", "login.errors".
func (o Objective) Name() string {
	name := string(o.Measure)
	if o.Quantile > 0 {
		name += strconv.FormatFloat(math.Round(o.Quantile*1e5)/1e3, 'f', -1, 64)
	}
	return formatTask(o.Task, name)
}

// FormatValue writes v, a value of this objective's measure, with its unit, and
// with as many digits as show on which side of the limit it is.
func (o Objective) FormatValue(v float64) string {
	digits, scale, unit := 2, 1.0, "/s"
	switch o.Measure {
	case Errors:
		digits, scale, unit = 3, 100, "%"
	case Throughput:
	default:
		digits, scale, unit = latencyUnit(v)
	}
	return formatBeside(v, o.Limit, scale, digits) + unit
}

// formatBeside writes v in units of which there are scale in one, with so many
// digits or as many more as show on which side of the limit it is.
func formatBeside(v, limit, scale float64, digits int) string {
	shown := roundTo(v*scale, digits)
	for ; digits < 9 && cmp.Compare(shown/scale, limit) != cmp.Compare(v, limit); shown = roundTo(v*scale, digits) {
		digits++
	}
	return strconv.FormatFloat(shown, 'f', -1, 64)
}

// String writes the objective so that ParseSLO reads back the same one: the
// limit is not rounded, as FormatValue would.
func (o Objective) String() string {
	name := o.Name() + string(o.Op)
	switch seconds := o.Limit; {
	case o.Measure == Errors:
		return name + decimal(o.Limit*100, 9) + "%"
	case o.Measure == Throughput:
		return name + decimal(o.Limit, -1) + "/s"
	case seconds < 1:
		return name + decimal(seconds*1000, 6) + "ms"
	default:
		return name + decimal(seconds, 9) + "s"
	}
}

// decimal writes v with at most that many digits after the point, -1 for as
// many as it takes.
func decimal(v float64, digits int) string {
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// String writes the SLO so that ParseSLO reads it back; the empty SLO is "".
func (s SLO) String() string {
	parts := make([]string, len(s))
	for i, o := range s {
		parts[i] = o.String()
	}
	return strings.Join(parts, ",")
}

// MarshalText writes String.
func (s SLO) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what ParseSLO reads, or nothing for the empty SLO.
func (s *SLO) UnmarshalText(b []byte) (err error) {
	*s = nil
	if len(b) > 0 {
		*s, err = ParseSLO(string(b))
	}
	return err
}

// Latency returns the tightest latency percentile among the objectives on all
// requests.
func (s SLO) Latency() (Objective, bool) {
	var best Objective
	found := false
	for _, o := range s {
		if o.Task == "" && o.Measure == Percentile && (!found || o.Limit < best.Limit) {
			best, found = o, true
		}
	}
	return best, found
}

// Percentiles are the objectives that a capacity search decides on: percentiles
// of the latency and of the time to the first event, of all requests or a task.
func (s SLO) Percentiles() (out []Objective) {
	for _, o := range s {
		if o.Measure == Percentile || o.Measure == FirstEvent {
			out = append(out, o)
		}
	}
	return out
}

// FormatLatency writes a latency with a precision that suits its size:
// "0.42ms", "11.8ms", "310ms", "2.5s".
func FormatLatency(d time.Duration) string {
	seconds := float64(d) / float64(time.Second)
	digits, scale, unit := latencyUnit(seconds)
	return strconv.FormatFloat(roundTo(seconds*scale, digits), 'f', -1, 64) + unit
}

// latencyUnit is how a time of so many seconds is written: with so many digits
// after the point, in units of which a second has so many.
func latencyUnit(seconds float64) (digits int, scale float64, unit string) {
	switch {
	case seconds < 0.01:
		return 2, 1000, "ms"
	case seconds < 0.1:
		return 1, 1000, "ms"
	case seconds < 1:
		return 0, 1000, "ms"
	}
	return 2, 1, "s"
}

func roundTo(v float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(v*p) / p
}

// FormatRate writes a rate with three digits or more: "0.42", "16.4", "412".
func FormatRate(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}
