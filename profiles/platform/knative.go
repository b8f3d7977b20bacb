package platform

import (
	"sort"

	"headroom/profiles"
	"headroom/profiles/document"
)

// knative is a Service of Knative Serving, whose revisions are scaled by
// annotations of spec.template (knative/serving, pkg/apis/autoscaling): by
// Knative's own Pod Autoscaler, the KPA, for concurrency and requests per
// second, and by a HorizontalPodAutoscaler, the HPA class, for anything else.
var knative = Platform{
	Name: "knative", Title: "Knative Serving, its Pod Autoscaler", File: "service.yaml",
	begin: beginKnative, write: writeKnative,
	read: func(text []byte) (settings, error) {
		f, err := openKnative(text)
		return f, err
	},
	recognise: func(text []byte) bool {
		_, found := findObject(text, isKnative)
		return found && !recogniseCloudRun(text)
	},
}

func isKnative(o object) bool { return o.is("serving.knative.dev", "Service") }

// beginKnative names the class, because a cluster may have another usual one.
func beginKnative(w *writer) string {
	return newObject("serving.knative.dev/v1", "Service", fields(
		"metadata", w.metadata(),
		"spec", fields("template", fields(
			"metadata", fields("annotations", fields(knativePrefix+"class", knativeKPA)),
			"spec", fields("containers", []any{fields("image", w.image())}),
		)),
	))
}

// revisionKey is where the annotations of a revision are.
const revisionKey = "spec.template.metadata.annotations"

// knativeFile is a Service as far as it is about scaling.
type knativeFile struct {
	knativeTerms
	annotations annotated
	unknown     []Loss // annotations that Knative ignores
	doc         int    // its index in the file
}

func (f knativeFile) policy() (profiles.Policy, []Loss) {
	p, losses := f.knativeTerms.policy()
	return p, append(f.unknown, losses...)
}

func openKnative(text []byte) (knativeFile, error) {
	doc, err := theObject(text, "serving.knative.dev", "Service")
	if err != nil {
		return knativeFile{}, err
	}
	var service struct {
		Metadata struct {
			Annotations knativeAnnotations `yaml:"annotations"`
		} `yaml:"metadata"`
		Spec struct {
			Template struct {
				Metadata struct {
					Annotations knativeAnnotations `yaml:"annotations"`
				} `yaml:"metadata"`
				Spec struct {
					Hard int `yaml:"containerConcurrency"`
				} `yaml:"spec"`
			} `yaml:"template"`
		} `yaml:"spec"`
	}
	lines, err := doc.Decode(&service, document.Lax)
	f := knativeFile{doc: doc.Index, unknown: unknown(lines, revisionKey+".", knativePrefix, knativeNames())}
	a := &f.annotations
	a.add(revisionKey, service.Spec.Template.Metadata.Annotations)
	f.knativeTerms = a.terms()
	a.check(f.knativeTerms)
	f.hard = service.Spec.Template.Spec.Hard
	if f.hard < 0 {
		a.problems.bad("spec.template.spec.containerConcurrency", "got %d, want 0 or more", f.hard)
	}
	// As ValidateHasNoAutoscalingAnnotation in pkg/apis/serving does.
	var misplaced annotated
	misplaced.add("metadata.annotations", service.Metadata.Annotations)
	for _, name := range misplaced.names() {
		a.problems.bad("metadata.annotations."+name, "got it in the metadata of the Service, want it in %s", revisionKey)
	}
	return f, lines.Check(err, a.problems)
}

// names are those of the annotations that are there, sorted.
func (a *annotated) names() []string {
	var out []string
	for name := range a.values {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

func writeKnative(w *writer, base []byte) ([]byte, error) {
	before, err := openKnative(base)
	if err != nil {
		return nil, err
	}
	after := before.follow(w, false, profiles.RPS, profiles.InFlight, profiles.CPU, profiles.Memory, profiles.Custom)
	if w.isNew("knative") {
		before.min, before.max = -1, -1 // the cluster may have others
	}
	return document.Apply(base, before.doc, before.annotations.changes(revisionKey, before.knativeTerms, after)...)
}
