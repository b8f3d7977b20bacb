package platform

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"headroom/profiles"
)

// everaiDecorators are what changes the arguments and the numbers before
// EverAI decides (everai_autoscaler/builtin/decorator).
type everaiDecorators struct {
	matches   []everaiMatch // later ones win
	histories int           // of average: how many past samples it adds to the present one; 0: none

	schedules []profiles.Schedule // what a policy can say of the matches
	losses    []Loss              // and what not
	foreign   bool                // there is more than schedules under arguments
	factors   bool                // there are decorators of the factors
}

// everaiMatch sets arguments while the minute matches.
type everaiMatch struct {
	when cronMinutes
	at   *time.Location
	set  []everaiOverride
}

type everaiOverride struct{ arg, value int }

// everaiDecorator is one of them in a manifest.
type everaiDecorator struct {
	Name      string        `yaml:"name"`
	Arguments everaiEntries `yaml:"arguments"`
}

// everaiEntries are keys with values that keep their order, which decides
// about the matches of time-match.
type everaiEntries map[string]everaiEntry

type everaiEntry struct {
	index int
	text  string
}

// UnmarshalYAML reads a mapping.
func (e *everaiEntries) UnmarshalYAML(decode func(any) error) error {
	var entries yaml.MapSlice
	if err := decode(&entries); err != nil {
		return err
	}
	*e = everaiEntries{}
	for i, item := range entries {
		text := ""
		if item.Value != nil {
			text = fmt.Sprint(item.Value)
		}
		(*e)[fmt.Sprint(item.Key)] = everaiEntry{i, text}
	}
	return nil
}

// keys are in the order of the file.
func (e everaiEntries) keys() []string {
	out := make([]string, 0, len(e))
	for k := range e {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(e[a].index, e[b].index) })
	return out
}

func (d *everaiDecorators) lose(field, format string, args ...any) {
	d.losses = append(d.losses, Loss{Field: field, Reason: fmt.Sprintf(format, args...), Severe: true})
}

func (d *everaiDecorators) read(arguments, factors []everaiDecorator, at string, problems *problems) {
	for i, a := range arguments {
		switch a.Name {
		case "noop":
		case "time-match":
			d.timeMatch(a.Arguments, fmt.Sprintf("%sarguments[%d].arguments.", at, i), problems)
		default:
			d.lose("schedules", "the decorator %s of the arguments is not known", a.Name)
		}
	}
	d.foreign, d.factors = len(d.losses) > 0, len(factors) > 0
	for i, f := range factors {
		switch f.Name {
		case "noop":
		case "average":
			d.histories = 5
			if n, ok := f.Arguments["used_histories"]; ok {
				v, err := everaiNumber(n.text, 1)
				if err != nil || v > 1000 {
					problems.bad(fmt.Sprintf("%sfactors[%d].arguments.used_histories", at, i), "got %q, want a whole number of 1 to 1000", n.text)
				}
				d.histories = min(v, 1000)
			}
			d.lose("metrics[0].window", "EverAI takes the average with %d samples before; a policy looks at the present moment", d.histories)
		default:
			d.lose("metrics[0]", "the decorator %s of the factors is not known", f.Name)
		}
	}
}

// timeMatch reads a time-match decorator: keys of the form match(cron) have
// the prefix of the arguments that hold while the expression matches. The
// prefix is taken off; what is left has to be the name of an argument, or
// changes nothing.
func (d *everaiDecorators) timeMatch(e everaiEntries, at string, problems *problems) {
	zone := e["timezone"].text
	location, err := time.LoadLocation(zone)
	if err != nil {
		problems.bad(at+"timezone", "got %q, want an IANA name such as Europe/Berlin", zone)
		return
	}
	var last everaiWindow
	for _, key := range e.keys() {
		text, isMatch := strings.CutPrefix(key, "match(")
		if !isMatch {
			continue
		}
		text, closed := strings.CutSuffix(text, ")")
		when, err := parseCronMinutes(text)
		if err != nil || !closed {
			problems.bad(at+key, "got %q, want match(...) around five fields of digits and * / , -", key)
			continue
		}
		prefix := e[key].text
		set, lost := e.overrides(prefix, at, problems)
		d.matches = append(d.matches, everaiMatch{when, location, set})
		dates := cronDates(text)
		if prefix != last.prefix || dates != last.dates || last.minutes == nil {
			d.add(last)
			last = everaiWindow{prefix: prefix, dates: dates, zone: zone, set: set, minutes: new(week)}
			d.losses = append(d.losses, lost...)
		}
		for m := range last.minutes {
			last.minutes[m] = last.minutes[m] || when.in(m)
		}
	}
	d.add(last)
}

// overrides are the arguments with a prefix. What a schedule of a policy does
// not have is lost.
func (e everaiEntries) overrides(prefix, at string, problems *problems) (set []everaiOverride, lost []Loss) {
	for _, key := range e.keys() {
		name, ok := strings.CutPrefix(key, prefix)
		if !ok || key == "timezone" || strings.HasPrefix(key, "match(") {
			continue
		}
		arg := slices.IndexFunc(everaiNames[:], func(n everaiName) bool { return n.name == name })
		if arg < 0 {
			lost = append(lost, Loss{Field: "schedules", Reason: fmt.Sprintf("%s changes nothing: there is no argument %s", key, name)})
			continue
		}
		n, err := everaiNumber(e[key].text, everaiNames[arg].least)
		if err != nil {
			problems.bad(at+key, "%v", err)
		}
		set = append(set, everaiOverride{arg, n})
		if arg != argMin && arg != argMax || n == 0 {
			lost = append(lost, Loss{Field: "schedules", Reason: fmt.Sprintf("%s %d: a schedule changes min and max only, to 1 or more", key, n), Severe: true})
		}
	}
	return set, lost
}

// everaiWindow are matches with the same prefix, one after the other.
type everaiWindow struct {
	prefix, dates, zone string
	set                 []everaiOverride
	minutes             *week
}

// add says a window as schedules.
func (d *everaiDecorators) add(w everaiWindow) {
	var low, high int
	for _, o := range w.set {
		switch o.arg {
		case argMin:
			low = o.value
		case argMax:
			high = o.value
		}
	}
	if w.minutes == nil || low == 0 && high == 0 {
		return
	}
	if high != 0 {
		high = max(high, low) // workers are started up to min, whatever max says
	}
	schedules, ok := w.minutes.schedules(w.dates)
	for i := range schedules {
		schedules[i].Timezone, schedules[i].Min, schedules[i].Max = w.zone, low, high
	}
	p := profiles.FixedPolicy(1)
	p.Schedules = schedules
	if !ok || p.Validate() != nil {
		d.lose("schedules", "%s: a policy cannot say when these matches hold", w.prefix)
		return
	}
	d.schedules = append(d.schedules, schedules...)
}

// timeMatch is a schedule as a decorator.
func timeMatch(s profiles.Schedule) (yaml.MapSlice, error) {
	const prefix = "scheduled_"
	matches, err := scheduleMatches(s)
	if err != nil {
		return nil, err
	}
	var arguments yaml.MapSlice
	if s.Timezone != "" {
		arguments = append(arguments, yaml.MapItem{Key: "timezone", Value: s.Timezone})
	}
	for _, m := range matches {
		arguments = append(arguments, yaml.MapItem{Key: "match(" + m + ")", Value: prefix})
	}
	if s.Min > 0 {
		arguments = append(arguments, yaml.MapItem{Key: prefix + "min_workers", Value: strconv.Itoa(s.Min)})
	}
	if s.Max > 0 {
		arguments = append(arguments, yaml.MapItem{Key: prefix + "max_workers", Value: strconv.Itoa(s.Max)})
	}
	return yaml.MapSlice{{Key: "name", Value: "time-match"}, {Key: "arguments", Value: arguments}}, nil
}
