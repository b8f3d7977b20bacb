package platform

import (
	"math"
	"strings"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// cortexBeginning has every setting with Cortex's default.
const cortexBeginning = `- name: web
  kind: RealtimeAPI
  pod:
    port: 8080
    max_concurrency: 1
    max_queue_length: 100
    containers:
      - name: web
        image: registry.example.com/web:1
        compute: {cpu: 1}
  autoscaling:
    min_replicas: 1
    max_replicas: 100
    target_in_flight: 1
    window: "60s"
    downscale_stabilization_period: "5m"
    upscale_stabilization_period: "1m"
    max_downscale_factor: 0.75
    max_upscale_factor: 1.5
    downscale_tolerance: 0.05
    upscale_tolerance: 0.05
`

func beginCortex(w *writer) string {
	return filled(cortexBeginning,
		document.Edit{Path: "0/name", Value: w.name()},
		document.Edit{Path: "0/pod/containers/0/name", Value: w.name()},
		document.Edit{Path: "0/pod/containers/0/image", Value: w.image()})
}

// filled is a new document with names in it, quoted where YAML wants that.
func filled(text string, names ...document.Edit) string {
	out, err := document.Apply([]byte(text), 0, names...)
	if err != nil {
		return text
	}
	return string(out)
}

// writeCortex changes what the document does not say yet, and nothing else.
func writeCortex(w *writer, base []byte) ([]byte, error) {
	s, err := parseCortex(base)
	if err != nil {
		return nil, err
	}
	c := cortexWriter{writer: w, s: s, before: s.target}
	c.was, _ = s.policy()
	c.bounds()
	c.metric()
	c.limits()
	c.tell()
	return document.Apply(base, 0, c.edits...)
}

type cortexWriter struct {
	*writer
	s      cortexSettings  // as they will be
	was    profiles.Policy // what they said before
	before float64         // their target
	edits  []document.Edit
}

func (c *cortexWriter) set(key string, value any) {
	c.edits = append(c.edits, document.Edit{Path: c.s.path + key, Value: value})
}

func (c *cortexWriter) bounds() {
	to, was := c.policy.Replicas, c.was.Replicas
	if to.Min != was.Min {
		c.s.min = to.Min
		c.set("min_replicas", to.Min)
	}
	if to.Max != was.Max {
		c.s.max = c.max()
		c.set("max_replicas", c.s.max)
	}
	if !c.s.explicit {
		c.s.init = c.s.min
	}
	kept := c.s.init == 0 && c.s.min == 0 && was.Min == 0 // none at first, which a policy cannot say
	if start := c.policy.Initial(); start != c.s.init && !(kept && start == 1) {
		c.set("init_replicas", start)
	}
	if to.Idle != nil {
		c.refuse("replicas.idle", "got %d, but Cortex has none: set replicas.min to 0, or remove it", *to.Idle)
	}
	c.because("toZero.after", "Cortex goes to zero once nothing was in flight for window and downscale_stabilization_period together")
	c.because("schedules", "Cortex has none")
	c.because("onMetricError", "without a metric Cortex does nothing")
}

func (c *cortexWriter) metric() {
	m, ok := c.only(profiles.InFlight)
	if !ok {
		return
	}
	if !m.PerReplica() {
		c.refuse("metrics[0].scope", "got %s, want %s", m.Scope, profiles.PerReplica)
	}
	was := c.was.Metrics[0]
	if m.Window != was.Window {
		c.s.window = roundUp(m.Window, cortexTick)
		c.set("window", profiles.Duration(c.s.window).String())
		c.because("metrics[0].window", "Cortex takes a sample every 10 s: rounded up to a multiple of that")
	}
	c.because("metrics[0].aggregation", "Cortex averages over the window")
	c.because("metrics[0].panic", "Cortex has none")
	if m.Target == was.Target {
		return
	}
	c.s.target = m.Target.Float()
	c.set(c.s.targetKey, number(m.Target))
	if c.isNew(cortexName) {
		c.pod()
	}
	switch {
	case c.s.target > cortexMaxRate:
		c.refuse("metrics[0].target", "got %s, want at most %.0f", m.Target, cortexMaxRate)
	case c.s.limit > 0 && c.s.target > c.s.limit:
		c.refuse("metrics[0].target", "got %s, want at most %v, %s", m.Target, c.s.limit, c.s.limitName())
	}
}

// pod lets the container of a new API take as many requests at once as the
// target, and as many again wait, or the target would never be exceeded.
func (c *cortexWriter) pod() {
	n := int(math.Ceil(c.s.target))
	if n == 1 {
		return
	}
	queue := max(100, n)
	c.s.limit = float64(n + queue)
	c.edits = append(c.edits,
		document.Edit{Path: "0/pod/max_concurrency", Value: n},
		document.Edit{Path: "0/pod/max_queue_length", Value: queue})
	c.note("pod.max_concurrency is %d, so that what the target allows does not have to queue: set it to what the container can take at once", n)
}

func (c *cortexWriter) limits() {
	p := c.policy
	if p.Tolerance != c.was.Tolerance {
		if p.Tolerance >= 1000 {
			c.refuse("tolerance", "got %s, want less than 100%%", p.Tolerance)
		}
		c.s.upTol = p.Tolerance.Float()
		c.set("downscale_tolerance", number(profiles.Milli(p.Tolerance)))
		c.set("upscale_tolerance", number(profiles.Milli(p.Tolerance)))
	}
	if p.Up.Stabilization != c.was.Up.Stabilization {
		c.s.up = p.Up.Stabilization.Std()
		c.set("upscale_stabilization_period", p.Up.Stabilization.String())
	}
	if p.Down.Stabilization != c.was.Down.Stabilization {
		c.set("downscale_stabilization_period", p.Down.Stabilization.String())
	}
	if p.Down.Factor != c.was.Down.Factor {
		c.set("max_downscale_factor", number(p.Down.Factor))
	}
	unlimited := unlimitedFactor(c.s.max)
	switch is := c.s.upFactor >= unlimited; {
	case p.Up.Factor == 0 && !is:
		c.set("max_upscale_factor", number(profiles.MilliOf(unlimited)))
		c.note("max_upscale_factor is %v, which leads from one replica to all of them: Cortex wants a limit", unlimited)
	case p.Up.Factor != 0 && (is || p.Up.Factor != c.was.Up.Factor):
		c.set("max_upscale_factor", number(p.Up.Factor))
	}
	if p.Up.Factor.Float() >= unlimited {
		c.because("up.factor", "it leads from one replica to all of them")
	}
	c.hidden("down.order", "Kubernetes chooses which replica goes")
	c.because("up.step", "Cortex counts no steps; max_upscale_factor limits the growth")
	c.because("down.step", "Cortex counts no steps; max_downscale_factor limits the shrinking")
	c.because("interval", "Cortex decides every 10 s")
}

// tell are the traps of the platform.
func (c *cortexWriter) tell() {
	if c.policy.ToZero != nil && c.s.limit > 0 {
		c.note("for a RealtimeAPI, Cortex calls scaling to zero experimental")
	}
	if len(c.policy.Metrics) > 0 {
		c.note("Cortex adds replicas only after window and upscale_stabilization_period, here up to %s", profiles.Duration((c.s.window + c.s.up).Round(time.Second)))
	}
	switch {
	case !c.s.stuck():
	case c.s.target == c.before:
		c.note("%s", c.s.stuckText())
	default:
		c.refuse("metrics[0].target", "%s", c.s.stuckText())
	}
	if c.s.old {
		c.note("since 0.36 Cortex calls %s target_in_flight, and has pod.max_concurrency and pod.max_queue_length for max_replica_concurrency", "target_replica_concurrency")
	}
	if len(c.s.others) > 0 {
		c.note("only the first API, %s, is written; not %s", c.s.name, strings.Join(c.s.others, ", "))
	}
}
