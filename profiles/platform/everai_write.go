package platform

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// The beginnings of a ConfigMap, by the autoscaler that it is for.
const (
	everaiFreeBeginning = `name: web-scale
data:
  min_workers: '1'
  max_workers: '1'
  min_free_workers: '1'
  scale_up_step: '1'
  max_idle_time: '120'
`
	everaiQueueBeginning = `name: web-scale
data:
  min_workers: '1'
  max_workers: '1'
  max_queue_size: '1'
  scale_up_step: '1'
  max_idle_time: '120'
`
)

// everaiAppBeginning is the manifest of an app, whose decorators hold hours.
const everaiAppBeginning = `version: everai/v1alpha1
kind: App
metadata:
  name: web
spec:
  image: registry.example.com/web:1
  autoscaler:
    scheduler: queue
    builtin:
      name: free-worker
      arguments:
        min_workers: '1'
        max_workers: '1'
        min_free_workers: '1'
        scale_up_step: '1'
        max_idle_time: '120'
`

func beginEverAI(w *writer) string {
	if len(w.policy.Schedules) > 0 {
		w.note("this is the manifest of an app, as a ConfigMap holds no decorators, and the hours are one: put its autoscaler into yours")
		return filled(everaiAppBeginning,
			document.Edit{Path: "metadata/name", Value: w.name()},
			document.Edit{Path: "spec/image", Value: w.image()})
	}
	text := everaiFreeBeginning
	if m := w.policy.Metrics; len(m) > 0 && m[0].Kind == profiles.Queue {
		text = everaiQueueBeginning
	}
	return filled(text, document.Edit{Path: "name", Value: w.name() + "-scale"})
}

// everaiClass is what the Python code of an app calls an autoscaler.
var everaiClass = map[string]string{freeWorker: "FreeWorkerAutoScaler", simpleQueue: "SimpleAutoScaler"}

type everaiWriter struct {
	*writer
	s     everaiSettings  // as they will be
	was   profiles.Policy // what they said before
	blank bool            // there are no arguments yet
	edits []document.Edit
}

// writeEverAI changes what the document does not say yet, and nothing else.
func writeEverAI(w *writer, base []byte) ([]byte, error) {
	s, err := parseEverAI(base)
	if err != nil {
		return nil, err
	}
	c := everaiWriter{writer: w, s: s}
	c.was, _ = s.policy()
	c.reasons()
	if s.manual > 0 && len(w.policy.Metrics) == 0 && len(w.policy.Schedules) == 0 {
		if n := w.policy.Replicas.Min; n != s.manual {
			c.put("spec/autoscaler/manual/defaultWorkerNum", n)
		}
		return document.Apply(base, s.doc, c.edits...)
	}
	if s.manual > 0 {
		c.automatic()
	}
	c.metric() // first, as the autoscaler decides about what min means
	c.bounds()
	c.schedules()
	c.tell()
	return document.Apply(base, s.doc, c.edits...)
}

func (c *everaiWriter) put(path string, value any) {
	c.edits = append(c.edits, document.Edit{Path: path, Value: value})
}

// set changes an argument; the policy means the same by is, which is not
// always what the document says.
func (c *everaiWriter) set(arg, is, to int) {
	if is != to || c.blank {
		c.s.args[arg] = to
		c.put(c.argument(arg), strconv.Itoa(to))
	}
}

func (c *everaiWriter) argument(arg int) string {
	at := "data/"
	if c.s.manifest {
		at = "spec/autoscaler/builtin/arguments/"
	}
	return at + everaiNames[arg].name
}

// automatic replaces a fixed number of workers by an autoscaler.
func (c *everaiWriter) automatic() {
	c.s.manual, c.s.scaler, c.blank = 0, freeWorker, true
	c.was, _ = c.s.policy()
	c.put("spec/autoscaler/manual", nil)
	c.put("spec/autoscaler/scheduler", "queue")
	c.put("spec/autoscaler/builtin/name", freeWorker)
}

func (c *everaiWriter) bounds() {
	r, was := c.policy.Replicas, c.was.Replicas
	c.set(argMin, c.s.lowest(), r.Min)
	if r.Max == was.Max {
		c.set(argMax, c.s.args[argMax], c.s.args[argMax])
	} else {
		c.set(argMax, c.s.args[argMax], c.max())
	}
	switch {
	case r.Idle != nil:
		c.refuse("replicas.idle", "got %d, but EverAI has none: remove it together with toZero", *r.Idle)
	case c.policy.ToZero != nil && c.was.ToZero == nil:
		c.refuse("toZero", "got it, but without workers EverAI starts one only once more than max_queue_size requests wait, so the first would wait for ever: "+
			"remove it, and set replicas.min to 1 or more")
	}
	c.set(argStep, c.s.args[argStep], max(1, c.policy.Up.Step))
	if idle := c.policy.Down.Idle; idle != c.was.Down.Idle || c.blank {
		c.set(argIdle, c.s.args[argIdle], int(roundUp(idle, time.Second).Seconds()))
	}
}

func (c *everaiWriter) metric() {
	switch n := len(c.policy.Metrics); {
	case n == 0: // a fixed size, whatever is measured
		if c.blank {
			c.set(argFree, 0, c.s.args[argFree])
		}
		return
	case n > 1:
		c.refuse("metrics", "got %d, want one: keep the one that decides", n)
		return
	}
	m := c.policy.Metrics[0]
	const key = "metrics[0]."
	switch {
	case m.Kind == profiles.FreeWorkers:
		c.scale(freeWorker, argFree, argQueue, c.free(key+"target", m.Target))
	case m.Kind == profiles.Queue && m.PerReplica():
		c.refuse(key+"scope", "got %s, want %s: EverAI looks at the whole queue", profiles.PerReplica, profiles.WholeFleet)
	case m.Kind == profiles.Queue:
		c.scale(simpleQueue, argQueue, argFree, c.whole(key+"target", m.Target))
	case m.Kind == profiles.InFlight:
		c.refuse(key+"kind", "got %s, want free_workers or queue: the nearest is queue, the part of them that waits", m.Kind)
	default:
		c.refuse(key+"kind", "got %s, want free_workers or queue: the nearest is free_workers with target 1, which keeps one worker free", m.Kind)
	}
}

// free is a target of free workers as a whole number. As workers are whole,
// fewer than 1.5 are the same as fewer than 2.
func (c *everaiWriter) free(key string, target profiles.Milli) int {
	up := int(profiles.CeilDiv(int64(target), 1000))
	switch {
	case target.Whole():
	case !c.options.Round:
		c.refuse(key, "got %s, want a whole number: %d is the nearest that keeps the capacity free; --round takes it", target, up)
	default:
		c.because(key, "the platform has only whole numbers; fewer than %s workers are fewer than %d", target, up)
	}
	return up
}

// scale sets the one argument that is not common to both autoscalers, and
// changes to the other autoscaler where that is needed.
func (c *everaiWriter) scale(scaler string, arg, other, target int) {
	if c.s.scaler == scaler {
		c.set(arg, c.s.args[arg], target)
		return
	}
	c.s.scaler = scaler
	c.put(c.argument(other), nil)
	c.put(c.argument(arg), strconv.Itoa(target))
	if c.s.manifest {
		c.put("spec/autoscaler/builtin/name", scaler)
	} else {
		c.note("app.py has to change to %s too", everaiClass[scaler])
	}
}

func (c *everaiWriter) schedules() {
	if !c.s.manifest {
		c.because("schedules", "a ConfigMap holds no decorators; the manifest of the app (--diff or --write with it) says them as time-match")
		return
	}
	to := c.policy.Schedules
	if slices.EqualFunc(to, c.was.Schedules, profiles.Schedule.Equal) {
		return
	}
	c.because("schedules", "the same hours, as the minutes that match")
	if c.s.decorators.foreign {
		c.refuse("schedules", "got other ones, but the document has decorators that a policy cannot say: change them there")
		return
	}
	// One decorator for each: of several that hold, the last one wins.
	var decorators []any
	for i := range to {
		d, err := c.timeMatch(i)
		if err != nil {
			c.refuse(fmt.Sprintf("schedules[%d]", i), "%v", err)
			return
		}
		decorators = append(decorators, d)
	}
	const at = "spec/autoscaler/builtin/decorators"
	switch {
	case len(decorators) > 0:
		c.put(at+"/arguments", decorators)
	case c.s.decorators.factors:
		c.put(at+"/arguments", nil)
	default:
		c.put(at, nil)
	}
}

// reasons are why a policy may come back different.
func (c *everaiWriter) reasons() {
	c.because("replicas.initial", "EverAI starts with min_workers")
	c.because("toZero.after", "max_idle_time is that of every worker")
	c.because("metrics[0].window", "EverAI looks at the present moment")
	c.because("metrics[0].aggregation", "EverAI looks at the present moment")
	c.hidden("interval", "when EverAI decides is not documented")
	c.hidden("tolerance", "EverAI compares exactly")
	c.because("up.stabilization", "EverAI acts at once")
	c.because("up.step", "EverAI adds scale_up_step workers at a time; without a step it is 1, as it is here")
	c.because("up.factor", "EverAI adds scale_up_step workers at a time")
	c.because("down", "EverAI takes away the workers that are idle for max_idle_time, at once, the newest first")
	c.because("down.idle", "EverAI has whole seconds")
	c.because("onMetricError", "without numbers EverAI does nothing")
}

func (c *everaiWriter) tell() {
	if c.s.manifest {
		if len(c.policy.Schedules) > 0 {
			c.note("where decorators stand in a manifest is not documented: spec.autoscaler.builtin.decorators is as in Python")
		}
	} else {
		c.note("an app follows it where the arguments of its %s are placeholders of this ConfigMap; everai configmap update takes effect on running apps", everaiClass[c.s.scaler])
	}
	if c.s.args[argMin] > 1 {
		c.note("EverAI's autoscalers up to 0.1.52 may stop idle workers below min_workers while others are busy or starting; a simulation here does not")
	}
}
