package profiles

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Who looks at a plan sees its load, and none of what may be secret.
func TestPlanJSON(t *testing.T) {
	p := DefaultPlan()
	p.Target, p.Users, p.Requests, p.RunTime = "http://user:secret@127.0.0.1:8000/", 20, 7, time.Minute
	p.UserShape, p.Shape = Ramp{From: 3, Stages: []Stage{{time.Minute, 10}}}, Constant(2.5)
	p.Header, p.Body = http.Header{"Authorization": {"Bearer secret"}}, []byte("secret")
	p.Scenario = &Scenario{Rows: []string{"secret"}}
	text, err := json.Marshal(p)
	if err != nil || strings.Contains(string(text), "secret") {
		t.Fatalf("Marshal = %s, %v, want no secret in it", text, err)
	}
	var got Plan
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := Plan{
		Target: p.ShownTarget(), Users: 20, UserShape: Constant(3), SpawnRate: 1, Shape: Constant(2.5),
		RunTime: time.Minute, Requests: 7, StopGrace: 30 * time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a plan through JSON (-want +got):\n%s", diff)
	}
}

func TestSLOText(t *testing.T) {
	for _, want := range []SLO{
		nil,
		{{Measure: Percentile, Quantile: 0.95, Op: Less, Limit: 0.3}, {Task: `a,"b"`, Measure: Errors, Op: LessEqual, Limit: 0.01}},
	} {
		text, err := json.Marshal(want)
		var got SLO
		if err != nil || json.Unmarshal(text, &got) != nil {
			t.Errorf("Marshal(%v) = %s, %v", want, text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("an SLO through JSON (-want +got):\n%s", diff)
		}
	}
	var got SLO
	if err := json.Unmarshal([]byte(`"p95<fast"`), &got); err == nil {
		t.Errorf("Unmarshal of nonsense = %v, want an error", got)
	}
}
