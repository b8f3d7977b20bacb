package advisor

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"headroom/advisor/model"
	"headroom/load"
)

// steadily is a step of the open model with a request every 10 ms for 20 s,
// each answered after what takes says.
func steadily(takes func(at time.Duration) time.Duration) []load.Sample {
	var samples []load.Sample
	for at := time.Duration(0); at < 20*time.Second; at += 10 * time.Millisecond {
		samples = append(samples, load.Sample{Intended: at, Sent: at, Done: at + takes(at), Status: 200})
	}
	return samples
}

func TestWarmUpIsLeftOut(t *testing.T) {
	ms, trial, slo := time.Millisecond, Trial{Rate: 100, Length: 20 * time.Second}, mustSLO(t, "p95<100ms")
	for _, c := range []struct {
		name  string
		takes func(at time.Duration) time.Duration
		over  time.Duration // that is judged
		met   bool
		why   string
	}{
		{"steady from the beginning", func(time.Duration) time.Duration { return 50 * ms }, 18 * time.Second, true, "0 of 1800"},
		{"a cold cache for five seconds", func(at time.Duration) time.Duration {
			if at < 5*time.Second {
				return 300 * ms
			}
			return 50 * ms
		}, 15 * time.Second, true, "0 of "},
		{"a queue that grows to the end", func(at time.Duration) time.Duration { return 20*ms + at/400 }, 18 * time.Second, false, "requests in flight became"},
	} {
		o := Observe(trial, steadily(c.takes), trial.Length, slo, nil)
		if (o.Over-c.over).Abs() > 150*ms || o.Met != c.met || !strings.Contains(o.Why, c.why) || (o.Verdict == model.Pass) != c.met {
			t.Errorf("%s: judged %v, %s, met %v (%s); want %v, met %v (%s)", c.name, o.Over, o.Verdict, o.Met, o.Why, c.over, c.met, c.why)
		}
	}
}

// A step that is another one for most of its time than at its end has not settled,
// though it meets the SLO.
func TestUnsettledStep(t *testing.T) {
	const ms = time.Millisecond
	slo, trial := mustSLO(t, "p95<100ms"), Trial{Rate: 100, Length: 20 * time.Second}
	for name, c := range map[string]struct {
		noise time.Duration // besides 50ms
		until time.Duration
		want  bool
	}{
		"the same throughout":                             {30 * ms, 20 * time.Second, false},
		"as good as nothing but noise until near the end": {30 * ms, 13 * time.Second, true},
		"noise at the beginning":                          {30 * ms, 4 * time.Second, false}, // which is left out
		"no longer met":                                   {300 * ms, 13 * time.Second, false},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		o := Observe(trial, steadily(func(at time.Duration) time.Duration {
			if at >= c.until {
				return 63 * ms
			}
			return 50*ms + time.Duration(rng.Int64N(int64(c.noise)))
		}), trial.Length, slo, nil)
		if o.Unsettled != c.want || o.Met != (c.noise < 50*ms) {
			t.Errorf("%s: unsettled %v, met %v (%s), judged %v; want %v", name, o.Unsettled, o.Met, o.Why, o.Over, c.want)
		}
	}
}

// Requests that are still under way at the end, as they always are, are no
// deficit; those that should have been answered long ago are.
func TestBehind(t *testing.T) {
	const late = 10 * time.Minute
	for _, c := range []struct {
		name  string
		takes func(at time.Duration) time.Duration
		want  bool
	}{
		{"all are answered at once", func(time.Duration) time.Duration { return 50 * time.Millisecond }, false},
		{"all take a third of the step", func(time.Duration) time.Duration { return 7 * time.Second }, false},
		{"all take as long as the step", func(time.Duration) time.Duration { return 20 * time.Second }, false},
		{"one in fifty takes as long as the step", func(at time.Duration) time.Duration {
			if at%(500*time.Millisecond) == 0 {
				return 20 * time.Second
			}
			return 50 * time.Millisecond
		}, false},
		{"one in ten is never answered", func(at time.Duration) time.Duration {
			if at%(100*time.Millisecond) == 0 && at > 10*time.Second {
				return late
			}
			return 50 * time.Millisecond
		}, true},
		{"none of the last second is answered", func(at time.Duration) time.Duration {
			if at >= 19*time.Second {
				return late
			}
			return 50 * time.Millisecond
		}, true},
	} {
		answered, due, is := behind(steadily(c.takes), 2*time.Second, 20*time.Second)
		if is != c.want {
			t.Errorf("%s: behind = %d of %d, %v; want %v", c.name, answered, due, is, c.want)
		}
	}
}

// One user alone, whose requests take longer and longer.
func TestBaselineThatChangesIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		grows time.Duration // each request takes so much longer than that before
		code  string
	}{"steady": {0, ""}, "it grows": {2 * time.Millisecond, "R5"}, "it grows a little": {20 * time.Microsecond, ""}} {
		var samples []load.Sample
		at := time.Duration(0)
		for i := range 60 {
			done := at + 20*time.Millisecond + time.Duration(i)*c.grows + time.Duration(i*7%5)*100*time.Microsecond
			samples = append(samples, load.Sample{Intended: at, Sent: at, Done: done, Status: 200})
			at = done
		}
		slo := mustSLO(t, "p95<300ms")
		s := &search{SearchOptions: SearchOptions{SLO: slo, Budget: time.Minute}}
		o := Observe(Trial{Name: "baseline", Users: 1, Requests: 60}, samples, at, slo, nil)
		if o.Why = s.spoiled(o); o.Why != "" {
			o.Spoiled = true
		}
		switch r := refuseBaseline(o, slo); {
		case c.code == "" && r != nil, c.code != "" && (r == nil || r.Code != c.code || !strings.Contains(r.Why, "still changing")):
			t.Errorf("%s: refusal %v with a drift of %.2f, want %q", name, r, o.Drift, c.code)
		}
	}
}
