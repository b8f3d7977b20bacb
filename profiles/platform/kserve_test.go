package platform

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

func TestKServeChanges(t *testing.T) {
	tests := []struct {
		name, file string
		edit       func(*profiles.Policy)
		want       []string
	}{
		{"bounds", "model.yaml", func(p *profiles.Policy) { p.Replicas.Min, p.Replicas.Max, p.Up.Factor = 2, 9, 0 }, []string{
			"+ minReplicas: 2", "+ maxReplicas: 9",
		}},
		{"the fields win, and what they replace goes", "annotations.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 2000 }, []string{
			"- autoscaling.knative.dev/metric: rps           # the field wins", `- autoscaling.knative.dev/target: "1.5"`,
			`+ autoscaling.knative.dev/target-utilization-percentage: "100"`, "+ scaleTarget: 2",
		}},
		{"annotations of the predictor stay there", "annotations.yaml", func(p *profiles.Policy) {
			p.Metrics[0].Window = profiles.Duration(45 * time.Second)
			p.ToZero = &profiles.ToZero{After: p.Metrics[0].Window}
		}, []string{
			"- autoscaling.knative.dev/window: 90s         # of the component, so it wins",
			`+ autoscaling.knative.dev/panic-window-percentage: "20"`, // still 9 s
			`+ autoscaling.knative.dev/window: "45s"         # of the component, so it wins`,
		}},
		{"another class", "example.yaml", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.Memory, Target: 64_000, Window: p.Interval}
		}, []string{
			`- annotations: {autoscaling.knative.dev/target-utilization-percentage: "100"}`, "- scaleMetric: rps", "- scaleTarget: 10",
			`+ annotations: {autoscaling.knative.dev/class: hpa.autoscaling.knative.dev}`, "+ scaleMetric: memory", "+ scaleTarget: 64",
		}},
		{"Standard", "standard-memory.yaml", func(p *profiles.Policy) {
			p.Replicas.Max = 8
			p.Metrics[0] = profiles.Metric{Kind: profiles.CPU, Target: 55_000, Window: p.Interval}
		}, []string{
			"- maxReplicas: 6", "- scaleMetric: memory", "- scaleTarget: 75     # percent, whatever the message of the validation says",
			"+ maxReplicas: 8", "+ scaleMetric: cpu", "+ scaleTarget: 55     # percent, whatever the message of the validation says",
		}},
		{"Standard, from its default", "standard-cpu.yaml", func(p *profiles.Policy) { p.Replicas.Min, p.Metrics[0].Target = 2, 50_000 }, []string{
			"- minReplicas: 0", "+ minReplicas: 2", "+ scaleMetric: cpu", "+ scaleTarget: 50",
		}},
		{"Standard, with a list", "standard-metrics.yaml", func(p *profiles.Policy) { p.Metrics = p.Metrics[:1] }, []string{
			"- resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}", "- resource: {name: memory, target: {type: AverageValue, averageValue: 512Mi}}",
			"+ resource:", "+ name: cpu", "+ target:", "+ type: Utilization", "+ averageUtilization: 60",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, _ := lineChanges(t, kserve, test.file, test.edit)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestKServeRefuses(t *testing.T) {
	tests := []struct {
		name, file string
		edit       func(*profiles.Policy)
		want       string
	}{
		{"a fraction", "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 10_500 }, "metrics[0].target: got 10.5, want a whole number: 10"},
		{"less than one", "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 500 }, "metrics[0].target: got 0.5, want 1 or more"},
		{"more memory than the validation lets through", "knative-hpa.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 300_000 }, "metrics[0].target: got 300, want at most 100: KServe refuses more"},
		{"a custom metric", "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Name = profiles.Custom, "jobs" }, "metrics[0].kind: got custom, want rps, in_flight, cpu or memory"},
		{"rps in the mode Standard", "standard-cpu.yaml", func(p *profiles.Policy) { p.Metrics[0].Kind = profiles.RPS }, "metrics[0].kind: got rps, want cpu or memory"},
		{"no limit in the mode Standard", "standard-cpu.yaml", func(p *profiles.Policy) { p.Replicas.Max = profiles.Unlimited }, "replicas.max: got unlimited, want a number"},
		{"MiB in the mode Standard", "standard-memory.yaml", func(p *profiles.Policy) { p.Metrics[0].Unit = "" }, "metrics[0].unit: got MiB, want %"},
		{"more than all in the mode Standard", "standard-memory.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 120_000 }, "metrics[0].target: got 120, want at most 100"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, _, err := kserve.Import(importedFile(t, kserve, test.file))
			if err != nil {
				t.Fatal(err)
			}
			test.edit(&p)
			if _, err = kserve.Export(p, Options{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Export = %v, want %q", err, test.want)
			}
		})
	}
}

// KServe decides as Knative does, or Kubernetes, by the same numbers.
func TestKServeDecides(t *testing.T) {
	tests := []struct {
		file    string
		metrics profiles.Metrics
		want    int
	}{
		{"example.yaml", level(5, 1, 120, 0), 12},                         // 120/10
		{"annotations.yaml", level(1, 1, 2, 0), 2},                        // 2/1.05, at most 4
		{"knative-hpa.yaml", level(2, 2, 2*180, 0), 4},                    // 180 MiB of 90 each
		{"standard-cpu.yaml", level(2, 2, 2*160, 0), 4},                   // 160 % of 80 each
		{"standard-memory.yaml", level(2, 2, 2*112.5, 0), 3},              // 112.5 % of 75 each
		{"standard-memory.yaml", level(7, 7, 7*75, 0), 6},                 // more than max
		{"standard-cpu.yaml", level(3, 3, 3*80, 0), 3},                    // as it should be
		{"standard-cpu.yaml", profiles.Metrics{Replicas: 3, Ready: 3}, 3}, // nothing known
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			f, err := openKServe(importedFile(t, kserve, test.file))
			if err != nil {
				t.Fatal(err)
			}
			d, err := f.decider()
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Decide(epoch, test.metrics); got.Desired != test.want {
				t.Errorf("Decide(%+v) = %v, want %d", test.metrics, got, test.want)
			}
		})
	}
}
