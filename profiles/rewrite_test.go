package profiles

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRewriteKeepsTheRest(t *testing.T) {
	const text = `# of the web team
version: headroom/v1
replicas: {min: 1, max: 5} # small
metrics:
  - kind: rps
    # measured in November
    target: 10
interval: 10s
`
	tests := []struct {
		name string
		edit func(*Policy)
		want string
	}{
		{"nothing", func(*Policy) {}, text},
		{"a value in braces", func(p *Policy) { p.Replicas.Max = 8 }, strings.Replace(text, "max: 5", "max: 8", 1)},
		{"a value below a comment", func(p *Policy) { p.Metrics[0].Target = 12500 }, strings.Replace(text, "target: 10", "target: 12.5", 1)},
		{"a value that was left out", func(p *Policy) { p.Down.Idle = Duration(5 * time.Second) }, text + "down:\n  idle: 5s\n"},
		{"a value that was the default of another", func(p *Policy) { p.Interval = Duration(5 * time.Second) },
			strings.Replace(strings.Replace(text, "interval: 10s", `interval: 5s`, 1), "target: 10\n", "target: 10\n    window: 10s\n", 1)},
		{"without a limit", func(p *Policy) { p.Replicas.Max = Unlimited }, strings.Replace(text, "max: 5", "max: unlimited", 1)},
	}
	for _, tt := range tests {
		p, err := ParsePolicy([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		tt.edit(&p)
		got, err := p.Rewrite([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Elements come and go one by one: the others keep their comments and style.
func TestRewriteLists(t *testing.T) {
	const head = "version: headroom/v1\nreplicas: {min: 1, max: 5}\nmetrics:\n"
	const rps = "  - {kind: rps, target: 10}     # requests per second\n"
	const cpu = "  - kind: cpu # of the whole tree\n    target: 60\n"
	const latency = "  - {kind: latency, target: 250, window: 2s}\n"
	const tail = "interval: 5s\n"
	memory := Metric{Kind: Memory, Target: 512000, Window: Duration(5 * time.Second)}
	tests := []struct {
		name, text string
		edit       func(*Policy)
		want       string
	}{
		{"one more, in braces as before", rps, func(p *Policy) { p.Metrics = append(p.Metrics, memory) }, rps + "  - {kind: memory, target: 512}\n"},
		{"one more, on lines as before", cpu, func(p *Policy) { p.Metrics = append(p.Metrics, memory) }, cpu + "  - kind: memory\n    target: 512\n"},
		{"one more with a window of its own", rps, func(p *Policy) {
			m := memory
			m.Window *= 2
			p.Metrics = append(p.Metrics, m)
		}, rps + "  - {kind: memory, target: 512, window: 10s}\n"},
		{"the first goes", rps + cpu + latency, func(p *Policy) { p.Metrics = p.Metrics[1:] }, cpu + latency},
		{"one between goes", rps + cpu + latency, func(p *Policy) { p.Metrics = []Metric{p.Metrics[0], p.Metrics[2]} }, rps + latency},
		{"the last two go", rps + cpu + latency, func(p *Policy) { p.Metrics = p.Metrics[:1] }, rps},
		{"one goes and one changes", rps + cpu + latency, func(p *Policy) {
			p.Metrics = p.Metrics[1:]
			p.Metrics[0].Target = 70000
		}, strings.Replace(cpu, "60", "70", 1) + latency},
	}
	for _, tt := range tests {
		text := head + tt.text + tail
		p, err := ParsePolicy([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		tt.edit(&p)
		got, err := p.Rewrite([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if diff := cmp.Diff(head+tt.want+tail, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestRewriteRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no policy":          "replicas: [\n",
		"half of one":        "version: headroom/v1\nreplicas: {min: 1}\n",
		"an anchor for both": "version: headroom/v1\nreplicas: {min: &n 3, max: *n}\nmetrics: [{kind: rps, target: 10}]\n",
	} {
		p := rpsPolicy()
		if got, err := p.Rewrite([]byte(text)); err == nil {
			t.Errorf("%s: got %q, want an error", name, got)
		}
	}
}

// Whatever a file says, rewritten it says the other policy.
func TestRewriteSaysThePolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := drawPolicy(t), drawPolicy(t)
		text, err := from.YAML()
		if err != nil {
			t.Fatal(err)
		}
		text, err = to.Rewrite(text)
		if err != nil {
			t.Fatalf("rewrite: %v", err)
		}
		got, err := ParsePolicy(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if diff := cmp.Diff(to, got); diff != "" {
			t.Fatalf("(-want +got):\n%s\nin\n%s", diff, text)
		}
	})
}
