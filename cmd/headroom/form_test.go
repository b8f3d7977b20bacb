package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
	"headroom/tui"
)

// The form begins with the flags that were given, and those that it does not
// ask for are kept.
func TestAnswersOfTheForm(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		asked  tui.StartValues
		answer func(*tui.StartValues)
		want   []any // target, users, spawn rate, rate, run time, requests, method, SLO, traffic
	}{
		{
			name:   "nothing given",
			asked:  tui.StartValues{Target: "http://127.0.0.1:8000/", Load: "10", SpawnRate: "1", SLO: "p95<300ms,errors<1%"},
			answer: func(v *tui.StartValues) { v.Load, v.RunTime, v.SLO = "2k", "1m", "" },
			want:   []any{"http://127.0.0.1:8000/", 2000, 1., 0., time.Minute, 0, "GET", "", profiles.Traffic{}},
		},
		{
			name:   "given as the default is given too",
			args:   []string{"-u", "1", "-r", "5/1s", "--traffic", "50..200"},
			asked:  tui.StartValues{Target: "http://127.0.0.1:8000/", Load: "1", SpawnRate: "5/1s", SLO: "p95<300ms,errors<1%", Traffic: "50..200"},
			answer: func(*tui.StartValues) {},
			want:   []any{"http://127.0.0.1:8000/", 1, 5., 0., time.Duration(0), 0, "GET", "p95<300ms,errors<1%", profiles.Traffic{Low: 50_000, High: 200_000}},
		},
		{
			name:   "changed, emptied and not asked for",
			args:   []string{"-u", "20", "-t", "30s", "--slo", "p99<1s", "-n", "500", "-m", "post", "--header", "X: y"},
			asked:  tui.StartValues{Target: "http://127.0.0.1:8000/", Load: "20", SpawnRate: "1", RunTime: "30s", SLO: "p99<1s"},
			answer: func(v *tui.StartValues) { v.Target, v.Load, v.RunTime, v.Traffic = "http://a/b", "30", "", "5..9.5" },
			want:   []any{"http://a/b", 30, 1., 0., time.Duration(0), 500, "POST", "p99<1s", profiles.Traffic{Low: 5_000, High: 9_500}},
		},
		{
			name:   "a rate",
			args:   []string{"--rate", "40"},
			asked:  tui.StartValues{Target: "http://127.0.0.1:8000/", Load: "40/s", SLO: "p95<300ms,errors<1%"},
			answer: func(*tui.StartValues) {},
			want:   []any{"http://127.0.0.1:8000/", 1, 1., 40., time.Duration(0), 0, "GET", "p95<300ms,errors<1%", profiles.Traffic{}},
		},
		{
			name:   "a rate instead of the users that were given",
			args:   []string{"-u", "5", "-r", "2"},
			asked:  tui.StartValues{Target: "http://127.0.0.1:8000/", Load: "5", SpawnRate: "2", SLO: "p95<300ms,errors<1%"},
			answer: func(v *tui.StartValues) { v.Load = "600/1m" },
			want:   []any{"http://127.0.0.1:8000/", 1, 2., 10., time.Duration(0), 0, "GET", "p95<300ms,errors<1%", profiles.Traffic{}},
		},
	} {
		l, advice, f := newLoadFlags(), newAdviceFlags(), pflag.NewFlagSet("run", pflag.ContinueOnError)
		l.workload(f)
		l.request(f)
		advice.sizing(f)
		if err := f.Parse(c.args); err != nil {
			t.Fatal(err)
		}
		values := startValues(f, firstValues())
		if diff := cmp.Diff(c.asked, values); diff != "" {
			t.Errorf("%s: the form begins with (-want +got):\n%s", c.name, diff)
		}
		c.answer(&values)
		p, err := l.answered(values, advice)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := []any{p.Target, p.Users, p.SpawnRate, p.Rate, p.RunTime, p.Requests, p.Method, l.slo.String(), advice.traffic}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if h := p.Header.Get("X"); (h == "y") != (len(c.args) > 6) {
			t.Errorf("%s: header X is %q", c.name, h)
		}
	}
}

// Wrong answers are refused as wrong flags are.
func TestAnswersThatAreRefused(t *testing.T) {
	for _, c := range []struct {
		answer func(*tui.StartValues)
		want   string
	}{
		{func(v *tui.StartValues) { v.Load = "2m" }, "--users: got 2000000, want 1000000 at most"},
		{func(v *tui.StartValues) { v.Scenario = "missing.yaml" }, "--scenario: open missing.yaml: no such file or directory"},
		{func(v *tui.StartValues) { v.SLO = "chat.p95<1s" }, "--slo: got chat.p95<1s without --scenario, want an objective for all requests"},
	} {
		v := firstValues()
		c.answer(&v)
		if _, err := newLoadFlags().answered(v, newAdviceFlags()); err == nil || err.Error() != c.want {
			t.Errorf("%+v: got %v, want %s", v, err, c.want)
		}
	}
}

func TestRememberedAnswers(t *testing.T) {
	state := t.TempDir()
	t.Setenv("XDG_STATE_HOME", state)
	if got := remembered(); got != firstValues() {
		t.Errorf("remembered() = %+v before anything was, want %+v", got, firstValues())
	}
	v := tui.StartValues{Target: "http://me:pass@127.0.0.1:8000/path?x=7&api_key=secret&y=1", Load: "40/s", RunTime: "5m", Scenario: "s.yaml"}
	if err := remember(v, nil); err != nil {
		t.Fatal(err)
	}
	want := v
	want.Target = "http://127.0.0.1:8000/path?x=7&y=1"
	if got := remembered(); got != want {
		t.Errorf("remembered() = %+v, want %+v", got, want)
	}
	path := filepath.Join(state, "headroom", "form.json")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %v, %v, want a file only for the user", path, info.Mode(), err)
	}
	for _, text := range []string{"", "{", "[]", `{"version": "headroom/v9", "values": {"load": "1"}}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := remembered(); got != firstValues() {
			t.Errorf("remembered() = %+v from %q, want %+v", got, text, firstValues())
		}
	}
	t.Setenv("XDG_STATE_HOME", path) // a file, where a folder is wanted
	if err := remember(v, nil); err == nil {
		t.Error("remember() in a folder that is a file has no error")
	}
}

func TestAutostart(t *testing.T) {
	v := tui.StartValues{Target: "http://127.0.0.1:8000/", Load: "7", SpawnRate: "2"}
	p, err := newLoadFlags().planOf("", true, v, newAdviceFlags())
	if err != nil || p.Target != v.Target || p.Users != 7 {
		t.Errorf("planOf(%+v) = %s with %d users, %v", v, p.Target, p.Users, err)
	}
	v.Load = "many"
	if _, err := newLoadFlags().planOf("", true, v, newAdviceFlags()); err == nil || !strings.HasPrefix(err.Error(), `--autostart: load: got "many", want`) {
		t.Errorf("planOf(%+v): %v, want that the load is wrong", v, err)
	}
}

func TestSaveRun(t *testing.T) {
	a, dir := newApp(t), t.TempDir()
	s := advisor.State{Swarm: &load.Snapshot{}, Plan: profiles.DefaultPlan()}
	path := filepath.Join(dir, "run.json")
	if notice, err := a.saveRun(s, path, false); err != nil || notice != "wrote "+path {
		t.Errorf("saveRun(%s) = %q, %v", path, notice, err)
	}
	if data, err := os.ReadFile(path); err != nil || !json.Valid(data) {
		t.Errorf("%s: %v, or no JSON: %s", path, err, data)
	}
	if _, err := a.saveRun(s, path, false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second saveRun(%s): %v, want that the file is there", path, err)
	}
	if _, err := a.saveRun(s, path, true); err != nil {
		t.Errorf("saveRun(%s) over it: %v", path, err)
	}
	for name, want := range map[string]string{
		"run.txt": "file: got " + filepath.Join(dir, "run.txt") + ", want a name that ends with .html or .json", "run": "want a name that ends with .html or .json",
	} {
		if _, err := a.saveRun(s, filepath.Join(dir, name), false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("saveRun(%s): %v, want %s", name, err, want)
		}
	}
	if _, err := a.saveRun(advisor.State{}, filepath.Join(dir, "none.html"), false); err == nil {
		t.Error("saveRun without a run has no error")
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
