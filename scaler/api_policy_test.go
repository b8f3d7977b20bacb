package scaler

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

const unchanged = "nothing that it decides by"

func TestAPIChangesThePolicy(t *testing.T) {
	tests := []struct {
		name, method, match, body string
		code                      int
		want                      string // in the answer
		changes                   string // of the policy, 1 to 5 replicas at 10 rps
	}{
		{"one value", "PATCH", "", `{"max_workers":8}`, 200, `"notSaved":"there is no policy file"`, "replicas.max 5 -> 8"},
		{"values by the keys of the file", "PATCH", "", `{"replicas":{"min":2,"max":3},"down.idle":"5s"}`, 200, `"idle":"5s"`,
			"replicas.min 1 -> 2, replicas.max 5 -> 3, down.idle 1m -> 5s"},
		{"both bounds, in an order that would not do one by one", "PATCH", "", `{"min_workers":8,"max_workers":10}`, 200, `"min":8`,
			"replicas.min 1 -> 8, replicas.max 5 -> 10"},
		{"nothing", "PATCH", "", `{}`, 200, `"max":5`, ""},
		{"what only people read", "PATCH", "", `{"calibration":{"measured":"2026-01-31"}}`, 200, `"measured":"2026-01-31"`, unchanged},
		{"a warning", "PATCH", "", `{"metrics":[{"kind":"latency","target":200}]}`, 200, `"warnings":["`,
			"metrics[0].kind rps -> latency, metrics[0].target 10/s per replica -> 200 ms"},
		{"all problems at once", "PATCH", "", `{"min_workers":9,"interval":"1ms","speed":"fast"}`, 422, `speed`, ""},
		{"what no metric of ours is", "PATCH", "", `{"metrics[0].kind":"custom"}`, 422, `metrics[0].kind: got custom`, ""},
		{"no object", "PATCH", "", `[1]`, 422, `"problems":`, ""},
		{"no JSON", "PATCH", "", `max_workers: 8`, 422, "want one JSON object", ""},
		{"the present policy", "PATCH", "present", `{"max_workers":8}`, 200, `"max":8`, "replicas.max 5 -> 8"},
		{"one of several", "PATCH", `"a", present`, `{"max_workers":8}`, 200, `"max":8`, "replicas.max 5 -> 8"},
		{"any", "PATCH", "*", `{"max_workers":8}`, 200, `"max":8`, "replicas.max 5 -> 8"},
		{"another policy", "PATCH", `"0123456789abcdef"`, `{"max_workers":8}`, 412, "the policy has changed meanwhile", ""},
		{"a weak tag is none", "PATCH", `W/present`, `{"max_workers":8}`, 412, "the policy has changed meanwhile", ""},
		{"another policy, and nonsense", "PATCH", `"0123456789abcdef"`, `{"speed":8}`, 412, "the policy has changed meanwhile", ""},
		{"the whole", "PUT", "present", `{"version":"headroom/v1","replicas":{"min":2,"max":2},"interval":"10s","down":{"stabilization":"0s"}}`, 200, `"min":2`,
			"replicas.min 1 -> 2, replicas.max 5 -> 2, metrics[0].kind rps -> none, metrics[0].target 10/s per replica -> none, metrics[0].window 10s -> none"},
		{"the whole of another", "PUT", `"0123456789abcdef"`, `{"version":"headroom/v1","replicas":{"min":2,"max":2}}`, 412, "the policy has changed meanwhile", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, a := control(t)
			before := a.loop.state().policy
			_, tag := policyOf(t, s.URL)
			req := request(t, tt.method, s.URL+"/v1/policy", tt.body)
			req.Header.Set("Authorization", "Bearer secret")
			if tt.match != "" {
				req.Header.Set("If-Match", strings.ReplaceAll(tt.match, "present", tag))
			}
			res, body := fetch(t, req)
			if res.StatusCode != tt.code || !strings.Contains(body, tt.want) {
				t.Errorf("%s %s: got %d %s, want %d with %s", tt.method, tt.body, res.StatusCode, body, tt.code, tt.want)
			}
			after := a.loop.state().policy
			want := tt.changes
			if want == "" {
				want = unchanged
			}
			if got := changesText(before, after); got != want {
				t.Errorf("%s %s: changed %q, want %q", tt.method, tt.body, got, want)
			}
			if _, now := policyOf(t, s.URL); (now != tag) != (tt.changes != "") || tt.code == 200 && res.Header.Get("ETag") != now {
				t.Errorf("tags: got %s before, %s with the answer and %s after it, want another one only where something changed",
					tag, res.Header.Get("ETag"), now)
			}
		})
	}
}

// policyOf is the policy that an API tells of, with its tag.
func policyOf(t *testing.T, url string) (p profiles.Policy, tag string) {
	t.Helper()
	req := request(t, "GET", url+"/v1/policy", "")
	req.Header.Set("Authorization", "Bearer secret")
	res, body := fetch(t, req)
	if err := json.Unmarshal([]byte(body), &p); res.StatusCode != http.StatusOK || err != nil {
		t.Fatalf("GET /v1/policy: got %d %s, %v", res.StatusCode, body, err)
	}
	return p, res.Header.Get("ETag")
}

// Two who looked at the same policy cannot both replace it.
func TestClientAppliesToWhatItSaw(t *testing.T) {
	s, _ := control(t)
	c, ctx := NewClient(s.URL, "secret"), t.Context()
	seen, tag, err := c.Policy(ctx)
	if err != nil {
		t.Fatal(err)
	}
	first, err := seen.With(profiles.Setting{Key: "max_workers", Value: "8"})
	if err != nil {
		t.Fatal(err)
	}
	applied, err := c.Apply(ctx, first, tag)
	if err != nil {
		t.Fatal(err)
	}
	want := Applied{Policy: first, NotSaved: "there is no policy file"}
	if diff := cmp.Diff(want, applied); diff != "" {
		t.Errorf("applied (-want +got):\n%s", diff)
	}
	if _, err := c.Apply(ctx, seen, tag); !errors.Is(err, ErrPolicyChanged) {
		t.Errorf("apply with the tag of before: got %v, want ErrPolicyChanged", err)
	}
	if p, now, err := c.Policy(ctx); err != nil || now == tag || p.Replicas.Max != 8 {
		t.Errorf("policy: got max %v, tag %s, %v, want 8 and another tag", p.Replicas.Max, now, err)
	}
}
