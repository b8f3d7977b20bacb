package tui

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"headroom/load"
	"headroom/profiles"
)

// none stands where there is no figure.
const none = "–"

// figure writes a rate in at most six cells: "412.6", "12340", "1.23M".
func figure(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return none
	case math.Abs(v) < 999.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case math.Abs(v) < 99999.5:
		return strconv.FormatFloat(v, 'f', 0, 64)
	default:
		return scaled(v)
	}
}

// scaled writes a large number with three digits and a suffix.
func scaled(v float64) string {
	suffix := ""
	for _, next := range []string{"k", "M", "G", "T", "P", "E"} {
		if math.Abs(v) < 999.5 {
			break
		}
		v, suffix = v/1000, next
	}
	if math.Abs(v) >= 999.5 {
		return strconv.FormatFloat(v, 'e', 0, 64) + suffix
	}
	digits := 0
	if math.Abs(v) < 9.995 {
		digits = 2
	} else if math.Abs(v) < 99.95 {
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + suffix
}

// count writes a number of things in at most seven cells.
func count[T int | int64](n T) string {
	if n < 10_000_000 {
		return strconv.FormatInt(int64(n), 10)
	}
	return scaled(float64(n))
}

// percent writes a share of 0..1 in at most six cells, with two decimals if
// that many have room.
func percent(share float64) string {
	digits := 2
	if share >= 0.99995 {
		digits = 1
	}
	return strconv.FormatFloat(share*100, 'f', digits, 64) + "%"
}

// millis writes a time in milliseconds without the unit, in at most six
// cells; from ten seconds on in seconds with it.
func millis(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case d == load.Unbounded:
		return "∞"
	case ms < 0.9995:
		return strconv.FormatFloat(ms, 'f', 2, 64)
	case ms < 999.95:
		return strconv.FormatFloat(ms, 'f', 1, 64)
	case ms < 9999.5:
		return strconv.FormatFloat(ms, 'f', 0, 64)
	default:
		return span(d)
	}
}

// span writes how long something takes, as people say it: "0.42 s" is for
// machines, "420ms", "24s", "2m30s" and "3h20m" are not.
func span(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return profiles.FormatLatency(d)
	case d < 100*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 0, 64) + "s"
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	default:
		return count(int64(d.Hours()/24)) + "d"
	}
}

// clock writes an elapsed time as on a stopwatch.
func clock(d time.Duration) string {
	seconds := int64(max(0, d) / time.Second)
	switch {
	case seconds < 3600:
		return fmt.Sprintf("%02d:%02d", seconds/60, seconds%60)
	case seconds < 100*3600:
		return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	default:
		return fmt.Sprintf("%dd%02dh", seconds/86400, seconds/3600%24)
	}
}

// trimmed writes a number without trailing zeros: "16.4", "5", "0.25".
func trimmed(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return none
	case math.Abs(v) >= 1e6:
		return scaled(v)
	case math.Abs(v) >= 100:
		return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
	default:
		return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
	}
}

// objectiveValue writes what an objective stands at.
func objectiveValue(o load.Objective) string {
	switch {
	case !o.Valid:
		return none
	case math.IsInf(o.Value, 0) || math.IsNaN(o.Value):
		return "∞"
	case o.AtLeast:
		return "over " + o.Objective.FormatValue(o.Value)
	default:
		return o.Objective.FormatValue(o.Value)
	}
}

// plural writes "1 replica", "2 replicas".
func plural[T int | int64](n T, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}
