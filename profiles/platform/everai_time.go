package platform

import (
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/profiles"
)

// cronMinutes are the minutes that match the five fields of a cron expression,
// a bit for each value that a field allows. All of them must match: unlike
// cron itself, the crontab package that EverAI uses does not take either of
// the two fields for days (so we read it; that is UNVERIFIED).
type cronMinutes struct{ minute, hour, day, month, weekday uint64 }

// A week has its minutes counted from midnight before Sunday.
const (
	dayMinutes  = 24 * 60
	weekMinutes = 7 * dayMinutes
)

type week [weekMinutes]bool

var cronFields = []struct{ low, high int }{{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}}

// parseCronMinutes reads fields of digits and the characters * / , -, as
// time-match allows them.
func parseCronMinutes(text string) (c cronMinutes, err error) {
	fields := strings.Split(text, " ")
	if len(fields) != len(cronFields) {
		return c, fmt.Errorf("got %q, want five fields: minute, hour, day of month, month, day of week", text)
	}
	into := []*uint64{&c.minute, &c.hour, &c.day, &c.month, &c.weekday}
	for i, f := range cronFields {
		if *into[i], err = parseCronField(fields[i], f.low, f.high); err != nil {
			return c, fmt.Errorf("got %q in %q, want %d to %d, with * / , or -", fields[i], text, f.low, f.high)
		}
	}
	if c.weekday&(1<<7) != 0 {
		c.weekday = c.weekday&^(1<<7) | 1 // 7 is Sunday too
	}
	return c, nil
}

// parseCronField reads one field, such as "1-5", "*/15" or "0,30".
func parseCronField(text string, low, high int) (set uint64, err error) {
	for part := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(part, "/")
		every := 1
		if stepped {
			if every, err = strconv.Atoi(step); err != nil || every < 1 {
				return 0, strconv.ErrSyntax
			}
		}
		from, to, ranged := strings.Cut(span, "-")
		first, last := low, high
		if span != "*" {
			if first, err = strconv.Atoi(from); err != nil {
				return 0, err
			}
			switch {
			case ranged:
				if last, err = strconv.Atoi(to); err != nil {
					return 0, err
				}
			case !stepped:
				last = first
			}
		} else if high == 7 {
			last = 6
		}
		if first < low || last > high || first > last {
			return 0, strconv.ErrRange
		}
		for n := first; n <= last; n += every {
			set |= 1 << n
		}
	}
	return set, nil
}

// match reports whether the minute of a moment is one of them.
func (c cronMinutes) match(t time.Time) bool {
	return c.minute>>t.Minute()&1 != 0 && c.hour>>t.Hour()&1 != 0 && c.day>>t.Day()&1 != 0 &&
		c.month>>t.Month()&1 != 0 && c.weekday>>t.Weekday()&1 != 0
}

// bothDays reports whether it is limited to days of the month and of the week,
// of which a policy wants one, as cron does, and EverAI both.
func (c cronMinutes) bothDays() bool { return c.day != 1<<32-2 && c.weekday != 1<<7-1 }

// in reports whether a minute of the week is one of them, on any date.
func (c cronMinutes) in(minute int) bool {
	return c.minute>>(minute%60)&1 != 0 && c.hour>>(minute%dayMinutes/60)&1 != 0 && c.weekday>>(minute/dayMinutes)&1 != 0
}

// cronDates are the two fields of a cron expression that a week does not know.
func cronDates(text string) string {
	if f := strings.Fields(text); len(f) == 5 {
		return f[2] + " " + f[3]
	}
	return ""
}

// everyDate are the cronDates without a condition.
const everyDate = "* *"

// weekly reports whether a set of minutes together with the dates says what it
// says without them on the days that count: on any date, or else where nothing
// goes on over midnight into a day that may not count. Days of the month come
// without days of the week, since readers of cron do not agree on both.
func (w *week) weekly(dates string) bool {
	if dates == everyDate {
		return true
	}
	anyDay := strings.HasPrefix(dates, "* ")
	for m := range w {
		lastOfDay := m%dayMinutes == dayMinutes-1
		if lastOfDay && w[m] || !anyDay && w[m] != w[m%dayMinutes] {
			return false
		}
	}
	return true
}

// spans are the minutes of the days of the week from one on which a run of
// minutes starts to the one after its end.
type spans struct {
	start, length int    // of the day, in minutes
	days          uint64 // on which it starts, bit 0 is Sunday
}

// runs are the runs of minutes of a week, which goes on from its end to its
// beginning, those at the same time of the day together.
func (w *week) runs() (out []spans) {
	for m := range w {
		if !w[m] || w[(m+weekMinutes-1)%weekMinutes] {
			continue
		}
		length := 1
		for w[(m+length)%weekMinutes] {
			length++
		}
		start, day := m%dayMinutes, uint64(1)<<(m/dayMinutes)
		same := func(s spans) bool { return s.start == start && s.length == length }
		if i := slices.IndexFunc(out, same); i >= 0 {
			out[i].days |= day
		} else {
			out = append(out, spans{start, length, day})
		}
	}
	return out
}

// schedules are a set of minutes as windows from a start to an end; ok is
// false where it never ends, or takes too many.
func (w *week) schedules(dates string) (out []profiles.Schedule, ok bool) {
	const most = 32
	runs := w.runs()
	if len(runs) == 0 || len(runs) > most || !w.weekly(dates) {
		return nil, false
	}
	for _, r := range runs {
		end := r.start + r.length
		shift := end / dayMinutes % 7
		ends := (r.days<<shift | r.days>>(7-shift)) & (1<<7 - 1)
		out = append(out, profiles.Schedule{
			Start: cronMoment(r.start, dates, r.days),
			End:   cronMoment(end%dayMinutes, dates, ends),
		})
	}
	return out, true
}

func cronMoment(minute int, dates string, days uint64) string {
	return fmt.Sprintf("%d %d %s %s", minute%60, minute/60, dates, cronText(days, 0, 6))
}

// cronText writes the values of a field, as "*" where all are in it.
func cronText(set uint64, low, high int) string {
	if bits.OnesCount64(set) == high-low+1 {
		return "*"
	}
	var parts []string
	for n := low; n <= high; n++ {
		if set>>n&1 == 0 {
			continue
		}
		first := n
		for n < high && set>>(n+1)&1 != 0 {
			n++
		}
		if first == n {
			parts = append(parts, strconv.Itoa(n))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", first, n))
		}
	}
	return strings.Join(parts, ",")
}

// matches are the expressions whose minutes are those of a set.
func (w *week) matches(dates string) (out []string) {
	for first := range 7 {
		days := uint64(0) // that are like the first of them
		for day := range 7 {
			if slices.Equal(w.day(day), w.day(first)) {
				if day < first {
					break // has had its turn
				}
				days |= 1 << day
			}
		}
		if days == 0 {
			continue
		}
		for _, hours := range dayPatterns(w.day(first)) {
			out = append(out, fmt.Sprintf("%s %s %s", hours, dates, cronText(days, 0, 6)))
		}
	}
	return out
}

func (w *week) day(n int) []bool { return w[n*dayMinutes : (n+1)*dayMinutes] }

// dayPatterns are the first two fields of the expressions for the minutes of a
// day: the rest of an hour, whole hours, and the beginning of an hour.
func dayPatterns(day []bool) (out []string) {
	for m := 0; m < len(day); m++ {
		if !day[m] {
			continue
		}
		start := m
		for m < len(day) && day[m] {
			m++
		}
		for end := m; start < end; {
			hour, next := start/60, (start/60+1)*60
			switch {
			case start%60 == 0 && end >= next: // whole hours
				last := end/60 - 1
				out = append(out, "* "+cronText(1<<(last+1)-1<<hour, 0, 23))
				start = (last + 1) * 60
			default:
				next = min(next, end)
				out = append(out, fmt.Sprintf("%s %d", cronText(minuteBits(start%60, start%60+next-start), 0, 59), hour))
				start = next
			}
		}
	}
	return out
}

// minuteBits has the bits from one to before another.
func minuteBits(from, to int) uint64 { return (1<<to - 1) &^ (1<<from - 1) }

// cronNumbers replaces what other readers of cron allow besides numbers.
var cronNumbers = strings.NewReplacer("?", "*",
	"SUN", "0", "MON", "1", "TUE", "2", "WED", "3", "THU", "4", "FRI", "5", "SAT", "6",
	"JAN", "1", "FEB", "2", "MAR", "3", "APR", "4", "MAY", "5", "JUN", "6", "JUL", "7", "AUG", "8", "SEP", "9", "OCT", "10", "NOV", "11", "DEC", "12")

func numericCron(text string) string {
	return cronNumbers.Replace(strings.ToUpper(strings.Join(strings.Fields(text), " ")))
}

// scheduleMatches are the expressions that match while a schedule is active.
func scheduleMatches(s profiles.Schedule) ([]string, error) {
	if s.Match != "" {
		text := numericCron(s.Match)
		c, err := parseCronMinutes(text)
		if err == nil && c.bothDays() {
			err = fmt.Errorf("got %q, want days of the month or of the week: of both a policy takes either, and EverAI what is on both", s.Match)
		}
		return []string{text}, err
	}
	var moments [2]cronMinutes
	var dates [2]string
	for i, text := range []string{s.Start, s.End} {
		text = numericCron(text)
		c, err := parseCronMinutes(text)
		if err != nil {
			return nil, err
		}
		moments[i], dates[i] = c, cronDates(text)
	}
	start, end := moments[0], moments[1]
	if dates[0] != dates[1] {
		return nil, fmt.Errorf("got %q to %q, want both on the same dates: EverAI matches minutes, not from one moment to another", s.Start, s.End)
	}
	w := weekOf(start, end)
	if !w.weekly(dates[0]) {
		return nil, fmt.Errorf("got %q to %q, want a window within one day, or no condition on dates: EverAI matches minutes, not from one moment to another", s.Start, s.End)
	}
	return w.matches(dates[0]), nil
}

// fromTo are schedules with a start and an end in place of minutes that match,
// where these are one window of a day; so most platforms can say them.
func fromTo(schedules []profiles.Schedule) []profiles.Schedule {
	out := slices.Clone(schedules)
	for i, s := range out {
		if s.Match == "" {
			continue
		}
		out[i].Match = numericCron(s.Match)
		c, err := parseCronMinutes(out[i].Match)
		if err != nil || c.bothDays() {
			continue
		}
		w := new(week)
		for m := range w {
			w[m] = c.in(m)
		}
		if spans, ok := w.schedules(cronDates(out[i].Match)); ok && len(spans) == 1 {
			out[i].Match, out[i].Start, out[i].End = "", spans[0].Start, spans[0].End
		}
	}
	return out
}

// weekOf are the minutes of a week in which the next end comes before the next
// start, which is what makes a schedule active.
func weekOf(start, end cronMinutes) *week {
	w := new(week)
	active := false
	for turn := range 2 { // the first to learn how the week begins
		for m := weekMinutes - 1; m >= 0; m-- {
			next := (m + 1) % weekMinutes
			switch {
			case end.in(next):
				active = true // also where a start comes at the same time
			case start.in(next):
				active = false
			}
			if turn == 1 {
				w[m] = active
			}
		}
	}
	return w
}
