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
		{"a value that was left out", func(p *Policy) { p.Down.Idle = Duration(5 * time.Second) }, text + "down:\n  idle: \"5s\"\n"},
		{"a value that was the default of another", func(p *Policy) { p.Interval = Duration(5 * time.Second) },
			strings.Replace(strings.Replace(text, "interval: 10s", `interval: "5s"`, 1), "target: 10\n", "target: 10\n    window: \"10s\"\n", 1)},
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
