package profiles

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseThreshold(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Threshold
	}{
		{"http_req_duration: p(95)<200", Threshold{Metric: RequestDuration, Aggregation: QuantileOf, Quantile: 0.95, Op: Less, Limit: 200}},
		{"http_req_duration:p(99.9) <= 1500.5", Threshold{Metric: RequestDuration, Aggregation: QuantileOf, Quantile: 0.999, Op: LessEqual, Limit: 1500.5}},
		{" http_req_failed : rate<0.01 ", Threshold{Metric: RequestFailed, Aggregation: RateOf, Op: Less, Limit: 0.01}},
		{"http_reqs: count==100", Threshold{Metric: Requests, Aggregation: CountOf, Op: Equal, Limit: 100}},
		{"http_reqs: count!=0", Threshold{Metric: Requests, Aggregation: CountOf, Op: NotEqual}},
		{"http_req_duration{name:chat}: med>=1 abortOnFail delay=10s every=1m30s",
			Threshold{Metric: RequestDuration, Task: "chat", Aggregation: MedianOf, Op: GreaterEqual, Limit: 1, Abort: true, Delay: 10 * time.Second, Every: 90 * time.Second}},
		{"http_req_duration{name: GET /a/{id}: x }: max<1", Threshold{Metric: RequestDuration, Task: "GET /a/{id}: x", Aggregation: MostOf, Op: Less, Limit: 1}},
		{"http_req_waiting: avg > 3 abortOnFail", Threshold{Metric: RequestWaiting, Aggregation: AverageOf, Op: Greater, Limit: 3, Abort: true}},
		{"data_received: rate>1000 every=5", Threshold{Metric: DataReceived, Aggregation: RateOf, Op: Greater, Limit: 1000, Every: 5 * time.Second}},
		{"dropped_iterations: count<1", Threshold{Metric: DroppedIterations, Aggregation: CountOf, Op: Less, Limit: 1}},
	} {
		got, err := ParseThreshold(c.in)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("ParseThreshold(%q): %v, -want +got:\n%s", c.in, err, diff)
		}
	}
}

func TestParseThresholdRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                       "no colon behind a metric",
		"p(95)<200":                              "no colon behind a metric",
		"latency: p(95)<200":                     `metric: got "latency", want one of http_req_duration, http_req_failed,`,
		"http_req_duration{name:chat: p(95)<1":   "no } behind the task",
		"checks: rate>0.9":                       `metric "checks" is not known here: a request that a check refuses has failed, want http_req_failed`,
		"iteration_duration: p(95)<200":          `metric "iteration_duration" is not known here: an iteration is a request, want http_req_duration`,
		"http_req_duration{status:200}: avg<1":   "unknown tag {status:200}, want {name:TASK}",
		"http_req_duration{name:}: avg<1":        "unknown tag {name:}, want {name:TASK}",
		"http_req_duration{name:a} p(95)<1":      "no colon behind a metric",
		"http_req_duration: p(95)":               "no comparison",
		"http_req_duration: p(95)=200":           "no comparison with a number",
		"http_req_duration: p(95)<":              "no comparison with a number",
		"http_req_duration: p(95)<200ms":         `limit "200ms" is not a number of 0 or more, without a unit`,
		"http_req_duration: p(95)<-1":            `limit "-1" is not a number`,
		"http_req_duration: p(95)<NaN":           `limit "NaN" is not a number`,
		"http_req_duration: p(100)<1":            `aggregation "p(100)" is not p(N)`,
		"http_req_duration: p(95<1":              `aggregation "p(95" is not p(N)`,
		"http_req_duration: p<1":                 `aggregation "p", http_req_duration has avg, min, max, med, p(N)`,
		"http_req_duration: rate<1":              `aggregation "rate", http_req_duration has avg, min, max, med, p(N)`,
		"http_req_failed: count<1":               `aggregation "count", http_req_failed has rate`,
		"http_req_failed: rate<5":                `limit "5" is not a share between 0 and 1`,
		"http_reqs: rate>1 abort":                `unknown option "abort", want abortOnFail, delay=10s or every=30s`,
		"http_reqs: rate>1 abortOnFail=yes":      `unknown option "abortOnFail=yes"`,
		"http_reqs: rate>1 delay=10s":            "delay without abortOnFail, want both or neither",
		"http_reqs: rate>1 every=1s every=2s":    "option every twice",
		"http_reqs: rate>1 every=soon":           `option every: got "soon", want a duration`,
		"http_reqs: rate>1 every=500ms":          "every=500ms, want 1s or more",
		"http_reqs: rate>1 every=0":              "every=0s, want 1s or more",
		"http_reqs: count>1 every=1m":            "count with every, want rate",
		"http_req_waiting: avg<1 every=1m":       "http_req_waiting is known of the whole run and all requests",
		"dropped_iterations{name:chat}: count<1": "dropped_iterations is known of the whole run and all requests",
	} {
		if _, err := ParseThreshold(in); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "got \"") {
			t.Errorf("ParseThreshold(%q) = %v, want got … %s", in, err, want)
		}
	}
}

func drawThreshold(t *rapid.T) Threshold {
	m := rapid.SampledFrom(thresholdMetrics).Draw(t, "metric")
	th := Threshold{
		Metric: m.name, Aggregation: rapid.SampledFrom(m.aggregations).Draw(t, "aggregation"), Limit: rapid.Float64Range(0, 1).Draw(t, "limit"),
		Op: rapid.SampledFrom([]Op{Less, LessEqual, Greater, GreaterEqual, Equal, NotEqual}).Draw(t, "op"),
	}
	if th.Aggregation == QuantileOf {
		th.Quantile = float64(rapid.IntRange(1, 99_999).Draw(t, "quantile")) / 100_000
	}
	if th.Abort = rapid.Bool().Draw(t, "abort"); th.Abort {
		th.Delay = time.Duration(rapid.IntRange(0, 10_000).Draw(t, "delay")) * time.Millisecond
	}
	if m.parted {
		th.Task = rapid.StringMatching(`([a-zé/{}:]([ a-z{}:<"]*[a-z{}])?)?`).Draw(t, "task")
		if th.Aggregation != CountOf && rapid.Bool().Draw(t, "windows") {
			th.Every = time.Duration(rapid.IntRange(1000, 10_000).Draw(t, "every")) * time.Millisecond
		}
	}
	return th
}

func TestThresholdReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawThreshold(t)
		got, err := ParseThreshold(want.String())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseThreshold(%q): %v, -want +got:\n%s", want, err, diff)
		}
	})
}

func FuzzParseThreshold(f *testing.F) {
	for _, seed := range []string{"http_req_duration{name:a}: p(95)<200 abortOnFail delay=1s every=2s", "http_reqs: count==1", "http_reqs{: }", "iterations:<"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, err := ParseThreshold(s)
		if err != nil {
			return
		}
		if again, err := ParseThreshold(first.String()); err != nil || again != first {
			t.Errorf("ParseThreshold(%q) = %#v, %v; of %q %#v", first, again, err, s, first)
		}
	})
}

func TestThresholdObjective(t *testing.T) {
	for in, want := range map[string]string{
		"http_req_duration: p(95)<200":        "p95<200ms",
		"http_req_duration{name:chat}: med<2": "chat.p50<2ms",
		"http_req_duration: avg>=1500":        "mean>=1.5s",
		"http_req_duration: max<0.5":          "max<0.5ms",
		"http_req_duration: min<1":            "",
		"http_req_failed: rate<0.01":          "errors<1%",
		"http_reqs: rate>50":                  "rps>50/s",
		"http_reqs: count>50":                 "",
		"iterations: rate>50":                 "rps>50/s",
		"http_req_waiting: med<1":             "",
	} {
		th, err := ParseThreshold(in)
		got := ""
		if o, ok := th.Objective(); ok {
			got = o.String()
		}
		if err != nil || got != want {
			t.Errorf("(%s).Objective() = %q, %v, want %q", in, got, err, want)
		}
	}
}

func TestThresholdFormatValue(t *testing.T) {
	for _, c := range []struct {
		in   string
		v    float64
		want string
	}{
		{"http_req_duration: p(95)<200", 182.4, "182ms"},
		{"http_req_duration: p(95)<200", 200.004, "200.004ms"},
		{"http_req_duration: p(95)<200", 2500, "2500ms"},
		{"http_req_failed: rate<0.01", 0.0123456, "0.0123"},
		{"http_req_failed: rate<0.01", 0.010000001, "0.010000001"},
		{"http_reqs: rate>50", 12.3456, "12.35/s"},
		{"http_reqs: count==100", 99, "99"},
		{"data_received: count>1", 12345, "12345"},
	} {
		th, err := ParseThreshold(c.in)
		if got := th.FormatValue(c.v); err != nil || got != c.want {
			t.Errorf("(%s).FormatValue(%v) = %q, %v, want %q", c.in, c.v, got, err, c.want)
		}
	}
}

func TestCheckThresholds(t *testing.T) {
	for _, c := range []struct {
		in    string
		tasks []string
		want  string
	}{
		{"http_reqs: count>1", nil, ""},
		{"http_reqs{name:a}: count>1", []string{"a", "b"}, ""},
		{"http_reqs{name:c}: count>1", []string{"a", "b"}, "--threshold: got http_reqs{name:c}: count>1, want one for a task of the scenario: a, b"},
		{"http_reqs{name:c}: count>1", nil, "--threshold: got http_reqs{name:c}: count>1 without --scenario, want one for all requests"},
	} {
		th, err := ParseThreshold(c.in)
		got := ""
		if err := CheckThresholds([]Threshold{th}, c.tasks); err != nil {
			got = err.Error()
		}
		if err != nil || got != c.want {
			t.Errorf("CheckThresholds(%s, %q) = %q, %v, want %q", c.in, c.tasks, got, err, c.want)
		}
	}
}
