package advisor

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat"

	"headroom/profiles"
)

// What a schedule takes.
const (
	daysForDays   = 3   // of a trace, for a season of a day
	daysForWeeks  = 14  // and of a week
	leastLikeness = 0.5 // correlation of the hours with those a season later
	worthwhile    = 1.5 // times min that its hours must need
	mostWindows   = 3   // a day
	mostDays      = 0.2 // share of the days that may need less
)

// day is one of a history: what its hours need, at their 95th percentile.
type day struct {
	weekday time.Weekday
	hours   [24]float64 // requests per second
}

// days are the whole days of a history that have 24 hours, oldest first.
func (h *History) days() (out []day) {
	if h.Start.IsZero() || h.width > time.Hour {
		return nil
	}
	first := h.Start.In(h.zone)
	date := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, h.zone)
	for ; ; date = date.AddDate(0, 0, 1) {
		next := date.AddDate(0, 0, 1)
		switch {
		case next.Sub(h.Start) > h.length:
			return out
		case date.Before(h.Start), next.Sub(date) != 24*time.Hour: // the clocks changed
			continue
		}
		d := day{weekday: date.Weekday()}
		for hour := range d.hours {
			var rates []float64
			from := date.Add(time.Duration(hour) * time.Hour).Sub(h.Start)
			for end := from + h.width; end <= from+time.Hour; end += h.width {
				rates = append(rates, h.rate(end, h.width))
			}
			slices.Sort(rates)
			d.hours[hour] = quantile(rates, 0.95)
		}
		out = append(out, d)
	}
}

// likeness is the correlation of the hours with those so many days later.
func likeness(days []day, later int) float64 {
	var before, after []float64
	for i := 0; i+later < len(days); i++ {
		before, after = append(before, days[i].hours[:]...), append(after, days[i+later].hours[:]...)
	}
	if r := stat.Correlation(before, after, nil); !math.IsNaN(r) {
		return r
	}
	return 0 // nothing varies
}

// season is what of a history returns.
type season struct {
	days     int // after which it returns: 1 or 7
	likeness float64
}

// seasonOf is the season of days, the longer one where it is clearer; ok is
// false where there is none.
func seasonOf(days []day) (s season, ok bool) {
	if len(days) >= daysForDays {
		s = season{1, likeness(days, 1)}
	}
	if len(days) >= daysForWeeks {
		if weekly := likeness(days, 7); weekly > s.likeness {
			s = season{7, weekly}
		}
	}
	return s, s.days > 0 && s.likeness > leastLikeness
}

// busyDays are the days of the week that are more like the busiest one than
// like the quietest; all, where they differ by less than what is worthwhile.
func busyDays(days []day) (busy [7]bool) {
	var of [7][]float64
	for _, d := range days {
		of[d.weekday] = append(of[d.weekday], stat.Mean(d.hours[:], nil))
	}
	var typical [7]float64
	for w := range of {
		slices.Sort(of[w])
		typical[w] = quantile(of[w], 0.5)
	}
	most, least := slices.Max(typical[:]), slices.Min(typical[:])
	for w := range busy {
		busy[w] = most < worthwhile*least || typical[w] >= (most+least)/2
	}
	return busy
}

// window are hours of a day that need at least so many replicas; the last one
// may be of the next day.
type window struct{ from, to int }

// windows are the runs of hours that need level replicas or more. Where the day
// before is like the day, they go round.
func windows(need [24]int, level int, round bool) (out []window) {
	enough := func(hour int) bool { return need[hour%24] >= level }
	for hour := range 24 {
		if !enough(hour) || hour > 0 && enough(hour-1) || hour == 0 && round && enough(23) {
			continue
		}
		to, end := hour+1, 24
		if round {
			end = hour + 24
		}
		for to < end && enough(to) {
			to++
		}
		out = append(out, window{hour, to})
	}
	return out
}

// floor is the number of replicas for which windows of need are worth the most
// replica-hours above least, with these windows. A window is no shorter than
// four lags, and none covers the whole day: then min is what is wrong.
func floor(need [24]int, least int, lag time.Duration, round bool) (level int, best []window) {
	worth := 0
	for _, candidate := range need {
		if float64(candidate) < worthwhile*float64(least) {
			continue
		}
		hours, found := 0, windows(need, candidate, round)
		for _, w := range found {
			if time.Duration(w.to-w.from)*time.Hour < 4*lag {
				found = nil
				break
			}
			hours += w.to - w.from
		}
		if len(found) == 0 || len(found) > mostWindows || hours == 24 {
			continue
		}
		if gain := (candidate - least) * hours; gain > worth {
			worth, level, best = gain, candidate, found
		}
	}
	return level, best
}

// schedule puts into the policy the hours that return, and need clearly more
// than min. The value shows them; none says why there are no such hours, empty
// where nobody asked.
func (s sized) schedule(p *profiles.Policy) (values []Value, none string) {
	h := s.History
	if h == nil {
		return nil, ""
	}
	days := h.days()
	found, ok := seasonOf(days)
	switch {
	case s.Within != nil && !s.Within.Hours:
		return nil, s.Within.Name + " has none beside a metric"
	case h.Start.IsZero():
		return nil, "the trace has no dates"
	case len(days) < daysForDays:
		return nil, fmt.Sprintf("the trace has %s, a season of a day takes %d to be seen and one of a week %d", profiles.Plural(len(days), "whole day", "whole days"), daysForDays, daysForWeeks)
	case !ok:
		return nil, fmt.Sprintf("the hours of the trace are not like those a day later (correlation %.2f, more than %g is wanted)", found.likeness, leastLikeness)
	}
	busy := [7]bool{true, true, true, true, true, true, true}
	if len(days) >= daysForWeeks {
		busy = busyDays(days)
	}
	need := s.needs(days, busy)
	working := 0 // days of a week
	for _, on := range busy {
		if on {
			working++
		}
	}
	all := working == 7
	level, hours := floor(need, p.Replicas.Min, s.lag, all)
	level = min(level, int(p.Replicas.Max))
	if len(hours) == 0 || level <= p.Replicas.Min {
		return nil, fmt.Sprintf("no hours of the day need %g times the %d of min on four days of five", worthwhile, p.Replicas.Min)
	}
	var texts []string
	weekly := 0 // hours
	for _, w := range hours {
		weekly += (w.to - w.from) * working
		start := time.Duration(w.from)*time.Hour - s.early()
		one := profiles.Schedule{Start: cronAt(start, busy), End: cronAt(time.Duration(w.to)*time.Hour, busy), Timezone: h.zone.String(), Min: level}
		p.Schedules = append(p.Schedules, one)
		texts = append(texts, one.Start+" to "+one.End)
	}
	return []Value{exact(Value{Name: "schedule", Value: float64(level), Unit: plural(level) + " at least from " + strings.Join(texts, ", ") + " " + h.zone.String(),
		Formula: fmt.Sprintf("ceil(95th percentile of an hour / %s) = %d or more, on four days of five", s.target, level),
		Inputs: []string{fmt.Sprintf("start: the hour - lag %s - 1 min, to the minute before", seconds(s.lag)),
			fmt.Sprintf("%d whole days; their hours correlate by %.2f with those %s later", len(days), found.likeness, profiles.Plural(found.days, "day", "days")),
			fmt.Sprintf("%d of the 168 hours of a week (%.1f %%)", weekly, float64(weekly)/1.68),
			"the hours are those of the clocks in " + h.zone.String() + ": --timezone names another place"},
		Why:      "these hours return: replicas that are there before them need not be waited for; the metric still adds what is missing",
		Rejected: []Rejection{{"a fixed size for these hours", "a day that is busier would have no more"}}})}, ""
}

// early is by how much replicas are asked for before the hours that need them: a
// lag and a minute, whole minutes as a cron expression has no others.
func (s sized) early() time.Duration {
	return (s.lag + 2*time.Minute - 1).Truncate(time.Minute)
}

// needs are the replicas that the hours of the busy days need, on all but a few
// of these days.
func (s sized) needs(days []day, busy [7]bool) (need [24]int) {
	for hour := range need {
		var rates []float64
		for _, d := range days {
			if busy[d.weekday] {
				rates = append(rates, d.hours[hour])
			}
		}
		slices.Sort(rates)
		need[hour] = ceilDiv(profiles.MilliOf(quantile(rates, mostDays)), s.target)
	}
	return need
}

// cronAt is a time of day, from some minutes before the days to a day after, as
// a cron expression.
func cronAt(at time.Duration, days [7]bool) string {
	shift := 0
	for ; at < 0; at += 24 * time.Hour {
		shift--
	}
	for ; at >= 24*time.Hour; at -= 24 * time.Hour {
		shift++
	}
	var on [7]bool
	for d, busy := range days {
		on[((d+shift)%7+7)%7] = busy
	}
	return fmt.Sprintf("%d %d * * %s", int(at.Minutes())%60, int(at.Hours()), cronDays(on))
}

// cronDays writes "1-5", "0,6" or "*".
func cronDays(on [7]bool) string {
	if !slices.Contains(on[:], false) {
		return "*"
	}
	var parts []string
	for d := 0; d < 7; d++ {
		first := d
		for d < 6 && on[d] && on[d+1] {
			d++
		}
		switch {
		case on[d] && d > first:
			parts = append(parts, fmt.Sprintf("%d-%d", first, d))
		case on[d]:
			parts = append(parts, fmt.Sprint(d))
		}
	}
	return strings.Join(parts, ",")
}
