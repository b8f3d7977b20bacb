package platform

import (
	"fmt"
	"strconv"

	"headroom/profiles"
	"headroom/profiles/document"
)

// hpaBehavior is spec.behavior: how fast and how readily the size moves
// (HorizontalPodAutoscalerBehavior in k8s.io/api autoscaling/v2).
type hpaBehavior struct {
	ScaleUp   *hpaRules `yaml:"scaleUp"`
	ScaleDown *hpaRules `yaml:"scaleDown"`
}

// hpaRules are those of one direction. What is left out is as in hpaUp and
// hpaDown.
type hpaRules struct {
	Window    *int32      `yaml:"stabilizationWindowSeconds"` // 0..3600
	Select    string      `yaml:"selectPolicy"`               // Max, Min or Disabled
	Policies  []hpaPolicy `yaml:"policies"`
	Tolerance *quantity   `yaml:"tolerance"` // a share; default that of the controller, 0.1
}

// hpaPolicy allows so much of a change within a period.
type hpaPolicy struct {
	Type   string `yaml:"type"` // Pods or Percent
	Value  int32  `yaml:"value"`
	Period int32  `yaml:"periodSeconds"` // 1..1800
}

// The words of policies.
const (
	policyPods     = "Pods"
	policyPercent  = "Percent"
	selectMax      = "Max"
	selectMin      = "Min"
	selectDisabled = "Disabled"
)

// Flags of the controller, the same for all autoscalers of a cluster.
const (
	hpaSync             = profiles.Duration(15e9) // --horizontal-pod-autoscaler-sync-period
	hpaDownWindow int32 = 300                     // seconds, --horizontal-pod-autoscaler-downscale-stabilization
	hpaTolerance        = profiles.Ratio(100)     // --horizontal-pod-autoscaler-tolerance
)

// hpaUp and hpaDown are the rules of a behavior that does not say
// (GenerateHPAScaleUpRules, GenerateHPAScaleDownRules).
func hpaUp() hpaRules {
	return hpaRules{Window: new(int32), Select: selectMax, Policies: []hpaPolicy{{policyPods, 4, 15}, {policyPercent, 100, 15}}}
}

func hpaDown() hpaRules {
	window := hpaDownWindow
	return hpaRules{Window: &window, Select: selectMax, Policies: []hpaPolicy{{policyPercent, 100, 15}}}
}

// or fills in what is left out.
func (r *hpaRules) or(usual hpaRules) hpaRules {
	if r == nil {
		return usual
	}
	out := *r
	if out.Window == nil {
		out.Window = usual.Window
	}
	if out.Select == "" {
		out.Select = usual.Select
	}
	if out.Policies == nil {
		out.Policies = usual.Policies
	}
	return out
}

// rules are those of both directions, complete.
func (b *hpaBehavior) rules() (up, down hpaRules) {
	if b == nil {
		return hpaUp(), hpaDown()
	}
	return b.ScaleUp.or(hpaUp()), b.ScaleDown.or(hpaDown())
}

// check follows validateScalingRules in pkg/apis/autoscaling/validation of
// Kubernetes.
func (b *hpaBehavior) check(key string, bad *problems) {
	if b != nil {
		b.ScaleUp.check(key+".scaleUp", bad)
		b.ScaleDown.check(key+".scaleDown", bad)
	}
}

func (r *hpaRules) check(key string, bad *problems) {
	if r == nil {
		return
	}
	if w := r.Window; w != nil && (*w < 0 || *w > 3600) {
		bad.bad(key+".stabilizationWindowSeconds", "got %d, want 0 to 3600", *w)
	}
	switch r.Select {
	case "", selectMax, selectMin, selectDisabled:
	default:
		bad.bad(key+".selectPolicy", "got %q, want %s, %s or %s", r.Select, selectMax, selectMin, selectDisabled)
	}
	if r.Policies != nil && len(r.Policies) == 0 {
		bad.bad(key+".policies", "got none, want at least one, or no such key")
	}
	for i, p := range r.Policies {
		at := fmt.Sprintf("%s.policies[%d]", key, i)
		if p.Type != policyPods && p.Type != policyPercent {
			bad.bad(at+".type", "got %q, want %s or %s", p.Type, policyPods, policyPercent)
		}
		if p.Value <= 0 {
			bad.bad(at+".value", "got %d, want more than 0", p.Value)
		}
		if p.Period < 1 || p.Period > 1800 {
			bad.bad(at+".periodSeconds", "got %d, want 1 to 1800", p.Period)
		}
	}
	if t := r.Tolerance; t != nil && *t < 0 {
		bad.bad(key+".tolerance", "got less than 0, want a share of 0 or more")
	}
}

// settle takes the rules over into a policy with its smallest size, and returns
// what of them our words cannot say. high is the largest size.
func (b *hpaBehavior) settle(p *profiles.Policy, high int) (losses []Loss) {
	up, down := b.rules()
	var lost []Loss
	p.Up, lost = up.rate("up", p.Replicas.Min, high)
	losses = append(losses, lost...)
	idle, order := p.Down.Idle, p.Down.Order
	p.Down, lost = down.rate("down", p.Replicas.Min, high)
	p.Down.Idle, p.Down.Order = idle, order
	losses = append(losses, lost...)

	p.Tolerance = hpaTolerance
	if t := up.Tolerance; t != nil {
		p.Tolerance = profiles.Ratio(*t)
	}
	if low := down.share(); low != p.Tolerance {
		losses = append(losses, Loss{Field: "tolerance", From: low.String(), To: p.Tolerance.String(), Reason: "scaleDown has its own, and a policy one for both directions"})
	}
	return losses
}

// share is the tolerance of the rules.
func (r hpaRules) share() profiles.Ratio {
	if r.Tolerance == nil {
		return hpaTolerance
	}
	return profiles.Ratio(*r.Tolerance)
}

// rate is what the rules allow in our words: the tighter of a step and a
// factor for each decision. Sizes are low to high: a step of high or more limits
// nothing, and neither does taking away all.
func (r hpaRules) rate(way string, low, high int) (b profiles.Behavior, losses []Loss) {
	b.Stabilization = profiles.Duration(*r.Window) * 1e9
	lose := func(field string, severe bool, format string, args ...any) {
		losses = append(losses, Loss{Field: way + field, Reason: fmt.Sprintf(format, args...), Severe: severe})
	}
	if r.Select == selectDisabled {
		lose("", true, "the size never goes %s on this platform (selectPolicy Disabled), which a policy cannot say", way)
		return b, losses
	}
	for _, p := range r.Policies {
		step, factor := p.limit(way, high)
		switch {
		case step > 0 || factor > 0:
		case r.Select == selectMax: // the greatest change wins
			return profiles.Behavior{Stabilization: b.Stabilization}, nil
		default:
			continue
		}
		if step > 0 && (b.Step == 0 || (step < b.Step) == (r.Select == selectMin)) {
			b.Step = step
		}
		if factor > 0 && (b.Factor == 0 || (factor < b.Factor) == (r.Select == selectMin) == (way == "up")) {
			b.Factor = factor
		}
		if p.Period != int32(hpaSync.Std().Seconds()) {
			field := ".step"
			if factor > 0 {
				field = ".factor"
			}
			lose(field, false, "%s in %ds, where the controller decides every %s: a policy means each decision", p, p.Period, hpaSync)
		}
	}
	if b.Step > 0 && b.Factor > 0 && r.Select == selectMax {
		change := profiles.Milli(low) * max(b.Factor-1000, 1000-b.Factor) // of the smallest size, by the factor
		if change < profiles.Milli(b.Step)*1000 {
			lose(".factor", false, "the size may always change by %d too, where a policy takes the tighter of step and factor", b.Step)
		}
		b.Step = 0
	}
	return b, losses
}

// limit is the step or the factor that a policy allows; neither where it is no
// limit.
func (p hpaPolicy) limit(way string, high int) (step int, factor profiles.Milli) {
	switch v := int(p.Value); {
	case p.Type == policyPods && v < high:
		return v, 0
	case p.Type == policyPercent && way == "up" && v < 99_900:
		return 0, 1000 + 10*profiles.Milli(v)
	case p.Type == policyPercent && way == "down" && v < 100:
		return 0, 1000 - 10*profiles.Milli(v)
	}
	return 0, 0
}

func (p hpaPolicy) String() string {
	if p.Type == policyPercent {
		return strconv.Itoa(int(p.Value)) + " %"
	}
	return strconv.Itoa(int(p.Value)) + " replicas"
}

// behavior writes up, down and tolerance below path where they are not the
// same already. high is the largest size there will be: what limits nothing so
// far may limit a higher one.
func (w *writer) behavior(path string, was *hpaBehavior, isNew bool, high int) (edits []document.Edit) {
	var before profiles.Policy
	p := w.policy
	lost := was.settle(&before, high)
	edits = append(edits, w.rate(path+"/scaleUp", "up", p.Up, before.Up, isNew && len(lost) > 0, high)...)
	down := p.Down
	down.Idle, down.Order = before.Down.Idle, before.Down.Order
	edits = append(edits, w.rate(path+"/scaleDown", "down", down, before.Down, false, high)...)
	if isNew { // a flag of the controller decides otherwise
		edits = append(edits, document.Edit{Path: path + "/scaleDown/stabilizationWindowSeconds", Value: w.wholeSeconds("down.stabilization", p.Down.Stabilization)})
	}
	if p.Tolerance != before.Tolerance {
		w.note("behavior.*.tolerance is alpha in Kubernetes 1.33 and beta later (sources differ on 1.34 or 1.35): without the gate HPAConfigurableTolerance it is dropped, and the tolerance is that of the controller, 10%%")
		for _, way := range []string{"/scaleUp", "/scaleDown"} {
			edits = append(edits, document.Edit{Path: path + way + "/tolerance", Value: p.Tolerance.Float()})
		}
	}
	return edits
}

// rate writes one direction.
func (w *writer) rate(path, way string, b, was profiles.Behavior, again bool, high int) (edits []document.Edit) {
	if b.Stabilization != was.Stabilization {
		edits = append(edits, document.Edit{Path: path + "/stabilizationWindowSeconds", Value: w.wholeSeconds(way+".stabilization", b.Stabilization)})
	}
	if b.Step == was.Step && b.Factor == was.Factor && !again {
		return edits
	}
	period := w.period(b)
	var policies []any
	policy := func(kind string, value int) {
		policies = append(policies, fields("type", kind, "value", value, "periodSeconds", period))
	}
	if b.Factor > 0 {
		policy(policyPercent, w.changePercent(way, b.Factor))
	}
	if b.Step > 0 {
		policy(policyPods, b.Step)
	}
	switch {
	case len(policies) > 0:
	case way == "up": // left out, it would be limited to doubling
		policy(policyPods, high)
	default:
		policy(policyPercent, 100)
	}
	edits = append(edits, document.Edit{Path: path + "/policies", Value: policies})
	if len(policies) > 1 {
		return append(edits, document.Edit{Path: path + "/selectPolicy", Value: selectMin})
	}
	return append(edits, document.Edit{Path: path + "/selectPolicy"})
}

// period is what step and factor are for: the policy's interval, so that they
// keep their pace although the controller decides more often.
func (w *writer) period(b profiles.Behavior) int {
	if b.Step == 0 && b.Factor == 0 {
		return int(hpaSync.Std().Seconds())
	}
	seconds := w.wholeSeconds("interval", w.policy.Interval)
	if seconds > 1800 {
		w.refuse("interval", "got %s, want at most 30m: step and factor are for that long", w.policy.Interval)
	}
	return seconds
}

// changePercent is a factor as a change in whole percents.
func (w *writer) changePercent(way string, factor profiles.Milli) int {
	change := factor - 1000
	if way == "down" {
		change = -change
		w.note("a factor of %s leaves a fraction of a replica: the platform rounds down what stays, a policy up", factor)
	}
	key := way + ".factor"
	switch down := change / 10; {
	case change%10 == 0:
	case down == 0:
		w.refuse(key, "got %s, want a change of 1 %% or more", factor)
	case !w.options.Round:
		w.refuse(key, "got %s, want a change in whole percents, such as %d %%; --round takes it", factor, down)
	default:
		w.because(key, "the platform has only whole percents")
	}
	return int(change / 10)
}
