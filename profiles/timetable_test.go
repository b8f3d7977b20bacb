package profiles

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// timetable is the timetable of a policy of 2 to 9 replicas with a target of
// one free worker, and schedules.
func timetable(t testing.TB, schedules ...Schedule) *Timetable {
	t.Helper()
	p := kindPolicy(Metric{Kind: FreeWorkers, Target: 1000}, func(p *Policy) { p.Replicas = Bounds{Min: 2, Max: 9, Initial: 3} })
	p.Schedules = schedules
	times, err := NewTimetable(p)
	if err != nil {
		t.Fatal(err)
	}
	return times
}

// settingsOf are those that a policy says by schedules in this test.
func (p *Policy) settingsOf() [5]int {
	return [5]int{p.Replicas.Min, int(p.Replicas.Max), int(p.Metrics[0].Target / 1000), p.Up.Step, int(p.Interval.Std() / second)}
}

// scaling.md 4.5: EverAI's time-match, on the dates of its tests.
func TestTimetableMatches(t *testing.T) {
	weekdays := Schedule{Match: "* 11-23 * * 1-5", Max: 3}
	minutes := Schedule{Match: "0-30 11-23 * * 1-5", Max: 3}
	weekend := Schedule{Match: "* 11-23 * * 0,6", Max: 30}
	at := func(day, hour, minute int) time.Time { return time.Date(2024, 6, day, hour, minute, 2, 0, time.UTC) }
	for _, c := range []struct {
		name      string
		schedules []Schedule
		at        time.Time
		max       Limit
	}{
		{"test_time_match, Wednesday 11:55", []Schedule{weekdays}, at(19, 11, 55), 3},
		{"test_time_match, Wednesday 10:55", []Schedule{weekdays}, at(19, 10, 55), 9},
		{"test_time_match_minutes, Wednesday 11:25", []Schedule{minutes}, at(19, 11, 25), 3},
		{"test_time_match_minutes, Friday 12:55", []Schedule{minutes}, at(21, 12, 55), 9},
		{"test_time_match_multiple, Saturday 11:25", []Schedule{weekdays, weekend}, at(22, 11, 25), 30},

		{"the last moment of a minute", []Schedule{minutes}, at(19, 11, 30).Add(57*second + 999*time.Millisecond), 3},
		{"the next one", []Schedule{minutes}, at(19, 11, 31).Add(-2 * second), 9},
		{"elsewhere", []Schedule{{Match: weekdays.Match, Max: 3, Timezone: "Asia/Shanghai"}}, at(19, 3, 0), 3},
		{"elsewhere, too late", []Schedule{{Match: weekdays.Match, Max: 3, Timezone: "Asia/Shanghai"}}, at(19, 16, 0), 9},
		{"the later one wins", []Schedule{{Match: "* * * * *", Max: 7}, weekdays}, at(19, 12, 0), 3},
		{"the earlier one where no other matches", []Schedule{{Match: "* * * * *", Max: 7}, weekdays}, at(19, 9, 0), 7},
		{"an hour that summer time leaves out", []Schedule{{Match: "30 2 * * *", Max: 3, Timezone: "Europe/Berlin"}}, time.Date(2026, 3, 29, 1, 30, 0, 0, time.UTC), 9},
	} {
		if got := timetable(t, c.schedules...).At(c.at).Replicas.Max; got != c.max {
			t.Errorf("%s: At(%v) has max %s, want %s", c.name, c.at, got, c.max)
		}
	}
}

func TestTimetableSets(t *testing.T) {
	night := Schedule{Match: "* 22-23,0-5 * * *", Min: 1, Set: Settings{{"interval", "90"}, {"scale_up_step", "3"}}}
	rush := Schedule{Start: "0 5 * * *", End: "0 9 * * *", Set: Settings{{"min_free_workers", "4"}, {"up.step", "7"}}}
	for _, c := range []struct {
		name      string
		schedules []Schedule
		hour      int
		want      [5]int // min, max, free workers, step, interval
	}{
		{"neither", []Schedule{night, rush}, 12, [5]int{2, 9, 1, 0, 30}},
		{"one", []Schedule{night, rush}, 3, [5]int{1, 9, 1, 3, 90}},
		{"the other", []Schedule{night, rush}, 7, [5]int{2, 9, 4, 7, 30}},
		{"both", []Schedule{night, rush}, 5, [5]int{1, 9, 4, 7, 90}},
		{"both, the other way round", []Schedule{rush, night}, 5, [5]int{1, 9, 4, 3, 90}},
		{"a min above max", []Schedule{{Match: "* * * * *", Set: Settings{{"min_workers", "12"}}}}, 0, [5]int{12, 12, 1, 0, 30}},
		{"a max below min", []Schedule{{Match: "* * * * *", Set: Settings{{"max_workers", "1"}}}}, 0, [5]int{2, 2, 1, 0, 30}},
	} {
		times := timetable(t, c.schedules...)
		now := monday.Add(time.Duration(c.hour) * time.Hour)
		if got := times.At(now).settingsOf(); got != c.want {
			t.Errorf("%s: At(%d:00) = %v, want %v", c.name, c.hour, got, c.want)
		}
		if err := times.At(now).Validate(); err != nil {
			t.Errorf("%s: At(%d:00) is not valid: %v", c.name, c.hour, err)
		}
	}
}

// Where two schedules make no policy together the later one alone holds.
func TestTimetableOfSchedulesThatDisagree(t *testing.T) {
	p := trendPolicy(Trend{Ahead: true})
	p.Schedules = []Schedule{
		{Match: "* * * * *", Set: Settings{{"metrics[0].trend.within", "50s"}, {"up.step", "2"}}},
		{Match: "* 12 * * *", Set: Settings{{"metrics[0].window", "20s"}}},
	}
	times, err := NewTimetable(p)
	if err != nil {
		t.Fatal(err)
	}
	if got := times.At(monday); got.Up.Step != 2 || got.Metrics[0].Trend.Within != Duration(50*second) {
		t.Errorf("At(0:00) = %+v, want what the first schedule sets", got)
	}
	got := times.At(monday.Add(12 * time.Hour))
	if got.Up.Step != 0 || got.Metrics[0].Window != Duration(20*second) || got.Validate() != nil {
		t.Errorf("At(12:00) = %+v, want what the second schedule alone sets: %v", got, got.Validate())
	}
}

// A schedule that sets min leaves no fleet at zero that goes there because
// min is 0.
func TestTimetableToZero(t *testing.T) {
	p := rpsPolicy()
	p.Replicas.Min, p.ToZero = 0, &ToZero{After: Duration(60 * second)}
	p.Schedules = []Schedule{{Start: "0 9 * * *", End: "0 17 * * *", Min: 2}}
	runMoments(t, "office hours", p, []moment{
		{0, Metrics{Readings: readings(0)}, 1, BelowTarget},
		{60 * second, Metrics{Readings: readings(0)}, 0, Quiet},
		{9 * time.Hour, Metrics{Readings: readings(0)}, 2, UnderMin},
		{12 * time.Hour, Metrics{Readings: readings(0)}, 2, BelowTarget},
		{17*time.Hour - second, Metrics{Readings: readings(9)}, 2, BelowTarget},
		{17 * time.Hour, Metrics{Readings: readings(0)}, 1, BelowTarget}, // something came just before
		{17*time.Hour + 60*second, Metrics{Readings: readings(0)}, 0, Quiet},
	})
}

// The decider follows the schedules in everything.
func TestDecideBySchedules(t *testing.T) {
	p := kindPolicy(Metric{Kind: FreeWorkers, Target: 1000}, nil)
	p.Schedules = []Schedule{{Match: "* 9-16 * * *", Set: Settings{{"min_free_workers", "3"}, {"scale_up_step", "2"}, {"max_idle_time", "10"}}}}
	idle := []time.Duration{20 * second, 20 * second, 20 * second, 20 * second, 20 * second}
	runMoments(t, "by the hour", p, []moment{
		{0, Metrics{Replicas: 4, Readings: readings(1)}, 4, AtTarget},
		{9 * time.Hour, Metrics{Readings: readings(1)}, 6, AboveTarget},
		{10 * time.Hour, Metrics{Readings: readings(5), Idle: idle}, 4, BelowTarget},
		{17 * time.Hour, Metrics{Replicas: 6, Readings: readings(5), Idle: idle}, 6, BelowTarget}, // not idle for a minute
	})
}

func TestScheduleSetValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		s    Schedule
		want []string
	}{
		{"match and set", Schedule{Match: "* 9 * * *", Set: Settings{{"up.step", "3"}, {"max_idle_time", "9"}}}, nil},
		{"match and start", Schedule{Match: "* 9 * * *", Start: "0 9 * * *", Min: 3}, []string{"schedules[0].match: got it besides start or end"}},
		{"no match", Schedule{Match: "* 25 * * *", Min: 3}, []string{`schedules[0].match: got "* 25 * * *", want a cron expression`}},
		{"never", Schedule{Match: "* * 30 2 *", Min: 3}, []string{`schedules[0].match: got "* * 30 2 *", want a moment that comes`}},
		{"no such key", Schedule{Match: "* 9 * * *", Set: Settings{{"up.stride", "3"}}}, []string{"schedules[0].set.up.stride: unknown key, want step,"}},
		{"no such value", Schedule{Match: "* 9 * * *", Set: Settings{{"up.step", "few"}, {"max_idle_time", "long"}}}, []string{
			`schedules[0].set.up.step: got "few"`, `schedules[0].set.max_idle_time: got "long"`}},
		{"out of range", Schedule{Match: "* 9 * * *", Set: Settings{{"tolerance", "200%"}}}, []string{"schedules[0].set.tolerance: got 200%, want 0% to 100%"}},
		{"min twice", Schedule{Match: "* 9 * * *", Min: 3, Set: Settings{{"min_workers", "2"}}}, []string{"schedules[0].set.min_workers: got it besides min of the schedule"}},
		{"schedules", Schedule{Match: "* 9 * * *", Set: Settings{{"schedules", "[]"}}}, []string{"schedules[0].set.schedules: got a schedule within a schedule"}},
		{"another metric", Schedule{Match: "* 9 * * *", Set: Settings{{"metrics[0].kind", "in_flight"}}}, []string{"schedules[0].set.metrics: got other ones, want the same"}},
		{"one more metric", Schedule{Match: "* 9 * * *", Set: Settings{{"max_queue_size", "2"}}}, []string{"schedules[0].set.metrics: got other ones, want the same"}},
	} {
		p := rpsPolicy()
		p.Schedules = []Schedule{c.s}
		wantLines(t, c.name, p.Validate(), c.want)
	}
	p := rpsPolicy()
	p.Tolerance = 2000
	p.Schedules = []Schedule{{Match: "* 9 * * *", Set: Settings{{"up.step", "3"}}}}
	wantLines(t, "what is wrong with the policy is said once", p.Validate(), []string{"tolerance: "})
}

// Whatever the schedules, and whenever, there is a valid policy with the same
// metrics, and what a timetable remembers changes nothing.
func TestTimetableProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		p.Platforms = nil
		times, err := NewTimetable(p)
		if err != nil {
			t.Fatal(err)
		}
		now := monday
		for range 4 {
			now = now.Add(time.Duration(rapid.IntRange(0, 20*60).Draw(t, "minutes")) * time.Minute)
			got := times.At(now)
			if len(got.Metrics) != len(p.Metrics) {
				t.Fatalf("At(%v) has other metrics: %+v", now, got)
			}
			if err := got.Validate(); err != nil {
				t.Fatalf("At(%v) = %+v: %v", now, got, err)
			}
			fresh, err := NewTimetable(p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := samePolicy(*fresh.At(now), *got); diff != "" {
				t.Fatalf("At(%v) differs from that of a new timetable:\n%s", now, diff)
			}
		}
	})
}

// What a schedule sets is written as the policy itself is, whatever it is
// called, so that two policies that mean the same are the same.
func TestScheduleSetsAreRewritten(t *testing.T) {
	const file = "version: headroom/v1\nreplicas: {min: 1, max: 5}\nmetrics: [{kind: free_workers, target: 1}]\nschedules:\n" +
		"  - {match: '* 9 * * *', set: {min_free_workers: 2.50, max_idle_time: 90, tolerance: 0.1, up.factor: null, down: {step: 4}}}\n"
	p, err := ParsePolicy([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	want := Settings{{"metrics[0].target", "2.5"}, {"down.idle", "1m30s"}, {"tolerance", "10%"}, {"up.factor", ""}, {"down.step", "4"}}
	if got := p.Schedules[0].Set; !slices.Equal(got, want) {
		t.Errorf("ParsePolicy(%s) sets %v, want %v", file, got, want)
	}
	_, err = ParsePolicy([]byte(strings.Replace(file, "90", "long", 1)))
	wantLines(t, "a value that cannot be read", err, []string{`line 5: schedules[0].set.max_idle_time: got "long", want a duration`})
}

// A fleet begins with what the hour wants of it.
func TestTimetableInitial(t *testing.T) {
	always := func(low, high int) []Schedule { return []Schedule{{Match: "* * * * *", Min: low, Max: high}} }
	for _, c := range []struct {
		name      string
		schedules []Schedule
		initial   int
		want      int
	}{
		{"no schedule", nil, 0, 2},
		{"no schedule, initial", nil, 3, 3},
		{"an hour of more", always(5, 0), 0, 5},
		{"an hour of more than initial", always(5, 0), 3, 5},
		{"an hour of less than initial", always(0, 4), 7, 4},
		{"an hour of a lower min", always(1, 0), 0, 1},
		{"another hour", []Schedule{{Match: "0 3 1 1 *", Min: 5}}, 0, 2},
	} {
		p := kindPolicy(Metric{Kind: FreeWorkers, Target: 1000}, func(p *Policy) { p.Replicas = Bounds{Min: 2, Max: 9, Initial: c.initial} })
		p.Schedules = c.schedules
		times, err := NewTimetable(p)
		if err != nil {
			t.Fatal(err)
		}
		if got := times.Initial(monday); got != c.want {
			t.Errorf("%s: Initial() = %d, want %d", c.name, got, c.want)
		}
	}
}
