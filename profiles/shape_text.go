package profiles

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Written is a load over time, or a part of one, as flags and files write it.
type Written[T any] struct {
	Value T
	// Rate says that the load was written with its unit, as in "50/s", and so
	// is a rate of arrivals. Without one it is what its surroundings are of.
	Rate bool
}

const wantStage = "a time and a load, such as 30s:10 or 30s:10/s"

// ParseStage reads "30s:10", users or arrivals per second, or "30s:10/s",
// arrivals for certain.
func ParseStage(s string) (Written[Stage], error) {
	text, load, ok := strings.Cut(s, ":")
	length, err1 := ParseDuration(text)
	to, rate, err2 := parseLoad(load)
	if !ok || err1 != nil || err2 != nil {
		return Written[Stage]{}, badValue(s, wantStage)
	}
	return Written[Stage]{Stage{For: length, To: to}, rate}, nil
}

// ParseShape reads one of
//
//	sine:LOW..HIGH,period=TIME           as Sine
//	spike:LOW..HIGH,after=TIME,for=TIME  as Spike
func ParseShape(s string) (Written[Shape], error) {
	bad := badValue(s, "sine:LOW..HIGH,period=5m or spike:LOW..HIGH,after=1m,for=30s, with loads such as 10 or 10/s")
	kind, rest, _ := strings.Cut(s, ":")
	loads, rest, _ := strings.Cut(rest, ",")
	low, high, ok := strings.Cut(loads, "..")
	from, rate1, err1 := parseLoad(low)
	to, rate2, err2 := parseLoad(high)
	switch {
	case kind != "sine" && kind != "spike", !ok, rest == "", err1 != nil, err2 != nil:
		return Written[Shape]{}, bad
	case from > to:
		return Written[Shape]{}, badValue(loads, "the lower load first, as in 10..50")
	case to == 0:
		return Written[Shape]{}, badValue(loads, "more than 0 at the upper end, as in 0..50")
	}
	out := Written[Shape]{Rate: rate1 || rate2}
	names := []string{"period"}
	if kind == "spike" {
		names = []string{"after", "for"}
	}
	times, err := parseTimes(rest, names)
	switch {
	case err != nil:
		return Written[Shape]{}, err
	case kind == "sine":
		out.Value = Sine{Low: from, High: to, Period: times[0]}
	default:
		out.Value = Spike(from, to, times[0], times[1])
	}
	return out, nil
}

// parseTimes reads "name=30s,other=1m", each name once, in any order, more
// than 0.
func parseTimes(s string, names []string) ([]time.Duration, error) {
	bad := badValue(s, strings.Join(names, "=1m,")+"=1m, each once and with a time of more than 0")
	out := make([]time.Duration, len(names))
	parts := strings.Split(s, ",")
	for _, part := range parts {
		name, text, _ := strings.Cut(part, "=")
		i := slices.Index(names, strings.TrimSpace(name))
		d, err := ParseDuration(text)
		switch {
		case i < 0 || len(parts) != len(names) || out[i] > 0:
			return nil, bad
		case err != nil || d == 0:
			return nil, badValue(part, "a time of more than 0, such as "+names[i]+"=1m")
		}
		out[i] = d
	}
	return out, nil
}

// parseLoad reads a load of 0 or more: "50", "10k", or a rate "50/s".
func parseLoad(s string) (load float64, rate bool, err error) {
	number, per, rate := strings.Cut(strings.TrimSpace(s), "/")
	number = strings.ToLower(strings.TrimSpace(number))
	if thousands, ok := strings.CutSuffix(number, "k"); ok {
		number = thousands + "e3" // as an exponent, since 1.001*1000 is not 1001
	}
	load, err = strconv.ParseFloat(number, 64)
	if err != nil || !(load >= 0) || load > 1e12 {
		return 0, false, badValue(s, "a load of 0 or more, such as 10 or 10/s")
	}
	if rate {
		unit, err := ParseRate("1/" + per)
		return load * unit, true, err
	}
	return load, false, nil
}

// FormatStages writes stages as ParseStage reads them, of arrivals per second
// with their unit.
func FormatStages(stages []Stage, rate bool) []string {
	out := make([]string, len(stages))
	for i, s := range stages {
		out[i] = Duration(s.For.Round(time.Millisecond)).String() + ":" + strconv.FormatFloat(s.To, 'f', -1, 64)
		if rate {
			out[i] += "/s"
		}
	}
	return out
}

// StageFlags writes what FormatStages did as the flags of a run, each with its
// value.
func StageFlags(stages []string) (flags []string) {
	for i := 0; i < len(stages); i++ {
		flag := "--stage "
		if jump, ok := strings.CutPrefix(stages[i], "0s:"); ok && i+1 < len(stages) && strings.HasSuffix(stages[i+1], ":"+jump) {
			flag = "--step "
			i++
		}
		flags = append(flags, flag+stages[i])
	}
	return flags
}
