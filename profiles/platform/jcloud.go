package platform

import (
	"cmp"
	"slices"

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

	unknown []Loss
}

func writeJCloud(w *writer, base []byte) ([]byte, error) {
	f, err := openJCloud(base)
	if err != nil {
		return nil, err
	}
	before, _ := f.policy()
	p, isNew := w.policy, w.isNew("jcloud")
	w.because("replicas.initial", "the platform starts with min")
	w.because("schedules", "the platform has none")
	w.hidden("", "the platform sets its own timing")
	flat := (f.Min != nil || f.Max != nil) && slices.EqualFunc(p.Metrics, before.Metrics, sameAim)
	var edits []document.Edit
	set := func(same bool, key, old string, value any) {
		switch {
		case flat && !same:
			edits = append(edits, document.Edit{Path: old, Value: value})
		case !flat && (isNew || !same || f.Min != nil || f.Max != nil):
			edits = append(edits, document.Edit{Path: "autoscale/" + key, Value: value})
		}
	}
	same := p.Replicas.Min == before.Replicas.Min
	if same && before.Replicas.Min != f.Autoscale.Min { // a 0 that is 1, but for requests
		same = slices.EqualFunc(p.Metrics, before.Metrics, sameAim)
	}
	set(same, "min", "autoscale_min", p.Replicas.Min)
	set(p.Replicas.Max == before.Replicas.Max, "max", "autoscale_max", w.max())
	w.noIdle("the platform")
	m, ok := w.only(profiles.RPS, profiles.CPU, profiles.Memory)
	switch {
	case !ok && len(p.Metrics) == 0: // min and max are the same, so the metric does not matter
	case m.Kind == profiles.CPU && !m.In("%"):
		w.refuse("metrics[0].unit", "got %s, want %%", m.Unit)
	case m.Kind != profiles.RPS && p.Replicas.Min == 0:
		w.refuse("replicas.min", "got 0, want 1 or more: with %s the platform makes it 1", m.Kind)
	}
	if m.Kind == profiles.Memory {
		w.because("metrics[0].target", "the platform does not document the unit of a memory target: only the number is kept, and MiB is a guess")
		w.note("the platform does not document the unit of a memory target: %s may mean something else to it than %s", m.Target, cmp.Or(m.Unit, "MiB"))
	}
	if !m.PerReplica() && ok {
		w.refuse("metrics[0].scope", "got %s, want %s", m.Scope, profiles.PerReplica)
	}
	if ok && !flat {
		was := before.Metrics[0]
		set(m.Kind == was.Kind, "metric", "", string(m.Kind))
		set(sameAim(m, was), "target", "", w.whole("metrics[0].target", m.Target))
	}
	if m.Kind == profiles.RPS {
		w.note("the platform runs on Knative, which acts at 70 %% of a target unless it is told otherwise; whether it does so here is not documented")
	}
	if !flat {
		edits = append(edits, document.Edit{Path: "autoscale_min"}, document.Edit{Path: "autoscale_max"})
	}
	return document.Apply(base, 0, edits...)
}

// sameAim reports whether two metrics are written in the same way.
func sameAim(a, b profiles.Metric) bool { return a.Kind == b.Kind && a.Target == b.Target }

// foreignToJCloud refuses the documents of others, which Lax would take for
// one that says nothing about scaling.
func foreignToJCloud(text []byte) error {
	var none struct{}
	lines, _ := document.Decode(text, &none, document.Lax) // what cannot be read is told elsewhere
	for _, key := range []string{"jtype", "executors", "jcloud"} {
		if at, ok := lines[key]; ok {
			return document.Problem{Line: at, Key: key, Text: "got a Flow or Deployment of JCloud, want the jcloud.yml of fastapi-serve: only that is read"}
		}
	}
	for _, key := range []string{"apiVersion", "kind", "version", "type", "metadata", "spec", "triggers", "metrics", "replicas", "Resources", "services", "applications", "proxy_location"} {
		if at, ok := lines[key]; ok {
			return document.Problem{Line: at, Key: key, Text: "got a document of another kind, want a jcloud.yml, which has no such key"}
		}
	}
	return nil
}

func readJCloud(text []byte) (settings, error) {
	f, err := openJCloud(text)
	return f, err
}

func openJCloud(text []byte) (f jcloudFile, err error) {
	if err := foreignToJCloud(text); err != nil {
		return f, err
	}
	f.Autoscale.Min, f.Autoscale.Max, f.Autoscale.Metric, f.Autoscale.Target = 1, 10, "cpu", 70
	lines, err := document.Decode(text, &f, document.Lax)
	if lines == nil {
		return f, err
	}
	if docs, _ := document.Split(text); len(docs) == 1 {
		f.unknown = unknownKeys(docs[0], new(jcloudFile), "autoscale")
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
	losses := f.unknown
	if a.Metric == "memory" {
		losses = append(slices.Clip(losses), Loss{Field: "metrics[0].unit", Reason: "the platform does not document the unit of a memory target: MiB is a guess", Severe: true})
	}
	return p, losses
}

func (f jcloudFile) decider() (profiles.Decider, error) {
	p, _ := f.policy()
	return p.Decider()
}

// recogniseJCloud knows the Flows and Deployments of JCloud too, so that the
// reader can say that it does not read them.
func recogniseJCloud(text []byte) bool {
	var f struct {
		Instance  string         `yaml:"instance"`
		Autoscale map[string]any `yaml:"autoscale"`
		Min       any            `yaml:"autoscale_min"`
		Max       any            `yaml:"autoscale_max"`
		Kind      string         `yaml:"kind"`
		JType     string         `yaml:"jtype"`
		Executors []struct {
			JCloud any `yaml:"jcloud"`
		} `yaml:"executors"`
	}
	_, err := document.Decode(text, &f, document.Lax)
	flow := f.JType != ""
	for _, e := range f.Executors {
		flow = flow || e.JCloud != nil
	}
	return err == nil && f.Kind == "" && (flow || f.Autoscale != nil || f.Min != nil || f.Max != nil || f.Instance != "")
}
