package platform

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"headroom/profiles"
)

// kedaTrigger is one entry of spec.triggers. All of its metadata are strings.
type kedaTrigger struct {
	Type       string       `yaml:"type"`
	Name       string       `yaml:"name"`
	MetricType string       `yaml:"metricType"` // default AverageValue
	Metadata   kedaMetadata `yaml:"metadata"`
}

// kedaMetadata are what the triggers we read have between them
// (pkg/scalers/{prometheus,cpu_memory,cron}_scaler.go).
type kedaMetadata struct {
	Server     string          `yaml:"serverAddress"` // of prometheus
	Query      string          `yaml:"query"`
	Threshold  *profiles.Milli `yaml:"threshold"`
	Activation profiles.Milli  `yaml:"activationThreshold"` // active above it

	Value     string `yaml:"value"` // of cpu and memory: percent or a quantity
	OldType   string `yaml:"type"`  // what metricType was before KEDA 2.7
	Container string `yaml:"containerName"`

	Timezone string `yaml:"timezone"` // of cron
	Start    string `yaml:"start"`
	End      string `yaml:"end"`
	Desired  int32  `yaml:"desiredReplicas"`

	Route string `yaml:"interceptorRoute"` // of external-push, for the HTTP add-on
}

// external reports whether KEDA reads the metric itself, rather than leave it
// to the HPA.
func (t *kedaTrigger) external() bool { return t.Type == "prometheus" || t.pushes() }

// pushes reports whether the trigger is that of the HTTP add-on.
func (t *kedaTrigger) pushes() bool { return t.Type == "external-push" && t.Metadata.Route != "" }

// wakes reports whether the trigger can bring a fleet back from zero.
func (t *kedaTrigger) wakes() bool { return t.Type != "cpu" && t.Type != "memory" }

// readable reports whether a policy has words for the trigger.
func (t *kedaTrigger) readable() bool {
	return t.Type == "prometheus" || t.Type == "cpu" || t.Type == "memory" || t.Type == "cron"
}

// compared is how the HPA compares the metric.
func (t *kedaTrigger) compared() string {
	switch {
	case t.MetricType != "":
		return t.MetricType
	case t.external():
		return targetAverage
	}
	return t.Metadata.OldType
}

func (t *kedaTrigger) check(key string, bad *problems) {
	m := t.Metadata
	switch t.Type {
	case "":
		bad.bad(key+".type", "got nothing, want a type such as prometheus")
	case "prometheus":
		for _, v := range []struct{ key, text string }{{"serverAddress", m.Server}, {"query", m.Query}} {
			if v.text == "" {
				bad.bad(key+".metadata."+v.key, "got nothing, want it")
			}
		}
		if m.Threshold == nil || *m.Threshold <= 0 {
			bad.bad(key+".metadata.threshold", "got %s, want more than 0", orNothing(m.Threshold))
		}
		if c := t.compared(); c != targetAverage && c != targetValue {
			bad.bad(key+".metricType", "got %q, want %s or %s", c, targetAverage, targetValue)
		}
	case "cpu", "memory":
		t.checkResource(key, bad)
	case "cron":
		t.checkCron(key+".metadata", bad)
	}
}

func orNothing(m *profiles.Milli) string {
	if m == nil {
		return "nothing"
	}
	return m.String()
}

func (t *kedaTrigger) checkResource(key string, bad *problems) {
	switch c := t.compared(); c {
	case targetUtilization:
		if n, err := strconv.ParseInt(t.Metadata.Value, 10, 32); err != nil || n < 1 {
			bad.bad(key+".metadata.value", "got %q, want a whole percentage of 1 or more", t.Metadata.Value)
		}
	case targetAverage:
		var q quantity
		if err := q.UnmarshalText([]byte(t.Metadata.Value)); err != nil || q <= 0 {
			bad.bad(key+".metadata.value", "got %q, want a quantity above 0 such as 500m or 128Mi", t.Metadata.Value)
		}
	default:
		bad.bad(key+".metricType", "got %q, want %s or %s", c, targetUtilization, targetAverage)
	}
}

func (t *kedaTrigger) checkCron(key string, bad *problems) {
	m := t.Metadata
	if _, err := time.LoadLocation(m.Timezone); err != nil || m.Timezone == "" {
		bad.bad(key+".timezone", "got %q, want an IANA name such as Europe/Berlin", m.Timezone)
	}
	for _, v := range []struct{ key, text string }{{"start", m.Start}, {"end", m.End}} {
		if s, err := profiles.ParseCron(v.text); err != nil {
			bad.bad(key+"."+v.key, "got %q, want a cron expression of five fields such as 0 9 * * 1-5", v.text)
		} else if s.Next(time.Time{}).IsZero() {
			bad.bad(key+"."+v.key, "got %q, want a moment that comes", v.text)
		}
	}
	if m.Start == m.End {
		bad.bad(key+".end", "got %q, want another moment than start", m.End)
	}
	if m.Desired < 1 {
		bad.bad(key+".desiredReplicas", "got %d, want 1 or more", m.Desired)
	}
}

var (
	// A rate of requests over all replicas, whatever the counter is called.
	rateQuery = regexp.MustCompile(`^sum\s*\(\s*i?rate\s*\(\s*(\w*request\w*_(total|count)|\w*requests)\s*(\{[^{}]*\})?\s*\[\w+\]\s*\)\s*\)$`)
	// The windows in a query.
	rangeSelector = regexp.MustCompile(`\[(\w+)\]`)
	numbered      = regexp.MustCompile(`_\d+$`)
)

// metric is the trigger in our words; ok is false where they do not say it.
func (t *kedaTrigger) metric(interval profiles.Duration) (m profiles.Metric, losses []Loss, ok bool) {
	lose := func(format string, args ...any) {
		losses = append(losses, Loss{Field: "metrics", Reason: fmt.Sprintf(format, args...), Severe: true})
	}
	m.Window = min(max(interval, 1e9), profiles.Duration(profiles.MaxWindow))
	switch t.Type {
	case "prometheus":
		losses = t.queried(&m)
		if t.Metadata.Threshold != nil {
			m.Target = *t.Metadata.Threshold
		}
		if a := t.Metadata.Activation; a != 0 {
			lose("below an activationThreshold of %s the fleet may go to zero; a policy goes there when nothing arrives at all", a)
		}
	case "cpu", "memory":
		m.Kind = profiles.Kind(t.Type)
		if c := t.Metadata.Container; c != "" {
			lose("%s is that of the container %s only", t.Type, c)
		}
		t.resource(&m)
	default:
		lose("a policy has no words for a trigger of type %s; the document keeps it", t.Type)
		return m, losses, false
	}
	return m, losses, m.Target > 0
}

// queried finds out what a query yields: by the name of its trigger, which an
// export gives it, or because it is a rate of requests.
func (t *kedaTrigger) queried(m *profiles.Metric) (losses []Loss) {
	query := strings.TrimSpace(t.Metadata.Query)
	switch kind := profiles.Kind(numbered.ReplaceAllString(t.Name, "")); {
	case kind == profiles.RPS || kind == profiles.InFlight || kind == profiles.Queue || kind == profiles.Latency:
		m.Kind = kind
	case rateQuery.MatchString(query):
		m.Kind = profiles.RPS
	default:
		m.Kind, m.Name, m.Query = profiles.Custom, t.Name, t.Metadata.Query
	}
	if window := rangeSelector.FindStringSubmatch(query); window != nil {
		if d, err := profiles.ParseDuration(window[1]); err == nil && d >= time.Second {
			m.Window = profiles.Duration(min(d, profiles.MaxWindow))
			if d > profiles.MaxWindow {
				losses = append(losses, Loss{Field: "metrics", From: profiles.Duration(d).String(), To: m.Window.String(), Reason: "a policy looks no further back"})
			}
		}
	}
	if t.compared() == targetValue {
		losses = append(losses, totalAsLevel(m, t.Name)...)
		if m.Kind == profiles.Custom {
			m.Query = t.Metadata.Query
		}
		return losses
	}
	setScope(m, profiles.PerReplica)
	return losses
}

// resource sets the target of cpu or memory.
func (t *kedaTrigger) resource(m *profiles.Metric) {
	if t.compared() == targetUtilization {
		n, _ := strconv.ParseInt(t.Metadata.Value, 10, 32)
		percent := int32(n)
		resourceTarget(m, &percent, nil)
		return
	}
	var q quantity
	if err := q.UnmarshalText([]byte(t.Metadata.Value)); err == nil {
		resourceTarget(m, nil, &q)
	}
}

// schedule is a cron trigger as hours with a higher minimum; ok is false where
// it changes nothing.
func (t *kedaTrigger) schedule(low, high int) (s profiles.Schedule, losses []Loss, ok bool) {
	m := t.Metadata
	n := int(m.Desired)
	s = profiles.Schedule{Start: m.Start, End: m.End, Timezone: m.Timezone, Min: min(n, high)}
	switch {
	case n < low:
		return s, []Loss{{Field: "schedules", Reason: fmt.Sprintf("the cron trigger wants %d, fewer than minReplicaCount (%d), so that it changes nothing", n, low)}}, false
	case n > high:
		losses = []Loss{{Field: "schedules", From: strconv.Itoa(n), To: strconv.Itoa(high), Reason: "maxReplicaCount is less than what the cron trigger wants"}}
	}
	return s, losses, true
}
