package advisor

import (
	"errors"
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// office is 100 requests/s from 9 to 21 on working days, else 10.
func office(at time.Time) float64 {
	if day := at.Weekday(); day != time.Saturday && day != time.Sunday && at.Hour() >= 9 && at.Hour() < 21 {
		return 100
	}
	return 10
}

// night is 100 requests/s from 22 to 4, else 10.
func night(at time.Time) float64 {
	if at.Hour() >= 22 || at.Hour() < 4 {
		return 100
	}
	return 10
}

func TestSchedule(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	abroad := func(of func(time.Time) float64) func(time.Time) float64 {
		return func(at time.Time) float64 { return of(at.In(berlin)) }
	}
	for _, c := range []struct {
		name string
		days int
		rate func(time.Time) float64
		zone *time.Location
		want string // start, end and min; empty: no schedule
		note string
	}{
		{"working days", 21, office, time.UTC, "57 8 * * 1-5, 0 21 * * 1-5, 10, UTC", ""},
		{"working days, across a change of the clocks", 21, abroad(office), berlin, "57 8 * * 1-5, 0 21 * * 1-5, 10, Europe/Berlin", ""},
		{"nights, every day", 4, night, time.UTC, "57 21 * * *, 0 4 * * *, 10, UTC", ""},
		{"too short", 2, night, time.UTC, "", "takes 3 to be seen"},
		{"no season", 21, func(at time.Time) float64 { return 10 + float64(at.Unix()/3600*7919%90) }, time.UTC, "", "are not like those a day later"},
		{"always the same", 21, func(time.Time) float64 { return 50 }, time.UTC, "", "are not like those a day later"},
		{"hardly more", 21, func(at time.Time) float64 { return 50 + night(at)/10 }, time.UTC, "", "no hours of the day need 1.5 times"},
	} {
		start := time.Date(2026, 3, 15, 0, 0, 0, 0, c.zone) // two weeks before the clocks change
		h := mustHistory(t, counted(start, time.Duration(c.days)*24*time.Hour, 10*time.Minute, c.rate), c.zone)
		s := sized{Needs: Needs{Sizing: Sizing{History: h}}, timing: timing{lag: 2 * time.Minute}, target: 10_000}
		p := profiles.DefaultPolicy()
		p.Replicas = profiles.Bounds{Min: 1, Max: 20}
		if c.name == "hardly more" {
			p.Replicas.Min = 5
		}
		p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: s.target, Window: p.Interval}}
		values, note := s.schedule(&p)
		got := ""
		if len(p.Schedules) == 1 {
			one := p.Schedules[0]
			got = strings.Join([]string{one.Start, one.End, profiles.Limit(one.Min).String(), one.Timezone}, ", ")
		}
		if got != c.want || !strings.Contains(note, c.note) || (len(values) == 1) != (c.want != "") || (note == "") != (c.want != "") {
			t.Errorf("%s: schedule = %q, %+v, %q; want %q, and the note %q", c.name, got, values, note, c.want, c.note)
		}
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A lag and a minute before the hour, no later: cron knows whole minutes.
func TestEarly(t *testing.T) {
	for lag, want := range map[time.Duration]time.Duration{
		14_500 * time.Millisecond: 2 * time.Minute, time.Minute: 2 * time.Minute, 119 * time.Second: 3 * time.Minute,
		2 * time.Minute: 3 * time.Minute, 121 * time.Second: 4 * time.Minute,
	} {
		if got := (sized{timing: timing{lag: lag}}).early(); got != want {
			t.Errorf("with a lag of %v replicas are asked for %v before the hour, want %v", lag, got, want)
		}
	}
}

// Where a schedule was asked for, advice without one is refused.
func TestScheduleAsked(t *testing.T) {
	needs := func(days int) Needs {
		h := mustHistory(t, counted(monday, time.Duration(days)*24*time.Hour, 10*time.Minute, night), time.UTC)
		return Needs{Capacity: 10_000, StartUp: time.Minute, Traffic: h.Traffic(), Sizing: Sizing{History: h, Schedule: true}}
	}
	if r, err := Recommend(needs(4)); err != nil || len(r.Policy.Schedules) != 1 {
		t.Errorf("four days: %+v, %v; want a schedule", r.Policy.Schedules, err)
	}
	var refusal *Refusal
	if _, err := Recommend(needs(2)); !errors.As(err, &refusal) || refusal.Code != "R12" || !strings.Contains(refusal.Why, "the trace has 2 whole days") {
		t.Errorf("two days: %v, want R12", err)
	}
	n := needs(4)
	n.History = nil
	if _, err := Recommend(n); err == nil || !strings.Contains(err.Error(), "--schedule: got it without a --trace") {
		t.Errorf("without a trace: %v", err)
	}
}

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		name  string
		busy  []int // hours
		round bool
		want  []window
	}{
		{"none", nil, true, nil},
		{"one", []int{9, 10, 11}, false, []window{{9, 12}}},
		{"to the end of the day", []int{22, 23}, false, []window{{22, 24}}},
		{"across midnight, where the days are alike", []int{22, 23, 0, 1}, true, []window{{22, 26}}},
		{"across midnight, where they are not", []int{22, 23, 0, 1}, false, []window{{0, 2}, {22, 24}}},
		{"two", []int{3, 9, 10}, true, []window{{3, 4}, {9, 11}}},
	} {
		var need [24]int
		for _, hour := range c.busy {
			need[hour] = 5
		}
		got := windows(need, 5, c.round)
		if len(got) != len(c.want) {
			t.Errorf("%s: windows = %v, want %v", c.name, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: windows = %v, want %v", c.name, got, c.want)
			}
		}
	}
}

func TestCronAt(t *testing.T) {
	working := [7]bool{false, true, true, true, true, true, false}
	for _, c := range []struct {
		at   time.Duration
		days [7]bool
		want string
	}{
		{9 * time.Hour, working, "0 9 * * 1-5"},
		{-3 * time.Minute, working, "57 23 * * 0-4"},
		{24 * time.Hour, working, "0 0 * * 2-6"},
		{26 * time.Hour, [7]bool{true, false, false, true, false, false, true}, "0 2 * * 0-1,4"},
		{time.Hour, [7]bool{true, true, true, true, true, true, true}, "0 1 * * *"},
	} {
		got := cronAt(c.at, c.days)
		if got != c.want {
			t.Errorf("cronAt(%v, %v) = %q, want %q", c.at, c.days, got, c.want)
		}
		if _, err := profiles.ParseCron(got); err != nil {
			t.Errorf("cronAt(%v, %v) = %q: %v", c.at, c.days, got, err)
		}
	}
}
