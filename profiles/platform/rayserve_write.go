package platform

import (
	"fmt"
	"time"

	"github.com/goccy/go-yaml"

	"headroom/profiles"
	"headroom/profiles/document"
)

func writeRayServe(w *writer, base []byte) ([]byte, error) {
	was, err := parseRayServe(base)
	if err != nil {
		return nil, err
	}
	p := w.policy
	before, _ := was.policy()
	w.because("schedules", "Ray Serve has none")
	w.because("interval", "Ray Serve decides every 0.1 s, which a policy shows as 1s")
	w.because("tolerance", "Ray Serve acts on any difference")
	w.because("up.factor", "upscaling_factor is a share of the missing replicas, no limit")
	w.because("down.factor", "downscaling_factor is a share of the superfluous replicas, no limit")
	w.because("down.order", "Ray Serve chooses itself")
	w.because("metrics[0].aggregation", "Ray Serve takes the mean or the highest of a window")
	w.noIdle("Ray Serve")
	if was.others != "" {
		w.note("of the deployments only %s was changed", was.name)
	}
	var edits []document.Edit
	switch n := p.Replicas.Min; {
	case len(p.Metrics) == 0 && was.none && was.fixed == n:
		w.note("the file lists no deployment: what its code says about scaling stays as it is")
		return base, nil
	case len(p.Metrics) == 0 && was.fixed == n:
		return base, nil
	case was.none:
		edits = append(edits, document.Edit{
			Path: fmt.Sprintf("applications/%d/deployments", was.app), Value: []any{yaml.MapSlice{{Key: "name", Value: w.name()}}},
		})
	}
	if len(p.Metrics) > 0 {
		edits = append(edits, w.rayScaling(was, before)...)
	} else {
		edits = append(edits,
			document.Edit{Path: was.key("autoscaling_config", "/")},
			document.Edit{Path: was.key("num_replicas", "/"), Value: p.Replicas.Min})
	}
	return document.Apply(base, 0, edits...)
}

// rayScaling are the edits that make a deployment follow the policy: of one
// that scales already, only what differs.
func (w *writer) rayScaling(was raySettings, before profiles.Policy) (edits []document.Edit) {
	p, fresh := w.policy, was.fixed > 0
	set := func(same bool, key string, value any, old ...string) {
		if same && !fresh {
			return
		}
		edits = append(edits, document.Edit{Path: was.key("autoscaling_config/"+key, "/"), Value: value})
		for _, name := range old {
			edits = append(edits, document.Edit{Path: was.key("autoscaling_config/"+name, "/")})
		}
	}
	if fresh {
		edits = append(edits, document.Edit{Path: was.key("num_replicas", "/")})
		before = profiles.Policy{}
	}
	set(before.Replicas.Min == p.Replicas.Min, "min_replicas", p.Replicas.Min)
	starts := p.Replicas.Min // where the file does not say
	if was.initial >= 0 {
		starts = was.initial
	}
	if n := p.Initial(); n != starts && (fresh || n != before.Initial()) {
		set(false, "initial_replicas", n)
	}
	set(before.Replicas.Max == p.Replicas.Max, "max_replicas", w.max())
	if m, ok := w.only(profiles.InFlight); ok {
		var old profiles.Metric
		if len(before.Metrics) > 0 {
			old = before.Metrics[0]
		}
		if !m.PerReplica() {
			w.refuse("metrics[0].scope", "got %s, want %s", m.Scope, profiles.PerReplica)
		}
		set(old.Target == m.Target, "target_ongoing_requests", number(m.Target), "target_num_ongoing_requests_per_replica")
		set(old.Window == m.Window, "look_back_period_s", inSeconds(m.Window))
		function := "mean"
		if m.Aggregation == profiles.Highest {
			function = "max"
		}
		if old.Aggregation != m.Aggregation {
			set(false, "aggregation_function", function)
		}
		if old.Target != m.Target {
			edits = append(edits, w.rayOngoing(was, m.Target)...)
		}
	}
	set(before.Up.Stabilization == p.Up.Stabilization, "upscale_delay_s", inSeconds(p.Up.Stabilization))
	set(before.Down.Stabilization == p.Down.Stabilization, "downscale_delay_s", inSeconds(p.Down.Stabilization))
	if p.ToZero != nil {
		after := was.toZero // as the file says, or else as long as downscale_delay_s
		if !was.zeroDelaySet && (fresh || before.Down.Stabilization != p.Down.Stabilization) {
			after = p.Down.Stabilization.Std()
		}
		if new(told).within("", after, time.Second, 24*time.Hour) != p.ToZero.After {
			set(false, "downscale_to_zero_delay_s", inSeconds(p.ToZero.After))
		}
	}
	return edits
}

// rayOngoing sees to it that a replica may have more requests than the target,
// or nothing would ever be added: twice as many where the file does not say.
func (w *writer) rayOngoing(was raySettings, target profiles.Milli) []document.Edit {
	switch {
	case target < profiles.Milli(was.ongoing())*1000:
		return nil
	case was.maxOngoing > 0:
		w.note("max_ongoing_requests is %d, not more than the target of %s: raise it, or nothing is ever added where queued requests are not seen", was.maxOngoing, target)
		return nil
	}
	twice := int(profiles.CeilDiv(2*int64(target), 1000))
	w.note("max_ongoing_requests is set to twice the target: at its default of %d nothing would ever be added where queued requests are not seen", rayMaxOngoing)
	return []document.Edit{{Path: was.key("max_ongoing_requests", "/"), Value: twice}}
}
