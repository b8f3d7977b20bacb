package profiles

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func newPeriod(t *testing.T, start, end, timezone string) period {
	t.Helper()
	s := Schedule{Start: start, End: end, Timezone: timezone, Min: 10}
	var c checker
	if c.schedule("schedule", s); len(c.found) > 0 {
		t.Fatal(c.found)
	}
	p, err := s.parse()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestScheduleActive(t *testing.T) {
	for _, c := range []struct {
		name                 string
		start, end, timezone string
		at                   string // RFC 3339
		want                 bool
	}{
		// scaling.md V1. 2026-03-05 is a Thursday.
		{"V1 a Thursday begins", "0 0 * * Thu", "59 23 * * Thu", "UTC", "2026-03-05T00:00:00Z", true},
		{"V1 Thursday noon", "0 0 * * Thu", "59 23 * * Thu", "UTC", "2026-03-05T12:00:00Z", true},
		{"V1 just before the end", "0 0 * * Thu", "59 23 * * Thu", "UTC", "2026-03-05T23:58:59.999Z", true},
		{"V1 the end minute", "0 0 * * Thu", "59 23 * * Thu", "UTC", "2026-03-05T23:59:00Z", false},
		{"V1 just before Thursday", "0 0 * * Thu", "59 23 * * Thu", "UTC", "2026-03-04T23:59:59.999999999Z", false},
		{"V1 Friday", "0 0 * * Thu", "59 23 * * Thu", "UTC", "2026-03-06T12:00:00Z", false},
		// V2.
		{"V2 an even hour", "0 */2 * * *", "0 1-23/2 * * *", "UTC", "2026-03-05T00:00:00Z", true},
		{"V2 in an even hour", "0 */2 * * *", "0 1-23/2 * * *", "UTC", "2026-03-05T14:59:59Z", true},
		{"V2 an odd hour", "0 */2 * * *", "0 1-23/2 * * *", "UTC", "2026-03-05T15:00:00Z", false},
		{"V2 the last hour", "0 */2 * * *", "0 1-23/2 * * *", "UTC", "2026-03-05T23:30:00Z", false},

		{"over midnight, evening", "0 22 * * *", "0 6 * * *", "", "2026-03-05T23:00:00Z", true},
		{"over midnight, morning", "0 22 * * *", "0 6 * * *", "", "2026-03-05T05:59:59Z", true},
		{"over midnight, day", "0 22 * * *", "0 6 * * *", "", "2026-03-05T06:00:00Z", false},
		{"a working week, Friday", "0 9 * * 1", "0 17 * * 5", "", "2026-03-06T16:59:00Z", true},
		{"a working week, Saturday", "0 9 * * 1", "0 17 * * 5", "", "2026-03-07T12:00:00Z", false},

		// Time zones: the place decides, whatever zone the time comes in.
		{"Tokyo opens", "0 9 * * 1-5", "0 18 * * 1-5", "Asia/Tokyo", "2026-03-05T00:00:00Z", true},
		{"Tokyo has not opened", "0 9 * * 1-5", "0 18 * * 1-5", "Asia/Tokyo", "2026-03-04T23:59:59Z", false},
		{"Tokyo, told by New York", "0 9 * * 1-5", "0 18 * * 1-5", "Asia/Tokyo", "2026-03-04T19:00:00-05:00", true},
		{"Tokyo is on Saturday", "0 9 * * 1-5", "0 18 * * 1-5", "Asia/Tokyo", "2026-03-07T00:00:00Z", false},
		{"no zone is UTC", "0 9 * * *", "0 18 * * *", "", "2026-03-05T17:30:00+09:00", false},
		{"no zone is UTC, an hour later", "0 9 * * *", "0 18 * * *", "", "2026-03-05T18:30:00+09:00", true},

		// Berlin goes to summer time on 2026-03-29: 02:00 becomes 03:00.
		{"winter day", "0 9 * * *", "0 21 * * *", "Europe/Berlin", "2026-03-28T07:59:59Z", false},
		{"winter day opens", "0 9 * * *", "0 21 * * *", "Europe/Berlin", "2026-03-28T08:00:00Z", true},
		{"short day", "0 9 * * *", "0 21 * * *", "Europe/Berlin", "2026-03-29T06:59:59Z", false},
		{"short day opens", "0 9 * * *", "0 21 * * *", "Europe/Berlin", "2026-03-29T07:00:00Z", true},
		{"short day closes", "0 9 * * *", "0 21 * * *", "Europe/Berlin", "2026-03-29T19:00:00Z", false},
		{"short night", "0 22 * * *", "0 6 * * *", "Europe/Berlin", "2026-03-29T03:59:59Z", true},
		{"short night ends", "0 22 * * *", "0 6 * * *", "Europe/Berlin", "2026-03-29T04:00:00Z", false},
		{"a start that is skipped, the day before", "30 2 * * *", "0 4 * * *", "Europe/Berlin", "2026-03-28T11:00:00Z", false},
		{"a start that is skipped, before", "30 2 * * *", "0 4 * * *", "Europe/Berlin", "2026-03-29T00:59:59Z", false},
		{"a start that is skipped, after", "30 2 * * *", "0 4 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", true},
		{"a start that is skipped, ended", "30 2 * * *", "0 4 * * *", "Europe/Berlin", "2026-03-29T02:00:00Z", false},
		{"an end that is skipped, before", "0 1 * * *", "30 2 * * *", "Europe/Berlin", "2026-03-29T00:59:59Z", true},
		{"an end that is skipped, after", "0 1 * * *", "30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z", false},
		// And back on 2026-10-25: 02:00 to 03:00 comes twice.
		{"long day opens", "0 9 * * *", "0 21 * * *", "Europe/Berlin", "2026-10-25T08:00:00Z", true},
		{"long day has not opened", "0 9 * * *", "0 21 * * *", "Europe/Berlin", "2026-10-25T07:59:59Z", false},
		{"long night", "0 22 * * *", "0 6 * * *", "Europe/Berlin", "2026-10-25T04:59:59Z", true},
		{"long night ends", "0 22 * * *", "0 6 * * *", "Europe/Berlin", "2026-10-25T05:00:00Z", false},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		p := newPeriod(t, c.start, c.end, c.timezone)
		if got := p.active(at); got != c.want {
			t.Errorf("%s: %q to %q in %q at %s is active: %v, want %v", c.name, c.start, c.end, c.timezone, c.at, got, c.want)
		}
	}
}

// A daily window holds the minutes of the day from its start to its end.
func TestScheduleDailyWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		minute := rapid.IntRange(0, 24*60-1)
		from, to, now := minute.Draw(t, "start"), minute.Draw(t, "end"), minute.Draw(t, "now")
		if from == to {
			return
		}
		clock := func(m int) string { return time.Unix(int64(m)*60, 0).UTC().Format("4 15 * * *") }
		p, err := Schedule{Start: clock(from), End: clock(to)}.parse()
		if err != nil {
			t.Fatal(err)
		}
		want := from <= now && now < to
		if to < from {
			want = now >= from || now < to
		}
		at := monday.Add(time.Duration(now) * time.Minute)
		if got := p.active(at); got != want {
			t.Fatalf("%q to %q at %v is active: %v, want %v", clock(from), clock(to), at, got, want)
		}
	})
}

func TestScheduleValidate(t *testing.T) {
	good := Schedule{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: "Europe/Berlin", Min: 8}
	const fields = "want a cron expression of five fields such as 0 9 * * 1-5"
	for _, c := range []struct {
		name string
		edit func(*Schedule)
		want []string
	}{
		{"good", func(s *Schedule) {}, nil},
		{"only max", func(s *Schedule) { s.Min, s.Max = 0, 3 }, nil},
		{"one size", func(s *Schedule) { s.Max = 8 }, nil},
		{"no zone", func(s *Schedule) { s.Timezone = "" }, nil},
		{"names, steps, lists", func(s *Schedule) { s.Start, s.End = "*/5 9,10 1-7 jan-mar MON", "0 0 29 2 *" }, nil},

		{"no start", func(s *Schedule) { s.Start = "" }, []string{`schedules[0].start: got "", ` + fields}},
		{"four fields", func(s *Schedule) { s.Start = "0 9 * *" }, []string{`schedules[0].start: got "0 9 * *", ` + fields}},
		{"six fields", func(s *Schedule) { s.End = "0 0 9 * * *" }, []string{`schedules[0].end: got "0 0 9 * * *", ` + fields}},
		{"hour 24", func(s *Schedule) { s.End = "0 24 * * *" }, []string{`schedules[0].end: got "0 24 * * *"`}},
		{"V3 negative minute", func(s *Schedule) { s.Start = "-30 * * * *" }, []string{`schedules[0].start: got "-30 * * * *"`}},
		{"V3 negative weekday", func(s *Schedule) { s.Start = "0 9 * * -3" }, []string{`schedules[0].start: got "0 9 * * -3"`}},
		{"a word", func(s *Schedule) { s.Start = "@daily" }, []string{`schedules[0].start: got "@daily", ` + fields}},
		{"an interval", func(s *Schedule) { s.Start = "@every 5m" }, []string{`schedules[0].start: got "@every 5m", ` + fields}},
		{"a zone of its own", func(s *Schedule) { s.Start = "TZ=UTC 0 9 * * *" }, []string{`schedules[0].start: got "TZ=UTC 0 9 * * *", ` + fields}},
		{"a zone and nothing else", func(s *Schedule) { s.Start = "TZ=UTC" }, []string{`schedules[0].start: got "TZ=UTC", ` + fields}},
		{"a zone, four fields and tabs", func(s *Schedule) { s.Start = "CRON_TZ=UTC\t0\t9\t*\t*" }, []string{`schedules[0].start: got "CRON_TZ=UTC\t0\t9\t*\t*", ` + fields}},
		{"never", func(s *Schedule) { s.Start = "0 0 30 2 *" }, []string{`schedules[0].start: got "0 0 30 2 *", want a moment that comes`}},
		{"V3 start is end", func(s *Schedule) { s.End = s.Start }, []string{`schedules[0].end: got "0 9 * * 1-5", want another moment than start`}},
		{"no place", func(s *Schedule) { s.Timezone = "Mars/Olympus" }, []string{`schedules[0].timezone: got "Mars/Olympus", want an IANA name`}},
		{"V3 neither", func(s *Schedule) { s.Min = 0 }, []string{"schedules[0]: got neither min, max nor set, want at least one"}},
		{"negative min", func(s *Schedule) { s.Min = -1 }, []string{"schedules[0].min: got -1, want 1 or more"}},
		{"negative max", func(s *Schedule) { s.Max = -1 }, []string{"schedules[0].max: got -1, want 1 or more"}},
		{"max below min", func(s *Schedule) { s.Max = 7 }, []string{"schedules[0].max: got 7, want min (8) or more"}},
		{"everything", func(s *Schedule) { *s = Schedule{Start: "x", End: "y", Timezone: "z"} }, []string{
			"schedules[0].start: ", "schedules[0].end: ", "schedules[0].timezone: ", "schedules[0]: ",
		}},
	} {
		s := good
		c.edit(&s)
		p := rpsPolicy()
		p.Schedules = []Schedule{s}
		wantLines(t, c.name, p.Validate(), c.want)
	}
}

func BenchmarkTimetable(b *testing.B) {
	p := rpsPolicy()
	p.Schedules = []Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: "Europe/Berlin", Min: 8}}
	times, err := NewTimetable(p)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		times.At(monday)
	}
}
