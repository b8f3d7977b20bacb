package profiles

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TraceOptions say how a trace is to be read.
type TraceOptions struct {
	Format   TraceFormat   // empty: AnyFormat
	Column   string        // by its name in the first line, or its number from 1; default 1
	Interval time.Duration // the column holds counts per so much time; 0: see ReadTrace
	Compress float64       // replay so many times as fast; 0: 1
}

// Recorded is a load that was recorded.
type Recorded struct {
	Shape Replay
	Start time.Time     // of the load, before it is compressed; zero: the trace has no dates
	Step  time.Duration // shortest time over which arrivals were counted; 0: each one has its own
}

// ReadTrace reads recorded arrivals, CSV or one value a line; empty lines and
// lines that begin with # are skipped, and a first line without values names
// the columns. What the column holds says what the trace is:
//
//	dates                             Stamps: a line is one arrival
//	numbers, beside a column of dates Counts: arrivals until the next date
//	numbers, with an Interval         Counts: arrivals in each interval
//	numbers alone                     Stamps: a line is one arrival, in seconds
//	lines of an access log            Counts: arrivals in each second
//	a range query's answer            Counts: Prometheus's JSON, requests per second
//
// Dates are RFC 3339, with a space instead of the T, or as in access logs, to
// the nanosecond; UTC where they have no zone. The first is the start of the
// run, and numbers beyond the year 2001 in seconds since 1970 are dates too.
// Errors are all there are, each with its line.
func ReadTrace(r io.Reader, o TraceOptions) (Recorded, error) {
	t := &trace{TraceOptions: o, dates: -1}
	if t.Compress == 0 {
		t.Compress = 1
	}
	in := bufio.NewReaderSize(r, longestLine)
	begin, _ := in.Peek(longestLine)
	format := o.Format
	if format == "" || format == AnyFormat {
		format = formatOf(begin)
	}
	switch {
	case isBinary(begin):
		return Recorded{}, badTrace("something that is no text", 1)
	case format == AccessLogFormat:
		return t.readLog(in)
	case format == PrometheusFormat:
		return t.readRange(in)
	}
	if err := t.scan(in); err != nil {
		return Recorded{}, err
	}
	return t.recorded(t.shape())
}

// recorded is what was read, unless there are problems.
func (t *trace) recorded(shape Replay) (Recorded, error) {
	if err := errors.Join(t.problems...); err != nil {
		return Recorded{}, err
	}
	r := Recorded{Shape: shape, Step: t.compressed(t.step)}
	if t.start >= firstDate {
		r.Start = time.Unix(0, int64(t.start)).UTC()
	}
	return r, nil
}

// trace is one in the making.
type trace struct {
	TraceOptions
	column int // index of the values
	dates  int // index of the dates that counts belong to; -1: none

	stamped bool // the column holds moments
	dated   bool // they are dates, not seconds
	layout  string
	columns int

	start instant
	step  time.Duration // shortest of the intervals of the counts

	moments  []instant
	counts   []float64 // where there are any
	lines    []int     // of the moments and counts
	problems []error
}

// mostProblems bounds what is said of a file that is something else.
const mostProblems = 20

var errTooMany = errors.New("and more")

func (t *trace) bad(line int, format string, args ...any) error {
	if len(t.problems) == mostProblems {
		return errTooMany
	}
	t.problems = append(t.problems, fmt.Errorf("line %d: %s", line, fmt.Sprintf(format, args...)))
	return nil
}

// scan reads all lines.
func (t *trace) scan(r io.Reader) error {
	in := csv.NewReader(r)
	in.Comment, in.TrimLeadingSpace, in.ReuseRecord, in.FieldsPerRecord = '#', true, true, -1
	row, line, err := next(in)
	if err == nil {
		t.columns = len(row)
		named := !slices.ContainsFunc(row, isValue) && slices.ContainsFunc(row, isName)
		if err := t.findColumn(row, named); err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		if named {
			row, line, err = next(in)
		}
	}
	if err == io.EOF {
		return errors.New("there is no line with a value")
	}
	for first := true; err == nil; row, line, err = next(in) {
		if len(row) != t.columns {
			err = t.bad(line, "got %s, want %d as in the first", Plural(len(row), "column", "columns"), t.columns)
		} else {
			if first {
				t.recognise(row)
				first = false
			}
			err = t.add(line, row)
		}
		if err != nil {
			return errors.Join(append(t.problems, err)...)
		}
	}
	if err != io.EOF {
		return errors.Join(append(t.problems, err)...)
	}
	return nil
}

// badTrace is a file that holds something else.
func badTrace(got string, line int) error {
	return fmt.Errorf("line %d: got %s, want times or counts, one a line or in CSV, or an access log of nginx or Apache", line, got)
}

// isBinary reports whether the beginning of a file is no text.
func isBinary(begin []byte) bool { return bytes.IndexByte(begin, 0) >= 0 }

// next reads a line that is not empty.
func next(in *csv.Reader) (row []string, line int, err error) {
	row, err = in.Read()
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return nil, 0, badTrace("something that is no CSV ("+bad.Err.Error()+")", bad.Line)
	}
	if err == nil {
		line, _ = in.FieldPos(0)
	}
	return row, line, err
}

// isName reports whether s can name a column; what begins with a digit is
// rather a value that somebody wrote in another way.
func isName(s string) bool { return s != "" && (s[0] < '0' || s[0] > '9') }

func isValue(s string) bool {
	_, isDate := dateLayout(s)
	_, err := strconv.ParseFloat(s, 64)
	return isDate || err == nil
}

func (t *trace) findColumn(row []string, named bool) error {
	want := strings.TrimSpace(t.Column)
	if want == "" {
		return nil
	}
	if named {
		for i, name := range row {
			if strings.TrimSpace(name) == want {
				t.column = i
				return nil
			}
		}
	}
	if n, err := strconv.Atoi(want); err == nil && n >= 1 && n <= len(row) {
		t.column = n - 1
		return nil
	}
	if named {
		return fmt.Errorf("got the columns %s, and no %q", strings.Join(row, ", "), want)
	}
	return fmt.Errorf("got %s without names, and no %q", Plural(len(row), "column", "columns"), want)
}

// recognise finds out from the first values what the trace is.
func (t *trace) recognise(row []string) {
	t.layout, t.dated = dateLayout(row[t.column])
	t.stamped = t.Interval == 0
	for i, s := range row {
		if layout, ok := dateLayout(s); ok && t.stamped && !t.dated {
			t.layout, t.dates, t.stamped = layout, i, false
		}
	}
}

func (t *trace) add(line int, row []string) error {
	value := strings.TrimSpace(row[t.column])
	var at instant
	var count float64
	var ok bool
	switch {
	case t.stamped && !t.dated:
		if at, ok = parseSeconds(value); !ok {
			return t.bad(line, "got %q, want a time in seconds, such as 12.5", value)
		}
	case t.stamped:
		if at, ok = t.date(value); !ok {
			return t.bad(line, "got %q, want a date like those before it", value)
		}
	default:
		var err error
		count, err = strconv.ParseFloat(value, 64)
		if err != nil || !(count >= 0) || count > 1e12 {
			return t.bad(line, "got %q, want a count of 0 or more", value)
		}
		if t.dates >= 0 {
			if at, ok = t.date(row[t.dates]); !ok {
				return t.bad(line, "got %q, want a date like those before it", row[t.dates])
			}
		}
	}
	if n := len(t.moments); n > 0 && t.Interval == 0 {
		switch before := t.moments[n-1]; {
		case at < before:
			return t.bad(line, "it is before line %d, want them in the order of time%s", t.lines[n-1], t.hint())
		case at == before && !t.stamped:
			return t.bad(line, "it has the time of line %d, want an interval between two counts", t.lines[n-1])
		}
	}
	t.moments, t.lines = append(t.moments, at), append(t.lines, line)
	if !t.stamped {
		t.counts = append(t.counts, count)
	}
	return nil
}

// hint is for numbers that were taken for seconds and may be counts.
func (t *trace) hint() string {
	if t.dated || t.dates >= 0 {
		return ""
	}
	return " (counts need --trace-interval)"
}

func (t *trace) date(s string) (instant, bool) {
	d, err := time.Parse(t.layout, strings.TrimSpace(s))
	if err != nil || d.Year() < 1900 || d.Year() > 2200 { // what fits into nanoseconds
		return 0, false
	}
	return instant(d.UnixNano()), true
}

// shape makes the trace into one. Where there are problems it is nil.
func (t *trace) shape() Replay {
	if len(t.problems) > 0 {
		return nil
	}
	if t.tooLong(t.length()) {
		return nil
	}
	t.start = t.moments[0] // with an interval alone there are no dates, and this is 0
	if t.stamped {
		if t.Column == "" && t.columns > 1 && regular(t.moments) {
			return t.refuse("the times are evenly spaced, as those of counts: say with --trace-column which column to replay, " +
				"that of the counts or, where each line is one arrival, that of the times")
		}
		out := make(Stamps, len(t.moments))
		for i, at := range t.moments {
			out[i] = t.compressed(time.Duration(at - t.moments[0]))
		}
		return out
	}
	if t.Interval == 0 && len(t.counts) < 2 {
		return t.refuse("got one count, want two or more to know their interval, or --trace-interval")
	}
	if slices.Max(t.counts) == 0 {
		return t.refuse("all counts are 0: nothing arrives")
	}
	ends := make([]time.Duration, len(t.counts))
	for i := range ends {
		ends[i] = t.end(i)
		if i == 0 {
			t.step = ends[0]
		} else {
			t.step = min(t.step, ends[i]-ends[i-1])
		}
	}
	return t.replay(ends)
}

// replay makes a shape of the counts of intervals that end at ends.
func (t *trace) replay(ends []time.Duration) Replay {
	for i := range ends {
		ends[i] = t.compressed(ends[i])
		if i > 0 && ends[i] <= ends[i-1] || ends[i] <= 0 {
			return t.refuse("--compress %gx leaves no time for a count", t.Compress)
		}
	}
	return NewCounts(ends, t.counts)
}

func (t *trace) refuse(format string, args ...any) Replay {
	t.problems = append(t.problems, fmt.Errorf(format, args...))
	return nil
}

// end is that of the interval of the i-th count: the next date, and after the
// last as long as before it.
func (t *trace) end(i int) time.Duration {
	switch {
	case t.Interval > 0:
		return time.Duration(i+1) * t.Interval
	case i < len(t.counts)-1:
		return time.Duration(t.moments[i+1] - t.moments[0])
	default:
		return time.Duration(2*t.moments[i] - t.moments[i-1] - t.moments[0])
	}
}

// longestTrace is far from what a time.Duration cannot hold.
const longestTrace = 100 * 365 * 24 * time.Hour

// tooLong refuses what takes so many nanoseconds, if it has to.
func (t *trace) tooLong(length float64) bool {
	if length/min(1, t.Compress) <= float64(longestTrace) {
		return false
	}
	t.refuse("it takes longer than a hundred years")
	return true
}

// length is how long the load was, in nanoseconds.
func (t *trace) length() float64 {
	n := len(t.moments)
	length := float64(n) * float64(t.Interval)
	if t.Interval == 0 {
		length = 2 * float64(t.moments[n-1]-t.moments[0]) // with the last interval
	}
	return length
}

func (t *trace) compressed(d time.Duration) time.Duration {
	if t.Compress == 1 {
		return d
	}
	return time.Duration(math.Round(float64(d) / t.Compress))
}

// regular reports whether nine of ten distances are the same.
func regular(at []instant) bool {
	gaps := map[instant]int{}
	most := 0
	for i := 1; i < len(at); i++ {
		gap := at[i] - at[i-1]
		gaps[gap]++
		if gap > 0 {
			most = max(most, gaps[gap])
		}
	}
	return len(at) > 2 && most*10 >= (len(at)-1)*9
}

// ParseCompress reads how many times as fast a trace is replayed: "60x".
func ParseCompress(s string) (float64, error) {
	c, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "x"), 64)
	if err != nil || !(c >= 0.001) || c > 1e6 {
		return 0, badValue(s, "a factor of 0.001 or more, such as 60x")
	}
	return c, nil
}
