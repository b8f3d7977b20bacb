package platform

import (
	"fmt"
	"math"
	"strings"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// trueFoundry is the service of TrueFoundry by the names of its SDK
// (truefoundry/truefoundry-python-sdk, src/truefoundry_sdk/types): replicas is
// a number, or a range with one metric, which is requests per second, CPU, or
// hours (cron); auto_shutdown takes all replicas away while nothing arrives.
var trueFoundry = Platform{
	Name: trueFoundryName, Title: "TrueFoundry service", File: "truefoundry.yaml",
	begin: beginTrueFoundry, write: writeTrueFoundry, read: readTrueFoundry, recognise: recogniseTrueFoundry,
}

const trueFoundryName = "truefoundry"

// The metrics of a service, by their type.
const (
	tfyRPS  = "rps"             // a replica, averaged over all of them
	tfyCPU  = "cpu_utilization" // percent of the CPU request, averaged over all replicas
	tfyCron = "cron"            // hours
)

// tfyReplicas is the range of a service that is scaled.
type tfyReplicas struct {
	Min     int       `yaml:"min_replicas"`
	Max     int       `yaml:"max_replicas"`
	Polling int       `yaml:"polling_interval"` // seconds
	Metrics tfyMetric `yaml:"metrics"`          // one, in spite of the name
}

type tfyMetric struct {
	Type     string   `yaml:"type"`
	Value    *float64 `yaml:"value"`
	Start    string   `yaml:"start"`
	End      string   `yaml:"end"`
	Timezone string   `yaml:"timezone"`
	Desired  *int     `yaml:"desired_replicas"` // default max_replicas
}

type tfyShutdown struct {
	Wait *int `yaml:"wait_time"` // seconds since the last request, default 900
}

// tfySettings are what a service says.
type tfySettings struct {
	doc      int // index in the file
	others   int // services in it
	fixed    int // replicas; 0: those below
	replicas tfyReplicas
	desired  int // of cron
	shutdown int // seconds; 0: never
}

// tfyService tells a service from other documents.
type tfyService struct {
	Type     string `yaml:"type"`
	Name     string `yaml:"name"`
	Replicas any    `yaml:"replicas"`
	Image    any    `yaml:"image"`
	Ports    any    `yaml:"ports"`
}

func (s tfyService) is() bool {
	return (s.Type == "service" || s.Type == "async-service") && (s.Replicas != nil || s.Image != nil || s.Ports != nil)
}

// findTrueFoundry are the services of a file.
func findTrueFoundry(text []byte) (docs []document.Document, services []tfyService) {
	all, _ := document.Split(text)
	for _, d := range all {
		var service tfyService
		if _, err := d.Decode(&service, document.Lax); err == nil && service.is() {
			docs, services = append(docs, d), append(services, service)
		}
	}
	return docs, services
}

func recogniseTrueFoundry(text []byte) bool {
	docs, _ := findTrueFoundry(text)
	return len(docs) > 0
}

func readTrueFoundry(text []byte) (settings, error) {
	s, err := parseTrueFoundry(text)
	return s, err
}

func parseTrueFoundry(text []byte) (tfySettings, error) {
	docs, services := findTrueFoundry(text)
	if len(docs) == 0 {
		if _, err := document.Split(text); err != nil {
			return tfySettings{}, err
		}
		return tfySettings{}, document.Problem{Text: "got no document with type: service"}
	}
	d, service := docs[0], services[0]
	s := tfySettings{doc: d.Index, others: len(docs) - 1}
	var problems problems
	if service.Type != "service" {
		problems.bad("type", "got %q, want service: the metrics of others are queues of their own", service.Type)
	}
	if _, scaled := service.Replicas.(map[string]any); !scaled {
		var file struct {
			Type     string       `yaml:"type"`
			Replicas int          `yaml:"replicas"`
			Shutdown *tfyShutdown `yaml:"auto_shutdown"`
		}
		file.Replicas = 1
		lines, err := d.Decode(&file, document.Lax)
		if s.fixed, s.shutdown = file.Replicas, file.Shutdown.wait(&problems); s.fixed < 1 {
			problems.bad("replicas", "got %d, want 1 or more", s.fixed)
		}
		return s, lines.Check(err, problems)
	}
	var file struct {
		Type     string       `yaml:"type"`
		Replicas tfyReplicas  `yaml:"replicas"`
		Shutdown *tfyShutdown `yaml:"auto_shutdown"`
	}
	file.Replicas = tfyReplicas{Min: 1, Polling: 30, Metrics: tfyMetric{Timezone: "UTC"}}
	lines, err := d.Decode(&file, document.Lax)
	s.replicas = file.Replicas
	s.shutdown = file.Shutdown.wait(&problems)
	s.desired = or(s.replicas.Metrics.Desired, s.replicas.Max)
	slips := append(unknown(lines, "", "replicas.", keysOf(tfyReplicas{})), unknown(lines, "", "replicas.metrics.", keysOf(tfyMetric{}))...)
	s.check(slips, &problems)
	return s, lines.Check(err, problems)
}

// wait is for how long, in seconds; 0 where there is none.
func (t *tfyShutdown) wait(problems *problems) int {
	if t == nil {
		return 0
	}
	seconds := or(t.Wait, 900)
	if seconds < 1 {
		problems.bad("auto_shutdown.wait_time", "got %d, want 1 second or more", seconds)
	}
	return seconds
}

// check finds what TrueFoundry would refuse; slips are the unknown keys, which
// its SDK forbids.
func (s tfySettings) check(slips []Loss, problems *problems) {
	r, maxMeant := s.replicas, false
	for _, l := range slips {
		of, name := keysOf(r), strings.TrimPrefix(l.Field, "replicas.")
		if inner, ok := strings.CutPrefix(name, "metrics."); ok {
			of, name = keysOf(r.Metrics), inner
		}
		want := nearest(name, of)
		if maxMeant = maxMeant || want == "max_replicas"; want == "" {
			want = "one of " + strings.Join(of, ", ")
		}
		problems.bad(l.Field, "unknown key, want %s", want)
	}
	if r.Min < 1 {
		problems.bad("replicas.min_replicas", "got %d, want 1 or more: auto_shutdown is what takes a service to 0", r.Min)
	}
	if r.Max < max(1, r.Min) && !maxMeant {
		problems.bad("replicas.max_replicas", "got %d, want min_replicas (%d) or more", r.Max, r.Min)
	}
	if r.Polling < 1 {
		problems.bad("replicas.polling_interval", "got %d, want 1 second or more", r.Polling)
	}
	s.checkMetric(problems)
}

func (s tfySettings) checkMetric(problems *problems) {
	const key = "replicas.metrics."
	m := s.replicas.Metrics
	value := or(m.Value, 0)
	switch m.Type {
	case tfyRPS:
		if !(value > 0 && value <= 1e6) {
			problems.bad(key+"value", "got %v, want more than 0 and at most 1000000 requests/s", value)
		}
	case tfyCPU:
		if !(value >= 1 && value <= 1e6 && value == math.Trunc(value)) {
			problems.bad(key+"value", "got %v, want a whole number of percent, 1 or more", value)
		}
	case tfyCron:
		if s.desired < 1 {
			problems.bad(key+"desired_replicas", "got %d, want 1 or more", s.desired)
		}
		p := profiles.FixedPolicy(1)
		p.Schedules = []profiles.Schedule{{Start: m.Start, End: m.End, Timezone: m.Timezone, Min: 1}}
		for _, problem := range document.Problems(p.Validate()) {
			problems.bad(strings.Replace(problem.Key, "schedules[0].", key, 1), "%s", problem.Text)
		}
	default:
		problems.bad(key+"type", "got %q, want %s, %s or %s", m.Type, tfyRPS, tfyCPU, tfyCron)
	}
}

func (s tfySettings) policy() (profiles.Policy, []Loss) {
	var losses []Loss
	if s.others > 0 {
		losses = append(losses, Loss{Field: "platforms.truefoundry", Severe: true, Reason: fmt.Sprintf("only the first of %d services is read", s.others+1)})
	}
	if s.fixed > 0 {
		return profiles.FixedPolicy(s.fixed), append(losses, s.never("a policy of a fixed size")...)
	}
	p, r := profiles.DefaultPolicy(), s.replicas
	p.Replicas = profiles.Bounds{Min: r.Min, Max: profiles.Limit(r.Max)}
	p.Interval = profiles.Duration(min(time.Duration(r.Polling), 3600) * time.Second)
	if p.Interval.Std() != time.Duration(r.Polling)*time.Second {
		losses = append(losses, Loss{Field: "interval", Reason: fmt.Sprintf("polling_interval is %d s; a policy knows no more than %s", r.Polling, p.Interval)})
	}
	window := min(p.Interval, profiles.Duration(profiles.MaxWindow))
	switch m := r.Metrics; m.Type {
	case tfyCron:
		more := s.cron(&p)
		losses = append(losses, append(more, s.never("a policy of a fixed size")...)...)
	case tfyCPU:
		p.Metrics = []profiles.Metric{{Kind: profiles.CPU, Target: profiles.Milli(or(m.Value, 0)) * 1000, Window: window}}
		losses = append(losses, s.never("cpu")...)
	default:
		p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: max(1, profiles.MilliOf(or(m.Value, 0))), Window: window}}
		s.rest(&p)
	}
	return p, losses
}

// never is the loss of auto_shutdown where nothing in the policy shows whether
// requests arrive.
func (s tfySettings) never(where string) []Loss {
	if s.shutdown == 0 {
		return nil
	}
	return []Loss{{Field: "toZero", Severe: true, Reason: fmt.Sprintf("auto_shutdown stops all replicas %d s after the last request; %s does not see requests", s.shutdown, where)}}
}

// rest is auto_shutdown in a policy. With one replica at least, it is the same
// as a minimum of 0.
func (s tfySettings) rest(p *profiles.Policy) {
	if s.shutdown == 0 {
		return
	}
	p.ToZero = &profiles.ToZero{After: profiles.Duration(min(time.Duration(s.shutdown), 24*3600) * time.Second)}
	if p.Replicas.Min == 1 {
		p.Replicas.Min = 0
		return
	}
	p.Replicas.Idle = new(int)
}

// cron is a policy without any metric: it stays at min, and at the size of the
// schedule within its hours. As the highest demand wins, a schedule can only
// add replicas.
func (s tfySettings) cron(p *profiles.Policy) (losses []Loss) {
	r, m := s.replicas, s.replicas.Metrics
	size := min(max(s.desired, r.Min), r.Max)
	p.Replicas.Max = profiles.Limit(r.Min)
	p.Schedules = []profiles.Schedule{{Start: m.Start, End: m.End, Timezone: m.Timezone, Min: size}}
	if r.Max > size {
		losses = append(losses, Loss{Field: "replicas.max", Reason: fmt.Sprintf("max_replicas is %d, but nothing ever asks for more than %d", r.Max, size)})
	}
	if s.inBand(size) {
		losses = append(losses, Loss{Field: "schedules[0]", Reason: s.bandText(size), Severe: true})
	}
	return losses
}

// inBand reports whether the size of the schedule is too near to min for the
// HPA that is assumed behind it.
func (s tfySettings) inBand(size int) bool {
	return size != s.replicas.Min && (size-s.replicas.Min)*10 <= s.replicas.Min
}

func (s tfySettings) bandText(size int) string {
	return fmt.Sprintf("%d is within 10 %% of min_replicas (%d), where a Kubernetes autoscaler changes nothing", size, s.replicas.Min)
}
