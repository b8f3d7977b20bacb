package platform

import (
	"fmt"
	"slices"
	"strings"

	"headroom/profiles"
	"headroom/profiles/document"
)

// writer is a policy on its way into a platform's terms.
type writer struct {
	policy  profiles.Policy
	options Options

	refusals     []document.Problem
	reasons      []reason
	notes        []string
	placeholders []string
}

// reason says why fields of the policy are not the same on the platform.
type reason struct {
	prefix, text string
	unknown      bool // what the platform does instead
}

// refuse says what of the policy the platform cannot say, and what it can.
func (w *writer) refuse(key, format string, args ...any) {
	w.refusals = append(w.refusals, document.Problem{Key: key, Text: fmt.Sprintf(format, args...)})
}

// because gives the reason why a field, or all that begin with it, may differ
// on the platform. Of several the one with the longest prefix counts.
func (w *writer) because(prefix, format string, args ...any) {
	w.reasons = append(w.reasons, reason{prefix: prefix, text: fmt.Sprintf(format, args...)})
}

// hidden is because for what the platform does in its own way, which is not
// documented, so that there is no value to show.
func (w *writer) hidden(prefix, format string, args ...any) {
	w.reasons = append(w.reasons, reason{prefix: prefix, text: fmt.Sprintf(format, args...), unknown: true})
}

// note tells the user something about the document.
func (w *writer) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

// given is a name from the options, or a placeholder for it.
func (w *writer) given(flag, value, placeholder string) string {
	if value != "" {
		return value
	}
	if !slices.Contains(w.placeholders, flag) {
		w.placeholders = append(w.placeholders, flag)
	}
	return placeholder
}

// name is that of the workload.
func (w *writer) name() string { return w.given("--name", w.options.Name, "web") }

// image is that of the workload.
func (w *writer) image() string {
	return w.given("--image", w.options.Image, "registry.example.com/web:1")
}

// refused is everything that cannot be written, as one error.
func (w *writer) refused() error {
	if w.options.Strict && len(w.placeholders) > 0 {
		w.refuse(strings.Join(w.placeholders, ", "), "got nothing, and --strict wants no placeholders")
	}
	return document.Join(w.refusals)
}

// max is replicas.max where the platform wants a number.
func (w *writer) max() int {
	if w.policy.Replicas.Max == profiles.Unlimited {
		w.refuse("replicas.max", "got unlimited, want a number: the platform needs one, so set it to what you can pay for")
		return 1
	}
	return int(w.policy.Replicas.Max)
}

// atLeastOne refuses what a platform that cannot go to zero cannot do.
func (w *writer) atLeastOne() {
	if w.policy.ToZero != nil {
		w.refuse("toZero", "got it, but the platform keeps at least one replica: remove it, and set replicas.min to 1 or more")
	}
}

// noIdle refuses a size between zero and min, which who does not have.
func (w *writer) noIdle(who string) {
	if idle := w.policy.Replicas.Idle; idle != nil {
		w.refuse("replicas.idle", "got %d, but %s has none: set replicas.min to 0, or remove it", *idle, who)
	}
}

// only is the one metric of a platform that has no more, converted where that
// is possible into one of the kinds that it has. ok is false where there is
// none, be it that the size is fixed or that the metric was refused.
func (w *writer) only(kinds ...profiles.Kind) (m profiles.Metric, ok bool) {
	switch len(w.policy.Metrics) {
	case 0:
		return m, false
	case 1:
		return w.convert(0, kinds...)
	}
	given := make([]string, len(w.policy.Metrics))
	for i, m := range w.policy.Metrics {
		given[i] = string(m.Kind)
		if m.Name != "" {
			given[i] += " " + m.Name
		}
	}
	w.refuse("metrics", "got %s, want one of them: the platform has no more, so keep the one that decides", strings.Join(given, " and "))
	return m, false
}

// convert is a metric of the policy in one of the kinds that the platform has.
// Little's law, in flight = rate x latency, leads from one to the other where
// the latency is known.
func (w *writer) convert(i int, kinds ...profiles.Kind) (m profiles.Metric, ok bool) {
	m = w.policy.Metrics[i]
	key := fmt.Sprintf("metrics[%d]", i)
	if slices.Contains(kinds, m.Kind) {
		return m, true
	}
	var latency profiles.Duration
	if c := w.policy.Calibration; c != nil {
		latency = c.Latency
	}
	to, possible := profiles.InFlight, m.Kind == profiles.RPS
	if m.Kind == profiles.InFlight {
		to, possible = profiles.RPS, true
	}
	switch {
	case !possible || !slices.Contains(kinds, to):
		w.refuse(key+".kind", "got %s, want %s: the platform has no other", m.Kind, oneOf(kinds))
		return m, false
	case latency <= 0:
		w.refuse(key+".kind", "got %s, want %s: the platform has no other; with calibration.latency it could be converted", m.Kind, oneOf(kinds))
		return m, false
	}
	was := m
	factor := latency.Std().Seconds()
	if to == profiles.RPS {
		factor = 1 / factor
	}
	m.Kind, m.Target = to, profiles.MilliOf(was.Target.Float()*factor)
	if m.Target <= 0 {
		w.refuse(key+".target", "got %s, which is less than 0.001 %s at the calibrated latency of %s", was.Target, to, latency)
		return m, false
	}
	for _, field := range []string{".kind", ".target"} {
		w.because(key+field, "the platform counts no %s; at the calibrated latency of %s %s of them are %s %s", was.Kind, latency, was.Target, m.Target, to)
	}
	return m, true
}

func oneOf(kinds []profiles.Kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// whole is a target of a platform that has only whole numbers, rounded down
// where the options allow it: down starts replicas a little earlier.
func (w *writer) whole(key string, target profiles.Milli) int {
	down := int(target / 1000)
	switch {
	case target.Whole():
	case down == 0:
		w.refuse(key, "got %s, want 1 or more: the platform has only whole numbers", target)
	case !w.options.Round:
		w.refuse(key, "got %s, want a whole number: %d is the nearest that keeps the capacity free; --round takes it", target, down)
	default:
		w.because(key, "the platform has only whole numbers; rounded down, it starts replicas a little earlier")
	}
	return down
}

// losses are where the platform differs from the policy. Of a size that never
// changes only the size matters, and where hours alone change it no metric.
func (w *writer) losses(effective profiles.Policy) []Loss {
	var out []Loss
	fixed := w.policy.Fixed() && effective.Fixed()
	hours := len(w.policy.Metrics) == 0
	for _, c := range profiles.Changes(w.policy, effective) {
		switch {
		case fixed && !strings.HasPrefix(c.Field, "replicas."), hours && strings.HasPrefix(c.Field, "metrics"):
			continue
		}
		r := w.why(c.Field)
		l := Loss{Field: c.Field, From: c.From, To: c.To, Reason: r.text, Severe: severe(c.Field)}
		if r.unknown {
			l.To = ""
		}
		out = append(out, l)
	}
	return out
}

func (w *writer) why(field string) reason {
	best := reason{text: "the platform has no such setting"}
	for _, r := range w.reasons {
		if strings.HasPrefix(field, r.prefix) && len(r.prefix) >= len(best.prefix) {
			best = r
		}
	}
	return best
}

// severe reports whether a field decides how many replicas there are.
func severe(field string) bool {
	for _, prefix := range []string{"replicas.", "toZero", "schedules"} {
		if strings.HasPrefix(field, prefix) {
			return true
		}
	}
	for _, suffix := range []string{".kind", ".name", ".query", ".target", ".aggregation"} {
		if strings.HasSuffix(field, suffix) {
			return true
		}
	}
	return false
}
