package platform

import (
	"strings"

	"headroom/profiles"
	"headroom/profiles/document"
)

// cloudrun is a service of Google Cloud Run, which is written as a Service of
// Knative but scaled by Google's own autoscaler: instances in proportion to
// the CPU in use and to the requests in flight over a minute, whichever asks
// for more, each kept at a share of its limit (Cloud Run documentation, "About
// instance autoscaling" and "Configure custom scaling controls"). The limit of
// the requests is containerConcurrency, so that the share makes the target.
var cloudrun = Platform{
	Name: "cloudrun", Title: "Google Cloud Run service", File: "service.yaml",
	begin: beginCloudRun, write: writeCloudRun, recognise: recogniseCloudRun,
	read: func(text []byte) (settings, error) {
		f, err := openCloudRun(text)
		return f, err
	},
}

// The annotations. That of the concurrency target is spelled as in gcloud
// (googlecloudsdk, CONCURRENCY_UTILIZATION_ANNOTATION).
const (
	runPrefix      = "run.googleapis.com/"
	runMin         = knativePrefix + "minScale"
	runMax         = knativePrefix + "maxScale"
	runServiceMin  = runPrefix + "minScale"
	runServiceMax  = runPrefix + "maxScale"
	runCPU         = runPrefix + "scaling-cpu-target"
	runConcurrency = runPrefix + "scaling-concurrency-target"
	runMode        = runPrefix + "scalingMode"
	runManual      = runPrefix + "manualInstanceCount"
	runClient      = runPrefix + "client-name"
	runDisabled    = "disabled"
	runAutomatic   = "automatic"
)

// Where else a service has what is about scaling.
const (
	serviceKey  = "metadata.annotations"
	runHardKey  = "spec.template.spec.containerConcurrency"
	runHardPath = "spec/template/spec/containerConcurrency"
)

// Limits and usual values.
const (
	runUsualMax     = 100
	runUsualHard    = 80 // of an instance with a whole CPU or more
	runHardMost     = 1000
	runUsualPercent = 60 // of both targets
	runLeastPercent = 10
	runMostPercent  = 95
	runMostCPU      = 90 // 95 in older documentation, which is read too
)

// beginCloudRun names who wrote the document, as gcloud does, which changes
// nothing but shows whose it is.
func beginCloudRun(w *writer) string {
	return newObject("serving.knative.dev/v1", "Service", fields(
		"metadata", append(w.metadata(), fields("annotations", fields(runClient, "headroom"))...),
		"spec", fields("template", fields(
			"metadata", fields("annotations", fields(runMin, "0")),
			"spec", fields("containers", []any{fields("image", w.image())}),
		)),
	))
}

// runTerms are what a document says about scaling.
type runTerms struct {
	min, max         int
	hard             int // containerConcurrency; 0: not given
	cpu, concurrency int // percent of the limit; 0: this does not scale
	manual           int // instances, where their number is set by hand; 0: it is not
}

func usualRun() runTerms {
	return runTerms{max: runUsualMax, cpu: runUsualPercent, concurrency: runUsualPercent}
}

// limit is how many requests an instance gets at once.
func (t runTerms) limit() int {
	if t.hard == 0 {
		return runUsualHard
	}
	return t.hard
}

// runAnnotations are those of a revision and of a service; each has some of
// them only.
type runAnnotations struct {
	Knative knativeAnnotations `yaml:",inline"`
	Run     struct {
		CPU         any `yaml:"run.googleapis.com/scaling-cpu-target"`
		Concurrency any `yaml:"run.googleapis.com/scaling-concurrency-target"`
		Min         any `yaml:"run.googleapis.com/minScale"`
		Max         any `yaml:"run.googleapis.com/maxScale"`
		Mode        any `yaml:"run.googleapis.com/scalingMode"`
		Manual      any `yaml:"run.googleapis.com/manualInstanceCount"`
	} `yaml:",inline"`
}

// runFile is a service as far as it is about scaling.
type runFile struct {
	runTerms
	revision, service annotated
	doc               int // its index in the file
}

func openCloudRun(text []byte) (runFile, error) {
	doc, err := theObject(text, "serving.knative.dev", "Service")
	if err != nil {
		return runFile{}, err
	}
	var s struct {
		Metadata struct {
			Annotations runAnnotations `yaml:"annotations"`
		} `yaml:"metadata"`
		Spec struct {
			Template struct {
				Metadata struct {
					Annotations runAnnotations `yaml:"annotations"`
				} `yaml:"metadata"`
				Spec struct {
					Hard int `yaml:"containerConcurrency"`
				} `yaml:"spec"`
			} `yaml:"template"`
		} `yaml:"spec"`
	}
	lines, err := doc.Decode(&s, document.Lax)
	f := runFile{runTerms: usualRun(), doc: doc.Index}
	f.revision.add(revisionKey, s.Spec.Template.Metadata.Annotations.Knative)
	f.revision.add(revisionKey, s.Spec.Template.Metadata.Annotations.Run)
	f.service.add(serviceKey, s.Metadata.Annotations.Run)
	f.hard = s.Spec.Template.Spec.Hard
	if f.hard < 0 || f.hard > runHardMost {
		f.revision.problems.bad(runHardKey, "got %d, want 1 to %d", f.hard, runHardMost)
	}
	f.bounds()
	f.cpu = f.revision.percent(runCPU)
	f.concurrency = f.revision.percent(runConcurrency)
	if f.cpu == 0 && f.concurrency == 0 {
		f.revision.problems.bad(revisionKey+"."+runConcurrency, "got %s for both targets, want at most one of them so", runDisabled)
	}
	return f, lines.Check(err, append(f.revision.problems, f.service.problems...))
}

// bounds are the tighter ones of the revision and of the service. All
// instances of a service whose traffic goes to one revision are of that one.
func (f *runFile) bounds() {
	r, s := &f.revision, &f.service
	f.min = max(r.whole(runMin, 0, 0), s.whole(runServiceMin, 0, 0))
	f.max = r.whole(runMax, runUsualMax, 1)
	if high := s.whole(runServiceMax, 0, 1); high > 0 {
		if _, _, both := r.text(runMax); !both || high < f.max {
			f.max = high
		}
	}
	if f.max < f.min {
		s.problems.bad(revisionKey, "got maxScale %d, want minScale (%d) or more", f.max, f.min)
	}
	key, mode, found := s.text(runMode)
	switch {
	case !found || mode == runAutomatic:
	case mode == "manual":
		f.manual = s.whole(runManual, 0, 1)
		if _, there := s.values[runManual]; !there {
			s.problems.bad(key, "got manual without %s, want both", runManual)
		}
	default:
		s.problems.bad(key, "got %q, want %s or manual", mode, runAutomatic)
	}
}

// percent is a utilisation target, which is written as a share with two
// decimals; gcloud understands percentages too.
func (a *annotated) percent(name string) int {
	key, value, found := a.text(name)
	if !found {
		return runUsualPercent
	}
	if value == runDisabled {
		return 0
	}
	share, err := profiles.ParseRatio(value)
	switch n := int(share / 10); {
	case err == nil && share == 0:
		return 0
	case err == nil && share%10 == 0 && n >= runLeastPercent && n <= runMostPercent:
		return n
	}
	a.problems.bad(key, "got %q, want 0.1 to 0.95 in hundredths, or %s", value, runDisabled)
	return runUsualPercent
}

// recogniseCloudRun tells a service of Cloud Run from one of Knative, whose
// apiVersion and kind are the same: by a label or annotation that only Google
// has or, where there is none, by an image in a registry of Google's and bounds
// spelled as Cloud Run does, with no other annotation about scaling. An image
// alone says nothing: Knative's own samples are in such a registry.
func recogniseCloudRun(text []byte) bool {
	doc, found := findObject(text, isKnative)
	if !found {
		return false
	}
	type metadata struct {
		Annotations map[string]any `yaml:"annotations"`
		Labels      map[string]any `yaml:"labels"`
	}
	var s struct {
		Metadata metadata `yaml:"metadata"`
		Spec     struct {
			Template struct {
				Metadata metadata `yaml:"metadata"`
				Spec     struct {
					Containers []struct {
						Image string `yaml:"image"`
					} `yaml:"containers"`
				} `yaml:"spec"`
			} `yaml:"template"`
		} `yaml:"spec"`
	}
	_, _ = doc.Decode(&s, document.Lax) // what can be read will do
	bounded, other := false, false
	for _, keys := range []map[string]any{s.Metadata.Annotations, s.Metadata.Labels, s.Spec.Template.Metadata.Annotations, s.Spec.Template.Metadata.Labels} {
		for key := range keys {
			switch {
			case strings.HasPrefix(key, runPrefix), strings.HasPrefix(key, "cloud.googleapis.com/"):
				return true
			case key == runMin, key == runMax:
				bounded = true
			case strings.HasPrefix(key, knativePrefix):
				other = true
			}
		}
	}
	for _, c := range s.Spec.Template.Spec.Containers {
		host, _, _ := strings.Cut(c.Image, "/")
		if bounded && !other && (host == "gcr.io" || strings.HasSuffix(host, ".gcr.io") || strings.HasSuffix(host, "-docker.pkg.dev")) {
			return true
		}
	}
	return false
}
