package platform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// rayServe is the config file of Ray Serve (python/ray/serve/config.py, class
// AutoscalingConfig, and schema.py). It knows one metric, the requests that a
// deployment runs or queues, which is in_flight, and delays in both
// directions. The defaults of its constants are those of
// python/ray/serve/_private/constants.py.
//
// One deployment of the file is read and written: the first with an
// autoscaling_config, or else the first.
var rayServe = Platform{
	Name: "rayserve", Title: "Ray Serve, config file", File: "serve.yaml",
	begin: func(w *writer) string {
		return fmt.Sprintf(`applications:
  - name: %[1]s
    import_path: %[2]s
    deployments:
      - name: %[1]s
`, w.name(), w.given("import_path", "", "app:deployment")) // no flag gives it: an existing document has it
	},
	write: writeRayServe, read: readRayServe, recognise: recogniseRayServe,
}

// The defaults of Ray Serve. A max_replicas that is left out is 1, or 100 with
// num_replicas: auto.
const (
	rayTarget     = 2 // requests per replica
	rayMaxOngoing = 5 // requests that a replica takes at once
	rayLookBack   = 30 * time.Second
	rayUp         = 30 * time.Second
	rayDown       = 600 * time.Second
	rayAuto       = "auto"
)

// rayFile is what a config file says about scaling.
type rayFile struct {
	Applications []struct {
		Name        string          `yaml:"name"`
		Deployments []rayDeployment `yaml:"deployments"`
	} `yaml:"applications"`
}

type rayDeployment struct {
	Name        string      `yaml:"name"`
	NumReplicas string      `yaml:"num_replicas"` // a number, or auto
	MaxOngoing  *int        `yaml:"max_ongoing_requests"`
	Scaling     *rayScaling `yaml:"autoscaling_config"`
}

// rayScaling is an autoscaling_config; nil is what it leaves out.
type rayScaling struct {
	Min         *int     `yaml:"min_replicas"`
	Initial     *int     `yaml:"initial_replicas"`
	Max         *int     `yaml:"max_replicas"`
	Target      *float64 `yaml:"target_ongoing_requests"`
	LookBack    *seconds `yaml:"look_back_period_s"`
	UpDelay     *seconds `yaml:"upscale_delay_s"`
	DownDelay   *seconds `yaml:"downscale_delay_s"`
	ZeroDelay   *seconds `yaml:"downscale_to_zero_delay_s"` // from 1 to 0; else DownDelay
	UpFactor    *float64 `yaml:"upscaling_factor"`          // of the difference, not of the size
	DownFactor  *float64 `yaml:"downscaling_factor"`
	Aggregation string   `yaml:"aggregation_function"` // mean, max or min
	Policy      any      `yaml:"policy"`               // a function of one's own

	// What the same was called before; the names above win.
	OldTarget     *float64 `yaml:"target_num_ongoing_requests_per_replica"`
	OldFactor     *float64 `yaml:"smoothing_factor"`
	OldUpFactor   *float64 `yaml:"upscale_smoothing_factor"`
	OldDownFactor *float64 `yaml:"downscale_smoothing_factor"`
}

// raySettings are those of one deployment, with the defaults filled in.
type raySettings struct {
	app, deployment int    // where it stands
	unknown         []Loss // keys that Ray ignores
	none            bool   // the application lists no deployment
	others          string // deployments that are not read
	name            string
	fixed           int // num_replicas, where nothing scales; else 0
	maxOngoing      int // 0: not given

	min, max, initial       int // initial -1: not given
	target                  float64
	lookBack, up, down      time.Duration
	toZero                  time.Duration
	upFactor, downFactor    float64
	aggregation             string
	ownPolicy, zeroDelaySet bool
}

func readRayServe(text []byte) (settings, error) {
	s, err := parseRayServe(text)
	return s, err
}

func parseRayServe(text []byte) (raySettings, error) {
	var f rayFile
	lines, err := document.Decode(text, &f, document.Lax)
	if lines == nil {
		return raySettings{}, err
	}
	if len(f.Applications) == 0 {
		return raySettings{}, lines.Check(err, problems{{Key: "applications", Text: "got none, want one"}})
	}
	s := f.choose()
	if s.none {
		s.fixed = 1
		return s, lines.Check(err, nil)
	}
	s.unknown = unknown(lines, s.key("", "."), "autoscaling_config.", append(keysOf(rayScaling{}), "metrics_interval_s")) // deprecated, and means nothing here
	var problems problems
	s.fill(f.Applications[s.app].Deployments[s.deployment], s.key("", "."), &problems)
	return s, lines.Check(err, problems)
}

// choose finds the deployment that is meant.
func (f rayFile) choose() raySettings {
	s := raySettings{app: -1}
	var names []string
	for i, a := range f.Applications {
		for j, d := range a.Deployments {
			names = append(names, d.Name)
			if s.app < 0 && (d.Scaling != nil || d.NumReplicas == rayAuto) {
				s.app, s.deployment = i, j
			}
		}
	}
	for i, a := range f.Applications {
		if s.app < 0 && len(a.Deployments) > 0 {
			s.app = i
		}
	}
	if s.app < 0 {
		return raySettings{none: true, name: f.Applications[0].Name}
	}
	s.name = f.Applications[s.app].Deployments[s.deployment].Name
	for i, name := range names {
		if name == s.name {
			names = append(names[:i:i], names[i+1:]...)
			break
		}
	}
	s.others = strings.Join(names, ", ")
	return s
}

// key is where a setting of the deployment stands: with "." as an error names
// it, with "/" as an edit does.
func (s raySettings) key(name, separator string) string {
	if separator == "." {
		return fmt.Sprintf("applications[%d].deployments[%d].%s", s.app, s.deployment, name)
	}
	return fmt.Sprintf("applications/%d/deployments/%d/%s", s.app, s.deployment, name)
}

// fill takes over what a deployment says, and the defaults, and checks them as
// the validators of AutoscalingConfig do.
func (s *raySettings) fill(d rayDeployment, prefix string, problems *problems) {
	c, most := d.Scaling, 1
	if d.NumReplicas == rayAuto {
		most = 100
	}
	switch n, err := strconv.Atoi(d.NumReplicas); {
	case d.NumReplicas == rayAuto:
	case d.NumReplicas != "" && (err != nil || n < 1):
		problems.bad(prefix+"num_replicas", "got %q, want a whole number of 1 or more, or auto", d.NumReplicas)
	case d.NumReplicas != "" && c != nil:
		problems.bad(prefix+"num_replicas", "got %d beside an autoscaling_config, want one of them, or auto", n)
	case c == nil:
		s.fixed = max(1, n)
	}
	if d.MaxOngoing != nil {
		s.maxOngoing = *d.MaxOngoing
		if s.maxOngoing < 1 {
			problems.bad(prefix+"max_ongoing_requests", "got %d, want 1 or more", s.maxOngoing)
		}
	}
	if c == nil {
		c = &rayScaling{}
	}
	s.min, s.max, s.initial = or(c.Min, 1), or(c.Max, most), or(c.Initial, -1)
	s.target = or(c.Target, or(c.OldTarget, rayTarget))
	s.lookBack, s.up, s.down = time.Duration(or(c.LookBack, seconds(rayLookBack))), time.Duration(or(c.UpDelay, seconds(rayUp))), time.Duration(or(c.DownDelay, seconds(rayDown)))
	s.toZero, s.zeroDelaySet = time.Duration(or(c.ZeroDelay, seconds(s.down))), c.ZeroDelay != nil
	s.upFactor = or(c.UpFactor, or(c.OldUpFactor, or(c.OldFactor, 1)))
	s.downFactor = or(c.DownFactor, or(c.OldDownFactor, or(c.OldFactor, 1)))
	s.aggregation, s.ownPolicy = c.Aggregation, c.Policy != nil

	prefix += "autoscaling_config."
	if s.min < 0 {
		problems.bad(prefix+"min_replicas", "got %d, want 0 or more", s.min)
	}
	if s.max < max(1, s.min) {
		problems.bad(prefix+"max_replicas", "got %d, want 1 or more, and not less than min_replicas (%d)", s.max, s.min)
	}
	if c.Initial != nil && (s.initial < s.min || s.initial > s.max) {
		problems.bad(prefix+"initial_replicas", "got %d, want between min_replicas (%d) and max_replicas (%d)", s.initial, s.min, s.max)
	}
	for _, f := range []struct {
		key   string
		value float64
	}{
		{"target_ongoing_requests", s.target}, {"upscaling_factor", s.upFactor}, {"downscaling_factor", s.downFactor},
		{"look_back_period_s", s.lookBack.Seconds()},
	} {
		if !(f.value > 0 && f.value < 1e12) {
			problems.bad(prefix+f.key, "got %v, want more than 0", f.value)
		}
	}
	switch s.aggregation {
	case "", "mean", "max", "min":
	default:
		problems.bad(prefix+"aggregation_function", "got %q, want mean, max or min", s.aggregation)
	}
}

func (s raySettings) policy() (profiles.Policy, []Loss) {
	t := told(slices.Clone(s.unknown))
	if s.others != "" {
		t.severe("applications", s.others, "a policy is for one deployment, here %s", s.name)
	}
	if s.none {
		t.severe("applications", "", "%s lists no deployment: what its code says about scaling is not in the file", s.name)
	}
	if s.fixed > 0 {
		return profiles.FixedPolicy(s.fixed), t
	}
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: s.min, Max: profiles.Limit(s.max)}
	switch {
	case s.initial > 0:
		p.Replicas.Initial = s.initial
	case s.min == 0:
		t = append(t, Loss{Field: "replicas.initial", From: "0", To: "1", Reason: "a policy starts with one at least"})
	}
	if s.min == 0 {
		p.ToZero = &profiles.ToZero{After: t.within("toZero.after", s.toZero, time.Second, 24*time.Hour)}
	}
	m := profiles.Metric{Kind: profiles.InFlight, Target: t.target("metrics[0].target", s.target)}
	m.Window = t.within("metrics[0].window", s.lookBack, time.Second, profiles.MaxWindow)
	switch s.aggregation {
	case "max":
		m.Aggregation = profiles.Highest
	case "min":
		t.severe("metrics[0].aggregation", "min", "a policy has no lowest level of a window: read as the average")
	}
	p.Metrics = []profiles.Metric{m}
	p.Interval, p.Tolerance = profiles.Duration(time.Second), 0 // it decides every 0.1 s; a policy once a second at most
	p.Up.Stabilization = t.within("up.stabilization", s.up, 0, time.Hour)
	p.Down.Stabilization = t.within("down.stabilization", s.down, 0, time.Hour)

	if s.upFactor != 1 {
		t.severe("up.factor", "", "upscaling_factor %g adds that share of the missing replicas at once; a factor of a policy is of the present size", s.upFactor)
	}
	if s.downFactor != 1 {
		t.severe("down.factor", "", "downscaling_factor %g takes that share of the superfluous replicas away at once; a factor of a policy is of the present size", s.downFactor)
	}
	if s.ownPolicy {
		t.severe("metrics", "", "the deployment has a policy function of its own, which decides instead")
	}
	if most := float64(s.ongoing()); s.target >= most {
		t.severe("metrics[0].target", "", "a replica takes %g requests at once (max_ongoing_requests), not more than the target: where queued requests are not seen, nothing is ever added", most)
	}
	return p, t
}

// ongoing is how many requests a replica takes at once.
func (s raySettings) ongoing() int {
	if s.maxOngoing > 0 {
		return s.maxOngoing
	}
	return rayMaxOngoing
}

func (s raySettings) decider() (profiles.Decider, error) {
	if s.fixed > 0 {
		return profiles.FixedPolicy(s.fixed).Decider()
	}
	return &rayDecider{s: s}, nil
}

func recogniseRayServe(text []byte) bool {
	var f struct {
		Applications []struct {
			ImportPath  string `yaml:"import_path"`
			Deployments any    `yaml:"deployments"`
		} `yaml:"applications"`
	}
	_, err := document.Decode(text, &f, document.Lax)
	return err == nil && len(f.Applications) > 0 && (f.Applications[0].ImportPath != "" || f.Applications[0].Deployments != nil)
}
