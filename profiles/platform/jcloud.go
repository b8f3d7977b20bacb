package platform

import (
	"headroom/profiles"
	"headroom/profiles/document"
)

// jcloud is the jcloud.yml of fastapi-serve (its fastapi_serve/cloud/config.py
// and docs/CONFIG.MD): one metric out of cpu, memory and rps, a whole target,
// min and max. Timing is the platform's. On import it understands the flat
// keys of langchain-serve (lcserve/config.py) too.
var jcloud = Platform{
	Name: "jcloud", Title: "Jina AI Cloud, fastapi-serve", File: "jcloud.yml",
	begin: func(*writer) string { return "# jcloud.yml\ninstance: C3\n" },
	write: writeJCloud, read: readJCloud, recognise: recogniseJCloud,
}

// jcloudFile is what a jcloud.yml says about scaling.
type jcloudFile struct {
	Autoscale struct {
		Min    int    `yaml:"min"`
		Max    int    `yaml:"max"`
		Metric string `yaml:"metric"`
		Target int    `yaml:"target"`
	} `yaml:"autoscale"`
	Min *int `yaml:"autoscale_min"` // langchain-serve, whose target of 10 requests/s cannot be set
	Max *int `yaml:"autoscale_max"`
}

func writeJCloud(w *writer, base []byte) ([]byte, error) {
	p := w.policy
	w.because("replicas.initial", "the platform starts with min")
	w.because("schedules", "the platform has none")
	w.hidden("", "the platform sets its own timing")
	edits := []document.Edit{
		{Path: "autoscale/min", Value: p.Replicas.Min},
		{Path: "autoscale/max", Value: w.max()},
	}
	if p.Replicas.Idle != nil {
		w.refuse("replicas.idle", "got %d, but the platform has none: set replicas.min to 0, or remove it", *p.Replicas.Idle)
	}
	m, ok := w.only(profiles.RPS, profiles.CPU)
	switch {
	case !ok && len(p.Metrics) == 0: // min and max are the same, so the metric does not matter
	case m.Kind == profiles.CPU && !m.In("%"):
		w.refuse("metrics[0].unit", "got %s, want %%", m.Unit)
	case m.Kind == profiles.CPU && p.Replicas.Min == 0:
		w.refuse("replicas.min", "got 0, want 1 or more: with cpu the platform makes it 1")
	}
	if !m.PerReplica() && ok {
		w.refuse("metrics[0].scope", "got %s, want %s", m.Scope, profiles.PerReplica)
	}
	if ok {
		edits = append(edits,
			document.Edit{Path: "autoscale/metric", Value: string(m.Kind)},
			document.Edit{Path: "autoscale/target", Value: w.whole("metrics[0].target", m.Target)})
	} else {
		edits = append(edits, document.Edit{Path: "autoscale/metric"}, document.Edit{Path: "autoscale/target"})
	}
	if m.Kind == profiles.RPS {
		w.note("the platform runs on Knative, which acts at 70 %% of a target unless it is told otherwise; whether it does so here is not documented")
	}
	edits = append(edits, document.Edit{Path: "autoscale_min"}, document.Edit{Path: "autoscale_max"})
	return document.Apply(base, 0, edits...)
}

func readJCloud(text []byte) (settings, error) {
	var f jcloudFile
	f.Autoscale.Min, f.Autoscale.Max, f.Autoscale.Metric, f.Autoscale.Target = 1, 10, "cpu", 70
	lines, err := document.Decode(text, &f, document.Lax)
	if lines == nil {
		return nil, err
	}
	if f.Min != nil || f.Max != nil {
		f.Autoscale.Metric, f.Autoscale.Target = "rps", 10
		if f.Min != nil {
			f.Autoscale.Min = *f.Min
		}
		if f.Max != nil {
			f.Autoscale.Max = *f.Max
		}
	}
	var problems problems
	a := f.Autoscale
	if a.Min < 0 {
		problems.bad("autoscale.min", "got %d, want 0 or more", a.Min)
	}
	if a.Max < max(1, a.Min) {
		problems.bad("autoscale.max", "got %d, want 1 or more, and not less than min (%d)", a.Max, a.Min)
	}
	if a.Metric != "cpu" && a.Metric != "memory" && a.Metric != "rps" {
		problems.bad("autoscale.metric", "got %q, want cpu, memory or rps", a.Metric)
	}
	if a.Target < 1 {
		problems.bad("autoscale.target", "got %d, want 1 or more", a.Target)
	}
	return f, lines.Check(err, problems)
}

func (f jcloudFile) policy() (profiles.Policy, []Loss) {
	a, p := f.Autoscale, profiles.DefaultPolicy()
	if a.Metric != "rps" {
		a.Min = max(1, a.Min) // without requests nothing would ever start one
	}
	p.Replicas = profiles.Bounds{Min: a.Min, Max: profiles.Limit(a.Max)}
	p.Metrics = []profiles.Metric{{Kind: profiles.Kind(a.Metric), Target: profiles.Milli(a.Target) * 1000, Window: p.Interval}}
	if a.Min == 0 {
		p.ToZero = &profiles.ToZero{After: profiles.DefaultToZero}
	}
	var losses []Loss
	if a.Metric == "memory" {
		losses = append(losses, Loss{Field: "metrics[0].unit", Reason: "the platform does not document the unit of a memory target: MiB is a guess", Severe: true})
	}
	return p, losses
}

func (f jcloudFile) decider() (profiles.Decider, error) {
	p, _ := f.policy()
	return p.Decider()
}

func recogniseJCloud(text []byte) bool {
	var f struct {
		Instance  string         `yaml:"instance"`
		Autoscale map[string]any `yaml:"autoscale"`
		Min       any            `yaml:"autoscale_min"`
		Max       any            `yaml:"autoscale_max"`
		Kind      string         `yaml:"kind"`
	}
	_, err := document.Decode(text, &f, document.Lax)
	return err == nil && f.Kind == "" && (f.Autoscale != nil || f.Min != nil || f.Max != nil || f.Instance != "")
}
