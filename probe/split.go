package probe

import (
	"math"
	"strings"
	"sync/atomic"
	"time"
)

// Split is what an answer says of the time that it took behind the network.
// Unsaid stands for what it does not say.
type Split struct {
	Queue   time.Duration // it waited for a replica, or for a worker in one
	Compute time.Duration // the replica worked on it
}

// Unsaid is a time that an answer says nothing of.
const Unsaid = time.Duration(-1)

// Unsplit is an answer that says nothing.
var Unsplit = Split{Unsaid, Unsaid}

// Splitter reads how long an answer waited and was computed: from Server-Timing
// (https://www.w3.org/TR/server-timing/), where a metric whose name has "queue"
// or "wait" in it is the wait, and the longest of the others the work; from a
// header of Envoy, Rails or of FastAPI's documentation; or from a field cpu_time
// of a JSON body, in seconds. It looks for all of them in the first answers, and
// in some more each time that Again is called; in others only for what was there.
// It is safe for concurrent use and allocates nothing.
type Splitter struct {
	answers atomic.Int32
	present atomic.Uint32 // a bit for each of clocks that an answer had
}

// clocks are the places that say how long the work took.
var clocks = []struct {
	place Place
	unit  time.Duration // of a number without one
}{
	{Place{Header, "X-Envoy-Upstream-Service-Time"}, time.Millisecond},
	{Place{Header, "X-Process-Time"}, time.Second},
	{Place{Header, "X-Runtime"}, time.Second},
	{Place{Header, "X-Response-Time"}, time.Millisecond},
	{Place{JSONField, "cpu_time"}, time.Second},
}

const (
	serverTiming = 1 << 31 // the bit of Server-Timing
	splitLearn   = 256     // answers
)

// Again looks for everything in the next answers once more: other requests may
// bring what the first did not.
func (s *Splitter) Again() { s.answers.Store(0) }

// Split reads an answer.
func (s *Splitter) Split(a *Answer) Split {
	out := Unsplit
	look := s.present.Load()
	learning := s.answers.Load() < splitLearn
	if learning {
		s.answers.Add(1)
		look = ^uint32(0)
	}
	found := uint32(0)
	if look&serverTiming != 0 {
		// Everyone on the way may add a line of its own.
		for v, rest := cutHeader(a.Head, "Server-Timing"); rest != nil; v, rest = cutHeader(rest, "Server-Timing") {
			found |= serverTiming
			out.readServerTiming(v)
		}
	}
	for i := range clocks {
		if look&(1<<i) == 0 || out.Compute != Unsaid {
			continue
		}
		c := &clocks[i]
		v := c.place.value(a)
		if c.place.Kind == JSONField {
			v = jsonBehind(a.Body[:min(len(a.Body), MostBody)], c.place.Field)
		}
		if d, ok := parseTime(v, c.unit); ok {
			found |= 1 << i
			out.Compute = d
		}
	}
	if learning && found != 0 {
		s.present.Or(found)
	}
	return out
}

// readServerTiming adds the metrics of a header: name;dur=12.3;desc="text".
func (s *Split) readServerTiming(v []byte) {
	for len(v) > 0 {
		name, more, rest := nextToken(v)
		d, ok := time.Duration(0), false
		for more {
			var param []byte
			param, more, rest = nextToken(rest)
			if param = skipSpace(param); !ok && len(param) > 4 && string(param[:4]) == "dur=" {
				d, ok = parseTime(param[4:], time.Millisecond)
			}
		}
		v = rest
		switch {
		case !ok:
		case waits(name):
			s.Queue = max(s.Queue, 0) + d
		default:
			s.Compute = max(s.Compute, d)
		}
	}
}

// nextToken cuts off what stands before the next semicolon or comma outside of
// quotes. more says that it is a semicolon: a parameter of the same metric
// follows.
func nextToken(v []byte) (token []byte, more bool, rest []byte) {
	quoted := false
	for i, c := range v {
		switch {
		case c == '"':
			quoted = !quoted
		case (c == ';' || c == ',') && !quoted:
			return v[:i], c == ';', v[i+1:]
		}
	}
	return v, false, nil
}

// waits reports whether the name of a metric has "queue" or "wait" in it, in
// whatever case.
func waits(name []byte) bool {
	for i, c := range name {
		switch c {
		case 'q', 'Q', 'w', 'W': // a look is cheaper than a comparison
			rest := name[i:]
			if len(rest) >= 5 && strings.EqualFold(string(rest[:5]), "queue") || len(rest) >= 4 && strings.EqualFold(string(rest[:4]), "wait") {
				return true
			}
		}
	}
	return false
}

// readExponent reads what may follow a number, such as the e-05 that JSON has
// for short times, and how many bytes that is.
func readExponent(b []byte) (exponent, used int) {
	if len(b) < 2 || b[0] != 'e' && b[0] != 'E' {
		return 0, 0
	}
	sign, i := 1, 1
	if b[1] == '-' || b[1] == '+' {
		if i++; b[1] == '-' {
			sign = -1
		}
	}
	digits := i
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		exponent = min(10*exponent+int(b[i]-'0'), 999)
	}
	if i == digits {
		return 0, 0
	}
	return sign * exponent, i
}

// parseTime reads a number that may have a unit: 12, 12.5, 0.0125s, 12ms, 3us,
// 1.2e-05.
func parseTime(b []byte, unit time.Duration) (time.Duration, bool) {
	number, decimals, i := 0., 0, 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		number = 10*number + float64(b[i]-'0')
	}
	read := i > 0
	if i < len(b) && b[i] == '.' {
		for i++; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
			number = 10*number + float64(b[i]-'0')
			decimals++
			read = true
		}
	}
	exponent, used := readExponent(b[i:])
	i += used
	for i < len(b) && b[i] == ' ' {
		i++
	}
	switch rest := b[i:]; {
	case len(rest) >= 2 && string(rest[:2]) == "ms":
		unit = time.Millisecond
	case len(rest) >= 2 && string(rest[:2]) == "us":
		unit = time.Microsecond
	case len(rest) >= 1 && rest[0] == 's':
		unit = time.Second
	}
	total := number * math.Pow10(exponent-decimals) * float64(unit)
	return time.Duration(total), read && total < float64(24*time.Hour)
}
