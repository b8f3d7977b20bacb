package main

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"headroom/profiles"
	"headroom/tui"
)

// The form begins with the flags that were given, and those that it does not
// ask for are kept.
func TestFromForm(t *testing.T) {
	for _, c := range []struct {
		name    string
		args    []string
		asked   tui.StartValues
		answer  func(*tui.StartValues)
		want    loadFlags // users, spawn rate, run time, requests, and the SLO are compared
		slo     string
		traffic profiles.Traffic
	}{
		{
			name:   "nothing given",
			asked:  tui.StartValues{Target: "http://127.0.0.1:8000/", Users: "10", SpawnRate: "1", SLO: "p95<300ms,errors<1%"},
			answer: func(v *tui.StartValues) { v.Users, v.RunTime, v.SLO = "2k", "1m", "" },
			want:   flagsOf(2000, 1, time.Minute, 0, "GET"),
		},
		{
			name:   "given as the default is given too",
			args:   []string{"-u", "1", "-r", "5/1s", "--traffic", "50..200"},
			asked:  tui.StartValues{Target: "http://127.0.0.1:8000/", Users: "1", SpawnRate: "5/1s", SLO: "p95<300ms,errors<1%", Traffic: "50..200"},
			answer: func(*tui.StartValues) {},
			want:   flagsOf(1, 5, 0, 0, "GET"), slo: "p95<300ms,errors<1%", traffic: profiles.Traffic{Low: 50_000, High: 200_000},
		},
		{
			name:   "changed, emptied and not asked for",
			args:   []string{"-u", "20", "-t", "30s", "--slo", "p99<1s", "-n", "500", "-m", "post", "--header", "X: y"},
			asked:  tui.StartValues{Target: "http://127.0.0.1:8000/", Users: "20", SpawnRate: "1", RunTime: "30s", SLO: "p99<1s"},
			answer: func(v *tui.StartValues) { v.Target, v.Users, v.RunTime, v.Traffic = "http://a/b", "30", "", "5..9.5" },
			want:   flagsOf(30, 1, 0, 500, "POST"), slo: "p99<1s", traffic: profiles.Traffic{Low: 5_000, High: 9_500},
		},
	} {
		l, advice, f := newLoadFlags(), newAdviceFlags(), pflag.NewFlagSet("run", pflag.ContinueOnError)
		l.workload(f)
		l.request(f)
		advice.sizing(f)
		if err := f.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		answered := c.asked
		c.answer(&answered)
		p, err := l.fromForm(advice, f, func(v tui.StartValues) (tui.StartValues, error) {
			if diff := cmp.Diff(c.asked, v); diff != "" {
				t.Errorf("%s: the form begins with (-want +got):\n%s", c.name, diff)
			}
			return answered, nil
		})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		want := c.want.plan
		got := []any{p.Target, p.Users, p.SpawnRate, p.RunTime, p.Requests, p.Method, l.slo.String(), advice.traffic}
		if diff := cmp.Diff([]any{answered.Target, want.Users, want.SpawnRate, want.RunTime, want.Requests, want.Method, c.slo, c.traffic}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if h := p.Header.Get("X"); (h == "y") != (len(c.args) > 6) {
			t.Errorf("%s: header X is %q", c.name, h)
		}
	}
}

func flagsOf(users int, rate float64, runTime time.Duration, requests int, method string) loadFlags {
	l := newLoadFlags()
	l.plan.Users, l.plan.SpawnRate, l.plan.RunTime, l.plan.Requests, l.plan.Method = users, rate, runTime, requests, method
	return *l
}

func TestFromFormCancelled(t *testing.T) {
	_, err := newLoadFlags().fromForm(newAdviceFlags(), pflag.NewFlagSet("run", pflag.ContinueOnError), func(v tui.StartValues) (tui.StartValues, error) {
		return v, tui.ErrCancelled
	})
	if !errors.Is(err, tui.ErrCancelled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

// The form refuses what the flags would.
func TestFromFormRefuses(t *testing.T) {
	_, err := newLoadFlags().fromForm(newAdviceFlags(), pflag.NewFlagSet("run", pflag.ContinueOnError), func(v tui.StartValues) (tui.StartValues, error) {
		v.Users = "2m"
		return v, nil
	})
	if err == nil || err.Error() != "--users: got 2000000, want 1000000 at most" {
		t.Errorf("got %v, want that there are too many users", err)
	}
}

// Ctrl+c on a screen is an interrupt; leaving it in other ways is not.
func TestLeft(t *testing.T) {
	broken := errors.New("the terminal is gone")
	for _, c := range []struct {
		err         error
		interrupted bool
		want        error
	}{{nil, false, nil}, {tui.ErrCancelled, false, nil}, {tui.ErrInterrupted, true, nil}, {broken, false, broken}} {
		a := newApp(t)
		if got := a.left(c.err); got != c.want || a.signals.interrupted() != c.interrupted || (a.signals.stop.Err() != nil) != c.interrupted || a.signals.now.Err() != nil {
			t.Errorf("left(%v) = %v, interrupted %v; want %v, %v", c.err, got, a.signals.interrupted(), c.want, c.interrupted)
		}
	}
}
