package profiles

import "strings"

// Traffic is the load a service expects: its quiet and its busy hours.
// The zero value means that nothing is known.
type Traffic struct {
	Low  Milli `json:"low"` // arrivals per second, 0 < Low <= High
	High Milli `json:"high"`
}

// ParseTraffic reads "50..200": the low and the high rate per second.
func ParseTraffic(s string) (Traffic, error) {
	bad := badValue(s, "LOW..HIGH in requests per second with 0 < LOW <= HIGH, such as 50..200")
	low, high, ok := strings.Cut(s, "..")
	if !ok {
		return Traffic{}, bad
	}
	l, err1 := ParseMilli(strings.TrimSuffix(strings.TrimSpace(low), "/s"))
	h, err2 := ParseMilli(strings.TrimSuffix(strings.TrimSpace(high), "/s"))
	if err1 != nil || err2 != nil || l <= 0 || h < l {
		return Traffic{}, bad
	}
	return Traffic{Low: l, High: h}, nil
}

// Known reports whether a traffic was given.
func (t Traffic) Known() bool { return t.High > 0 }

// String writes "50..200".
func (t Traffic) String() string { return t.Low.String() + ".." + t.High.String() }
