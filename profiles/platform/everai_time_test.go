package platform

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headroom/profiles"
)

// timeMatchDocument is a manifest with min 4, max 40 and a time-match decorator.
func timeMatchDocument(arguments ...string) string {
	return `version: everai/v1alpha1
kind: App
spec:
  autoscaler:
    builtin:
      name: free-worker
      arguments: {min_workers: '4', max_workers: '40'}
      decorators:
        arguments:
          - name: time-match
            arguments:
              ` + strings.Join(arguments, "\n              ") + "\n"
}

func TestEverAITimeMatch(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	day := []string{"match(* 11-23 * * 1-5): weekday_day_", "weekday_day_max_workers: '3'"}
	minutes := []string{"match(0-30 11-23 * * 1-5): weekday_day_", "weekday_day_max_workers: '3'"}
	multiple := append([]string{"match(* 11-23 * * 0,6): weekend_day_", "weekend_day_max_workers: '30'"}, day...)
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2024, month, day, hour, minute, 2, 0, time.UTC)
	}
	for _, c := range []struct {
		name      string
		arguments []string
		at        time.Time
		want      int // max_workers
	}{
		// scaling.md 4.5.
		{"test_time_match, Wednesday 11:55", day, at(6, 19, 11, 55), 3},
		{"test_time_match, Wednesday 10:55", day, at(6, 19, 10, 55), 40},
		{"test_time_match_minutes, Wednesday 11:25", minutes, at(6, 19, 11, 25), 3},
		{"test_time_match_minutes, Friday 12:55", minutes, at(6, 21, 12, 55), 40},
		{"test_time_match_multiple, Saturday 11:25", multiple, at(6, 22, 11, 25), 30},
		{"test_time_match_multiple, Wednesday 11:25", multiple, at(6, 19, 11, 25), 3},
		{"test_time_match_multiple, Friday 10:55", multiple, at(6, 21, 10, 55), 40},

		// Of our own.
		{"the last second of a minute", minutes, time.Date(2024, 6, 19, 11, 30, 59, 999, time.UTC), 3},
		{"elsewhere", append([]string{"timezone: Asia/Shanghai"}, day...), time.Date(2024, 6, 19, 11, 55, 2, 0, shanghai), 3},
		{"elsewhere, by our clock", append([]string{"timezone: Asia/Shanghai"}, day...), at(6, 19, 3, 0), 3},
		{"the later one wins", append([]string{"match(* * * * *): any_", "any_max_workers: '9'"}, day...), at(6, 19, 11, 55), 3},
		{"the earlier one where no other matches", append([]string{"match(* * * * *): any_", "any_max_workers: '9'"}, day...), at(6, 19, 9, 0), 9},
		{"Sunday is 7 too", []string{"match(* * * * 6-7): w_", "w_max_workers: '9'"}, at(6, 23, 0, 0), 9},
		{"steps", []string{"match(*/20 8/5 * * *): w_", "w_max_workers: '9'"}, at(6, 19, 13, 40), 9},
		{"not a step", []string{"match(*/20 8/5 * * *): w_", "w_max_workers: '9'"}, at(6, 19, 13, 41), 40},
		{"days and weekdays both have to match", []string{"match(* * 19 * 1): w_", "w_max_workers: '9'"}, at(6, 19, 0, 0), 40},
	} {
		s, err := parseEverAI([]byte(timeMatchDocument(c.arguments...)))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := newEverAIDecider(s).arguments(c.at); got[argMax] != c.want || got[argMin] != 4 {
			t.Errorf("%s: at %s min is %d and max %d, want 4 and %d", c.name, c.at, got[argMin], got[argMax], c.want)
		}
	}
}

// A schedule, its matches, and the schedule that is read back hold at the same
// minutes of two weeks around the end of a month.
func TestEverAISchedulesComeBack(t *testing.T) {
	for _, c := range []struct{ start, end string }{
		{"0 9 * * 1-5", "0 21 * * 1-5"},
		{"0 9 * * MON-FRI", "30 21 * * MON-FRI"},
		{"15 9 * * *", "45 9 * * *"},
		{"59 23 * * *", "1 0 * * *"},
		{"0 22 * * *", "0 6 * * *"},
		{"0 22 * * 1-5", "0 6 * * 2-6"},
		{"30 20 * * 5", "15 4 * * 1"},
		{"0 0 * * 1", "0 0 * * 6"},
		{"0 */2 * * *", "0 1-23/2 * * *"},
		{"0 0 * * 4", "59 23 * * 4"},
		{"0 9 1-7 * *", "0 17 1-7 * *"},
		{"0 9 * 6-8 1-5", "30 17 * 6-8 1-5"},
		{"0 0 28 2 ?", "0 12 28 2 ?"},
	} {
		s := profiles.Schedule{Start: c.start, End: c.end, Timezone: "Europe/Berlin", Min: 8, Max: 9}
		base, err := os.ReadFile(filepath.Join("testdata", "everai", "import", "manifest.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		p := running(func(p *profiles.Policy) {
			p.Metrics[0].Kind, p.Metrics[0].Target = profiles.FreeWorkers, 1000
			p.Schedules = []profiles.Schedule{s}
		})
		doc, err := everai.Export(p, Options{Base: base})
		if err != nil {
			t.Errorf("%v: %v", c, err)
			continue
		}
		settings, err := parseEverAI(doc.Text)
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := hoursOf(t, s), newEverAIDecider(settings)
		back := hoursOf(t, doc.Effective.Schedules...)
		for now := time.Date(2026, 2, 20, 23, 0, 0, 0, time.UTC); now.Before(time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)); now = now.Add(time.Minute) {
			want := ours(now)
			if got := theirs.arguments(now)[argMin] == 8; got != want {
				t.Errorf("%v: at %s it matches: %v, want %v\n%s", c, now, got, want, doc.Text)
				break
			}
			if got := back(now); got != want {
				t.Errorf("%v: at %s %+v hold: %v, want %v", c, now, doc.Effective.Schedules, got, want)
				break
			}
		}
	}
}

// hoursOf tells whether a schedule is active, by the built-in scaler.
func hoursOf(t *testing.T, schedules ...profiles.Schedule) func(time.Time) bool {
	t.Helper()
	p := profiles.FixedPolicy(1)
	p.Schedules = schedules
	d, err := p.Decider()
	if err != nil {
		t.Fatal(err)
	}
	return func(now time.Time) bool { return d.Decide(now, profiles.Metrics{Replicas: 1, Ready: 1}).Desired > 1 }
}

// What time-match overrides, and when, a policy overrides at the same minutes.
func TestEverAITimeMatchInAPolicy(t *testing.T) {
	for _, arguments := range [][]string{
		{"match(* 11-23 * * 1-5): day_", "day_max_workers: '3'"},
		{"match(0-30 11-23 * * 1-5): day_", "day_max_workers: '30'", "day_scale_up_step: '3'", "match(* 11-23 * * 0,6): end_", "end_min_free_workers: '4'"},
		{"timezone: Asia/Shanghai", "match(* * * * *): any_", "any_max_idle_time: '30'", "match(* 22-23,0-5 * * 6,7): night_", "night_min_workers: '7'", "night_max_idle_time: '5'"},
		{"match(*/7 8/3 1-7 * *): a_", "a_min_workers: '50'", "match(5 * * * *): a_"},
	} {
		s, err := parseEverAI([]byte(timeMatchDocument(arguments...)))
		if err != nil {
			t.Fatal(err)
		}
		p, losses := s.policy()
		if len(losses) > 0 {
			t.Errorf("%q: lost %v, want nothing", arguments, losses)
		}
		times, err := profiles.NewTimetable(p)
		if err != nil {
			t.Fatal(err)
		}
		theirs := newEverAIDecider(s)
		for now := time.Date(2026, 2, 27, 23, 0, 3, 0, time.UTC); now.Before(time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)); now = now.Add(time.Minute) {
			p := times.At(now)
			got := everaiArguments{p.Replicas.Min, int(p.Replicas.Max), int(p.Metrics[0].Target / 1000), 1, p.Up.Step, int(p.Down.Idle.Std() / time.Second)}
			want := theirs.arguments(now)
			want[argMax] = max(want[argMax], want[argMin]) // workers are started up to min, whatever max says
			if got != want {
				t.Errorf("%q: at %s a policy has %v, want %v", arguments, now, got, want)
				break
			}
		}
	}
}

// Any set of hours in a week comes back as it was.
func TestWeekComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := new(week)
		for range rapid.IntRange(1, 5).Draw(t, "windows") {
			start := rapid.IntRange(0, weekMinutes-1).Draw(t, "start")
			for i := range rapid.IntRange(1, 3*dayMinutes).Draw(t, "minutes") {
				w[(start+i)%weekMinutes] = true
			}
		}
		var back week
		for _, text := range w.matches(everyDate) {
			c, err := parseCronMinutes(text)
			if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			for m := range back {
				back[m] = back[m] || c.in(m)
			}
		}
		if back != *w {
			t.Fatalf("matches %q hold at other minutes", w.matches(everyDate))
		}
		schedules, ok := w.schedules(everyDate)
		if !ok {
			return // always
		}
		back = week{}
		for _, s := range schedules {
			start, err := parseCronMinutes(s.Start)
			if err != nil {
				t.Fatal(err)
			}
			end, err := parseCronMinutes(s.End)
			if err != nil {
				t.Fatal(err)
			}
			for m, active := range weekOf(start, end) {
				back[m] = back[m] || active
			}
		}
		if back != *w {
			t.Fatalf("schedules %v hold at other minutes", schedules)
		}
	})
}
