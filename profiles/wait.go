package profiles

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"headroom/profiles/document"
)

// Wait is a virtual user's think time: how long it waits after an answer, or
// with Pacing how far apart the starts of its requests are. A constant
// throughput of x requests per second and user is a Pacing of 1/x. The zero
// value does not wait.
type Wait struct {
	Min, Max time.Duration // uniformly between; equal for a constant wait
	Pacing   bool          // measured from start to start instead of from answer to start
}

// ParseWait reads one of Locust's four think times:
//
//	1s              after each answer
//	1s..3s          evenly spread between the two
//	pacing:5s       from start to start, more than 0
//	throughput:0.5  requests per second of the user, as a pacing
func ParseWait(s string) (Wait, error) {
	kind, text, named := strings.Cut(s, ":")
	switch {
	case !named:
		low, high, between := strings.Cut(s, "..")
		if !between {
			high = low
		}
		least, err1 := ParseDuration(low)
		most, err2 := ParseDuration(high)
		if err1 == nil && err2 == nil && least <= most {
			return Wait{Min: least, Max: most}, nil
		}
	case kind == "pacing":
		if apart, err := ParseDuration(text); err == nil && apart > 0 {
			return Wait{Min: apart, Max: apart, Pacing: true}, nil
		}
	case kind == "throughput":
		if rate, err := ParseRate(text); err == nil && rate >= 1e-6 && rate <= 1e9 {
			apart := seconds(1 / rate)
			return Wait{Min: apart, Max: apart, Pacing: true}, nil
		}
	}
	return Wait{}, badValue(s, "a time such as 1s, 1s..3s, pacing:5s with more than 0, or throughput:0.5 with more than 0 requests/s")
}

// String is the wait as ParseWait reads it.
func (w Wait) String() string {
	switch {
	case w.Pacing:
		return "pacing:" + Duration(w.Min).String()
	case w.Min != w.Max:
		return Duration(w.Min).String() + ".." + Duration(w.Max).String()
	}
	return Duration(w.Min).String()
}

// UnmarshalTree reads a wait of a scenario: what ParseWait reads, which may be
// written as {between: [1s, 3s]}, {pacing: 5s} or {throughput: 0.5}.
func (w *Wait) UnmarshalTree(tree any) (err error) {
	text, _ := tree.(string)
	if items, ok := tree.(yaml.MapSlice); ok && len(items) == 1 {
		switch value := items[0].Value.(type) {
		case string:
			text = fmt.Sprintf("%v:%s", items[0].Key, value)
		case []any:
			if items[0].Key == "between" && len(value) == 2 {
				text = fmt.Sprintf("%v..%v", value[0], value[1])
			}
		}
	}
	if *w, err = ParseWait(text); err != nil {
		return fmt.Errorf("got %s, want 2s, {between: [1s, 3s]}, {pacing: 5s} or {throughput: 0.5}", document.Flow(tree))
	}
	return nil
}
