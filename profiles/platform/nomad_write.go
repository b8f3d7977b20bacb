package platform

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"headroom/profiles"
)

func writeNomad(w *writer, base []byte) ([]byte, error) {
	was, err := parseNomad(base)
	if err != nil {
		return nil, err
	}
	before, _ := was.policy()
	w.nomadReasons()
	n := &nomadWriter{writer: w, was: was, before: before, out: hclText{text: base}, labels: map[string]bool{}}
	for _, c := range was.checks {
		n.labels[c.label] = true
	}
	if was.scaling == nil {
		n.before = profiles.Policy{}
	}
	n.write()
	return n.out.bytes(), nil
}

// nomadReasons are why a policy may not be the same on Nomad.
func (w *writer) nomadReasons() {
	w.because("toZero.after", "Nomad goes to 0 at the first evaluation that finds nothing")
	w.because("schedules", "Nomad has a floor for certain hours, in UTC, but no ceiling")
	w.because("down.order", "Nomad chooses itself")
	w.because("onMetricError", "without a value Nomad does nothing")
	for i, m := range w.policy.Metrics {
		field := fmt.Sprintf("metrics[%d].", i)
		w.because(field+"window", "the query of the check says so")
		w.because(field+"aggregation", "Nomad takes the newest value; an average is one that the query of the check makes")
		if m.Kind == profiles.CPU && m.In("%") || m.Kind == profiles.Memory && m.In("%") {
			w.because(field+"window", "%s reports the usage at the moment", nomadAPM)
			w.because(field+"aggregation", "%s reports the usage at the moment; an average over time needs Prometheus, and cores or MiB", nomadAPM)
		}
	}
}

// nomadWriter puts a policy into a job.
type nomadWriter struct {
	*writer
	was    nomadSettings
	before profiles.Policy // of the document; zero where nothing scales
	out    hclText
	labels map[string]bool // of checks, that are taken
}

// setting is an attribute that a block should have.
type setting struct {
	name  string
	value cty.Value
	same  bool // in effect, it has it
}

func (n *nomadWriter) write() {
	p := n.policy
	n.noIdle("Nomad")
	if p.OnMetricError != profiles.Hold {
		n.refuse("onMetricError", "got %s, want hold: without a value Nomad does nothing", p.OnMetricError)
	}
	n.count()
	hours := n.hours()
	if len(p.Metrics) == 0 && n.was.scaling == nil {
		if len(hours) > 0 {
			n.because("schedules", "the fixed size is as high at all hours")
		}
		return // the count says it all
	}
	scaling := []setting{
		{"min", cty.NumberIntVal(int64(p.Replicas.Min)), n.was.scaling != nil && n.before.Replicas.Min == p.Replicas.Min},
		{"max", cty.NumberIntVal(int64(n.max())), n.before.Replicas.Max == p.Replicas.Max},
	}
	checks, floors := n.checks(), n.floors(hours)
	rules := n.rules()
	if len(p.Metrics) == 0 {
		rules = nil
	}
	n.notes()
	switch {
	case n.was.scaling == nil:
		block := newBlock("scaling", scaling)
		block.Body().AppendNewline()
		block.Body().AppendBlock(policyBlock(rules, slices.Concat(checks, floors)))
		n.out.add(n.was.group, block)
		return
	case n.was.rules == nil:
		if len(p.Metrics) > 0 {
			n.out.add(n.was.scaling, policyBlock(rules, slices.Concat(checks, floors)))
		}
	default:
		for _, s := range rules {
			if !s.same {
				n.out.set(n.was.rules, s.name, s.value)
			}
		}
		for _, c := range slices.Concat(checks, floors) {
			n.out.add(n.was.rules, c)
		}
	}
	for _, s := range scaling {
		if !s.same {
			n.out.set(n.was.scaling, s.name, s.value)
		}
	}
}

// count is the number of replicas that a job starts with; without one it is
// min.
func (n *nomadWriter) count() {
	want, before := n.policy.Initial(), n.before.Initial()
	if n.was.scaling == nil {
		before = max(1, n.was.count)
	}
	if n.was.group == nil {
		if want != max(1, n.policy.Replicas.Min) {
			n.because("replicas.initial", "a policy file has no count")
		}
		return
	}
	starts := max(1, n.policy.Replicas.Min)
	if n.was.count >= 0 || n.was.scaling == nil {
		starts = n.was.count
	}
	if want != before && want != starts {
		n.out.set(n.was.group, "count", cty.NumberIntVal(int64(want)))
	}
}

// rules are the attributes of the policy block.
func (n *nomadWriter) rules() []setting {
	p := n.policy
	up, down := p.Up.Stabilization, p.Down.Stabilization
	interval, pausesUp, pausesDown := n.was.paces(new(told))
	there := n.was.rules != nil
	sameDown, sameUp := there && pausesDown == down, there && pausesUp == up
	if !n.was.ownUp { // it follows cooldown
		sameUp = sameUp && sameDown || up == down
	}
	if up == 0 || down == 0 {
		n.note("a cooldown of 0s would mean the default of %s: 1ms stands for none", profiles.Duration(nomadCooldown))
	}
	if down > 0 {
		n.note("cooldown stands for down.stabilization, but it is a pause: for %s after replicas were taken away Nomad does not add any either", down)
	}
	return []setting{
		{"evaluation_interval", cty.StringVal(p.Interval.String()), there && interval == p.Interval},
		{"cooldown", cooldown(down), sameDown},
		{"cooldown_on_scale_up", cooldown(up), sameUp},
	}
}

func cooldown(d profiles.Duration) cty.Value {
	return cty.StringVal(max(d, profiles.Duration(time.Millisecond)).String())
}

// notes are what to know about the document.
func (n *nomadWriter) notes() {
	if n.policy.ToZero != nil {
		n.note("an average over replicas has no value where there are none: for Nomad to start the first the query must say something then too, such as one to the load balancer")
	}
	if n.was.scaling != nil && !n.was.enabled {
		n.note("scaling is not enabled in the document (enabled = false)")
	}
	for _, c := range n.was.checks {
		if !c.tracks() && !c.floor() {
			n.note("the check %q with the strategy %s stays in the document, and decides too", c.label, c.kind)
		}
	}
	if n.was.others != "" {
		n.note("of the groups only %s was changed", strings.Join(n.was.group.Labels, "."))
	}
}

// checks changes the checks that are there into the metrics of the policy, one
// after the other, and returns those to be added.
func (n *nomadWriter) checks() (added []*hclwrite.Block) {
	tracked := n.was.tracked()
	for i := range n.policy.Metrics {
		m, ok := n.nomadMetric(i)
		if !ok {
			continue
		}
		if i < len(tracked) && n.keeps(n.before.Metrics[i], m) {
			n.adjust(tracked[i], n.before.Metrics[i], m, i)
			continue
		}
		if i < len(tracked) {
			delete(n.labels, tracked[i].label)
			n.out.replace(tracked[i].block, n.newCheck(i, m))
		} else {
			added = append(added, n.newCheck(i, m))
		}
	}
	for i := len(n.policy.Metrics); i < len(tracked); i++ {
		n.out.remove(tracked[i].block)
	}
	return added
}

// nomadMetric is a metric of the policy as Nomad can say it.
func (n *nomadWriter) nomadMetric(i int) (m profiles.Metric, ok bool) {
	key := fmt.Sprintf("metrics[%d]", i)
	m, ok = n.convert(i, profiles.RPS, profiles.InFlight, profiles.Queue, profiles.CPU, profiles.Memory, profiles.Latency, profiles.Custom)
	switch {
	case !ok:
	case !m.PerReplica() && m.Kind != profiles.Latency && m.Kind != profiles.Custom:
		n.refuse(key+".scope", "got %s, want %s: Nomad multiplies the count by value/target, so that a total runs away to max", profiles.WholeFleet, profiles.PerReplica)
	case m.Kind == profiles.Custom && m.Query == "":
		n.refuse(key+".query", "got none, want one that yields the metric")
		ok = false
	case m.Kind == profiles.Custom && m.Name == "":
		n.refuse(key+".name", "got none, want one for the check")
		ok = false
	}
	return m, ok
}

// keeps reports whether a check measures what a metric is about.
func (n *nomadWriter) keeps(before, m profiles.Metric) bool {
	return before.Kind == m.Kind && before.Unit == m.Unit && before.Name == m.Name && before.Query == m.Query
}

// adjust changes a check where it differs.
func (n *nomadWriter) adjust(c nomadCheck, before, m profiles.Metric, i int) {
	if before.Target != m.Target {
		n.out.set(c.strategy, "target", decimalValue(m.Target))
	}
	if c.source != nomadAPM && c.source != "" && n.owns(i) && c.query != n.options.Query && n.average("--query", n.options.Query) {
		n.out.set(c.block, "query", cty.StringVal(n.options.Query))
	}
	// What a policy has once, other checks may have of their own: it is left to
	// them until it changes.
	if p := n.policy; p.Tolerance != n.before.Tolerance && p.Tolerance != new(told).ratio("", c.threshold) {
		n.out.set(c.strategy, "threshold", n.tolerance())
	}
	for _, limit := range []struct {
		name              string
		has, before, want int
	}{
		{"max_scale_up", c.maxUp, n.before.Up.Step, n.policy.Up.Step},
		{"max_scale_down", c.maxDown, n.before.Down.Step, n.policy.Down.Step},
	} {
		switch {
		case limit.want == limit.before || limit.want == limit.has:
		case limit.want == 0:
			n.out.unset(c.strategy, limit.name)
		default:
			n.out.set(c.strategy, limit.name, cty.NumberIntVal(int64(limit.want)))
		}
	}
}

func (n *nomadWriter) tolerance() cty.Value {
	return decimalValue(profiles.Milli(n.policy.Tolerance))
}

// owns reports whether the query of the options is for that metric: for
// requests per second, or for the only metric there is.
func (n *nomadWriter) owns(i int) bool {
	m := n.policy.Metrics[i]
	return n.options.Query != "" && (m.Kind == profiles.RPS || len(n.policy.Metrics) == 1 && m.Kind != profiles.Custom)
}

// average refuses a query that seems to yield the total of the fleet.
func (n *nomadWriter) average(key, query string) bool {
	if averages(query) {
		return true
	}
	n.refuse(key, "got %s, want the average of the replicas such as avg(sum by (instance) (rate(...))): Nomad multiplies the count by value/target, so that a total runs away to max", query)
	return false
}

// newCheck is a check for a metric.
func (n *nomadWriter) newCheck(i int, m profiles.Metric) *hclwrite.Block {
	label, source, query := string(m.Kind), "prometheus", m.Query
	switch {
	case m.Kind == profiles.Custom:
		if label = m.Name; n.labels[label] {
			n.refuse(fmt.Sprintf("metrics[%d].name", i), "got %q, want a name that no other check has", label)
		}
		if m.PerReplica() {
			n.average(fmt.Sprintf("metrics[%d].query", i), query)
		}
	case m.In("%"):
		source, query = nomadAPM, "avg_"+string(m.Kind)+"-allocated"
	case n.owns(i):
		query = n.options.Query
		n.average("--query", query)
	default:
		query = n.given("--query", "", madeUp(m.Kind, n.name(), n.lookBack(i)))
	}
	block := newBlock("check", []setting{
		{name: "source", value: cty.StringVal(source)},
		{name: "query", value: cty.StringVal(query)},
	}, n.label(label))
	strategy := []setting{{name: "target", value: decimalValue(m.Target)}, {name: "threshold", value: n.tolerance()}}
	if step := n.policy.Up.Step; step > 0 {
		strategy = append(strategy, setting{name: "max_scale_up", value: cty.NumberIntVal(int64(step))})
	}
	if step := n.policy.Down.Step; step > 0 {
		strategy = append(strategy, setting{name: "max_scale_down", value: cty.NumberIntVal(int64(step))})
	}
	block.Body().AppendNewline()
	block.Body().AppendBlock(newBlock("strategy", strategy, "target-value"))
	return block
}

// label is a name for a check that no other has.
func (n *nomadWriter) label(name string) string {
	unique := name
	for i := 2; n.labels[unique]; i++ {
		unique = fmt.Sprintf("%s_%d", name, i)
	}
	n.labels[unique] = true
	return unique
}

// hours are the schedules with a lower bound, as far as Nomad can say them.
func (n *nomadWriter) hours() (want []profiles.Schedule) {
	if !n.onlyHours() {
		return nil
	}
	for i, s := range n.policy.Schedules {
		key := fmt.Sprintf("schedules[%d].", i)
		switch {
		case s.Min == 0:
			continue
		case s.Timezone != "" && s.Timezone != "UTC":
			n.refuse(key+"timezone", "got %s, want UTC: Nomad knows no other", s.Timezone)
		case n.policy.Replicas.Max != profiles.Unlimited && s.Min > int(n.policy.Replicas.Max):
			n.refuse(key+"min", "got %d, want replicas.max (%s) or less: Nomad stays within it", s.Min, n.policy.Replicas.Max)
		}
		want = append(want, profiles.Schedule{Start: s.Start, End: s.End, Timezone: "UTC", Min: s.Min})
	}
	return want
}

// floors are these as checks: of several checks the highest count wins. Where
// they differ from those in the document they all come anew.
func (n *nomadWriter) floors(want []profiles.Schedule) (added []*hclwrite.Block) {
	if slices.EqualFunc(want, n.before.Schedules, profiles.Schedule.Equal) {
		return nil
	}
	for _, c := range n.was.floors() {
		n.out.remove(c.block)
		delete(n.labels, c.label)
	}
	for _, s := range want {
		block := hclwrite.NewBlock("check", []string{n.label("hours")})
		block.Body().AppendBlock(newBlock("schedule", []setting{
			{name: "start", value: cty.StringVal(s.Start)}, {name: "end", value: cty.StringVal(s.End)},
		}))
		block.Body().AppendNewline()
		block.Body().AppendBlock(newBlock("strategy", []setting{{name: "value", value: cty.NumberIntVal(int64(s.Min))}}, "fixed-value"))
		added = append(added, block)
	}
	if len(added) > 0 {
		n.note("the hours need a Nomad Autoscaler that knows the schedule block of a check")
	}
	return added
}

// decimalValue is a target as a literal.
func decimalValue(m profiles.Milli) cty.Value { return cty.MustParseNumberVal(m.String()) }

// newBlock is a block with all of the settings that are not in effect.
func newBlock(kind string, settings []setting, labels ...string) *hclwrite.Block {
	block := hclwrite.NewBlock(kind, labels)
	for _, s := range settings {
		if !s.same {
			block.Body().SetAttributeValue(s.name, s.value)
		}
	}
	return block
}

// policyBlock is a policy block with checks.
func policyBlock(rules []setting, checks []*hclwrite.Block) *hclwrite.Block {
	block := newBlock("policy", rules)
	for _, c := range checks {
		block.Body().AppendNewline()
		block.Body().AppendBlock(c)
	}
	return block
}
