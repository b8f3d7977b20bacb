package platform

import (
	"regexp"
	"slices"

	"headroom/profiles"
	"headroom/profiles/document"
)

// kserve is an InferenceService of KServe. Its predictor becomes a Service of
// Knative (kserve/kserve,
// pkg/controller/v1beta1/inferenceservice/reconcilers/knative), whose
// annotations are those of the InferenceService and, where there are any, of
// the predictor; bounds, metric and target are fields. Targets are whole
// numbers. In the mode Standard it becomes a Deployment with a
// HorizontalPodAutoscaler.
var kserve = Platform{
	Name: "kserve", Title: "KServe InferenceService", File: "inferenceservice.yaml",
	begin: beginKServe, write: writeKServe, read: readKServe,
	recognise: func(text []byte) bool {
		_, found := findObject(text, func(o object) bool { return o.is("serving.kserve.io", "InferenceService") })
		return found
	},
}

func beginKServe(w *writer) string {
	return newObject("serving.kserve.io/v1beta1", "InferenceService", fields(
		"metadata", append(w.metadata(), fields("annotations", fields(knativePrefix+"class", knativeKPA))...),
		"spec", fields("predictor", fields("containers", []any{fields("name", "kserve-container", "image", w.image())})),
	))
}

// Where an InferenceService has what is about scaling.
const (
	kserveNotes     = "metadata.annotations"
	kservePredictor = "spec.predictor"
)

// kserveMost is the highest target of cpu, and of memory too: the validation
// does not keep the two apart (inference_service_validation.go).
const kserveMost = 100

// kserveName is what names may be (inference_service_validation.go).
var kserveName = regexp.MustCompile(`^[a-z]([-a-z0-9]*[a-z0-9])?$`)

// inferenceService is the object.
type inferenceService struct {
	Metadata struct {
		Name        string             `yaml:"name"`
		Annotations knativeAnnotations `yaml:"annotations"`
	} `yaml:"metadata"`
	Spec struct {
		Predictor   kserveComponent `yaml:"predictor"`
		Transformer any             `yaml:"transformer"`
		Explainer   any             `yaml:"explainer"`
	} `yaml:"spec"`
}

// kserveComponent is a ComponentExtensionSpec
// (pkg/apis/serving/v1beta1/component.go).
type kserveComponent struct {
	Annotations knativeAnnotations `yaml:"annotations"`
	Min         *int32             `yaml:"minReplicas"` // default 1
	Max         int32              `yaml:"maxReplicas"` // 0: unlimited; in the mode Standard: as min
	Metric      string             `yaml:"scaleMetric"`
	Target      *int32             `yaml:"scaleTarget"`
	Hard        int                `yaml:"containerConcurrency"`
	AutoScaling *struct {
		Metrics  []hpaMetric  `yaml:"metrics"`
		Behavior *hpaBehavior `yaml:"behavior"`
	} `yaml:"autoScaling"`
}

// kserveMode is what decides who scales.
type kserveMode struct {
	Metadata struct {
		Annotations struct {
			Mode  string `yaml:"serving.kserve.io/deploymentMode"`
			Class string `yaml:"serving.kserve.io/autoscalerClass"`
		} `yaml:"annotations"`
	} `yaml:"metadata"`
}

// kserveFile is an InferenceService as far as it is about scaling.
type kserveFile struct {
	knativeTerms
	service     inferenceService
	standard    bool
	annotations annotated
	dropped     []string // annotations that KServe does not hand on
	unknown     []Loss   // keys that are ignored
	doc         int      // its index in the file
}

func readKServe(text []byte) (settings, error) {
	f, err := openKServe(text)
	return f, err
}

func openKServe(text []byte) (kserveFile, error) {
	doc, err := theObject(text, "serving.kserve.io", "InferenceService")
	if err != nil {
		return kserveFile{}, err
	}
	f := kserveFile{doc: doc.Index}
	var mode kserveMode
	lines, err := doc.Decode(&f.service, document.Lax)
	if _, badMode := doc.Decode(&mode, document.Lax); err == nil {
		err = badMode
	}
	f.unknown = slices.Concat(
		misspelt(lines, "spec.", "predictor.", keysOf(kserveComponent{})),
		unknown(lines, kserveNotes+".", knativePrefix, knativeNames()),
		unknown(lines, kservePredictor+".annotations.", knativePrefix, knativeNames()))
	a := &f.annotations
	if name := f.service.Metadata.Name; !kserveName.MatchString(name) {
		a.problems.bad("metadata.name", "got %q, want lower-case letters, digits and hyphens, beginning with a letter", name)
	}
	c := f.service.Spec.Predictor
	if c.Max < 0 {
		a.problems.bad(kservePredictor+".maxReplicas", "got %d, want 0 or more", c.Max)
	}
	if low := f.lowest(); low < 0 || c.Max > 0 && low > int(c.Max) {
		a.problems.bad(kservePredictor+".minReplicas", "got %d, want 0 to maxReplicas (%d, where 0 is no limit)", low, c.Max)
	}
	if c.Hard < 0 {
		a.problems.bad(kservePredictor+".containerConcurrency", "got %d, want 0 or more", c.Hard)
	}
	switch m := mode.Metadata.Annotations; m.Mode {
	case "", "Serverless", "Knative":
		f.readKnative()
	case "RawDeployment", "Standard":
		f.standard = true
		f.checkStandard(m.Class)
	default:
		a.problems.bad(kserveNotes+".serving.kserve.io/deploymentMode", "got %q, want Knative (formerly Serverless) or Standard (formerly RawDeployment)", m.Mode)
	}
	return f, lines.Check(err, a.problems)
}

// lowest is minReplicas.
func (f kserveFile) lowest() int {
	if n := f.service.Spec.Predictor.Min; n != nil {
		return int(*n)
	}
	return 1
}

// readKnative makes the terms that Knative gets (setAutoScalingAnnotations in
// ksvc_reconciler.go): fields win over annotations, and the bounds are always
// those of the fields.
func (f *kserveFile) readKnative() {
	c, a := f.service.Spec.Predictor, &f.annotations
	a.add(kserveNotes, f.service.Metadata.Annotations)
	a.add(kservePredictor+".annotations", c.Annotations)
	for _, name := range []string{"min-scale", "max-scale"} {
		for _, full := range spellings(name) {
			if _, there := a.values[full]; there {
				f.dropped = append(f.dropped, full)
				delete(a.values, full)
			}
		}
	}
	t := a.terms()
	t.min, t.max, t.hard = f.lowest(), int(c.Max), c.Hard
	a.check(t)
	allowed := []string{"concurrency", "rps"}
	if t.class == knativeHPA {
		allowed = []string{"cpu", "memory"}
	}
	switch c.Metric {
	case "":
	case allowed[0], allowed[1]:
		t.metric = c.Metric
	default:
		a.problems.bad(kservePredictor+".scaleMetric", "got %q, want %s or %s for the class %s", c.Metric, allowed[0], allowed[1], t.class)
	}
	if c.Target != nil {
		t.target = float64(*c.Target)
		switch {
		case *c.Target < 1:
			a.problems.bad(kservePredictor+".scaleTarget", "got %d, want 1 or more", *c.Target)
		case *c.Target > kserveMost && t.class == knativeHPA:
			a.problems.bad(kservePredictor+".scaleTarget", "got %d, want 1 to %d for the class %s", *c.Target, kserveMost, t.class)
		}
	}
	f.knativeTerms = t
}

func (f kserveFile) policy() (profiles.Policy, []Loss) {
	var losses []Loss
	for _, other := range []struct {
		key   string
		value any
	}{{"spec.transformer", f.service.Spec.Transformer}, {"spec.explainer", f.service.Spec.Explainer}} {
		if other.value != nil {
			losses = append(losses, Loss{Field: other.key, Reason: "it scales by itself, and the policy is that of the predictor; the document keeps it"})
		}
	}
	for _, name := range f.dropped {
		losses = append(losses, Loss{Field: name, Reason: "KServe drops it: minReplicas and maxReplicas count"})
	}
	p, more := f.knativeTerms.policy()
	if f.standard {
		p, more = f.standardHPA().policy()
	}
	return p, slices.Concat(f.unknown, losses, more)
}

func (f kserveFile) decider() (profiles.Decider, error) {
	if f.standard {
		return f.standardHPA().decider()
	}
	return f.knativeTerms.decider()
}

func writeKServe(w *writer, base []byte) ([]byte, error) {
	before, err := openKServe(base)
	if err != nil {
		return nil, err
	}
	if before.standard {
		return document.Apply(base, before.doc, before.standardEdits(w)...)
	}
	after := before.follow(w, true, profiles.RPS, profiles.InFlight, profiles.CPU, profiles.Memory)
	isNew := w.isNew("kserve")
	var edits []document.Edit
	set := func(field string, changed bool, value any) {
		if changed {
			edits = append(edits, document.Edit{Path: "spec/predictor/" + field, Value: value})
		}
	}
	was, a := before.knativeTerms, &before.annotations
	set("minReplicas", isNew || after.min != was.min, after.min)
	set("maxReplicas", isNew || after.max != was.max, after.max)
	aimed := after.metric != was.metric || after.target != was.target
	if aimed && after.class == knativeHPA && after.target > kserveMost {
		w.refuse("metrics[0].target", "got %s, want at most %d: KServe refuses more for cpu and for memory", w.policy.Metrics[0].Target, kserveMost)
	}
	set("scaleMetric", aimed, after.metric)
	set("scaleTarget", aimed, int(after.target))
	if aimed { // the fields win, so these would only mislead
		edits = append(edits, a.edits(kserveNotes, "metric", "")...)
		edits = append(edits, a.edits(kserveNotes, "target", "")...)
	}
	annotations := a.changes(kserveNotes, was, after, "min-scale", "max-scale", "metric", "target")
	if len(annotations) > 0 {
		w.note("that KServe hands the annotations on to Knative follows from its source, where it drops only min-scale and max-scale, and is not verified")
	}
	return document.Apply(base, before.doc, append(edits, annotations...)...)
}
