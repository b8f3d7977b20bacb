package platform

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headroom/profiles"
)

// A document of another kind is neither read nor written into.
func TestJCloudRefusesForeignDocuments(t *testing.T) {
	for _, v := range []struct{ name, text, want string }{
		{"an HPA", "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n", "jcloud: line 1: apiVersion: got a document of another kind, want a jcloud.yml"},
		{"everai", "# x\nversion: everai/v1alpha1\ntype: app\n", "jcloud: line 2: version: got a document of another kind"},
		{"triggers", "triggers: []\n", "jcloud: line 1: triggers: got a document of another kind"},
		{"a Flow", "executors:\n  - name: a\n    jcloud: {autoscale: {min: 0, max: 3}}\n", "jcloud: line 1: executors: got a Flow or Deployment of JCloud, want the jcloud.yml of fastapi-serve: only that is read"},
		{"a Flow by name", "jtype: Flow\nversion: 1\n", "jcloud: line 1: jtype: got a Flow"},
	} {
		t.Run(v.name, func(t *testing.T) {
			_, _, importErr := jcloud.Import([]byte(v.text))
			_, exportErr := jcloud.Export(running(nil), Options{Base: []byte(v.text)})
			for _, err := range []error{importErr, exportErr} {
				if err == nil || !strings.HasPrefix(err.Error(), v.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("got %v, want %q in one line", err, v.want)
				}
			}
		})
	}
}

// Only what changes is written, in the words of the document.
func TestJCloudEditsInPlace(t *testing.T) {
	for _, v := range []struct {
		name, text string
		edit       func(*profiles.Policy)
		want       string
	}{
		{"max", "autoscale: {metric: rps}\n", func(p *profiles.Policy) { p.Replicas.Max = 12 }, "autoscale: {metric: rps, max: 12}\n"},
		{"target", "instance: C3\n", func(p *profiles.Policy) { p.Metrics[0].Target = 50_000 }, "instance: C3\nautoscale:\n  target: 50\n"},
		{"langchain-serve", "autoscale_min: 0 # x\n", func(p *profiles.Policy) { p.Replicas.Max = 4 }, "autoscale_min: 0 # x\nautoscale_max: 4\n"},
		{"langchain-serve cannot have", "autoscale_min: 1\n", func(p *profiles.Policy) { p.Metrics[0].Target = 20_000 },
			"autoscale:\n  min: 1\n  max: 10\n  metric: rps\n  target: 20\n"},
		{"a zero that counts", "autoscale: {min: 0}\n", func(p *profiles.Policy) { p.Metrics[0].Kind = profiles.RPS }, "autoscale: {min: 1, metric: rps, target: 70}\n"},
		{"unknown keys", "autoscale: {maximum: 3}\n", func(p *profiles.Policy) { p.Replicas.Min = 2 }, "autoscale: {maximum: 3, min: 2}\n"},
	} {
		t.Run(v.name, func(t *testing.T) {
			p, _, err := jcloud.Import([]byte(v.text))
			if err != nil {
				t.Fatal(err)
			}
			v.edit(&p)
			doc, err := jcloud.Export(p, Options{})
			if err != nil || string(doc.Text) != v.want || len(doc.Losses) > 0 {
				t.Errorf("Export = %q, losses %v, %v, want %q", doc.Text, doc.Losses, err, v.want)
			}
		})
	}
}

// Nothing is lost of a target of memory, whatever its unit.
func TestJCloudMemoryComesBack(t *testing.T) {
	const text = "instance: C3\nautoscale: {min: 2, max: 9, metric: memory, target: 70}\n"
	p, losses, err := jcloud.Import([]byte(text))
	if err != nil || len(losses) != 1 || !losses[0].Severe {
		t.Fatalf("Import: losses %v, %v, want that the unit is a guess", losses, err)
	}
	doc, err := jcloud.Export(p, Options{})
	if err != nil || string(doc.Text) != text || len(doc.Losses) > 0 || len(doc.Notes) != 1 {
		t.Errorf("Export = %+v, %v, want the same document and a note on the unit", doc, err)
	}
	p.Metrics[0].Unit, p.Platforms = "%", nil
	doc, err = jcloud.Export(p, Options{})
	if err != nil || len(doc.Losses) != 1 || !doc.Losses[0].Severe || !strings.Contains(string(doc.Text), "target: 70") {
		t.Errorf("Export of %% = %+v, %v, want the number and a severe loss", doc, err)
	}
	p.Replicas.Min, p.ToZero = 0, &profiles.ToZero{After: profiles.DefaultToZero}
	p.Metrics = append(p.Metrics, profiles.Metric{Kind: profiles.RPS, Target: 1000, Window: p.Interval})
	const want = "metrics: got memory and rps, want one of them"
	if _, err = jcloud.Export(p, Options{}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Export of two = %v, want %q", err, want)
	}
}

// What a platform does not know it ignores, which a policy cannot tell from
// what was meant.
func TestUnknownKeys(t *testing.T) {
	for _, v := range []struct {
		pl         Platform
		text, want string
	}{
		{jcloud, "autoscale: {min: 2, maximum: 9}\ndisk_size: 1G\n", "autoscale.maximum"},
		{hpa, "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec: {scaleTargetRef: {}, minReplica: 2, maxReplicas: 5}\n", "spec.minReplica"},
		{hpa, "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec: {maxReplicas: 5, behavior: {scaleDow: {}}}\n", "spec.behavior.scaleDow"},
		{keda, kedaOneCPU + "  minReplicasCount: 2\n", "spec.minReplicasCount"},
		{keda, kedaOneCPU + "  advanced: {restoreToOriginalReplicaCount: true, horizontalPodAutoscalerConfig: {behaviour: {}}}\n", "spec.advanced.horizontalPodAutoscalerConfig.behaviour"},
	} {
		t.Run(v.want, func(t *testing.T) {
			_, losses, err := v.pl.Import([]byte(v.text))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range losses {
				if strings.Contains(l.Reason, "unknown to the platform") && l.Severe {
					got = append(got, l.Field)
				}
			}
			if strings.Join(got, " ") != v.want {
				t.Errorf("unknown keys %v, want %s", got, v.want)
			}
		})
	}
}

const kedaOneCPU = `apiVersion: keda.sh/v1alpha1
kind: ScaledObject
spec:
  scaleTargetRef: {name: web}
  minReplicaCount: 1
  triggers: [{type: cpu, metricType: Utilization, metadata: {value: "70"}}]
`

// The documents of this directory have no such keys but where a test is about
// them.
func TestNoUnknownKeys(t *testing.T) {
	for _, pl := range []Platform{jcloud, hpa, keda, kedaHTTP} {
		for _, file := range importFiles(t, pl) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, losses, _ := pl.Import(text)
			for _, l := range losses {
				if strings.Contains(l.Reason, "unknown to the platform") && !strings.HasPrefix(filepath.Base(file), "misspelt") {
					t.Errorf("%s: %s", file, l)
				}
			}
		}
	}
}

// A number in quotes is refused where the API server does so.
func TestNumbersAsText(t *testing.T) {
	_, _, err := hpa.Import([]byte("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec: {minReplicas: 2, maxReplicas: \"10\"}\n"))
	if want := `hpa: line 3: spec.maxReplicas: got "10", want a number without quotes`; err == nil || err.Error() != want {
		t.Errorf("Import = %v, want %s", err, want)
	}
	_, _, err = keda.Import([]byte(kedaOneCPU + "  maxReplicaCount: '10'\n"))
	if want := `keda: line 7: spec.maxReplicaCount: got "10", want a number without quotes`; err == nil || err.Error() != want {
		t.Errorf("Import = %v, want %s", err, want)
	}
}

// Of a platform each thing is asked in the way that suits it.
func TestSays(t *testing.T) {
	for _, v := range []struct {
		pl    Platform
		asked string
		want  Answer
	}{
		{policyFile, "latency", Says}, {policyFile, "custom", Says}, {policyFile, "idle size", Says},
		{keda, "queue", Says}, {keda, "latency", Says}, {keda, "custom", Says}, {keda, "idle size", Says}, {keda, "hours", Says},
		{kedaHTTP, "cpu", Says}, {kedaHTTP, "hours", Says}, {kedaHTTP, "no limit", Refuses},
		{hpa, "queue", Says}, {hpa, "memory", Says}, {hpa, "hours", Converts}, {hpa, "idle size", Refuses},
		{aws, "memory", Says}, {aws, "in flight", Converts}, {aws, "to zero", Refuses},
		{jcloud, "memory", Says}, {jcloud, "two metrics", Refuses},
	} {
		if got := v.pl.Says()[slices.Index(Asked(), v.asked)]; got != v.want {
			t.Errorf("%s says %s: got %q, want %q", v.pl.Name, v.asked, got, v.want)
		}
	}
}
