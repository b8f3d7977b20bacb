package platform

import (
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/robfig/cron/v3"

	"headroom/profiles"
	"headroom/profiles/document"
)

func readNomad(text []byte) (settings, error) {
	s, err := parseNomad(text)
	return s, err
}

func recogniseNomad(text []byte) bool {
	body, err := parseHCL(text)
	if err != nil {
		return false
	}
	for _, job := range blocks(body, "job") {
		if len(blocks(job.Body, "group")) > 0 {
			return true
		}
	}
	return len(blocks(body, "scaling")) > 0
}

func parseNomad(text []byte) (nomadSettings, error) {
	body, err := parseHCL(text)
	if err != nil {
		return nomadSettings{}, err
	}
	s := nomadSettings{count: -1, enabled: true, interval: nomadInterval, cooldown: nomadCooldown}
	if !s.find(body) {
		return s, document.Problem{Key: "job.group", Text: "got none, want one, or a scaling block"}
	}
	r := &hclReader{source: text}
	s.read(r)
	s.unknown = r.unknown
	return s, document.Join(r.problems)
}

// find looks for the group that scales, or the scaling block of a policy file.
func (s *nomadSettings) find(body *hclsyntax.Body) bool {
	var groups []*hclsyntax.Block
	for _, job := range blocks(body, "job") {
		groups = append(groups, blocks(job.Body, "group")...)
	}
	var others []string
	for _, g := range groups {
		scaling := blocks(g.Body, "scaling")
		switch {
		case len(scaling) == 0:
		case s.scaling == nil:
			s.group, s.scaling = g, scaling[0]
		default:
			others = append(others, strings.Join(g.Labels, "."))
		}
	}
	s.others = strings.Join(others, ", ")
	if files := blocks(body, "scaling"); s.scaling == nil && len(groups) > 0 {
		s.group = groups[0]
	} else if s.scaling == nil && len(files) > 0 {
		s.scaling = files[0]
	}
	return s.group != nil || s.scaling != nil
}

func (s *nomadSettings) read(r *hclReader) {
	if s.group != nil {
		// The count is often a variable; what scales does not depend on it.
		new(hclReader).whole(s.group, "group.", "count", 0, &s.count)
	}
	if s.scaling == nil {
		if s.count == 0 {
			r.bad(s.group.TypeRange, "group.count", "got 0 without a scaling block, want 1 or more")
		}
		return
	}
	const key = "scaling."
	r.only(s.scaling, key, "enabled", "min", "max", "type", "policy")
	if enabled, at, ok := r.constant(s.scaling, key, "enabled", "true or false"); ok {
		s.enabled = enabled == "true"
		if enabled != "true" && enabled != "false" {
			r.bad(at, key+"enabled", "got %q, want true or false", enabled)
		}
	}
	s.min = 1 // where neither min nor a count is given
	if s.count >= 0 {
		s.min = s.count
	}
	r.whole(s.scaling, key, "min", 0, &s.min)
	wrong := len(r.problems)
	found := r.whole(s.scaling, key, "max", 1, &s.max)
	switch at := s.scaling.Body.Attributes["max"]; {
	case !found && len(r.problems) == wrong:
		r.bad(s.scaling.TypeRange, key+"max", "got nothing, want a whole number of 1 or more")
	case found && s.max < s.min:
		r.bad(at.SrcRange, key+"max", "got %d, want min (%d) or more", s.max, s.min)
	case found && s.count >= 0 && (s.count < s.min || s.count > s.max):
		r.bad(s.group.Body.Attributes["count"].SrcRange, "group.count", "got %d, want between min (%d) and max (%d)", s.count, s.min, s.max)
	}
	if rules := blocks(s.scaling.Body, "policy"); len(rules) > 0 {
		s.rules = rules[0]
		s.readRules(r)
	}
	if !s.ownUp {
		s.cooldownUp = s.cooldown
	}
}

// readRules reads the policy block.
func (s *nomadSettings) readRules(r *hclReader) {
	const key = "scaling.policy."
	r.only(s.rules, key, "evaluation_interval", "cooldown", "cooldown_on_scale_up", "on_check_error", "target", "schedule", "check")
	for _, d := range []struct {
		name string
		to   *time.Duration
	}{{"evaluation_interval", &s.interval}, {"cooldown", &s.cooldown}, {"cooldown_on_scale_up", &s.cooldownUp}} {
		var given time.Duration
		if r.duration(s.rules, key, d.name, &given) && given > 0 { // 0 stands for the default
			*d.to = given
		}
	}
	s.ownUp = s.cooldownUp > 0
	s.hours = r.hours(s.rules, key)
	ignore := r.onError(s.rules, key, "on_check_error", false)
	seen := map[string]bool{}
	for _, b := range blocks(s.rules.Body, "check") {
		if len(b.Labels) != 1 {
			r.bad(b.TypeRange, key+"check", "got %d labels, want one", len(b.Labels))
			continue
		}
		c := nomadCheck{block: b, label: b.Labels[0], threshold: nomadThreshold}
		if seen[c.label] {
			r.bad(b.TypeRange, key+"check", "got %q a second time, want another name", c.label)
		}
		seen[c.label] = true
		c.read(r, key+"check["+c.label+"].", ignore)
		s.checks = append(s.checks, c)
	}
}

// onError reads what to do without a value: whether to go on.
func (r *hclReader) onError(b *hclsyntax.Block, key, name string, otherwise bool) (ignore bool) {
	var action string
	if !r.text(b, key, name, &action) {
		return otherwise
	}
	if action != "ignore" && action != "fail" {
		r.bad(b.Body.Attributes[name].SrcRange, key+name, "got %q, want ignore or fail", action)
	}
	return action == "ignore"
}

func (c *nomadCheck) read(r *hclReader, key string, ignore bool) {
	r.only(c.block, key, "source", "query", "query_window", "query_window_offset", "group", "on_error", "schedule", "strategy")
	r.text(c.block, key, "source", &c.source)
	r.text(c.block, key, "query", &c.query)
	r.text(c.block, key, "group", &c.group)
	c.ignore = r.onError(c.block, key, "on_error", ignore)
	c.hours = r.hours(c.block, key)
	strategies := blocks(c.block.Body, "strategy")
	if len(strategies) != 1 || len(strategies[0].Labels) != 1 {
		r.bad(c.block.TypeRange, key+"strategy", "got %d, want one with one label", len(strategies))
		return
	}
	c.strategy = strategies[0]
	c.kind = c.strategy.Labels[0]
	if c.query == "" && c.kind != "fixed-value" && c.block.Body.Attributes["query"] == nil {
		r.bad(c.block.TypeRange, key+"query", "got nothing, want one for the strategy %s", c.kind)
	}
	key += "strategy."
	switch c.kind {
	case "fixed-value":
		r.only(c.strategy, key, "value")
		r.whole(c.strategy, key, "value", 0, &c.value)
	case "target-value":
		r.only(c.strategy, key, "target", "threshold", "max_scale_up", "max_scale_down")
		if c.strategy.Body.Attributes["target"] == nil {
			r.bad(c.strategy.TypeRange, key+"target", "got nothing, want a number of 0 or more")
		}
		r.decimal(c.strategy, key, "target", &c.target)
		r.decimal(c.strategy, key, "threshold", &c.threshold)
		r.whole(c.strategy, key, "max_scale_up", 1, &c.maxUp)
		r.whole(c.strategy, key, "max_scale_down", 1, &c.maxDown)
	}
}

// hours reads the schedule of a policy or a check, in UTC: a start, and an end
// or a duration.
func (r *hclReader) hours(of *hclsyntax.Block, key string) *nomadHours {
	schedules := blocks(of.Body, "schedule")
	if len(schedules) == 0 {
		return nil
	}
	b, h := schedules[0], &nomadHours{}
	key += "schedule"
	for _, f := range []struct {
		name string
		to   *string
		cron *cron.Schedule
	}{{"start", &h.start, &h.from}, {"end", &h.end, &h.to}} {
		var at hcl.Range
		var ok bool
		if *f.to, at, ok = r.constant(b, key+".", f.name, "a cron expression"); !ok {
			continue
		}
		schedule, err := profiles.ParseCron(*f.to)
		if err != nil {
			r.bad(at, key+"."+f.name, "got %q, want a cron expression of five fields such as 0 9 * * 1-5", *f.to)
		}
		*f.cron = schedule
	}
	r.duration(b, key+".", "duration", &h.lasts)
	if h.start == "" || (h.end == "") == (h.lasts == 0) {
		r.bad(b.TypeRange, key, "got start %q, end %q and duration %s, want a start, and an end or a duration", h.start, h.end, profiles.Duration(h.lasts))
	}
	return h
}
