package platform

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/robfig/cron/v3"

	"headroom/profiles"
)

// nomad is a job of HashiCorp Nomad with a scaling block, or a policy file of
// its autoscaler (hashicorp/nomad-autoscaler: policy/nomad/parser.go and
// validate.go, policy/processor.go for the defaults, policy/schedule.go). What
// is read and written is the first group with a scaling block and in there the
// checks with the strategy target-value; a check with a schedule and the
// strategy fixed-value is a floor for these hours.
//
// A check is named after what it measures, for a query to Prometheus does not
// say: rps, in_flight, queue, latency, cpu (cores) or memory (MiB). Any other
// name is a custom metric.
var nomad = Platform{
	Name: "nomad", Title: "HashiCorp Nomad, job with a scaling block", File: "job.nomad.hcl",
	begin: func(w *writer) string {
		return fmt.Sprintf(`job %[1]q {
  group %[1]q {
    count = 1

    task %[1]q {
      driver = "docker"

      config {
        image = %[2]q
      }
    }
  }
}
`, w.name(), w.image())
	},
	write: writeNomad, read: readNomad, recognise: recogniseNomad,
}

// The defaults of the autoscaler's agent. A duration of 0 means them too.
const (
	nomadInterval  = 10 * time.Second
	nomadCooldown  = 5 * time.Minute
	nomadThreshold = 0.01
	nomadAPM       = "nomad-apm"
)

// nomadSettings are those of one group, with the defaults filled in.
type nomadSettings struct {
	group, scaling, rules *hclsyntax.Block // rules is the policy block; nil: there is none

	count      int // of the group; -1: not given, or by a variable
	enabled    bool
	min, max   int
	interval   time.Duration
	cooldown   time.Duration
	cooldownUp time.Duration
	ownUp      bool // cooldown_on_scale_up is given
	checks     []nomadCheck
	others     string      // groups that are not read
	unknown    []Loss      // attributes that Nomad ignores
	hours      *nomadHours // in which the policy acts; nil: always
}

// nomadCheck is one check with its strategy.
type nomadCheck struct {
	block, strategy *hclsyntax.Block
	label, kind     string // kind is the label of the strategy
	source, query   string
	group           string
	target          float64
	threshold       float64
	maxUp, maxDown  int         // replicas at once; 0: no limit
	value           int         // of fixed-value
	hours           *nomadHours // in which it acts; nil: always
	ignore          bool        // go on without it while it has no value
}

// nomadHours are the times between each start and the next end, or of some
// length after it, in UTC.
type nomadHours struct {
	start, end string
	from, to   cron.Schedule
	lasts      time.Duration
}

// tracks reports whether the check keeps a metric at a target.
func (c nomadCheck) tracks() bool { return c.kind == "target-value" }

// floor reports whether the check is a lower bound for certain hours.
func (c nomadCheck) floor() bool {
	return c.kind == "fixed-value" && c.hours != nil && c.hours.end != "" && c.value > 0
}

// tracked are the checks that are metrics of a policy.
func (s nomadSettings) tracked() (out []nomadCheck) {
	for _, c := range s.checks {
		if c.tracks() {
			out = append(out, c)
		}
	}
	return out
}

// floors are the checks that are schedules of a policy.
func (s nomadSettings) floors() (out []nomadCheck) {
	for _, c := range s.checks {
		if c.floor() {
			out = append(out, c)
		}
	}
	return out
}

func (s nomadSettings) policy() (profiles.Policy, []Loss) {
	t := told(slices.Clone(s.unknown))
	if s.others != "" {
		t.severe("group", s.others, "a policy is for one group, here %s", strings.Join(s.group.Labels, "."))
	}
	if s.scaling == nil {
		return profiles.FixedPolicy(max(1, s.count)), t
	}
	if len(s.checks) == 0 && s.min == s.max {
		return profiles.FixedPolicy(s.min), t
	}
	p := profiles.DefaultPolicy()
	p.Interval, p.Up.Stabilization, p.Down.Stabilization = s.paces(&t)
	p.Replicas = profiles.Bounds{Min: s.min, Max: profiles.Limit(s.max)}
	if s.count > 0 && s.count != s.min {
		p.Replicas.Initial = s.count
	}
	arrives := false
	for i, c := range s.tracked() {
		m := c.metric(fmt.Sprintf("metrics[%d]", i), p.Interval, &t)
		p.Metrics = append(p.Metrics, m)
		arrives = arrives || m.Kind != profiles.CPU && m.Kind != profiles.Memory && m.Kind != profiles.Latency
	}
	switch {
	case s.min > 0:
	case arrives:
		p.ToZero = &profiles.ToZero{After: p.Interval}
		t.lost("toZero.after", "", "Nomad goes to 0 at the first evaluation that finds nothing; a policy after an interval of it")
	default:
		p.Replicas.Min = 1
		t = append(t, Loss{Field: "replicas.min", From: "0", To: "1", Reason: "no check shows whether anything arrives, so that a policy could not leave 0 again", Severe: true})
	}
	s.timing(&p, &t)
	s.schedules(&p, &t)
	return p, t
}

// timing are the settings that all checks share in a policy.
func (s nomadSettings) timing(p *profiles.Policy, t *told) {
	for _, c := range []struct {
		field, after string
		pause        profiles.Duration
	}{
		{"down.stabilization", "taken replicas away", p.Down.Stabilization}, {"up.stabilization", "added replicas", p.Up.Stabilization},
	} {
		if c.pause > 0 {
			t.lost(c.field, "", "for %s after it has %s Nomad does nothing at all; a policy waits until the demand has lasted that long, which is the nearest", c.pause, c.after)
		}
	}
	tracked := s.tracked()
	for i, c := range tracked {
		if i == 0 {
			p.Tolerance = t.ratio("tolerance", c.threshold)
			p.Up.Step, p.Down.Step = c.maxUp, c.maxDown
		}
		if first := tracked[0]; c.threshold != first.threshold || c.maxUp != first.maxUp || c.maxDown != first.maxDown {
			t.severe("tolerance", c.label, "the check has a threshold or steps of its own; a policy has those of the first, %s", first.label)
		}
		if c.hours != nil {
			t.severe("schedules", c.label, "the check acts in certain hours only; a policy has hours for min and max only")
		}
	}
	if !s.enabled {
		t.severe("replicas", "", "scaling is not enabled, so that the count stays as it is")
	}
}

// paces are the evaluation interval and the cooldowns as a policy sees them.
func (s nomadSettings) paces(t *told) (interval, up, down profiles.Duration) {
	return t.within("interval", s.interval, time.Second, time.Hour),
		t.within("up.stabilization", pause(s.cooldownUp), 0, time.Hour),
		t.within("down.stabilization", pause(s.cooldown), 0, time.Hour)
}

// pause is a cooldown without what does not matter. One that is shorter than any
// evaluation interval of a policy is none.
func pause(cooldown time.Duration) time.Duration {
	if cooldown < time.Second {
		return 0
	}
	return cooldown
}

// schedules are the floors, and what else depends on the time of day.
func (s nomadSettings) schedules(p *profiles.Policy, t *told) {
	for _, c := range s.checks {
		switch {
		case c.floor():
			p.Schedules = append(p.Schedules, profiles.Schedule{Start: c.hours.start, End: c.hours.end, Timezone: "UTC", Min: c.value})
		case c.tracks():
		case c.kind == "fixed-value" && c.hours != nil:
			t.severe("schedules", c.label, "the floor of %d lasts for %s; a policy wants the end as a cron expression", c.value, profiles.Duration(c.hours.lasts))
		case c.kind == "fixed-value":
			t.severe("replicas.min", c.label, "it is a floor of %d at all times, beside min", c.value)
		default:
			t.severe("metrics", c.label, "a policy does not have its strategy %s, only target-value; the check stays in the document", c.kind)
		}
	}
	if s.hours != nil {
		t.severe("schedules", "", "outside of the schedule of the policy block nothing scales; a policy has hours for min and max only")
	}
}
