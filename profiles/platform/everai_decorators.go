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
	target    int                 // the argument that is the autoscaler's own
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

func (d *everaiDecorators) read(scaler string, arguments, factors []everaiDecorator, at string, problems *problems) {
	d.target = argFree
	if scaler == simpleQueue {
		d.target = argQueue
	}
	for i, a := range arguments {
		switch a.Name {
		case "noop":
		case "time-match":
			d.timeMatch(scaler, a.Arguments, fmt.Sprintf("%sarguments[%d].arguments.", at, i), problems)
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
func (d *everaiDecorators) timeMatch(scaler string, e everaiEntries, at string, problems *problems) {
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
		set, lost := e.overrides(scaler, prefix, at, problems)
		d.matches = append(d.matches, everaiMatch{when, location, set})
		dates := cronDates(text)
		if prefix != last.prefix || dates != last.dates || last.minutes == nil {
			d.add(last)
			last = everaiWindow{prefix: prefix, dates: dates, zone: zone, set: set, minutes: new(week)}
			d.losses = append(d.losses, lost...)
		}
		last.matches = append(last.matches, everaiCron{text, when})
		for m := range last.minutes {
			last.minutes[m] = last.minutes[m] || when.in(m)
		}
	}
	d.add(last)
}

// overrides are the arguments with a prefix. What a schedule of a policy does
// not have is lost.
func (e everaiEntries) overrides(scaler, prefix, at string, problems *problems) (set []everaiOverride, lost []Loss) {
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
		switch {
		case (arg == argMin || arg == argMax) && n == 0:
			lost = append(lost, Loss{Field: "schedules", Reason: fmt.Sprintf("%s %d: a schedule changes min and max to 1 or more", key, n), Severe: true})
		case arg == argFree && scaler == simpleQueue, arg == argQueue && scaler == freeWorker:
			lost = append(lost, Loss{Field: "schedules", Reason: fmt.Sprintf("%s changes nothing: %s has no argument %s", key, scaler, name)})
		}
	}
	return set, lost
}

// everaiWindow are matches with the same prefix, one after the other.
type everaiWindow struct {
	prefix, dates, zone string
	set                 []everaiOverride
	matches             []everaiCron
	minutes             *week
}

type everaiCron struct {
	text string
	when cronMinutes
}

// add says a window as schedules: from a start to an end where that takes no
// more of them than there are matches, else by the minutes that match.
func (d *everaiDecorators) add(w everaiWindow) {
	said := d.say(w)
	if w.minutes == nil || said.Min == 0 && said.Max == 0 && len(said.Set) == 0 {
		return
	}
	schedules, ok := w.minutes.schedules(w.dates)
	if !ok || len(schedules) > len(w.matches) {
		schedules = nil
		for _, m := range w.matches {
			if m.when.bothDays() {
				d.lose("schedules", "%s: a policy cannot say when these matches hold, which are on days of the month and of the week at once", w.prefix)
				return
			}
			schedules = append(schedules, profiles.Schedule{Match: m.policyText()})
		}
	}
	for i := range schedules {
		schedules[i].Timezone, schedules[i].Min, schedules[i].Max, schedules[i].Set = w.zone, said.Min, said.Max, said.Set
	}
	p := profiles.FixedPolicy(1)
	for _, s := range schedules {
		s.Set, s.Min = nil, 1 // which of them there are is for the whole policy to say
		p.Schedules = append(p.Schedules, s)
	}
	if p.Validate() != nil {
		d.lose("schedules", "%s: a policy cannot say when these matches hold", w.prefix)
		return
	}
	d.schedules = append(d.schedules, schedules...)
}

// say is what a window changes, without its hours.
func (d *everaiDecorators) say(w everaiWindow) (s profiles.Schedule) {
	for _, o := range w.set {
		switch {
		case o.arg == argMin:
			s.Min = o.value
		case o.arg == argMax:
			s.Max = o.value
		case everaiPaths[o.arg] == everaiPaths[argFree] && o.arg != d.target:
		case o.arg == argIdle:
			s.Set = append(s.Set, profiles.Setting{Key: everaiPaths[o.arg], Value: (profiles.Duration(o.value) * profiles.Duration(time.Second)).String()})
		default:
			s.Set = append(s.Set, profiles.Setting{Key: everaiPaths[o.arg], Value: strconv.Itoa(o.value)})
		}
	}
	if s.Max != 0 {
		s.Max = max(s.Max, s.Min) // workers are started up to min, whatever max says
	}
	return s
}

// policyText is the expression as a policy has it, where Sunday is 0 only.
func (c everaiCron) policyText() string {
	fields := strings.Fields(c.text)
	if strings.Contains(fields[4], "7") {
		fields[4] = cronText(c.when.weekday, 0, 6)
	}
	return strings.Join(fields, " ")
}

// everaiPaths are what the arguments are called in a policy with one metric.
var everaiPaths = [argCount]string{"replicas.min", "replicas.max", "metrics[0].target", "metrics[0].target", "up.step", "down.idle"}

// timeMatch is the schedule with an index as a decorator.
func (c *everaiWriter) timeMatch(i int) (yaml.MapSlice, error) {
	const prefix = "scheduled_"
	s := c.policy.Schedules[i]
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
	put := func(arg, value int) {
		arguments = append(arguments, yaml.MapItem{Key: prefix + everaiNames[arg].name, Value: strconv.Itoa(value)})
	}
	if s.Min > 0 {
		put(argMin, s.Min)
	}
	if s.Max > 0 {
		put(argMax, s.Max)
	}
	for _, one := range s.Set {
		arg, value, err := c.override(one, c.policy.During(s))
		if err != nil {
			return nil, err
		}
		put(arg, value)
	}
	return yaml.MapSlice{{Key: "name", Value: "time-match"}, {Key: "arguments", Value: arguments}}, nil
}

// override is a setting as an argument; during is the policy while it holds.
func (c *everaiWriter) override(s profiles.Setting, during profiles.Policy) (arg, value int, err error) {
	arg = slices.Index(everaiPaths[:], s.Key)
	exact := true
	switch arg {
	case argMin:
		value = during.Replicas.Min
	case argMax:
		value, exact = int(during.Replicas.Max), during.Replicas.Max != profiles.Unlimited
	case argStep:
		value = max(1, during.Up.Step)
	case argIdle:
		value, exact = int(during.Down.Idle.Std()/time.Second), during.Down.Idle.Std()%time.Second == 0
	case argFree:
		target := during.Metrics[0].Target
		if value, exact = int(target/1000), target.Whole(); during.Metrics[0].Kind == profiles.Queue {
			arg = argQueue
		}
	default:
		return 0, 0, fmt.Errorf("got %s, want replicas.min, replicas.max, metrics[0].target, up.step or down.idle: EverAI has no other arguments", s)
	}
	if !exact {
		return 0, 0, fmt.Errorf("got %s, want a whole number: EverAI has no other", s)
	}
	return arg, value, nil
}
