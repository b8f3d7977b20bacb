package advisor

import (
	"context"
	"strings"
	"testing"
	"time"

	"headroom/advisor/model"
	"headroom/load"
)

func TestRefuseBaseline(t *testing.T) {
	slo := mustSLO(t, "p95<300ms,errors<1%")
	ms := time.Millisecond
	for _, c := range []struct {
		name string
		o    Observation
		code string // empty: not refused
		why  string
	}{
		{"all good", Observation{Requests: 57, P50: 20 * ms, P95: 30 * ms}, "", ""},
		{"nothing came back", Observation{}, "R10", "no request came back"},
		{"the only request failed", Observation{Requests: 1, Failed: 1, P50: infinite, P95: infinite, Verdict: model.Fail}, "R4", "1 of 1 requests failed"},
		{"half of two failed", Observation{Requests: 2, Failed: 1, P50: 20 * ms, P95: infinite, Verdict: model.Fail}, "R4", "1 of 2 requests failed"},
		{"one of many failed, by accident", Observation{Requests: 57, Failed: 1, P50: 20 * ms, P95: 30 * ms, Verdict: model.Fail}, "", ""},
		{"two of many failed", Observation{Requests: 57, Failed: 2, P50: 20 * ms, P95: 30 * ms}, "R4", "2 of 57"},
		{"too slow", Observation{Requests: 12, P50: 400 * ms, P95: 410 * ms}, "R1", "one request alone misses the SLO"},
		{"often too slow", Observation{Requests: 57, P50: 200 * ms, P95: 410 * ms, Verdict: model.Fail}, "R1", "p95 410ms"},
		{"the generator was the limit", Observation{Requests: 57, Spoiled: true, Why: "it was late", Health: load.Health{Verdict: load.Limited}}, "R2", "it was late"},
		{"the fleet changed", Observation{Requests: 57, Spoiled: true, Why: "replicas came"}, "R5", "replicas came"},
	} {
		r := refuseBaseline(c.o, slo)
		switch {
		case c.code == "" && r != nil, c.code != "" && (r == nil || r.Code != c.code || !strings.Contains(r.Why, c.why) || r.Do == ""):
			t.Errorf("%s: refusal %+v, want %q with %q", c.name, r, c.code, c.why)
		}
	}
}

// The load that is called the highest is that of the users who got it.
func TestRefuseUnsaturatedPairsUsersAndRate(t *testing.T) {
	rates := map[int]float64{2: 40, 4: 80, 8: 160, 16: 158}
	s := &ladder{rates: rates}
	c, err := Search(t.Context(), s, SearchOptions{SLO: mustSLO(t, "p95<300ms"), Budget: 40 * time.Second})
	if err != nil || c.Refusal == nil || c.Refusal.Code != "R3" || !strings.Contains(c.Refusal.Why, "8 users got the most, 160/s") {
		t.Errorf("Search = %v, refusal %+v; want R3 with 8 users and 160/s", err, c.Refusal)
	}
}

// ladder is a service whose rungs of the closed model come out as told.
type ladder struct{ rates map[int]float64 }

func (l *ladder) Run(_ context.Context, t Trial) (Observation, error) {
	rate, ok := l.rates[t.Users]
	if !ok {
		rate = 20
	}
	return Observation{Trial: t, Took: 3500 * time.Millisecond, Requests: 100, Rate: rate, P50: 50 * time.Millisecond, P95: 50 * time.Millisecond, Replicas: 1}, nil
}
