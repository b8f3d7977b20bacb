package profiles

import (
	"strings"
	"testing"
)

func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		name   string
		metric Metric
		min    int
		want   string // beginning; empty: none
	}{
		{"rps", Metric{Kind: RPS, Target: 10_000}, 1, ""},
		{"cpu", Metric{Kind: CPU, Target: 70_000}, 1, ""},
		{"latency", Metric{Kind: Latency, Target: 200_000}, 1, "metrics[0]: latency says that something is wrong, not how many replicas are missing"},
		{"latency per replica", Metric{Kind: Latency, Target: 200_000, Scope: PerReplica}, 1, "metrics[0]: latency says"},
		{"as many free workers as min", Metric{Kind: FreeWorkers, Target: 2000}, 2, ""},
		{"more free workers than min", Metric{Kind: FreeWorkers, Target: 2000}, 1, "metrics[0]: replicas.min 1 is less than the 2 free workers"},
		{"a queue longer than min", Metric{Kind: Queue, Target: 2000}, 1, ""},
	} {
		p := kindPolicy(c.metric, func(p *Policy) { p.Replicas.Min = c.min })
		got := strings.Join(p.Warnings(), "\n")
		if (got == "") != (c.want == "") || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: Warnings() = %q, want one that begins with %q", c.name, got, c.want)
		}
	}
}
