package platform

import (
	"fmt"
	"strconv"
	"strings"

	"headroom/profiles"
)

// retrigger changes what differs in a trigger.
func (w *writer) retrigger(list *listEdit, at int, t *kedaTrigger, before profiles.Metric, i int) {
	m := w.policy.Metrics[i]
	if t.Type != "prometheus" {
		if m.Target != before.Target {
			list.set(at, "metadata/value", w.resourceText(i, m))
		}
		return
	}
	if m.Target != before.Target {
		list.set(at, "metadata/threshold", m.Target.String())
	}
	if server := w.options.Prometheus; server != "" && server != t.Metadata.Server {
		list.set(at, "metadata/serverAddress", server)
	}
	query := t.Metadata.Query
	switch {
	case m.Query != before.Query:
		query = m.Query
	case w.options.Query != "" && m.Kind == profiles.RPS:
		query = w.options.Query
	case m.Window != before.Window && rangeSelector.MatchString(query):
		query = rangeSelector.ReplaceAllString(query, "["+w.lookBack(i)+"]")
	}
	if query != t.Metadata.Query {
		list.set(at, "metadata/query", query)
	}
}

// trigger is a new entry for a metric of the policy, or nil where it was
// refused.
func (w *writer) trigger(i int, route string) any {
	m := w.policy.Metrics[i]
	key := fmt.Sprintf("metrics[%d]", i)
	if w.pushed(i, route) {
		return pushTrigger(route)
	}
	if !w.fleetTarget(key, m) {
		return nil
	}
	if m.Kind == profiles.CPU || m.Kind == profiles.Memory {
		how := targetAverage
		if m.In("%") {
			how = targetUtilization
			w.noteOnce("%s in %% is of what the pods request, cut to whole percents: they need a request of it", m.Kind)
		}
		return fields("type", string(m.Kind), "metricType", how, "metadata", fields("value", w.resourceText(i, m)))
	}
	name := m.Name
	if m.Kind != profiles.Custom {
		name = w.triggerName(i)
	}
	query, ok := w.query(i)
	if !ok {
		return nil
	}
	how := targetAverage
	if !m.PerReplica() {
		how = targetValue
		if m.Kind != profiles.Latency && m.Kind != profiles.Custom {
			w.note("%s is compared as a whole: the size is multiplied by %s/target, and a total does not fall as replicas are added", m.Kind, m.Kind)
		}
	}
	out := fields("type", "prometheus")
	if name != "" { // by which it is known again
		out = append(out, fields("name", name)...)
	}
	return append(out, fields("metricType", how, "metadata", fields(
		"serverAddress", w.given("--prometheus", w.options.Prometheus, "http://prometheus.monitoring:9090"),
		"query", query,
		"threshold", m.Target.String(),
	))...)
}

// resourceText is the target of cpu or memory.
func (w *writer) resourceText(i int, m profiles.Metric) string {
	if m.In("%") {
		return strconv.Itoa(w.whole(fmt.Sprintf("metrics[%d].target", i), m.Target))
	}
	return targetText(m)
}

// triggerName is the kind, numbered if there are more of it: KEDA wants names
// to differ.
func (w *writer) triggerName(i int) string {
	n := 1
	for _, m := range w.policy.Metrics[:i] {
		if m.Kind == w.policy.Metrics[i].Kind {
			n++
		}
	}
	if n == 1 {
		return string(w.policy.Metrics[i].Kind)
	}
	return fmt.Sprintf("%s_%d", w.policy.Metrics[i].Kind, n)
}

// queries are guesses at what the metrics are called, with the app and the
// window to be filled in.
var queries = map[profiles.Kind]string{
	profiles.RPS:      `sum(rate(http_requests_total{app=APP}[WINDOW]))`,
	profiles.InFlight: `sum(avg_over_time(http_requests_in_flight{app=APP}[WINDOW]))`,
	profiles.Queue:    `sum(avg_over_time(http_requests_queued{app=APP}[WINDOW]))`,
	profiles.Latency:  `1000 * sum(rate(http_request_duration_seconds_sum{app=APP}[WINDOW])) / sum(rate(http_request_duration_seconds_count{app=APP}[WINDOW]))`,
}

// query yields the total of a metric.
func (w *writer) query(i int) (text string, ok bool) {
	m := w.policy.Metrics[i]
	if m.Kind == profiles.Custom {
		if m.Query == "" {
			w.refuse(fmt.Sprintf("metrics[%d].query", i), "got none, want the PromQL that yields %s", orThis(m.Name, "it"))
		}
		return m.Query, m.Query != ""
	}
	if m.Kind == profiles.RPS && w.options.Query != "" {
		return w.options.Query, true
	}
	app := strconv.Quote(orThis(w.options.Name, "web"))
	guess := strings.NewReplacer("APP", app, "WINDOW", w.lookBack(i)).Replace(queries[m.Kind])
	if m.Kind == profiles.RPS {
		return w.given("--query", "", guess), true
	}
	w.note("the query for %s is a guess at what the application calls it", m.Kind)
	return guess, true
}

func orThis(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
