package profiles

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"time"
)

// longestLine is how long a line of an access log may be, and how far a trace
// is looked into to find out what it is, in bytes.
const longestLine = 64 << 10

// logLine is a line of an access log in the common format, in the combined one,
// or in another that begins as they do; nginx and Apache write these unless
// told otherwise.
var logLine = regexp.MustCompile(`^\S+ \S+ [^\["]*\[(\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [-+]\d{4})\] "`)

// isAccessLog tells by its first line.
func isAccessLog(begin []byte) bool {
	line, _, _ := bytes.Cut(begin, []byte("\n"))
	return logLine.Match(line)
}

// readLog counts the lines of an access log by the second, since that is how
// exact its times are. Lines need not be in the order of time: Apache writes
// the start of a request when it has ended.
func (t *trace) readLog(r io.Reader) (Recorded, error) {
	if t.Column != "" || t.Interval > 0 {
		return Recorded{}, errors.New("got an access log and --trace-column or --trace-interval, want one: it is counted by the second")
	}
	counts := map[int64]float64{} // by the second since 1970
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	n := 1
	for ; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if at, ok := logTime(lines.Bytes()); ok {
			counts[at.Unix()]++
		} else if err := t.bad(n, "got no time such as [22/Nov/2026:08:00:01 +0000], want one in each line of an access log"); err != nil {
			return Recorded{}, errors.Join(append(t.problems, err)...)
		}
	}
	if err := lines.Err(); err != nil {
		t.problems = append(t.problems, fmt.Errorf("line %d: %w", n, err))
	}
	if len(t.problems) == 0 && len(counts) == 0 {
		t.refuse("there is no line with a request")
	}
	if len(t.problems) > 0 {
		return Recorded{}, errors.Join(t.problems...)
	}
	return t.recorded(t.countsOf(counts))
}

// logTime is the time of a line.
func logTime(line []byte) (at time.Time, ok bool) {
	m := logLine.FindSubmatch(line)
	if m == nil {
		return at, false
	}
	at, err := time.Parse("02/Jan/2006:15:04:05 -0700", string(m[1]))
	return at, err == nil
}

// countsOf makes a shape of arrivals by the second.
func (t *trace) countsOf(counts map[int64]float64) Replay {
	seconds := slices.Sorted(maps.Keys(counts))
	first, last := seconds[0], seconds[len(seconds)-1]
	if t.tooLong(float64(last-first+1) * float64(time.Second)) {
		return nil
	}
	t.start, t.step = instant(first)*instant(time.Second), time.Second
	var ends []time.Duration
	for i, s := range seconds {
		begin := time.Duration(s-first) * time.Second
		if i > 0 && s > seconds[i-1]+1 {
			ends, t.counts = append(ends, begin), append(t.counts, 0)
		}
		ends, t.counts = append(ends, begin+time.Second), append(t.counts, counts[s])
	}
	return t.replay(ends)
}
