package profiles

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// combined is a line as nginx and Apache write it.
func combined(at string) string {
	return "127.0.0.1 - - [22/Nov/2026:" + at + ` +0000] "GET /a?b=1,2 HTTP/1.1" 200 5 "-" "curl/8, \"x"` + "\n"
}

func TestReadTrace(t *testing.T) {
	const dated = "when,who,n\n2026-01-02 03:04:05,a,10\n2026-01-02 03:04:15,b,0\n2026-01-02 03:04:25,c,5\n"
	for _, c := range []struct {
		name    string
		text    string
		options TraceOptions
		want    Shape
		err     string
	}{
		{"seconds", "12.5\n12.5\n13\n14.000000001\n", TraceOptions{}, Stamps{0, 0, 500 * ms, 1500*ms + 1}, ""},
		{"Unix time, exactly", "1700000000.123456789\n1700000000.123456790\n", TraceOptions{}, Stamps{0, 1}, ""},
		{"dates with a zone", "2026-01-02T03:04:05.25Z\n2026-01-02T04:04:06+01:00\n", TraceOptions{}, Stamps{0, 750 * ms}, ""},
		{"dates with a space", "TIMESTAMP,Tokens\n2023-11-16 18:17:03.9799600,4808\n2023-11-16 18:17:04.0319600,3180\n", TraceOptions{}, Stamps{0, 52 * ms}, ""},
		{"dates with a space and a zone", "2024-05-10 00:00:00.009930+00:00\n2024-05-10 00:00:01.009930+00:00\n", TraceOptions{}, Stamps{0, sec}, ""},
		{"dates as in access logs", "[02/Jan/2026:03:04:05 +0000]\n[02/Jan/2026:03:04:06 +0000]\n", TraceOptions{}, Stamps{0, sec}, ""},
		{"an access log", combined("08:00:01") + combined("08:00:01") + combined("08:00:00") + "\n" + combined("08:00:04"), TraceOptions{},
			NewCounts([]time.Duration{sec, 2 * sec, 4 * sec, 5 * sec}, []float64{1, 2, 0, 1}), ""},
		{"an access log, compressed", combined("08:00:00") + combined("08:00:01"), TraceOptions{Compress: 2}, NewCounts([]time.Duration{500 * ms, sec}, []float64{1, 1}), ""},
		{"counts by status", "time,5xx\n2026-01-02 03:04:05,1\n2026-01-02 03:04:06,2\n", TraceOptions{Column: "5xx"}, NewCounts([]time.Duration{sec, 2 * sec}, []float64{1, 2}), ""},
		{"a comment, a blank line, Windows", "# from x\r\n\r\n1\r\n2\r\n", TraceOptions{}, Stamps{0, sec}, ""},
		{"the column by name", "id,at\n7,1\n3,4\n", TraceOptions{Column: "at"}, Stamps{0, 3 * sec}, ""},
		{"the column by number", "7,1\n3,4\n", TraceOptions{Column: "2"}, Stamps{0, 3 * sec}, ""},
		{"compressed", "0\n60\n90\n", TraceOptions{Compress: 60}, Stamps{0, sec, 1500 * ms}, ""},
		{"stretched", "0\n1\n", TraceOptions{Compress: 0.5}, Stamps{0, 2 * sec}, ""},

		{"counts beside dates", dated, TraceOptions{Column: "n"}, NewCounts([]time.Duration{10 * sec, 20 * sec, 30 * sec}, []float64{10, 0, 5}), ""},
		{"counts compressed", dated, TraceOptions{Column: "3", Compress: 10}, NewCounts([]time.Duration{sec, 2 * sec, 3 * sec}, []float64{10, 0, 5}), ""},
		{"evenly spaced arrivals, as said", dated, TraceOptions{Column: "when"}, Stamps{0, 10 * sec, 20 * sec}, ""},
		{"counts with an interval", "n\n4\n0.5\n", TraceOptions{Interval: time.Minute}, NewCounts([]time.Duration{time.Minute, 2 * time.Minute}, []float64{4, 0.5}), ""},
		{"one count with an interval", "4\n", TraceOptions{Interval: time.Minute}, NewCounts([]time.Duration{time.Minute}, []float64{4}), ""},

		{"evenly spaced dates", dated, TraceOptions{}, nil, "the times are evenly spaced, as those of counts: say with --trace-column"},
		{"nothing", "", TraceOptions{}, nil, "there is no line with a value"},
		{"only a name", "at\n", TraceOptions{}, nil, "there is no line with a value"},
		{"no such column", "at,n\n1,2\n", TraceOptions{Column: "when"}, nil, `line 1: got the columns at, n, and no "when"`},
		{"no such number", "1,2\n", TraceOptions{Column: "3"}, nil, `line 1: got 2 columns without names, and no "3"`},
		{"every problem", "at,n\n1,2\nx,2\n1\n0.5,3\n", TraceOptions{}, nil,
			"line 3: got \"x\", want a time in seconds, such as 12.5\nline 4: got 1 column, want 2 as in the first\nline 5: it is before line 2, want them in the order of time"},
		{"counts taken for seconds", "5\n3\n", TraceOptions{}, nil, "line 2: it is before line 1, want them in the order of time (counts need --trace-interval)"},
		{"another kind of date", "2026-01-02 03:04:05\n2026-01-02T03:04:06Z\n", TraceOptions{}, nil, `line 2: got "2026-01-02T03:04:06Z", want a date like those before it`},
		{"two counts at a time", "at,n\n2026-01-02 03:04:05,1\n2026-01-02 03:04:05,1\n", TraceOptions{Column: "n"}, nil, "line 3: it has the time of line 2"},
		{"a negative count", "at,n\n2026-01-02 03:04:05,-1\n", TraceOptions{Column: "n"}, nil, `line 2: got "-1", want a count of 0 or more`},
		{"one count", "at,n\n2026-01-02 03:04:05,1\n", TraceOptions{Column: "n"}, nil, "got one count, want two or more"},
		{"no arrivals", "0\n0\n", TraceOptions{Interval: sec}, nil, "all counts are 0"},
		{"too much compressed", "1\n1\n", TraceOptions{Interval: 1, Compress: 1000}, nil, "--compress 1000x leaves no time"},
		{"too long", "0\n8000000000\n", TraceOptions{}, nil, "it takes longer than a hundred years"},
		{"an open quote", "1\n\"2\n", TraceOptions{}, nil, "line 2: got something that is no CSV ("},
		{"times with a unit", "1s\n2s\n", TraceOptions{}, nil, `line 1: got "1s", want a time in seconds, such as 12.5` + "\n" + `line 2: got "2s"`},
		{"binary", "\x1f\x8b\x08\x00\n", TraceOptions{}, nil, "line 1: got something that is no text, want times or counts, one a line or in CSV, or an access log of nginx or Apache"},
		{"an access log with something else", combined("08:00:00") + "x\n" + combined("08:61:00"), TraceOptions{}, nil,
			"line 2: got no time such as [22/Nov/2026:08:00:01 +0000], want one in each line of an access log\nline 3: got no time"},
		{"an access log of a column", combined("08:00:00"), TraceOptions{Column: "4"}, nil, "got an access log and --trace-column"},
		{"something else", strings.Repeat("x,5\n1,5\n", 30), TraceOptions{Column: "1"}, nil, "line 1: got \"x\""},
	} {
		recorded, err := ReadTrace(strings.NewReader(c.text), c.options)
		got := recorded.Shape
		if c.want == nil {
			if err == nil || got != nil || !strings.HasPrefix(err.Error(), c.err) || strings.Count(err.Error(), "\n") > mostProblems {
				t.Errorf("%s: ReadTrace = %v, %v; want an error that begins with %q", c.name, got, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(Counts{})); err != nil || diff != "" {
			t.Errorf("%s: ReadTrace: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}

func TestParseCompress(t *testing.T) {
	for in, want := range map[string]float64{"60x": 60, "60": 60, "0.5x": 0.5} {
		if got, err := ParseCompress(in); err != nil || got != want {
			t.Errorf("ParseCompress(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "x", "0x", "-1x", "NaN", "1e9x", "60s"} {
		if got, err := ParseCompress(in); err == nil {
			t.Errorf("ParseCompress(%q) = %v, want an error", in, got)
		}
	}
}
