package report

import (
	"io"
	"slices"
	"strings"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// k6Metric is a metric of a k6 summary: a value for each aggregation, and
// whether the thresholds on it were crossed.
type k6Metric map[string]any

// WriteK6 writes what k6's --summary-export does, for the metrics that k6 has
// of itself and that there is data of. Times are in ms, rates per second and
// shares 0..1; a threshold is true where it was crossed, as k6 has it.
func WriteK6(w io.Writer, r Run) error {
	s := r.Result
	sum := func(n int64) k6Metric { return k6Sum(n, s.Loaded) }
	metrics := map[string]k6Metric{
		"http_reqs":     sum(s.Total.Count),
		"iterations":    sum(s.Total.Count),
		"data_received": sum(s.Total.Bytes),
	}
	if s.Total.Count > 0 {
		metrics["http_req_failed"] = k6Metric{"value": s.Total.FailShare(), "passes": s.Total.Failed, "fails": s.Total.Count - s.Total.Failed}
	}
	if s.Open {
		metrics["dropped_iterations"] = sum(s.Health.Dropped)
	}
	for name, q := range map[string]load.Quantiles{
		"http_req_duration": s.Total.Latency, "http_req_waiting": s.Conns.FirstByte,
		"http_req_connecting": s.Conns.Dial, "http_req_tls_handshaking": s.Conns.TLS,
	} {
		if q.Count > 0 {
			metrics[name] = k6Trend(q)
		}
	}
	if users := k6Users(s); users != nil {
		metrics["vus"] = users
	}
	for _, o := range s.SLO {
		name, expression, ok := k6Threshold(o.Objective)
		if m := metrics[name]; ok && m != nil {
			if m["thresholds"] == nil {
				m["thresholds"] = map[string]bool{}
			}
			m["thresholds"].(map[string]bool)[expression] = !o.Holds
		}
	}
	for _, t := range s.Thresholds {
		m := metrics[t.Threshold.Of()]
		if m == nil { // of a task, or there is no data
			m = k6Part(s, t.Threshold)
			metrics[t.Threshold.Of()] = m
		}
		if m["thresholds"] == nil {
			m["thresholds"] = map[string]bool{}
		}
		crossed := m["thresholds"].(map[string]bool)
		crossed[t.Threshold.Expression()] = crossed[t.Threshold.Expression()] || !t.Holds
	}
	return WriteJSON(w, map[string]any{
		"root_group": map[string]any{"name": "", "path": "", "id": "d41d8cd98f00b204e9800998ecf8427e", "groups": struct{}{}, "checks": struct{}{}},
		"metrics":    metrics,
	})
}

// k6Part is what there is of a metric for the requests of a task.
func k6Part(s load.Snapshot, t profiles.Threshold) k6Metric {
	i := slices.IndexFunc(s.Requests, func(r load.Stats) bool { return r.Name == t.Task })
	if i < 0 || s.Requests[i].Count == 0 {
		return k6Metric{}
	}
	r := s.Requests[i]
	switch t.Metric {
	case profiles.RequestDuration:
		if r.Latency.Count > 0 {
			return k6Trend(r.Latency)
		}
	case profiles.RequestFailed:
		return k6Metric{"value": r.FailShare(), "passes": r.Failed, "fails": r.Count - r.Failed}
	case profiles.DataReceived:
		return k6Sum(r.Bytes, s.Loaded)
	default:
		return k6Sum(r.Count, s.Loaded)
	}
	return k6Metric{}
}

// k6Sum is a counter, and its rate.
func k6Sum(n int64, over time.Duration) k6Metric {
	m := k6Metric{"count": n}
	if over > 0 {
		m["rate"] = float64(n) / over.Seconds()
	}
	return m
}

func k6Trend(q load.Quantiles) k6Metric {
	return k6Metric{"avg": inMillis(q.Mean), "min": inMillis(q.Min), "med": inMillis(q.P50), "max": inMillis(q.Max), "p(90)": inMillis(q.P90), "p(95)": inMillis(q.P95)}
}

// k6Users are the users alive; nil without a history.
func k6Users(s load.Snapshot) k6Metric {
	if len(s.Points) == 0 {
		return nil
	}
	last := s.Points[len(s.Points)-1].Users
	m := k6Metric{"value": last}
	least, most := last, last
	for _, p := range s.Points {
		least, most = min(least, p.Users), max(most, p.Users)
	}
	m["min"], m["max"] = least, most
	return m
}

// k6Threshold is an objective on all requests in k6's words; ok is false where
// k6 has none for it.
func k6Threshold(o profiles.Objective) (metric, expression string, ok bool) {
	if o.Task != "" {
		return "", "", false
	}
	limit, metric := decimals(o.Limit*float64(time.Second/time.Millisecond)), "http_req_duration"
	aggregation := ""
	switch o.Measure {
	case profiles.Percentile:
		aggregation = "p(" + decimals(o.Quantile*100) + ")"
	case profiles.Mean:
		aggregation = "avg"
	case profiles.Max:
		aggregation = "max"
	case profiles.Errors:
		metric, aggregation, limit = "http_req_failed", "rate", decimals(o.Limit)
	case profiles.Throughput:
		metric, aggregation, limit = "http_reqs", "rate", decimals(o.Limit)
	default:
		return "", "", false
	}
	return metric, strings.Join([]string{aggregation, string(o.Op), limit}, ""), true
}
