package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"headroom/advisor"
	"headroom/advisor/sim"
	"headroom/profiles"
	"headroom/profiles/platform"
)

// recorded adds the flags that read the traffic from a trace.
func (v *adviceFlags) recorded(f *pflag.FlagSet) {
	v.given = f
	v.trace.traceFlags(f)
	f.Lookup("trace").Usage = "take the traffic, its rise and its season from the load recorded in `FILE`: times or counts per interval in CSV or one a line, an access log, or the JSON of a Prometheus range query"
	f.StringVar(&v.zone, "timezone", v.zone, "IANA `NAME` of the place whose clocks the hours of a --trace follow, such as Europe/Berlin")
	f.BoolVar(&v.wanted.Schedule, "schedule", false, "refuse advice without hours that return: a --trace is to show them")
}

// bound adds the flags that say who is to follow the policy, and who pays.
func (v *adviceFlags) bound(f *pflag.FlagSet) {
	flagVar(f, &v.wanted.Price, "price", "", "", "price", "of a replica hour, such as 0.35/h: say what the advice costs", parsePrice)
	f.StringVar(&v.within, "for", "", "advise only what this `PLATFORM` can follow, and say what that costs; hpa:cpu,memory where it has only these metrics")
}

// readPlatform takes over --for, or the platform that a configuration is printed
// for, which can follow no more; empty: none. What that costs is not asked where
// a configuration has no place for it, or a search says it.
func (v *adviceFlags) readPlatform(printed string, searched bool) (err error) {
	name, _, _ := strings.Cut(v.within, ":")
	switch {
	case v.within != "" && printed != "" && name != printed:
		return usage("--for: got %q and --to %s, want the same platform", v.within, printed)
	case v.within != "":
		v.wanted.Within, err = abilityOf(v.within)
	case printed != "" && printed != platform.Own: // which takes everything
		v.wanted.Within, err = abilityOf(printed)
	}
	if err == nil && v.wanted.Within != nil && (printed != "" || searched) {
		v.wanted.Within.Follow = nil
	}
	return err
}

// abilityOf is what a platform can follow, or that with some of its metrics.
func abilityOf(text string) (*advisor.Ability, error) {
	name, only, some := strings.Cut(text, ":")
	p, err := platform.Find(name)
	if err != nil {
		return nil, usage("--for: %w", err)
	}
	a := &advisor.Ability{Name: name, Cores: takesCores(p), Hidden: map[profiles.Kind]map[string]string{}}
	a.Keep = func(policy profiles.Policy) (profiles.Policy, map[string]string, error) {
		doc, err := p.Export(policy, platform.Options{Round: true})
		return doc.Effective, reasons(doc.Losses), err
	}
	a.Follow = func(policy profiles.Policy) (sim.Scaler, error) {
		scaler, _, err := scalerNamed(name, policy, sim.Default())
		return scaler, err
	}
	says := map[string]platform.Answer{}
	for i, answer := range p.Says() {
		says[platform.Asked()[i]] = answer
	}
	var names []string
	for _, kind := range append(advisor.Metrics(), profiles.Memory) {
		if says[strings.ReplaceAll(string(kind), "_", " ")] != platform.Refuses {
			a.Metrics, names = append(a.Metrics, kind), append(names, string(kind))
			a.Hidden[kind] = hides(p, kind)
			if takesWhole(p, kind) {
				a.Whole = append(a.Whole, kind)
			}
		}
	}
	if !some {
		a.Hours = takesHours(p, a.Metrics[0])
		return a, nil
	}
	a.Metrics = nil
	for _, text := range strings.Split(only, ",") {
		if !slices.Contains(names, text) {
			return nil, usage("--for: got %q of %s, want some of %s", text, name, strings.Join(names, ", "))
		}
		a.Metrics = append(a.Metrics, profiles.Kind(text))
	}
	a.Hours = takesHours(p, a.Metrics[0])
	return a, nil
}

// takesCores tries whether a platform says a target of CPU in cores.
func takesCores(p platform.Platform) bool {
	_, err := p.Export(advisor.ScaledBy(profiles.Metric{Kind: profiles.CPU, Unit: "cores"}), platform.Options{Round: true})
	return err == nil
}

// takesWhole tries whether a platform cuts the fraction of a target.
func takesWhole(p platform.Platform, kind profiles.Kind) bool {
	policy := advisor.ScaledBy(profiles.Metric{Kind: kind})
	policy.Metrics[0].Target += 500
	doc, err := p.Export(policy, platform.Options{Round: true})
	return err == nil && doc.Effective.Metrics[0].Kind == kind && doc.Effective.Metrics[0].Target.Whole()
}

// hides tries which of the times of a policy a platform keeps to itself, and why:
// they are not those that a policy has by default.
func hides(p platform.Platform, kind profiles.Kind) map[string]string {
	policy := advisor.ScaledBy(profiles.Metric{Kind: kind})
	policy.Interval += profiles.Duration(time.Second)
	policy.Metrics[0].Window += profiles.Duration(2 * time.Second) // nor the interval
	policy.Tolerance++
	policy.Up.Stabilization += profiles.Duration(time.Second)
	policy.Down.Stabilization += profiles.Duration(time.Second)
	doc, _ := p.Export(policy, platform.Options{Round: true})
	return reasons(slices.DeleteFunc(doc.Losses, func(l platform.Loss) bool { return l.To != "" }))
}

// reasons are why the fields of a policy are not the same on a platform.
func reasons(losses []platform.Loss) map[string]string {
	why := map[string]string{}
	for _, l := range losses {
		why[l.Field] = l.Reason
	}
	return why
}

// takesHours tries whether a platform keeps a schedule beside a metric.
func takesHours(p platform.Platform, kind profiles.Kind) bool {
	policy := advisor.ScaledBy(profiles.Metric{Kind: kind})
	policy.Schedules = []profiles.Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: "UTC", Min: 5}}
	doc, err := p.Export(policy, platform.Options{Round: true})
	return err == nil && len(doc.Effective.Schedules) > 0
}

// readTraffic takes the traffic from whichever flags say it.
func (v *adviceFlags) readTraffic() error {
	if err := v.trace.checkTrace(v.given); err != nil {
		return err
	}
	zone, err := time.LoadLocation(v.zone)
	switch {
	case v.trace.trace == "" && !v.traffic.Known():
		return usage("--traffic: got nothing, want LOW..HIGH in requests per second, such as 50..200, or a --trace")
	case v.trace.trace == "" && v.given.Changed("timezone"):
		return usage("--timezone: got %q without --trace, want both or neither", v.zone)
	case v.trace.trace == "":
		return nil
	case v.traffic.Known():
		return usage("--traffic: got %s and --trace %s, want one", v.traffic, v.trace.trace)
	case err != nil || v.zone == "" || v.zone == "Local": // what a policy may not say
		return usage("--timezone: got %q, want an IANA name such as Europe/Berlin", v.zone)
	}
	recorded, err := v.trace.read()
	if err != nil {
		return err
	}
	if v.wanted.History, err = advisor.NewHistory(recorded, zone); err != nil {
		return usage("--trace: %s: %w", v.trace.trace, err)
	}
	v.traffic = v.wanted.History.Traffic()
	return nil
}
