package platform

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"headroom/profiles"
	"headroom/profiles/document"
)

// fly is the fly.toml of Fly.io (superfly/docs: reference/configuration,
// reference/fly-proxy-autostop-autostart). Its proxy starts a machine when all
// that run have soft_limit requests, which is in_flight, and stops one at a
// time; it never creates any. How many may run is how many exist, which the
// file does not say: a comment with "fly scale count N" in it does, written by
// an export and read by an import.
var fly = Platform{
	Name: "fly", Title: "Fly.io, fly.toml", File: "fly.toml",
	begin: func(w *writer) string {
		return fmt.Sprintf(`app = %q

[http_service]
  internal_port = 8080
  auto_stop_machines = "stop"
  auto_start_machines = true
  min_machines_running = 0

  [http_service.concurrency]
    type = "requests"
    soft_limit = %d
`, w.name(), flySoftLimit)
	},
	write: writeFly, read: readFly, recognise: recogniseFly,
}

// flySoftLimit is the default of soft_limit.
const flySoftLimit = 20

// flySettings are those of the first service, with the defaults filled in.
type flySettings struct {
	file     *tomlFile
	service  string // http_service, or services.0
	unknown  []Loss // limits that there are not
	services int

	stop     string // off, stop or suspend
	start    bool
	running  int    // min_machines_running, in the primary region
	counts   string // what a limit counts: requests or connections
	soft     int
	hard     int  // 0: none
	machines int  // that exist; 0: not known
	note     span // where the comment says so
}

func readFly(text []byte) (settings, error) {
	s, err := parseFly(text)
	return s, err
}

func recogniseFly(text []byte) bool {
	f, err := parseTOML(text)
	if err != nil {
		return false
	}
	app, ok := f.value("app")
	return ok && app.kind == unstable.String || f.has("http_service") || f.has("services.0")
}

var scaleCount = regexp.MustCompile(`fly scale count (\d+)`)

func parseFly(text []byte) (flySettings, error) {
	s := flySettings{stop: "off", start: true, counts: "connections", soft: flySoftLimit}
	f, err := parseTOML(text)
	if err != nil {
		return s, err
	}
	s.file = f
	for f.has("services." + strconv.Itoa(s.services)) {
		s.services++
	}
	s.service = "services.0"
	if f.has("http_service") {
		s.service = "http_service"
		s.services++
	}
	if s.services == 0 {
		return s, document.Problem{Key: "http_service", Text: "got none, want one: without a service the proxy starts and stops nothing"}
	}
	s.findCount()
	r := tomlReader{file: f}
	s.read(&r)
	limits := []string{"type", "soft_limit", "hard_limit"}
	for _, v := range f.values {
		if name, ok := strings.CutPrefix(v.path, s.service+".concurrency."); ok && !slices.Contains(limits, name) {
			s.unknown = append(s.unknown, unknownKey("concurrency.", name, limits))
		}
	}
	return s, document.Join(r.problems)
}

// findCount reads the number of machines out of a comment.
func (s *flySettings) findCount() {
	for _, c := range s.file.comments {
		match := scaleCount.FindSubmatchIndex(s.file.text[c.start:c.end])
		if match == nil {
			continue
		}
		if n, err := strconv.Atoi(string(s.file.text[c.start+match[2] : c.start+match[3]])); err == nil && n >= 1 && n <= 1e6 {
			s.machines, s.note = n, span{c.start + match[2], c.start + match[3]}
			return
		}
	}
}

func (s *flySettings) read(r *tomlReader) {
	key := func(name string) string { return s.service + "." + name }
	s.stop = r.word(key("auto_stop_machines"), s.stop, map[string]string{"false": "off", "true": "stop"}, "off", "stop", "suspend")
	s.start = r.word(key("auto_start_machines"), "true", nil, "true", "false") == "true"
	s.running = r.whole(key("min_machines_running"), 0, 0)
	s.counts = r.word(key("concurrency.type"), s.counts, nil, "requests", "connections")
	s.soft = r.whole(key("concurrency.soft_limit"), s.soft, 1)
	s.hard = r.whole(key("concurrency.hard_limit"), 0, 1)
	if s.hard > 0 && s.hard < s.soft {
		r.bad(key("concurrency.hard_limit"), "got %d, want soft_limit (%d) or more", s.hard, s.soft)
	}
	if s.machines > 0 && s.running > s.machines {
		r.bad(key("min_machines_running"), "got %d, want no more than exist, which are %d (fly scale count)", s.running, s.machines)
	}
}

// tomlReader takes values out of a file, and collects what is wrong.
type tomlReader struct {
	file     *tomlFile
	problems []document.Problem
}

func (r *tomlReader) bad(key, format string, args ...any) {
	var p problems
	p.bad(key, format, args...)
	if v, ok := r.file.value(key); ok {
		p[0].Line = v.line
	}
	r.problems = append(r.problems, p[0])
}

// word is one of those that are wanted, or what another one stands for.
func (r *tomlReader) word(key, otherwise string, aliases map[string]string, wanted ...string) string {
	v, ok := r.file.value(key)
	if !ok {
		return otherwise
	}
	if alias, ok := aliases[v.data]; ok && v.kind == unstable.Bool {
		return alias
	}
	for _, w := range wanted {
		if v.data == w && (v.kind == unstable.String || v.kind == unstable.Bool) {
			return w
		}
	}
	kinds := make([]profiles.Kind, len(wanted))
	for i, w := range wanted {
		kinds[i] = profiles.Kind(w)
	}
	r.bad(key, "got %s, want %s", r.file.text[v.at.start:v.at.end], oneOf(kinds))
	return otherwise
}

// whole is an integer of low or more.
func (r *tomlReader) whole(key string, otherwise, low int) int {
	v, ok := r.file.value(key)
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseInt(v.data, 0, 32)
	if v.kind != unstable.Integer || err != nil || int(n) < low {
		r.bad(key, "got %s, want a whole number of %d or more", r.file.text[v.at.start:v.at.end], low)
		return otherwise
	}
	return int(n)
}

func (s flySettings) policy() (profiles.Policy, []Loss) {
	t := told(slices.Clone(s.unknown))
	if s.services > 1 {
		t.severe("metrics", "", "of %d services only %s was read", s.services, s.service)
	}
	if s.stop == "off" && s.machines > 0 {
		return profiles.FixedPolicy(s.machines), t
	}
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: s.running, Max: profiles.Limit(s.machines)}
	if s.machines == 0 {
		p.Replicas.Max = profiles.Unlimited
		t.severe("replicas.max", "", `as many machines may run as exist, which the file does not say: a comment such as "fly scale count 20" in it would`)
	}
	if s.running == 0 {
		p.ToZero = &profiles.ToZero{After: profiles.DefaultToZero}
	}
	p.Metrics = []profiles.Metric{{Kind: profiles.InFlight, Target: profiles.Milli(s.soft) * 1000, Window: p.Interval}}
	p.Down.Step = 1
	switch {
	case s.stop == "off":
		t.severe("down", "", `auto_stop_machines is "off": no machine is ever stopped`)
	case !s.start:
		t.severe("up", "", "auto_start_machines is false: no machine is ever started")
	}
	if s.counts == "connections" {
		t.severe("metrics[0].kind", "connections", "a policy counts requests in flight; a connection may carry one, several or none")
	}
	if s.hard > 0 {
		t.lost("metrics[0]", "", "hard_limit %d: beyond it requests wait or go elsewhere", s.hard)
	}
	return p, t
}

func (s flySettings) decider() (profiles.Decider, error) {
	if s.stop == "off" && s.machines > 0 {
		return profiles.FixedPolicy(s.machines).Decider()
	}
	return &flyDecider{s: s}, nil
}

func writeFly(w *writer, base []byte) ([]byte, error) {
	was, err := parseFly(base)
	if err != nil {
		return nil, err
	}
	p := w.policy
	before, _ := was.policy()
	w.because("schedules", "the proxy has none")
	w.because("replicas.initial", "the proxy starts machines when requests come")
	w.because("down.step", "the proxy stops one machine at a time")
	w.because("up.step", "a machine is started for each request that finds all others at their limit")
	w.because("metrics[0].scope", "a limit is for each machine")
	w.hidden("", "the proxy has its own timing, which is not documented")
	w.noIdle("the proxy")
	cuts := w.flyCount(was, before)
	var service []assignment
	changed := len(profiles.Changes(before, p)) > 0
	switch {
	case len(p.Metrics) == 0 && was.stop != "off":
		service = append(service, assignment{"auto_stop_machines", `"off"`})
	case len(p.Metrics) > 0 && changed && was.stop == "off":
		service = append(service, assignment{"auto_stop_machines", `"stop"`})
	}
	if len(p.Metrics) == 0 {
		return splice(base, append(cuts, was.file.set(was.service, service...)...)), nil
	}
	if changed && !was.start {
		service = append(service, assignment{"auto_start_machines", "true"})
	}
	if before.Replicas.Min != p.Replicas.Min || len(before.Metrics) == 0 {
		service = append(service, assignment{"min_machines_running", strconv.Itoa(p.Replicas.Min)})
	}
	cuts = append(cuts, was.file.set(was.service, service...)...)
	cuts = append(cuts, w.flyMetric(was, before)...) // a table of its own comes after these
	if m := p.Metrics[0]; m.Kind == profiles.RPS {
		count := fmt.Sprintf("max(%d, ceil(rps / %s))", max(1, p.Replicas.Min), m.Target)
		if p.Replicas.Max != profiles.Unlimited {
			count = fmt.Sprintf("max(%d, min(%s, ceil(rps / %s)))", max(1, p.Replicas.Min), p.Replicas.Max, m.Target)
		}
		w.note("exact requests/s need fly-autoscaler: FAS_CREATED_MACHINE_COUNT = %q", count)
	}
	if p.Replicas.Min > 1 {
		w.note("min_machines_running holds for the primary region only; in others all machines may stop")
	}
	return splice(base, cuts), nil
}

// flyCount puts the number of machines into the comment that says it.
func (w *writer) flyCount(was flySettings, before profiles.Policy) []cut {
	most := w.policy.Replicas.Max
	if most == profiles.Unlimited {
		w.note("as many machines may run as there are: create enough of them with fly scale count")
		if was.machines == 0 {
			return nil
		}
		w.refuse("replicas.max", "got unlimited, want the number of machines that exist, %d as the comment says", was.machines)
		return nil
	}
	w.note("the proxy creates no machines: create them with fly scale count %d", int(most))
	switch {
	case before.Replicas.Max == most:
		return nil
	case was.machines > 0:
		return []cut{{was.note.start, was.note.end, most.String()}}
	}
	return []cut{was.file.comment(was.service, "min_machines_running", "the most machines that may run, once created: fly scale count "+most.String())}
}

// flyMetric are the cuts that set the limit.
func (w *writer) flyMetric(was flySettings, before profiles.Policy) []cut {
	m, ok := w.only(profiles.InFlight)
	if !ok {
		return nil
	}
	if !m.PerReplica() {
		w.refuse("metrics[0].scope", "got %s, want %s: a limit is for each machine", m.Scope, profiles.PerReplica)
	}
	if len(before.Metrics) > 0 && before.Metrics[0].Target == m.Target {
		return nil
	}
	soft := w.wholeTarget(m)
	if was.hard > 0 && soft > was.hard {
		w.refuse("metrics[0].target", "got %d, but hard_limit is %d in the document: raise that, or remove it", soft, was.hard)
	}
	limits := []assignment{{"soft_limit", strconv.Itoa(soft)}}
	if was.counts != "requests" {
		limits = append(limits, assignment{"type", `"requests"`})
	}
	return was.file.set(was.service+".concurrency", limits...)
}
