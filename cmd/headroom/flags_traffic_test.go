package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/profiles"
)

// exampleAdvice is that for the measurement of the documentation, for 20 to 80
// requests/s.
func exampleAdvice(t *testing.T, wanted advisor.Sizing) (advisor.Recommendation, error) {
	t.Helper()
	m, err := readMeasurement("../../examples/measurement.json")
	if err != nil {
		t.Fatal(err)
	}
	wanted.Headroom = 200
	return m.Advise(profiles.Traffic{Low: 20_000, High: 80_000}, wanted)
}

// adviceFor is that for a platform.
func adviceFor(t *testing.T, platform string, wanted advisor.Sizing) (advisor.Recommendation, error) {
	t.Helper()
	within, err := abilityOf(platform)
	if err != nil {
		t.Fatal(err)
	}
	wanted.Within = within
	return exampleAdvice(t, wanted)
}

// Advice for a platform has the times of that platform, and numbers that it can
// say. What it keeps to itself is no value.
func TestAdviceHasThePlatformsTimes(t *testing.T) {
	const all = "tolerance, up after, down after"
	for _, c := range []struct {
		platform         string
		interval, window time.Duration
		target           profiles.Milli
		hidden           string
	}{
		{"policy", 3 * time.Second, 3 * time.Second, 8000, ""},
		{"aws", time.Minute, time.Minute, 8000, "tolerance"},
		{"cloudrun", 30 * time.Second, time.Minute, 6500, "up after, down after"},
		{"cortex", 10 * time.Second, 10 * time.Second, 8000, ""},
		{"everai", 30 * time.Second, time.Second, 7000, ""},
		{"fly", 30 * time.Second, 30 * time.Second, 7250, all},
		{"hpa", 15 * time.Second, 15 * time.Second, 8000, ""},
		{"hpa:cpu", 15 * time.Second, 15 * time.Second, 560, ""},
		{"jcloud", 30 * time.Second, 30 * time.Second, 7000, all},
		{"keda", 15 * time.Second, time.Minute, 7250, ""},
		{"keda:cpu", 15 * time.Second, 15 * time.Second, 560, ""},
		{"keda-http", 15 * time.Second, 15 * time.Second, 8000, ""},
		{"knative", 2 * time.Second, 6 * time.Second, 8000, ""},
		{"knative:cpu", 15 * time.Second, 15 * time.Second, 56_000, ""},
		{"kserve", 2 * time.Second, 6 * time.Second, 8000, ""},
		{"nomad", 3 * time.Second, time.Minute, 7420, ""},
		{"nomad:cpu", 3 * time.Second, 3 * time.Second, 560, ""},
		{"rayserve", time.Second, 2 * time.Second, 8000, ""},
		{"truefoundry", 3 * time.Second, 3 * time.Second, 8000, all},
	} {
		t.Run(c.platform, func(t *testing.T) {
			r, err := adviceFor(t, c.platform, advisor.Sizing{Rise: 300})
			if err != nil {
				t.Fatal(err)
			}
			m := r.Policy.Metrics[0]
			if r.Policy.Interval.Std() != c.interval || m.Window.Std() != c.window || m.Target != c.target {
				t.Errorf("interval %s, window %s, target %s; want %s, %s, %s", r.Policy.Interval, m.Window, m.Target, c.interval, c.window, c.target)
			}
			for _, v := range r.Values {
				if strings.Contains(c.hidden, v.Name) {
					t.Errorf("got the value %+v, which the platform keeps to itself", v)
				}
			}
			notes := strings.Join(r.Notes, "\n")
			if c.hidden == "" && strings.Contains(notes, " can be set on ") || c.hidden != "" && !strings.Contains(notes, "no "+c.hidden+" can be set on ") {
				t.Errorf("notes %q, want what is hidden: %q", notes, c.hidden)
			}
		})
	}
}

// An HPA looks every 15 s, so that advice for it is that for such an interval.
func TestAdviceForHPALooksAsOftenAsItDoes(t *testing.T) {
	bound, err := adviceFor(t, "hpa", advisor.Sizing{Rise: 500})
	if err != nil {
		t.Fatal(err)
	}
	said, err := exampleAdvice(t, advisor.Sizing{Rise: 500, Interval: 15 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := bound.Policy.Summary(), said.Policy.Summary(); got != want || got != "6 to 10 replicas at rps 7.29/s per replica" {
		t.Errorf("--for hpa: %s; --interval 15s: %s; want both alike", got, want)
	}
	var refusal *advisor.Refusal
	if _, err := adviceFor(t, "hpa", advisor.Sizing{Doubles: 10 * time.Second}); !errors.As(err, &refusal) || refusal.Code != "R9" ||
		!strings.Contains(refusal.Do, "keep 10 replicas at all times") || !strings.Contains(refusal.Do, "take a scaler that looks every 3s over 3s: free to choose, the advice would be 6 to 10 replicas at rps 3.66/s") {
		t.Errorf("doubled every 10 s: got %v, want R9 and what would do", err)
	}
}
