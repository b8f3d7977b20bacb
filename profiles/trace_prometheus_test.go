package profiles

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// matrix is an answer of Prometheus with a series for each of values.
func matrix(values ...string) string {
	series := make([]string, len(values))
	for i, v := range values {
		series[i] = fmt.Sprintf(`{"metric":{"pod":"%d"},"values":[%s]}`, i, v)
	}
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
}

func TestReadRangeQuery(t *testing.T) {
	minutes := []time.Duration{time.Minute, 2 * time.Minute}
	counter := make([]string, enoughToCount)
	for i := range counter {
		counter[i] = fmt.Sprintf(`[%d,"%d"]`, 1700000000+60*i, 100*i)
	}
	for _, c := range []struct {
		name, text string
		options    TraceOptions
		want       Shape
		err        string
	}{
		{"one series", matrix(`[1700000000,"1"],[1700000060,"2.5"]`), TraceOptions{}, NewCounts(minutes, []float64{60, 150}), ""},
		{"blanks before it", "\n " + matrix(`[1700000000,"1"],[1700000060,"2.5"]`), TraceOptions{}, NewCounts(minutes, []float64{60, 150}), ""},
		{"two, of which one begins later", matrix(`[1700000000,"1"],[1700000060,"2"]`, `[1700000060,"0.5"]`), TraceOptions{}, NewCounts(minutes, []float64{60, 150}), ""},
		{"a value that is none", matrix(`[1700000000,"1"],[1700000060,"2"]`, `[1700000000,"NaN"],[1700000060,"0.5"]`), TraceOptions{}, NewCounts(minutes, []float64{60, 150}), ""},
		{"fractions of a second", matrix(`[1700000000.5,"1"],[1700000001.000,"2"]`), TraceOptions{}, NewCounts([]time.Duration{500 * ms, sec}, []float64{0.5, 1}), ""},
		{"compressed", matrix(`[1700000000,"1"],[1700000060,"2.5"]`), TraceOptions{Compress: 60}, NewCounts([]time.Duration{sec, 2 * sec}, []float64{60, 150}), ""},

		{"a gap", matrix(`[1700000000,"1"],[1700000060,"2"],[1700000180,"2"]`), TraceOptions{}, nil, "got no value from 2023-11-14T22:14:20Z for 2m, want one every 1m"},
		{"a counter", matrix(strings.Join(counter, ",")), TraceOptions{}, nil, "got a counter, which only grows, want requests per second"},
		{"nothing but zeros", matrix(`[1700000000,"0"],[1700000060,"0"]`), TraceOptions{}, nil, "all rates are 0"},
		{"one moment", matrix(`[1700000000,"1"]`), TraceOptions{}, nil, "got 1 moment with a value, want two or more"},
		{"no series", matrix(), TraceOptions{}, nil, "got 0 moments with a value"},
		{"an error", `{"status":"error","errorType":"bad_data","error":"parse error"}`, TraceOptions{}, nil, `got the error "parse error" of Prometheus`},
		{"an instant query", `{"status":"success","data":{"resultType":"vector","result":[]}}`, TraceOptions{}, nil, `got JSON with a result of type "vector", want a matrix`},
		{"other JSON", `{"kind":"run"}`, TraceOptions{}, nil, `got JSON with a result of type ""`},
		{"half of it", matrix(`[1700000000,"1"]`)[:80], TraceOptions{}, nil, "got JSON that is no answer of Prometheus: unexpected EOF"},
		{"a rate below 0", matrix(`[1700000000,"-1"]`), TraceOptions{}, nil, `got [1700000000,"-1"], want a time in seconds and a rate`},
		{"a rate without quotes", matrix(`[1700000000,1]`), TraceOptions{}, nil, `got [1700000000,1], want`},
		{"too many of them", matrix(`[1700000000,"1","2"]`), TraceOptions{}, nil, `got [1700000000,"1","2"], want`},
		{"a column of it", matrix(`[1700000000,"1"]`), TraceOptions{Column: "2"}, nil, "got the answer of Prometheus and --trace-column"},
		{"CSV, as somebody said", "1\n2\n", TraceOptions{Format: PrometheusFormat}, nil, "got JSON that is no answer of Prometheus"},
		{"a log, as somebody said", matrix(`[1700000000,"1"]`), TraceOptions{Format: AccessLogFormat}, nil, "line 1: got no time such as"},
		{"a log of nothing", "", TraceOptions{Format: AccessLogFormat}, nil, "there is no line with a request"},
		{"an empty answer", "", TraceOptions{Format: PrometheusFormat}, nil, "got JSON that is no answer of Prometheus: EOF"},
	} {
		got, err := ReadTrace(strings.NewReader(c.text), c.options)
		if c.want == nil {
			if err == nil || got.Shape != nil || !strings.HasPrefix(err.Error(), c.err) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: ReadTrace = %v, %v; want an error of one line that begins with %q", c.name, got, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got.Shape, cmp.AllowUnexported(Counts{})); err != nil || diff != "" {
			t.Errorf("%s: ReadTrace: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}

// When a load was recorded, and how finely.
func TestRecorded(t *testing.T) {
	for _, c := range []struct {
		name, text string
		options    TraceOptions
		start      string // empty: not known
		step       time.Duration
	}{
		{"a range query: the first value is of the step before it", matrix(`[1700000000,"1"],[1700000060,"2.5"]`), TraceOptions{}, "2023-11-14T22:12:20Z", time.Minute},
		{"an access log", combined("08:00:01") + combined("08:00:00"), TraceOptions{}, "2026-11-22T08:00:00Z", sec},
		{"an access log of another zone", strings.ReplaceAll(combined("08:00:01"), "+0000", "+0200"), TraceOptions{}, "2026-11-22T06:00:01Z", sec},
		{"counts beside dates", "t,n\n2026-01-02 03:04:05,1\n2026-01-02 03:05:05,1\n2026-01-02 03:05:35,1\n", TraceOptions{Column: "n"}, "2026-01-02T03:04:05Z", 30 * sec},
		{"dates", "2026-01-02 03:04:05\n2026-01-02 03:04:06\n", TraceOptions{}, "2026-01-02T03:04:05Z", 0},
		{"seconds since 1970", "1700000000\n1700000001\n", TraceOptions{}, "2023-11-14T22:13:20Z", 0},
		{"seconds of something", "12\n13\n", TraceOptions{}, "", 0},
		{"counts of an hour", "12\n13\n", TraceOptions{Interval: time.Hour}, "", time.Hour},
		{"counts of an hour, compressed", "12\n13\n", TraceOptions{Interval: time.Hour, Compress: 60}, "", time.Minute},
	} {
		got, err := ReadTrace(strings.NewReader(c.text), c.options)
		start := ""
		if !got.Start.IsZero() {
			start = got.Start.Format(time.RFC3339)
		}
		if err != nil || start != c.start || got.Step != c.step {
			t.Errorf("%s: ReadTrace = start %q, step %v, %v; want %q, %v", c.name, start, got.Step, err, c.start, c.step)
		}
	}
}
