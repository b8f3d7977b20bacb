package profiles

import (
	"errors"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule replaces bounds of the policy from each Start to the next End.
// Start and End are five-field cron expressions, read by the parser that
// Kubernetes and KEDA use.
type Schedule struct {
	Start    string `yaml:"start" json:"start"`
	End      string `yaml:"end" json:"end"`
	Timezone string `yaml:"timezone,omitempty" json:"timezone,omitempty"` // IANA name; default UTC
	Min      int    `yaml:"min,omitempty" json:"min,omitempty"`           // 0: as outside
	Max      int    `yaml:"max,omitempty" json:"max,omitempty"`           // 0: as outside
}

func (c *checker) schedule(key string, s Schedule) {
	for _, f := range []struct{ key, value string }{{key + ".start", s.Start}, {key + ".end", s.End}} {
		switch moment, err := ParseCron(f.value); {
		case err != nil:
			c.bad(f.key, "got %q, want a cron expression of five fields such as 0 9 * * 1-5", f.value)
		case moment.Next(time.Time{}).IsZero():
			c.bad(f.key, "got %q, want a moment that comes", f.value)
		}
	}
	if s.Start == s.End {
		c.bad(key+".end", "got %q, want another moment than start", s.End)
	}
	if _, err := time.LoadLocation(s.Timezone); err != nil {
		c.bad(key+".timezone", "got %q, want an IANA name such as Europe/Berlin", s.Timezone)
	}
	switch {
	case s.Min < 0:
		c.bad(key+".min", "got %d, want 1 or more", s.Min)
	case s.Max < 0:
		c.bad(key+".max", "got %d, want 1 or more", s.Max)
	case s.Min == 0 && s.Max == 0:
		c.bad(key, "got neither min nor max, want at least one")
	case s.Max != 0 && s.Max < s.Min:
		c.bad(key+".max", "got %d, want min (%d) or more", s.Max, s.Min)
	}
}

// period is a Schedule with its expressions parsed.
type period struct {
	start, end cron.Schedule
	location   *time.Location
	min, max   int

	minute time.Time // for which inside is known, on the clock on the wall
	inside bool
}

// parse expects a Schedule that validates.
func (s Schedule) parse() (period, error) {
	start, err := ParseCron(s.Start)
	if err != nil {
		return period{}, err
	}
	end, err := ParseCron(s.End)
	if err != nil {
		return period{}, err
	}
	location, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return period{}, err
	}
	return period{start: start, end: end, location: location, min: s.Min, max: s.Max}, nil
}

var fiveFields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// ParseCron reads a cron expression of exactly five fields, as Schedule has it. The parser would also take a time zone
// in front of them, and panics on one that stands alone; tabs between them get
// lost where YAML is written.
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
//
// Nothing changes within a minute, and to look for the next start and end
// takes microseconds, so the answer is kept for as long.
func (p *period) active(now time.Time) bool {
	t := now.In(p.location)
	minute := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
	if !minute.Equal(p.minute) {
		p.minute, p.inside = minute, !p.start.Next(minute).Before(p.end.Next(minute))
	}
	return p.inside
}
