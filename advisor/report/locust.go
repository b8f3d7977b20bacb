package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"headroom/load"
)

// LocustFile is one of the files that Locust's --csv writes.
type LocustFile struct {
	Suffix string // behind the prefix
	Write  func(io.Writer, Run) error
}

// LocustFiles are all four, with exactly Locust's columns. Response times are
// latencies of successes in ms; where there is none stands N/A. The history is
// that of the aggregate, its percentiles those of the run so far, as Locust's
// are. Nothing of ours raises what Locust calls an exception.
var LocustFiles = []LocustFile{
	{"_stats.csv", WriteLocustStats},
	{"_stats_history.csv", writeLocustHistory},
	{"_failures.csv", writeLocustFailures},
	{"_exceptions.csv", func(w io.Writer, _ Run) error {
		return writeCSV(w, [][]string{{"Count", "Message", "Traceback", "Nodes"}})
	}},
}

// aggregated is what Locust calls all requests together.
const aggregated = "Aggregated"

// notAvailable is what Locust writes where it has no figure.
const notAvailable = "N/A"

// locustPercentiles are those that Locust reports.
var locustPercentiles = []struct {
	name  string
	share float64
	total func(load.Totals) time.Duration
}{
	{"50%", 0.5, func(t load.Totals) time.Duration { return t.Latency.P50 }},
	{"66%", 0.66, func(t load.Totals) time.Duration { return t.P66 }},
	{"75%", 0.75, func(t load.Totals) time.Duration { return t.P75 }},
	{"80%", 0.8, func(t load.Totals) time.Duration { return t.P80 }},
	{"90%", 0.9, func(t load.Totals) time.Duration { return t.Latency.P90 }},
	{"95%", 0.95, func(t load.Totals) time.Duration { return t.Latency.P95 }},
	{"98%", 0.98, func(t load.Totals) time.Duration { return t.P98 }},
	{"99%", 0.99, func(t load.Totals) time.Duration { return t.Latency.P99 }},
	{"99.9%", 0.999, func(t load.Totals) time.Duration { return t.Latency.P999 }},
	{"99.99%", 0.9999, func(t load.Totals) time.Duration { return t.P9999 }},
	{"100%", 1, func(t load.Totals) time.Duration { return t.Latency.Max }},
}

// WriteLocustStats writes Locust's table of requests.
func WriteLocustStats(w io.Writer, r Run) error {
	head := []string{"Type", "Name", "Request Count", "Failure Count", "Median Response Time", "Average Response Time", "Min Response Time", "Max Response Time", "Average Content Size", "Requests/s", "Failures/s"}
	for _, p := range locustPercentiles {
		head = append(head, p.name)
	}
	rows := [][]string{head}
	for _, s := range r.Result.Requests {
		method, name := locustName(r, s.Name)
		rows = append(rows, locustStats(method, name, s))
	}
	return writeCSV(w, append(rows, locustStats("", aggregated, r.Result.Total)))
}

// locustName is the method of a request, and its name without that.
func locustName(r Run, name string) (method, rest string) {
	method = r.Methods[name]
	return method, strings.TrimPrefix(name, method+" ")
}

func locustStats(method, name string, s load.Stats) []string {
	row := []string{method, name, fmt.Sprint(s.Count), fmt.Sprint(s.Failed)}
	row = append(row, locustTimes(s.Latency)...)
	row = append(row, perAnswer(s.Bytes, s.Count), decimals(s.Rate()), decimals(s.FailRate()))
	for _, p := range locustPercentiles {
		d, ok := s.Histogram.Quantile(p.share)
		row = append(row, wholeMillis(min(max(d, s.Latency.Min), s.Latency.Max), ok))
	}
	return row
}

// locustTimes are median, average, least and most, in ms.
func locustTimes(q load.Quantiles) []string {
	if q.Count == 0 {
		return []string{notAvailable, notAvailable, notAvailable, notAvailable}
	}
	return []string{wholeMillis(q.P50, true), decimals(inMillis(q.Mean)), decimals(inMillis(q.Min)), decimals(inMillis(q.Max))}
}

func writeLocustHistory(w io.Writer, r Run) error {
	head := []string{"Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s"}
	for _, p := range locustPercentiles {
		head = append(head, p.name)
	}
	head = append(head, "Total Request Count", "Total Failure Count", "Total Median Response Time", "Total Average Response Time", "Total Min Response Time", "Total Max Response Time", "Total Average Content Size")
	rows := [][]string{head}
	for _, p := range r.Result.Points {
		t := p.Total
		row := []string{fmt.Sprint(r.Result.Started.Add(p.At).Unix()), fmt.Sprint(p.Users), "", aggregated, decimals(p.Rate), decimals(p.Failed)}
		for _, percentile := range locustPercentiles {
			row = append(row, wholeMillis(percentile.total(t), t.Latency.Count > 0))
		}
		row = append(row, fmt.Sprint(t.Count), fmt.Sprint(t.Failed))
		row = append(row, locustTimes(t.Latency)...)
		rows = append(rows, append(row, perAnswer(t.Bytes, t.Count)))
	}
	return writeCSV(w, rows)
}

// writeLocustFailures has a row for each failure and request. When it came is
// known of a failure of all requests together.
func writeLocustFailures(w io.Writer, r Run) error {
	rows := [][]string{{"Method", "Name", "Error", "Occurrences", "First Seen", "Last Seen"}}
	when := func(offset time.Duration) string {
		return r.Result.Started.Add(offset).UTC().Format(time.RFC3339)
	}
	for _, f := range r.Result.Failures {
		for _, request := range requestsOf(f, r.Result.Requests) {
			method, name := locustName(r, request.Name)
			rows = append(rows, []string{method, name, f.Failure.String() + ": " + f.Example, fmt.Sprint(request.Count), when(f.First), when(f.Last)})
		}
	}
	return writeCSV(w, rows)
}

// requestsOf are the requests that failed so. A check begins with the name of
// its own.
func requestsOf(f load.FailureCount, all []load.Stats) []load.RequestCount {
	if len(f.Requests) > 0 {
		return f.Requests
	}
	name := aggregated
	for _, s := range all {
		if len(all) == 1 || strings.HasPrefix(f.Check, s.Name+": ") {
			name = s.Name
		}
	}
	return []load.RequestCount{{Name: name, Count: f.Count}}
}

func writeCSV(w io.Writer, rows [][]string) error {
	out := csv.NewWriter(w)
	return out.WriteAll(rows) // which flushes
}

// locustEntry is a request as Locust's --json has it. What failed has no
// response time here, and counts as such.
type locustEntry struct {
	Name              string           `json:"name"`
	Method            string           `json:"method"`
	LastTimestamp     float64          `json:"last_request_timestamp"` // Unix seconds
	StartTime         float64          `json:"start_time"`
	Requests          int64            `json:"num_requests"`
	NoneRequests      int64            `json:"num_none_requests"`
	Failures          int64            `json:"num_failures"`
	TotalResponseTime float64          `json:"total_response_time"` // ms, as all below
	MaxResponseTime   float64          `json:"max_response_time"`
	MinResponseTime   *float64         `json:"min_response_time"`
	TotalContent      int64            `json:"total_content_length"`
	ResponseTimes     map[string]int64 `json:"response_times"`
	PerSecond         map[string]int64 `json:"num_reqs_per_sec"` // by Unix second
	FailuresPerSecond map[string]int64 `json:"num_fail_per_sec"`
}

// WriteLocustJSON writes the requests as Locust's --json does. Requests per
// second are known of a run's only request.
func WriteLocustJSON(w io.Writer, r Run) error {
	started := float64(r.Result.Started.UnixMilli()) / 1000
	entries := []locustEntry{}
	for _, s := range r.Result.Requests {
		method, name := locustName(r, s.Name)
		e := locustEntry{
			Name: name, Method: method, StartTime: started, LastTimestamp: started + r.Result.Elapsed.Seconds(),
			Requests: s.Count, NoneRequests: s.Failed, Failures: s.Failed, TotalContent: s.Bytes,
			TotalResponseTime: inMillis(s.Latency.Mean) * float64(s.Latency.Count),
			ResponseTimes:     map[string]int64{}, PerSecond: map[string]int64{}, FailuresPerSecond: map[string]int64{},
		}
		if s.Latency.Count > 0 {
			least := inMillis(s.Latency.Min)
			e.MinResponseTime, e.MaxResponseTime = &least, inMillis(s.Latency.Max)
		}
		for _, b := range s.Histogram {
			e.ResponseTimes[locustRounded(inMillis(b.Time))] += b.Count
		}
		if len(r.Result.Requests) == 1 {
			perSecond(r.Result, e)
		}
		entries = append(entries, e)
	}
	return WriteJSON(w, entries)
}

// perSecond fills in what came in each second.
func perSecond(s load.Snapshot, e locustEntry) {
	var before load.Totals
	for _, p := range s.Points {
		second := fmt.Sprint(s.Started.Add(p.At).Unix())
		if n := p.Total.Count - before.Count; n > 0 {
			e.PerSecond[second] += n
		}
		if n := p.Total.Failed - before.Failed; n > 0 {
			e.FailuresPerSecond[second] += n
		}
		before = p.Total
	}
}

// locustRounded is a response time as Locust groups them: to two digits.
func locustRounded(millis float64) string {
	unit := 1.0
	switch {
	case millis >= 10_000:
		unit = 1000
	case millis >= 1000:
		unit = 100
	case millis >= 100:
		unit = 10
	}
	return decimals(math.Round(millis/unit) * unit)
}

func inMillis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// wholeMillis is a time in whole ms, if there is one.
func wholeMillis(d time.Duration, ok bool) string {
	if !ok {
		return notAvailable
	}
	return strconv.FormatFloat(math.Round(inMillis(d)), 'f', 0, 64)
}

// perAnswer is the mean size of an answer in bytes.
func perAnswer(size, count int64) string {
	if count == 0 {
		return notAvailable
	}
	return decimals(float64(size) / float64(count))
}

// decimals writes a number with as many digits as it needs, six at most.
func decimals(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
}
