package advisor

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The shortest search answers where the service is quick, and one of the usual
// budget where it is not, without a warning. That is the budget a search names
// which found its own too short.
func TestUsualBudgetAnswers(t *testing.T) {
	for _, c := range []struct {
		service time.Duration
		slo     string
		want    time.Duration
	}{
		{time.Millisecond, "p95<20ms", MinBudget},
		{5 * time.Millisecond, "p95<50ms", MinBudget},
		{25 * time.Millisecond, "p95<250ms", 20 * time.Second},
		{100 * time.Millisecond, "p95<1s", 80 * time.Second},
		{5 * time.Millisecond, "p99<50ms", 20 * time.Second},
	} {
		t.Run(fmt.Sprint(c.service, c.slo), func(t *testing.T) {
			slo := mustSLO(t, c.slo)
			search := func(budget time.Duration, seed uint64) (found Capacity, warned []string) {
				t.Helper()
				s := &simulated{slo: slo, service: c.service, servers: 1, seed: seed}
				found, err := Search(t.Context(), s, SearchOptions{SLO: slo, Budget: budget, Seed: seed, Warn: func(text string) { warned = append(warned, text) }})
				if err != nil {
					t.Fatal(err)
				}
				return found, warned
			}
			var refused []*Refusal
			for seed := range uint64(8) {
				found, warned := search(c.want, seed)
				if warned != nil {
					t.Errorf("with %v: warned of %q, want nothing", c.want, warned)
				}
				if found.Refusal != nil {
					refused = append(refused, found.Refusal)
				}
			}
			if len(refused) > 1 {
				t.Errorf("with %v: %d of 8 refused, want 1 at most: %v", c.want, len(refused), refused)
			}
			if c.want == MinBudget {
				return
			}
			named := fmt.Sprintf("--budget %.0fs", c.want.Seconds())
			if _, warned := search(MinBudget, 1); len(warned) != 1 || !strings.Contains(warned[0], named) {
				t.Errorf("with %v: warned of %q, want %s", MinBudget, warned, named)
			}
		})
	}
}

// A refusal for want of time names a budget that is more than there was.
func TestRefusalNamesABudget(t *testing.T) {
	named := regexp.MustCompile(`--budget (\d+s) or more`)
	slo := mustSLO(t, "p95<10s")
	for budget := MinBudget; budget <= time.Minute; budget += 10 * time.Second {
		s := &simulated{slo: slo, service: time.Second, servers: 1}
		found, err := Search(t.Context(), s, SearchOptions{SLO: slo, Budget: budget})
		if err != nil || found.Refusal == nil {
			t.Fatalf("Search within %v = %v, refusal %v; want one", budget, err, found.Refusal)
		}
		match := named.FindStringSubmatch(found.Refusal.Do)
		if match == nil {
			t.Fatalf("within %v: %v names no budget", budget, found.Refusal)
		}
		if more, err := time.ParseDuration(match[1]); err != nil || more < 2*budget {
			t.Errorf("within %v: %v, want twice as much or more", budget, found.Refusal)
		}
	}
}
