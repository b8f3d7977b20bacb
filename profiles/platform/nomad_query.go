package platform

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"headroom/profiles"
)

// nomadQueries are what the checks of each kind may ask Prometheus for, given
// a job and a window: always the average of the replicas, for Nomad multiplies
// the count by value/target.
var nomadQueries = []struct {
	kind  profiles.Kind
	unit  string // of the metric; empty: the usual one
	query string
}{
	{profiles.RPS, "", "avg(sum by (instance) (rate(http_requests_total{job='%s'}[%s])))"},
	{profiles.InFlight, "", "avg(avg_over_time(http_requests_in_flight{job='%s'}[%s]))"},
	{profiles.Queue, "", "avg(avg_over_time(http_requests_queued{job='%s'}[%s]))"},
	{profiles.Latency, "", "1000 * avg(rate(http_request_duration_seconds_sum{job='%[1]s'}[%[2]s])) / avg(rate(http_request_duration_seconds_count{job='%[1]s'}[%[2]s]))"},
	{profiles.CPU, "cores", "avg(rate(process_cpu_seconds_total{job='%s'}[%s]))"},
	{profiles.Memory, "", "avg(avg_over_time(process_resident_memory_bytes{job='%s'}[%s])) / 1048576"},
}

// madeUp is such a query.
func madeUp(kind profiles.Kind, job, window string) string {
	for _, q := range nomadQueries {
		if q.kind == kind {
			return fmt.Sprintf(q.query, job, window)
		}
	}
	return ""
}

// metric is what a check keeps, in our words. Of several samples Nomad takes
// the newest only: an average over time is one that the query makes.
func (c nomadCheck) metric(field string, interval profiles.Duration, t *told) profiles.Metric {
	m := profiles.Metric{Kind: profiles.Custom, Name: c.label, Query: c.query, Window: interval, Aggregation: profiles.Latest}
	if c.target == 0 {
		m.Target = 1000
		t.severe(field+".target", "0", "Nomad takes the value itself for the factor then, which a target of 1 does too, but for the tolerance")
	} else {
		m.Target = t.target(field+".target", c.target)
	}
	if c.source == "" || c.source == nomadAPM {
		return c.usage(m, field, t)
	}
	for _, q := range nomadQueries {
		if checkNumber.ReplaceAllString(c.label, "") == string(q.kind) {
			m.Kind, m.Unit, m.Name, m.Query = q.kind, q.unit, "", ""
		}
	}
	if m.Kind == profiles.Queue {
		m.Scope = profiles.PerReplica
	}
	if window := rangeOf(c.query); window > 0 {
		m.Window, m.Aggregation = t.within(field+".window", window, time.Second, profiles.MaxWindow), ""
	}
	if m.PerReplica() && !averages(c.query) {
		t.severe(field+".query", c.query, "it looks like the total of the fleet, and Nomad multiplies the count by value/target: it runs away to max")
	}
	return m
}

// usage is a metric that Nomad measures itself. Only those that end in
// -allocated are relative to what a task has reserved.
func (c nomadCheck) usage(m profiles.Metric, field string, t *told) profiles.Metric {
	of, reserved := strings.CutSuffix(strings.TrimPrefix(c.query, "avg_"), "-allocated")
	switch of {
	case "cpu":
		m.Kind, m.Name, m.Query = profiles.CPU, "", ""
	case "memory":
		m.Kind, m.Name, m.Query, m.Unit = profiles.Memory, "", "", "%"
	default:
		t.severe(field+".query", c.query, "of Nomad's own metrics a policy has avg_cpu and avg_memory only: read as a custom one")
		return m
	}
	if !reserved {
		t.lost(field+".target", "", "%[1]s is not relative to what the task has reserved, as %[1]s-allocated is; a policy takes it for that", c.query)
	}
	return m
}

// averages reports whether a query yields, as far as one can see, what one
// replica has and not the total of them.
func averages(query string) bool {
	return strings.Contains(query, "avg") || strings.Contains(query, "/")
}

// checkNumber tells checks of one kind apart: rps, rps_2.
var checkNumber = regexp.MustCompile(`_\d+$`)

var (
	promRange = regexp.MustCompile(`\[((?:\d+(?:ms|[smhdwy]))+)[\]:]`)
	promPart  = regexp.MustCompile(`(\d+)(ms|[smhdwy])`)
	promUnits = map[string]time.Duration{
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour, "y": 365 * 24 * time.Hour,
	}
)

// rangeOf is the time that the ranges of a PromQL query cover; 0 where there
// is none, or where they differ.
func rangeOf(query string) (d time.Duration) {
	for _, match := range promRange.FindAllStringSubmatch(query, -1) {
		one := promDuration(match[1])
		if d != 0 && one != d {
			return 0
		}
		d = one
	}
	return d
}

// promDuration reads a duration as PromQL writes it, such as 1m30s or 1d; 0
// for what is out of reach.
func promDuration(s string) (d time.Duration) {
	for _, part := range promPart.FindAllStringSubmatch(s, -1) {
		n, err := strconv.Atoi(part[1])
		if err != nil || n > 1e6 || d > 24*time.Hour {
			return 0
		}
		d += time.Duration(n) * promUnits[part[2]]
	}
	return d
}
