package profiles

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"headroom/profiles/document"
)

// Schedule replaces values of the policy at certain hours: from each Start to
// the next End, or during every minute that Match matches. All three are
// five-field cron expressions, read by the parser that Kubernetes and KEDA
// use.
type Schedule struct {
	Start    string   `yaml:"start,omitempty" json:"start,omitempty"`
	End      string   `yaml:"end,omitempty" json:"end,omitempty"`
	Match    string   `yaml:"match,omitempty" json:"match,omitempty"`       // instead of both, such as "* 9-20 * * 1-5"
	Timezone string   `yaml:"timezone,omitempty" json:"timezone,omitempty"` // IANA name; default UTC
	Min      int      `yaml:"min,omitempty" json:"min,omitempty"`           // 0: as outside
	Max      int      `yaml:"max,omitempty" json:"max,omitempty"`           // 0: as outside
	Set      Settings `yaml:"set,omitempty" json:"set,omitempty"`           // anything else, but for other metrics
}

// Equal reports whether two schedules say the same.
func (s Schedule) Equal(o Schedule) bool {
	set := slices.Equal(s.Set, o.Set)
	return set && s.Start == o.Start && s.End == o.End && s.Match == o.Match && s.Timezone == o.Timezone && s.Min == o.Min && s.Max == o.Max
}

func (c *checker) schedule(key string, s Schedule) {
	switch {
	case s.Match != "" && (s.Start != "" || s.End != ""):
		c.bad(key+".match", "got it besides start or end, want either match or these two")
	case s.Match != "":
		c.cron(key+".match", s.Match)
	default:
		c.cron(key+".start", s.Start)
		c.cron(key+".end", s.End)
		if s.Start == s.End {
			c.between(key+".end", []string{key + ".start"}, "got %q, want another moment than start", s.End)
		}
	}
	if _, err := time.LoadLocation(s.Timezone); err != nil {
		c.bad(key+".timezone", "got %q, want an IANA name such as Europe/Berlin", s.Timezone)
	}
	switch {
	case s.Min < 0:
		c.bad(key+".min", "got %d, want 1 or more", s.Min)
	case s.Max < 0:
		c.bad(key+".max", "got %d, want 1 or more", s.Max)
	case s.Min == 0 && s.Max == 0 && len(s.Set) == 0:
		c.between(key, []string{key + ".min", key + ".max", key + ".set"}, "got neither min, max nor set, want at least one")
	case s.Max != 0 && s.Max < s.Min:
		c.between(key+".max", []string{key + ".min"}, "got %d, want min (%d) or more", s.Max, s.Min)
	}
}

func (c *checker) cron(key, text string) {
	switch moment, err := ParseCron(text); {
	case err != nil:
		c.bad(key, "got %q, want a cron expression of five fields such as 0 9 * * 1-5", text)
	case moment.Next(time.Time{}).IsZero():
		c.bad(key, "got %q, want a moment that comes", text)
	}
}

// overrides looks at what a policy becomes while a schedule is active. Of one
// that is not valid itself only the values that the schedule sets are new.
func (c *checker) overrides(key string, p Policy, s Schedule, valid bool) {
	for _, one := range s.Set {
		switch path := p.path(one.Key); {
		case path == "replicas.min" && s.Min != 0, path == "replicas.max" && s.Max != 0:
			c.bad(key+"."+one.Key, "got it besides %s of the schedule, want one of them", strings.TrimPrefix(path, "replicas."))
		case path == "schedules" || strings.HasPrefix(path, "schedules["):
			c.bad(key+"."+one.Key, "got a schedule within a schedule, want it next to it")
		}
	}
	_, err := p.during(s)
	for _, problem := range document.Problems(err) {
		sets := func(one Setting) bool { return strings.HasPrefix(problem.Key, one.Key) }
		if valid || slices.ContainsFunc(s.Set, sets) {
			c.between(strings.TrimSuffix(key+"."+problem.Key, "."), problem.Beside, "%s", problem.Text)
		}
	}
}

// During is a valid policy while one of its schedules is active.
func (p Policy) During(s Schedule) Policy {
	out, _ := p.during(s)
	return out
}

// during is the policy while a schedule is active: it has no schedules itself.
// Whatever max says there are as many as min says, and no more where nothing
// is measured.
func (p Policy) during(s Schedule) (Policy, error) {
	p.Schedules = nil
	p.Replicas.Initial = 0 // that has been
	out := p
	var lines document.Lines
	var unread error
	if len(s.Set) > 0 {
		out, lines, unread = p.with(s.Set)
	}
	if s.Min > 0 {
		out.Replicas.Min = s.Min
	}
	if s.Max > 0 {
		out.Replicas.Max = Limit(s.Max)
	}
	if r := &out.Replicas; r.Max != Unlimited && int(r.Max) < r.Min || len(out.Metrics) == 0 {
		r.Max = Limit(r.Min)
	}
	if out.ToZero != nil && out.Replicas.Min > 0 && out.Replicas.Idle == nil {
		out.ToZero = nil // a fleet that may go to none because min is 0
	}
	if idle := out.Replicas.Idle; idle != nil && *idle >= out.Replicas.Min {
		out.ToZero, out.Replicas.Idle = nil, nil // nothing is below min
	}
	if len(s.Set) == 0 {
		return out, nil
	}
	problems := document.Problems(out.check(lines, unread))
	if !slices.EqualFunc(p.Metrics, out.Metrics, sameMetric) {
		other := []document.Problem{{Key: "metrics", Text: "got other ones, want the same: a schedule changes their targets and windows only"}}
		problems = append(problems, document.Problems(lines.Check(unread, other))...)
	}
	return out, p.asGiven(document.Join(problems), s.Set)
}

// sameMetric reports whether one reading serves two metrics.
func sameMetric(a, b Metric) bool {
	for _, m := range []*Metric{&a, &b} {
		m.Target, m.Window, m.Panic, m.Trend = 0, 0, nil, nil
	}
	return a == b
}

// period is a Schedule with its expressions parsed.
type period struct {
	start, end, match cron.Schedule // match, or the other two
	location          *time.Location
}

// parse expects a Schedule that validates.
func (s Schedule) parse() (p period, err error) {
	if p.location, err = time.LoadLocation(s.Timezone); err != nil {
		return period{}, err
	}
	if s.Match != "" {
		p.match, err = ParseCron(s.Match)
		return p, err
	}
	if p.start, err = ParseCron(s.Start); err != nil {
		return period{}, err
	}
	p.end, err = ParseCron(s.End)
	return p, err
}

var fiveFields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// ParseCron reads a cron expression of exactly five fields, as Schedule has it.
// The parser would also take a time zone in front of them, and panics on one
// that stands alone; tabs between them get lost where YAML is written.
func ParseCron(s string) (cron.Schedule, error) {
	if strings.ContainsAny(s, "=\t") {
		return nil, errors.New("neither a time zone nor a tab")
	}
	return fiveFields.Parse(s)
}

// active is KEDA's rule: inside the window [start, end) the next end comes
// before the next start. Unlike there, both are looked for on the clock on
// the wall, as if it never changed to summer time: a start within the hour
// that is left out would come a day later than the end, and the whole day
// before would count as inside.
func (p period) active(now time.Time) bool {
	t := now.In(p.location)
	minute := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
	if p.match != nil {
		return p.match.Next(minute.Add(-time.Second)).Equal(minute)
	}
	return !p.start.Next(minute).Before(p.end.Next(minute))
}
