package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"headroom/probe"
	"headroom/profiles"
	"headroom/scaler"
)

func TestWithSettings(t *testing.T) {
	p, err := withSettings(profiles.FixedPolicy(1), []string{"max_workers=3", "min_workers = 2", "metrics=[{kind: rps, target: 10}]"})
	if err != nil || p.Summary() != "2 to 3 replicas at rps 10/s per replica" {
		t.Errorf("three settings: got %s, %v, want them made", p.Summary(), err)
	}
	_, err = withSettings(profiles.FixedPolicy(1), []string{"max_workers", "=3", "speed=1"})
	var known *exit
	if !errors.As(err, &known) || known.code != exitUsage {
		t.Fatalf("nonsense: got %v, want a usage error", err)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], `--set: got "max_workers", want key=value`) || !strings.HasPrefix(lines[1], `--set: got "=3"`) {
		t.Errorf("nonsense: got %q, want both problems", lines)
	}
	if _, err = withSettings(profiles.FixedPolicy(1), []string{"speed=1"}); err == nil || !strings.HasPrefix(err.Error(), "--set: speed: unknown key") {
		t.Errorf("an unknown key: got %v, want that said of --set", err)
	}
}

func TestApplySaysWhatBecameOfIt(t *testing.T) {
	from, to := profiles.FixedPolicy(1), profiles.FixedPolicy(3)
	noted := from
	noted.Platforms = map[string]any{"knative": "x"}
	tests := []struct {
		name   string
		to     profiles.Policy
		answer scaler.Applied
		code   int
		pinned bool
		says   string
		err    error
	}{
		{"saved", to, scaler.Applied{SavedTo: "/etc/policy.yaml"}, 200, false,
			"  replicas.min  1 -> 3\n  replicas.max  1 -> 3\napplied, and saved to /etc/policy.yaml\n", nil},
		{"not saved", to, scaler.Applied{NotSaved: "there is no policy file"}, 200, false,
			"  replicas.min  1 -> 3\n  replicas.max  1 -> 3\napplied until the scaler ends, but not saved: there is no policy file\n", nil},
		{"not all of it", to, scaler.Applied{SavedTo: "/p", Held: []string{"replicas.max stays 6: /c holds it"}}, 200, false,
			"  replicas.min  1 -> 3\n  replicas.max  1 -> 3\nreplicas.max stays 6: /c holds it\napplied, and saved to /p\n", nil},
		{"what platforms read", noted, scaler.Applied{SavedTo: "/p"}, 200, false,
			"only what platforms and people read is different: calibration or platforms\napplied, and saved to /p\n", nil},
		{"somebody was faster", to, scaler.Applied{}, 412, false, "  replicas.min  1 -> 3\n  replicas.max  1 -> 3\n", scaler.ErrPolicyChanged},
		{"nothing", from, scaler.Applied{}, 200, false, "nothing to change: the scaler follows this policy already\n", nil},
		{"nothing but the pin", from, scaler.Applied{SavedTo: "/p"}, 200, true,
			"nothing to change: the scaler follows this policy already\napplied, and saved to /p\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newApp(t)
			var asked []string
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = append(asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("If-Match")))
				if r.URL.Path == "/v1/status" {
					json.NewEncoder(w).Encode(map[string]any{"fleet": probe.Fleet{Pinned: tt.pinned}})
					return
				}
				if r.Method == http.MethodPut {
					w.WriteHeader(tt.code)
					tt.answer.Policy = tt.to
					json.NewEncoder(w).Encode(tt.answer)
				}
			}))
			defer s.Close()
			err := a.apply(t.Context(), scaler.NewClient(s.URL, "secret"), change{from, tt.to, `"seen"`}, true)
			if !errors.Is(err, tt.err) {
				t.Errorf("apply: got error %v, want %v", err, tt.err)
			}
			if got := read(t, a.err.Name()); got != tt.says {
				t.Errorf("apply says %q, want %q", got, tt.says)
			}
			want := `PUT /v1/policy "seen"`
			switch tt.name {
			case "nothing", "nothing but the pin":
				want = `GET /v1/status, PUT /v1/policy "seen"`
			}
			if got := strings.Join(asked, ", "); got != want {
				t.Errorf("apply asked %s, want %s", got, want)
			}
		})
	}
}

// A policy file that cannot be written is an error, and tried again when there
// is nothing else to do.
func TestApplyFailsUnsaved(t *testing.T) {
	from := profiles.FixedPolicy(1)
	for _, to := range []profiles.Policy{profiles.FixedPolicy(3), from} {
		a := newApp(t)
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				json.NewEncoder(w).Encode(scaler.Applied{Policy: to, File: "/etc/policy.yaml", NotSaved: "read-only file system"})
				return
			}
			json.NewEncoder(w).Encode(map[string]any{"fleet": probe.Fleet{}})
		}))
		err := a.apply(t.Context(), scaler.NewClient(s.URL, "secret"), change{from, to, `"seen"`}, true)
		s.Close()
		var known *exit
		if !errors.As(err, &known) || known.code != exitUsage || !strings.Contains(err.Error(), "not saved to /etc/policy.yaml: read-only file system") {
			t.Errorf("apply of %s: got %v, want a failure with the file and the cause", to.Summary(), err)
		}
	}
}
