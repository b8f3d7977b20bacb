package profiles

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The metrics of thresholds, by their names in k6.
const (
	RequestDuration   = "http_req_duration"        // latency; a request that failed is slower than any
	RequestFailed     = "http_req_failed"          // share of the requests, 0..1
	Requests          = "http_reqs"                // answers and failures
	Iterations        = "iterations"               // the same: each request is one
	DataReceived      = "data_received"            // bytes of bodies
	RequestWaiting    = "http_req_waiting"         // from the send to the first byte, of successes
	RequestConnecting = "http_req_connecting"      // until TCP was established
	RequestTLS        = "http_req_tls_handshaking" // of the handshakes
	DroppedIterations = "dropped_iterations"       // arrivals that found no free user
)

// The aggregations of thresholds, which make a number of a metric.
const (
	AverageOf  = "avg"
	LeastOf    = "min"
	MostOf     = "max"
	MedianOf   = "med"
	QuantileOf = "p" // p(95), of Threshold.Quantile
	RateOf     = "rate"
	CountOf    = "count"
)

// The comparisons that thresholds have besides those of the SLO grammar.
const (
	Equal    Op = "=="
	NotEqual Op = "!="
)

// thresholdMetric is what can be asked of a metric.
type thresholdMetric struct {
	name         string
	aggregations []string
	parted       bool // it is known of single tasks, and of windows
}

// thresholdMetrics are all of them.
var thresholdMetrics = []thresholdMetric{
	{RequestDuration, times, true}, {RequestFailed, []string{RateOf}, true},
	{Requests, counts, true}, {Iterations, counts, true}, {DataReceived, counts, true},
	{RequestWaiting, times, false}, {RequestConnecting, times, false}, {RequestTLS, times, false}, {DroppedIterations, counts, false},
}

// metricsInstead are metrics of k6 whose name would mean something else here,
// with what there is instead.
var metricsInstead = map[string]string{
	"checks":             "a request that a check refuses has failed, want http_req_failed",
	"iteration_duration": "an iteration is a request, want http_req_duration",
	"vus":                "there are as many users as the load says, want dropped_iterations for a rate",
}

// The aggregations of metrics of one kind.
var (
	times  = []string{AverageOf, LeastOf, MostOf, MedianOf, QuantileOf}
	counts = []string{CountOf, RateOf}
)

// Threshold is a condition on a run in the words of k6.
type Threshold struct {
	Metric      string
	Task        string // whose requests; empty: all
	Aggregation string
	Quantile    float64 // 0..1, of QuantileOf
	Op          Op
	Limit       float64       // milliseconds, a share 0..1, a number or one per second, by metric and aggregation
	Abort       bool          // the run ends when it fails
	Delay       time.Duration // since the start of the run, before which it ends nothing
	Every       time.Duration // it must hold in each window of that length, 1 s or more; 0: over the whole run
}

const thresholdHelp = "want such as http_req_duration: p(95)<200, or http_req_failed{name:TASK}: rate<0.01 abortOnFail delay=10s every=30s"

// ParseThreshold reads a metric and an expression as k6 writes them, and
// options behind them:
//
//	threshold   = metric ["{name:" task "}"] ":" aggregation op number {option}
//	aggregation = avg | min | max | med | p(N) | rate | count
//	op          = < <= > >= == !=
//	option      = abortOnFail | delay=DURATION | every=DURATION
//
// Times are in milliseconds and shares are 0..1.
func ParseThreshold(s string) (Threshold, error) {
	var t Threshold
	rest, err := t.readMetric(s)
	if err == nil {
		err = t.readExpression(rest)
	}
	if err != nil {
		return Threshold{}, fmt.Errorf("got %q: %w; %s", s, err, thresholdHelp)
	}
	return t, nil
}

// readMetric reads what stands before the expression, and returns that.
func (t *Threshold) readMetric(s string) (rest string, err error) {
	at := strings.IndexAny(s, ":{")
	if at < 0 {
		return "", errors.New("no colon behind a metric")
	}
	t.Metric = strings.TrimSpace(s[:at])
	if _, ok := t.metric(); !ok {
		if instead, ok := metricsInstead[t.Metric]; ok {
			return "", fmt.Errorf("metric %q is not known here: %s", t.Metric, instead)
		}
		var names []string
		for _, m := range thresholdMetrics {
			names = append(names, m.name)
		}
		return "", fmt.Errorf("metric: %w", OneOf(t.Metric, names))
	}
	if rest = s[at:]; rest[0] == '{' {
		end := strings.LastIndex(rest, "}") // a task may have one in its name
		if end < 0 {
			return "", errors.New("no } behind the task")
		}
		task, ok := strings.CutPrefix(rest[1:end], "name:")
		if t.Task = strings.TrimSpace(task); !ok || t.Task == "" {
			return "", fmt.Errorf("unknown tag {%s}, want {name:TASK}", rest[1:end])
		}
		rest = strings.TrimSpace(rest[end+1:])
	}
	rest, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return "", errors.New("no colon behind a metric")
	}
	return rest, nil
}

func (t *Threshold) metric() (thresholdMetric, bool) {
	i := slices.IndexFunc(thresholdMetrics, func(m thresholdMetric) bool { return m.name == t.Metric })
	if i < 0 {
		return thresholdMetric{}, false
	}
	return thresholdMetrics[i], true
}

func (t *Threshold) readExpression(s string) error {
	at := strings.IndexAny(s, "<>=!")
	if at < 0 {
		return errors.New("no comparison")
	}
	if err := t.setAggregation(strings.TrimSpace(s[:at])); err != nil {
		return err
	}
	for _, op := range []Op{LessEqual, GreaterEqual, Equal, NotEqual, Less, Greater} {
		if rest, ok := strings.CutPrefix(s[at:], string(op)); ok {
			t.Op, s = op, rest
			break
		}
	}
	words := strings.Fields(s)
	if t.Op == "" || len(words) == 0 {
		return errors.New("no comparison with a number")
	}
	limit, err := strconv.ParseFloat(words[0], 64)
	switch {
	case err != nil || !(limit >= 0) || math.IsInf(limit, 0):
		return fmt.Errorf("limit %q is not a number of 0 or more, without a unit", words[0])
	case t.Metric == RequestFailed && limit > 1:
		return fmt.Errorf("limit %q is not a share between 0 and 1", words[0])
	}
	t.Limit = limit
	return t.setOptions(words[1:])
}

func (t *Threshold) setAggregation(name string) error {
	m, _ := t.metric()
	t.Aggregation = name
	if number, ok := strings.CutPrefix(name, QuantileOf+"("); ok {
		n, err := ParseMilli(strings.TrimSuffix(number, ")"))
		if err != nil || !strings.HasSuffix(number, ")") || n <= 0 || n >= 100_000 {
			return fmt.Errorf("aggregation %q is not p(N) with N more than 0 and less than 100", name)
		}
		t.Aggregation, t.Quantile = QuantileOf, float64(n)/100_000
	}
	if !slices.Contains(m.aggregations, t.Aggregation) || t.Aggregation == name && name == QuantileOf {
		known := strings.Replace(strings.Join(m.aggregations, ", "), ", "+QuantileOf, ", p(N)", 1)
		return fmt.Errorf("aggregation %q, %s has %s", name, t.Metric, known)
	}
	return nil
}

func (t *Threshold) setOptions(words []string) error {
	given := map[string]bool{}
	for _, word := range words {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch {
		case given[name]:
			return fmt.Errorf("option %s twice", name)
		case word == "abortOnFail":
			t.Abort = true
		case name == "delay":
			t.Delay, err = ParseDuration(value)
		case name == "every":
			t.Every, err = ParseDuration(value)
		default:
			return fmt.Errorf("unknown option %q, want abortOnFail, delay=10s or every=30s", word)
		}
		if err != nil {
			return fmt.Errorf("option %s: %w", name, err)
		}
		given[name] = true
	}
	m, _ := t.metric()
	switch {
	case given["delay"] && !t.Abort:
		return errors.New("delay without abortOnFail, want both or neither")
	case given["every"] && t.Every < time.Second:
		return fmt.Errorf("every=%v, want 1s or more", t.Every)
	case t.Every > 0 && t.Aggregation == CountOf:
		return errors.New("count with every, want rate: windows are not quite equally long")
	case (t.Every > 0 || t.Task != "") && !m.parted:
		return fmt.Errorf("%s is known of the whole run and all requests, want it without every and {name:TASK}", t.Metric)
	}
	return nil
}

// Objective is what a threshold says where the SLO grammar says the same of
// requests that have no answer; ok is false where it does not.
func (t Threshold) Objective() (o Objective, ok bool) {
	o = Objective{Task: t.Task, Op: t.Op, Limit: t.Limit}
	switch {
	case t.Metric == RequestFailed:
		o.Measure = Errors
	case (t.Metric == Requests || t.Metric == Iterations) && t.Aggregation == RateOf:
		o.Measure = Throughput
	case t.Metric != RequestDuration || t.Aggregation == LeastOf:
		return Objective{}, false
	default:
		o.Limit /= 1000
		switch t.Aggregation {
		case AverageOf:
			o.Measure = Mean
		case MostOf:
			o.Measure = Max
		case MedianOf:
			o.Measure, o.Quantile = Percentile, 0.5
		default:
			o.Measure, o.Quantile = Percentile, t.Quantile
		}
	}
	return o, true
}

// Of is the metric with the task, as k6 names a part of a metric:
// "http_req_duration{name:chat}".
func (t Threshold) Of() string {
	if t.Task == "" {
		return t.Metric
	}
	return t.Metric + "{name:" + t.Task + "}"
}

// Expression is the condition alone: "p(95)<200".
func (t Threshold) Expression() string {
	aggregation := t.Aggregation
	if aggregation == QuantileOf {
		aggregation += "(" + MilliOf(t.Quantile*100).String() + ")"
	}
	return aggregation + string(t.Op) + decimal(t.Limit, -1)
}

// String writes the threshold so that ParseThreshold reads back the same one.
func (t Threshold) String() string {
	s := t.Of() + ": " + t.Expression()
	if t.Abort {
		s += " abortOnFail"
	}
	if t.Delay > 0 {
		s += " delay=" + Duration(t.Delay).String()
	}
	if t.Every > 0 {
		s += " every=" + Duration(t.Every).String()
	}
	return s
}

// MarshalText writes String.
func (t Threshold) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads what ParseThreshold reads.
func (t *Threshold) UnmarshalText(b []byte) (err error) {
	*t, err = ParseThreshold(string(b))
	return err
}

// FormatValue writes v, in the unit of the limit, with as many digits as show
// on which side of the limit it is.
func (t Threshold) FormatValue(v float64) string {
	digits, unit := 2, ""
	switch m, _ := t.metric(); {
	case slices.Contains(m.aggregations, MedianOf):
		digits, _, _ = latencyUnit(v / 1000)
		unit = "ms"
	case t.Metric == RequestFailed:
		digits = 4
	case t.Aggregation == RateOf:
		unit = "/s"
	}
	return formatBeside(v, t.Limit, 1, digits) + unit
}

// CheckThresholds names the first threshold of a task that is none of these.
func CheckThresholds(thresholds []Threshold, tasks []string) error {
	for _, t := range thresholds {
		switch {
		case t.Task == "" || slices.Contains(tasks, t.Task):
		case len(tasks) == 0:
			return fmt.Errorf("--threshold: got %s without --scenario, want one for all requests", t)
		default:
			return fmt.Errorf("--threshold: got %s, want one for a task of the scenario: %s", t, strings.Join(tasks, ", "))
		}
	}
	return nil
}
