package advisor

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"headroom/advisor/model"
	"headroom/load"
)

// scripted is a service that saturates at 20/s and whose steps of the open
// model come out as told.
type scripted struct {
	open   func(t Trial) Observation
	trials []Trial // of the open model
}

func (s *scripted) Run(_ context.Context, t Trial) (Observation, error) {
	o := Observation{Requests: 100, Over: t.Length, Rate: 20, P50: 50 * time.Millisecond, P95: 50 * time.Millisecond, Verdict: model.Unsure, Met: true}
	if t.Rate > 0 {
		s.trials = append(s.trials, t)
		o = s.open(t)
		o.Requests = int(o.Offered * t.Length.Seconds())
	}
	o.Trial, o.Took, o.Replicas = t, t.Length, 1
	return o, nil
}

// A step that is too short to tell is followed by a longer one, then by a
// lower load; it is never taken for one that missed the SLO.
func TestShortStepsAreNoMisses(t *testing.T) {
	short := func(t Trial) Observation {
		return Observation{Offered: t.Rate, Short: true, Needs: 1500, Why: "0 of 9"}
	}
	met := func(t Trial) Observation { return Observation{Offered: t.Rate, Met: true} }
	missed := func(t Trial) Observation { return Observation{Offered: t.Rate} }
	slo := mustSLO(t, "p95<250ms")
	search := func(open func(Trial) Observation, budget time.Duration) (Capacity, []Trial) {
		t.Helper()
		s := &scripted{open: open}
		c, err := Search(t.Context(), s, SearchOptions{SLO: slo, Budget: budget})
		if err != nil || len(s.trials) == 0 {
			t.Fatalf("Search = %v after %d steps of the open model", err, len(s.trials))
		}
		return c, s.trials
	}

	c, trials := search(short, 5*time.Minute)
	if c.Refusal == nil || c.Refusal.Code != "R10" || !strings.Contains(c.Refusal.Why, "0 of 9: too little to tell") || !strings.Contains(c.Refusal.Do, "about 1500 requests") {
		t.Errorf("nothing could be told: refusal %+v, want R10", c.Refusal)
	}
	if c.missed != c.Saturation.High {
		t.Errorf("nothing could be told: lowest load that missed is %.1f/s, want none below saturation", c.missed)
	}
	if first, second := trials[0], trials[1]; second.Rate != first.Rate || second.Length < 2*first.Length || second.Length > 5*first.Length {
		t.Errorf("after %v at %.1f/s came %v at %.1f/s, want longer at the same load", first.Length, first.Rate, second.Length, second.Rate)
	}
	lower := slices.IndexFunc(trials, func(t Trial) bool { return t.Rate != trials[0].Rate })
	if lower < 0 || trials[lower].Rate > 0.85*trials[0].Rate || trials[lower].Rate < 0.75*trials[0].Rate {
		t.Errorf("after %.1f/s came %+v, want a somewhat lower load", trials[0].Rate, trials)
	}

	if c, _ := search(func(t Trial) Observation {
		if t.Length < 40*time.Second {
			return short(t)
		}
		return met(t)
	}, 5*time.Minute); c.Refusal != nil || c.SLO.Value < 14 {
		t.Errorf("a longer step told: %v, refusal %v; want 14/s or more", c.SLO, c.Refusal)
	}
	if c, _ := search(func(t Trial) Observation {
		if t.Rate > 13 {
			return short(t)
		}
		return met(t)
	}, 5*time.Minute); c.Refusal != nil || c.SLO.Value < 11 || c.SLO.Value > 13 || c.missed != c.Saturation.High {
		t.Errorf("a lower load told: %v, refusal %v, missed %.1f; want about 12/s and nothing missed", c.SLO, c.Refusal, c.missed)
	}

	if c, _ := search(missed, time.Minute); c.Refusal == nil || c.Refusal.Code != "R10" || !strings.Contains(c.Refusal.Why, "/s missed the SLO, and to judge ") {
		t.Errorf("missed until the time was over: refusal %+v, want R10", c.Refusal)
	}
	if c, _ := search(missed, 20*time.Minute); c.Refusal == nil || c.Refusal.Code != "R1" || !strings.Contains(c.Refusal.Why, "even") {
		t.Errorf("missed down to a load near none: refusal %+v, want R1", c.Refusal)
	}
}

// A step that met the SLO but did not settle is lengthened once; what did not
// settle then either costs the grade.
func TestUnsettledStepIsLengthenedOnce(t *testing.T) {
	for name, settles := range map[string]bool{"when it is longer": true, "never": false} {
		var before time.Duration // length of the step that did not settle; 0: it did
		s := &scripted{open: func(t Trial) Observation {
			o := Observation{Offered: t.Rate, Met: t.Rate <= 14}
			o.Unsettled = o.Met && (!settles || before == 0 && !strings.HasPrefix(t.Name, "confirm"))
			return o
		}}
		again := 0
		run := s.open
		s.open = func(trial Trial) Observation {
			if before > 0 && trial.Name != loadedName {
				last := s.trials[len(s.trials)-2]
				if again++; trial.Rate != last.Rate || trial.Length < 2*before || trial.Length > 5*before {
					t.Errorf("%s: after %v at %.1f/s came %v at %.1f/s, want longer at the same load", name, before, last.Rate, trial.Length, trial.Rate)
				}
			}
			o := run(trial)
			if before = 0; o.Unsettled && (len(s.trials) < 2 || s.trials[len(s.trials)-2].Rate != trial.Rate) {
				before = trial.Length
			}
			return o
		}
		c, err := Search(t.Context(), s, SearchOptions{SLO: mustSLO(t, "p95<250ms"), Budget: 20 * time.Minute})
		if err != nil || c.Refusal != nil || again == 0 {
			t.Fatalf("%s: Search = %v, refusal %v, %d steps lengthened; want some", name, err, c.Refusal, again)
		}
		flawed := slices.ContainsFunc(c.flaws(), func(f flaw) bool { return f.most == GradeC && strings.Contains(f.why, "had not settled") })
		if flawed == settles || c.SLO.Value < 12 || c.SLO.Value > 14 {
			t.Errorf("%s: %v with a flaw %v, want about 13/s, with one %v", name, c.SLO, flawed, !settles)
		}
	}
}

// A confirmation is evidence of the load that came, not of the one that was
// planned.
func TestConfirmation(t *testing.T) {
	for _, c := range []struct {
		name      string
		came      float64 // of the load that was planned
		met       bool
		confirmed bool
		back      bool // to a lower load
	}{
		{"met", 1, true, true, false},
		{"met though more came", 1.1, true, true, false},
		{"met when fewer came", 0.9, true, false, false},
		{"missed", 1, false, false, true},
		{"missed though fewer came", 0.9, false, false, true},
		{"missed when more came", 1.1, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := 0.0
			s := &scripted{open: func(t Trial) Observation {
				if strings.HasPrefix(t.Name, "confirm") {
					return Observation{Offered: t.Rate * c.came, Met: c.met}
				}
				if t.Rate <= 14 {
					found = max(found, t.Rate)
				}
				return Observation{Offered: t.Rate, Met: t.Rate <= 14}
			}}
			got, err := Search(t.Context(), s, SearchOptions{SLO: mustSLO(t, "p95<250ms"), Budget: 5 * time.Minute})
			if err != nil || got.Refusal != nil {
				t.Fatalf("Search = %v, refusal %v", err, got.Refusal)
			}
			if got.Confirmed != c.confirmed || (got.SLO.Value < found) != c.back || got.SLO.Value > found {
				t.Errorf("%v, confirmed %v after %.2f/s was found; want confirmed %v, a lower load %v", got.SLO, got.Confirmed, found, c.confirmed, c.back)
			}
		})
	}
}

// countingRunner takes so long for each step, and the generator is always the
// limit of it.
type countingRunner struct {
	took time.Duration
	runs int
}

func (r *countingRunner) Run(_ context.Context, t Trial) (Observation, error) {
	r.runs++
	return Observation{Trial: t, Took: r.took, Health: load.Health{Verdict: load.Limited, Reason: "late"}}, nil
}

func TestSpoiledStepIsRepeatedWhileThereIsTime(t *testing.T) {
	for _, c := range []struct {
		budget time.Duration
		want   int
	}{{20 * time.Second, 2}, {13 * time.Second, 2}, {12 * time.Second, 1}, {8 * time.Second, 1}} {
		r := &countingRunner{took: 8 * time.Second}
		s := &search{SearchOptions: SearchOptions{Budget: c.budget}, runner: r}
		o, err := s.step(t.Context(), Trial{Length: 5 * time.Second})
		if err != nil || !o.Spoiled || !strings.Contains(o.Why, "late") || r.runs != c.want || len(s.steps) != 1 {
			t.Errorf("with %v: %d runs, spoiled %v (%s), %d steps, %v; want %d and one spoiled step", c.budget, r.runs, o.Spoiled, o.Why, len(s.steps), err, c.want)
		}
	}
}

func TestStepLength(t *testing.T) {
	for _, c := range []struct {
		name      string
		requests  int
		rate      float64
		low, high float64
		left      time.Duration
		want      time.Duration // 0: not enough
	}{
		{"as long as its requests take", 59, 10, 0, 100, 20 * time.Second, 6555555555},
		{"no room for its requests", 59, 10, 0, 100, 6 * time.Second, 0},
		{"what is kept back for later is not touched", 59, 10, 5, 100, 11 * time.Second, 0},
		{"unless nothing met the SLO yet", 59, 10, 0, 100, 11 * time.Second, 6555555555},
		{"a share of what is left, at the bracket's goal", 59, 10, 95, 100, 60 * time.Second, 30 * time.Second},
		{"half of what is left for a confirmation", 59, 10, 10, 10, 60 * time.Second, 30 * time.Second},
		{"never less than two seconds", 59, 1000, 0, 1000, 4 * time.Second, 2 * time.Second},
		{"no longer than its samples are kept", 59, 100_000, 10, 10, time.Minute, 8388608 * time.Microsecond},
		{"nor at any rate", 59, 1e7, 10, 10, time.Minute, 83886080 * time.Nanosecond},
	} {
		s := &search{SearchOptions: SearchOptions{Budget: c.left}}
		if c.left == 11*time.Second {
			s.reserve = 5 * time.Second
		}
		got, enough := s.stepLength(c.requests, c.rate, c.low, c.high)
		if enough != (c.want > 0) || (got-c.want).Abs() > time.Millisecond {
			t.Errorf("%s: %v, enough %v; want %v", c.name, got, enough, c.want)
		}
		if c.rate*got.Seconds() > maxSamples {
			t.Errorf("%s: %.0f requests, and %d are kept", c.name, c.rate*got.Seconds(), maxSamples)
		}
	}
}

func TestEnoughToPass(t *testing.T) {
	for slo, want := range map[string]int{
		"p95<300ms": 59, "p99<1s": 299, "p50<500ms,p99<1s": 299, "p99<1s,p50<500ms,errors<1%": 299,
		"p50<1s": enoughForRate, // five would do for the test, and say nothing
	} {
		s := search{SearchOptions: SearchOptions{SLO: mustSLO(t, slo)}}
		if got := s.enoughToPass(); got != want {
			t.Errorf("enoughToPass(%s) = %d, want %d", slo, got, want)
		}
	}
}

// Where the samples of a step were cut short, its rate would be too.
func TestFullStepIsRefused(t *testing.T) {
	full := fullRunner{simulated{service: 20 * time.Millisecond, servers: 1, slo: mustSLO(t, "p95<100ms")}}
	c, err := Search(t.Context(), &full, SearchOptions{SLO: full.slo, Budget: time.Minute})
	if err != nil || c.Refusal == nil || c.Refusal.Code != "R2" || !strings.Contains(c.Refusal.Why, "more than 1048576 requests") {
		t.Errorf("Search = %v, refusal %+v; want R2 about the requests kept", err, c.Refusal)
	}
}

type fullRunner struct{ simulated }

func (r *fullRunner) Run(ctx context.Context, t Trial) (Observation, error) {
	o, err := r.simulated.Run(ctx, t)
	o.Full = t.Users > 1
	return o, err
}
