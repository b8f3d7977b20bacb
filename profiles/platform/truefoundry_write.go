package platform

import (
	"time"

	"github.com/goccy/go-yaml"

	"headroom/profiles"
	"headroom/profiles/document"
)

const tfyBeginning = `name: web
type: service
image:
  type: image
  image_uri: registry.example.com/web:1
ports:
  - port: 8000
    protocol: TCP
    expose: false
    app_protocol: http
resources:
  cpu_request: 0.2
  cpu_limit: 0.5
  memory_request: 200
  memory_limit: 500
replicas:
  min_replicas: 1
  max_replicas: 1
  polling_interval: 30
  metrics:
    type: rps
    value: 1
`

func beginTrueFoundry(w *writer) string {
	return filled(tfyBeginning,
		document.Edit{Path: "name", Value: w.name()},
		document.Edit{Path: "image/image_uri", Value: w.image()})
}

type tfyWriter struct {
	*writer
	s     tfySettings     // as they will be
	was   profiles.Policy // what they said before
	edits []document.Edit
}

// writeTrueFoundry changes what the document does not say yet, and nothing
// else.
func writeTrueFoundry(w *writer, base []byte) ([]byte, error) {
	s, err := parseTrueFoundry(base)
	if err != nil {
		return nil, err
	}
	c := tfyWriter{writer: w, s: s}
	c.was, _ = s.policy()
	c.reasons()
	p := w.policy
	switch {
	case len(p.Metrics) == 0 && len(p.Schedules) == 0:
		if !c.was.Fixed() || len(c.was.Schedules) > 0 || c.was.Replicas.Min != p.Replicas.Min {
			c.put("replicas", p.Replicas.Min)
		}
	default:
		c.bounds()
		c.metric()
	}
	c.rest()
	return document.Apply(base, s.doc, c.edits...)
}

func (c *tfyWriter) put(path string, value any) {
	c.edits = append(c.edits, document.Edit{Path: path, Value: value})
}

func (c *tfyWriter) bounds() {
	p := c.policy
	if c.s.fixed > 0 { // a number becomes a range
		c.s = tfySettings{doc: c.s.doc, others: c.s.others, shutdown: c.s.shutdown, replicas: tfyReplicas{Polling: 30}}
		c.was = profiles.DefaultPolicy()
		c.put("replicas", yaml.MapSlice{{Key: "min_replicas", Value: 0}, {Key: "max_replicas", Value: 0}, {Key: "polling_interval", Value: 30}})
	}
	if low := max(1, p.Replicas.Min); low != c.s.replicas.Min {
		c.s.replicas.Min = low
		c.put("replicas/min_replicas", low)
	}
	if p.Replicas.Max != profiles.Limit(c.s.replicas.Max) && len(p.Metrics) > 0 {
		c.s.replicas.Max = c.max()
		c.put("replicas/max_replicas", c.s.replicas.Max)
	}
	if p.Interval != c.was.Interval {
		c.put("replicas/polling_interval", int(roundUp(p.Interval, time.Second).Seconds()))
	}
}

func (c *tfyWriter) metric() {
	p := c.policy
	if len(p.Schedules) > 0 && len(p.Metrics) > 0 {
		c.refuse("schedules", "got them besides metrics, want one or the other: a service has one metric, and a schedule is one (cron); "+
			"keep the metric, or replicas.min equal to replicas.max and a schedule with its own min")
		return
	}
	if len(p.Schedules) > 0 {
		c.cron()
		return
	}
	m, ok := c.only(profiles.RPS, profiles.CPU)
	if !ok {
		return
	}
	const key = "metrics[0]."
	if !m.PerReplica() {
		c.refuse(key+"scope", "got %s, want %s", m.Scope, profiles.PerReplica)
	}
	if len(c.was.Metrics) > 0 && c.was.Metrics[0].Kind == m.Kind && c.was.Metrics[0].Target == m.Target && m.Unit == "" {
		return
	}
	kind, value := tfyRPS, number(m.Target)
	if m.Kind == profiles.CPU {
		if !m.In("%") {
			c.refuse(key+"unit", "got %s, want %%, of what the replica requests", m.Unit)
			return
		}
		kind, value = tfyCPU, c.whole(key+"target", m.Target)
		c.note("the percentage is that of cpu_request")
	}
	if c.s.replicas.Metrics.Type == kind {
		c.put("replicas/metrics/value", value)
		return
	}
	c.put("replicas/metrics", yaml.MapSlice{{Key: "type", Value: kind}, {Key: "value", Value: value}})
}

// cron says a schedule, which is the only metric then.
func (c *tfyWriter) cron() {
	p := c.policy
	if n := len(p.Schedules); n > 1 {
		c.refuse("schedules", "got %d, want one: a service has one metric", n)
		return
	}
	if !c.onlyHours() {
		return
	}
	s := p.Schedules[0]
	if s.Min < max(1, p.Replicas.Min) {
		c.refuse("schedules[0].min", "got %d, want replicas.min (%d) or more: cron only adds replicas", s.Min, p.Replicas.Min)
		return
	}
	c.because("schedules", "without a metric the size within the hours is their min")
	if len(c.was.Schedules) == 1 && c.was.Schedules[0].Equal(s) {
		return
	}
	if s.Min > c.s.replicas.Max || c.s.replicas.Metrics.Type != tfyCron {
		c.s.replicas.Max = s.Min
		c.put("replicas/max_replicas", s.Min)
	}
	zone := s.Timezone
	if zone == "" {
		zone = "UTC"
	}
	c.put("replicas/metrics", yaml.MapSlice{
		{Key: "type", Value: tfyCron}, {Key: "start", Value: s.Start}, {Key: "end", Value: s.End},
		{Key: "timezone", Value: zone}, {Key: "desired_replicas", Value: s.Min},
	})
	if c.s.inBand(s.Min) {
		c.note("%s", c.s.bandText(s.Min))
	}
}

// rest is auto_shutdown, which has nothing to do with the range.
func (c *tfyWriter) rest() {
	to, was := c.policy.ToZero, c.was.ToZero
	if idle := c.policy.Replicas.Idle; idle != nil && *idle != 0 {
		c.refuse("replicas.idle", "got %d, want 0: auto_shutdown stops all replicas", *idle)
	}
	switch {
	case to == nil && c.s.shutdown == 0:
	case to == nil && (was != nil || c.seesRequests()):
		c.put("auto_shutdown", nil)
	case to == nil:
		c.note("auto_shutdown stays: it stops all replicas %d s after the last request, which a policy that does not see requests cannot say", c.s.shutdown)
	case was == nil || was.After != to.After:
		c.put("auto_shutdown/wait_time", int(roundUp(to.After, time.Second).Seconds()))
	}
	if to != nil {
		c.note("auto_shutdown counts from the last request, and is apart from min_replicas, which stays at 1 or more")
	}
}

// seesRequests reports whether the metric shows that something arrives.
func (c *tfyWriter) seesRequests() bool {
	return len(c.policy.Metrics) > 0 && c.policy.Metrics[0].Kind != profiles.CPU
}

func (c *tfyWriter) reasons() {
	c.because("replicas.initial", "a service starts with min_replicas")
	c.because("replicas.idle", "auto_shutdown with min_replicas 1 is the same as a minimum of 0")
	c.because("replicas.min", "auto_shutdown with min_replicas 1 is the same as a minimum of 0")
	c.because("toZero", "wait_time has whole seconds")
	c.because("interval", "polling_interval has whole seconds")
	c.hidden("", "what TrueFoundry does there is not documented")
	if len(c.policy.Metrics)+len(c.policy.Schedules) == 0 {
		return
	}
	c.note("how TrueFoundry decides is not documented: a simulation takes the built-in scaler's way")
}
