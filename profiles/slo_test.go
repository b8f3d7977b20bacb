package profiles

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseSLO(t *testing.T) {
	p := func(q float64, op Op, limit float64) Objective {
		return Objective{Measure: Percentile, Quantile: q, Op: op, Limit: limit}
	}
	for _, c := range []struct {
		in   string
		want SLO
		text string // String of it; "": as in
	}{
		{in: "p95<300ms", want: SLO{p(0.95, Less, 0.3)}},
		{in: "p95<300ms,errors<1%", want: SLO{p(0.95, Less, 0.3), {Measure: Errors, Op: Less, Limit: 0.01}}},
		{in: "p99.9<=2.5s", want: SLO{p(0.999, LessEqual, 2.5)}},
		{in: "errors>=100%", want: SLO{{Measure: Errors, Op: GreaterEqual, Limit: 1}}},
		{in: "ttft.p95<500ms", want: SLO{{Measure: FirstEvent, Quantile: 0.95, Op: Less, Limit: 0.5}}},
		{in: "gap.p99.9<=40ms", want: SLO{{Measure: Gap, Quantile: 0.999, Op: LessEqual, Limit: 0.04}}},
		{in: "chat.p95<2s", want: SLO{{Task: "chat", Measure: Percentile, Quantile: 0.95, Op: Less, Limit: 2}}},
		{in: "chat.ttft.p99.9<2s", want: SLO{{Task: "chat", Measure: FirstEvent, Quantile: 0.999, Op: Less, Limit: 2}}},
		{in: "GET /v1.2/a.errors<=1%", want: SLO{{Task: "GET /v1.2/a", Measure: Errors, Op: LessEqual, Limit: 0.01}}},
		{in: "mean<120ms", want: SLO{{Measure: Mean, Op: Less, Limit: 0.12}}},
		{in: "max<=10s", want: SLO{{Measure: Max, Op: LessEqual, Limit: 10}}},
		{in: "errors<=0%", want: SLO{{Measure: Errors, Op: LessEqual, Limit: 0}}},
		{in: "errors<0.05%", want: SLO{{Measure: Errors, Op: Less, Limit: 0.0005}}},
		{in: "errors<100%", want: SLO{{Measure: Errors, Op: Less, Limit: 1}}},
		{in: "rps>=100/s", want: SLO{{Measure: Throughput, Op: GreaterEqual, Limit: 100}}},
		{in: "rps>99.5", want: SLO{{Measure: Throughput, Op: Greater, Limit: 99.5}}, text: "rps>99.5/s"},
		{in: " p95 < 300ms , errors < 1 % ", want: SLO{p(0.95, Less, 0.3), {Measure: Errors, Op: Less, Limit: 0.01}}, text: "p95<300ms,errors<1%"},
		{in: "p95<1m", want: SLO{p(0.95, Less, 60)}, text: "p95<60s"},
		// What String writes must not be rounded: it would be another SLO.
		{in: "p95<1234ms", want: SLO{p(0.95, Less, 1.234)}, text: "p95<1.234s"},
		{in: "p95<12.345ms", want: SLO{p(0.95, Less, 0.012345)}},
		{in: "p95<420us", want: SLO{p(0.95, Less, 0.00042)}, text: "p95<0.42ms"},
		{in: "errors<0.0001%", want: SLO{{Measure: Errors, Op: Less, Limit: 0.000001}}},
		{in: "rps>0.125/s", want: SLO{{Measure: Throughput, Op: Greater, Limit: 0.125}}},
		{in: "p99.999<1s", want: SLO{p(0.99999, Less, 1)}},
		// Of one task.
		{in: "chat.ttft.p95<500ms,login.errors<1%", want: SLO{{Task: "chat", Measure: FirstEvent, Quantile: 0.95, Op: Less, Limit: 0.5}, {Task: "login", Measure: Errors, Op: Less, Limit: 0.01}}},
		{in: "chat.p99.9<1s", want: SLO{{Task: "chat", Measure: Percentile, Quantile: 0.999, Op: Less, Limit: 1}}},
		{in: "v1.chat.mean<1s", want: SLO{{Task: "v1.chat", Measure: Mean, Op: Less, Limit: 1}}},
		{in: "GET /load/{n} x.rps>5/s", want: SLO{{Task: "GET /load/{n} x", Measure: Throughput, Op: Greater, Limit: 5}}},
		{in: "p95.p95<1s", want: SLO{{Task: "p95", Measure: Percentile, Quantile: 0.95, Op: Less, Limit: 1}}},
		{in: `"a,b<c".p95<1s,p50<2s`, want: SLO{{Task: "a,b<c", Measure: Percentile, Quantile: 0.95, Op: Less, Limit: 1}, p(0.5, Less, 2)}},
		{in: `"say \"x\"" . p95 < 1s`, want: SLO{{Task: `say "x"`, Measure: Percentile, Quantile: 0.95, Op: Less, Limit: 1}}, text: `"say \"x\"".p95<1s`},
		{in: `"ttft".p95<1s`, want: SLO{{Task: "ttft", Measure: Percentile, Quantile: 0.95, Op: Less, Limit: 1}}},
		{in: `"x.ttft".p95<1s`, want: SLO{{Task: "x.ttft", Measure: Percentile, Quantile: 0.95, Op: Less, Limit: 1}}},
		{in: `"chat".p95<1s`, want: SLO{{Task: "chat", Measure: Percentile, Quantile: 0.95, Op: Less, Limit: 1}}, text: "chat.p95<1s"},
	} {
		got, err := ParseSLO(c.in)
		if err != nil {
			t.Errorf("ParseSLO(%q): %v", c.in, err)
			continue
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("ParseSLO(%q): -want +got\n%s", c.in, diff)
		}
		text := c.text
		if text == "" {
			text = c.in
		}
		if got.String() != text {
			t.Errorf("ParseSLO(%q).String() = %q, want %q", c.in, got, text)
		}
	}
}

func TestParseSLOErrors(t *testing.T) {
	for _, c := range []struct{ in, objective, why string }{
		{"p95", `"p95"`, "no comparison"},
		{"p95=300ms", `"p95=300ms"`, "no comparison"},
		{"errors<1%,p95", `"p95"`, "no comparison"},
		{"p95<300", `"p95<300"`, `limit "300" is not a latency`},
		{"p95<300%", `"p95<300%"`, `limit "300%" is not a latency`},
		{"p95>300ms", `"p95>300ms"`, "a latency has an upper limit only, with < or <="},
		{"rps>5,chat.ttft.p95>=1s", `"chat.ttft.p95>=1s"`, "a latency has an upper limit only"},
		{"mean>1ms", `"mean>1ms"`, "a latency has an upper limit only"},
		{"p95<0ms", `"p95<0ms"`, `limit "0ms" is not a latency`},
		{"p95<-5ms", `"p95<-5ms"`, `limit "-5ms" is not a latency`},
		{"p95<", `"p95<"`, `limit "" is not a latency`},
		{"p95<>300ms", `"p95<>300ms"`, `limit ">300ms" is not a latency`},
		{"p95<300ms<400ms", `"p95<300ms<400ms"`, `limit "300ms<400ms" is not a latency`},
		{"mean<1%", `"mean<1%"`, `limit "1%" is not a latency`},
		{"errors<1", `"errors<1"`, `limit "1" is not a percentage`},
		{"errors<101%", `"errors<101%"`, `limit "101%" is not a percentage`},
		{"errors<-1%", `"errors<-1%"`, `limit "-1%" is not a percentage`},
		{"errors<NaN%", `"errors<NaN%"`, `limit "NaN%" is not a percentage`},
		{"rps>fast", `"rps>fast"`, `limit "fast" is not a rate`},
		{"rps>-1/s", `"rps>-1/s"`, `limit "-1/s" is not a rate`},
		{"rps>Inf", `"rps>Inf"`, `limit "Inf" is not a rate`},
		{"rps>5ms", `"rps>5ms"`, `limit "5ms" is not a rate`},
		{"p0<1s", `"p0<1s"`, `unknown measure "p0"`},
		{"p100<1s", `"p100<1s"`, `unknown measure "p100"`},
		{"p99.9999<1s", `"p99.9999<1s"`, `unknown measure "p99.9999"`}, // would be written as p100
		{"p-5<1s", `"p-5<1s"`, `unknown measure "p-5"`},
		{"pNaN<1s", `"pNaN<1s"`, `unknown measure "pNaN"`},
		{"p<1s", `"p<1s"`, `unknown measure "p"`},
		{"P95<1s", `"P95<1s"`, `unknown measure "P95"`},
		{".p95<1s", `".p95<1s"`, `unknown measure ".p95"`},
		{"chat.p<1s", `"chat.p<1s"`, `unknown measure "chat.p"`},
		{"ttft.p100<1s", `"ttft.p100<1s"`, `unknown measure "ttft.p100"`},
		{"gap.mean<1s", `"gap.mean<1s"`, `unknown measure "gap.mean"`},
		{"ttft.p95<1%", `"ttft.p95<1%"`, `limit "1%" is not a latency`},
		{"median<1s", `"median<1s"`, `unknown measure "median"`},
		{"<1s", `"<1s"`, `unknown measure ""`},
		{"chat.median<1s", `"chat.median<1s"`, `unknown measure "chat.median"`},
		{".p95<1s", `".p95<1s"`, `unknown measure ".p95"`},
		{`"chat.p95<1s`, `chat.p95<1s`, "a quote that is not of a task and a dot"},
		{`"chat"p95<1s`, `p95<1s`, "a quote that is not of a task and a dot"},
		{`"".p95<1s`, `p95<1s`, "a quote that is not of a task and a dot"},
		{`"chat".chat.p95<1s`, `chat.p95<1s`, `unknown measure "chat.p95"`},
		{"", `""`, "an empty objective"},
		{"p95<300ms,", `"p95<300ms,"`, "an empty objective"},
		{",p95<300ms", `",p95<300ms"`, "an empty objective"},
	} {
		got, err := ParseSLO(c.in)
		if err == nil {
			t.Errorf("ParseSLO(%q) = %v, want an error", c.in, got)
			continue
		}
		for _, want := range []string{c.objective, c.why, "p95<300ms,errors<1%"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("ParseSLO(%q): error %q, want %s in it", c.in, err, want)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("ParseSLO(%q): error %q has more than one line", c.in, err)
		}
	}
}

// What String writes is the same SLO, to the last nanosecond.
func TestSLORoundTrip(t *testing.T) {
	upper := []Op{Less, LessEqual}
	objective := rapid.Custom(func(t *rapid.T) Objective {
		o := Objective{Task: rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"ttft", "gap.p", "a.ttft", "p95", "a,b", `"`, " "})).Draw(t, "task")}
		o.Measure = rapid.SampledFrom([]Measure{Percentile, FirstEvent, Gap, Mean, Max, Errors, Throughput}).Draw(t, "measure")
		ops := upper
		if o.Measure == Errors || o.Measure == Throughput {
			ops = append(upper[:2:2], Greater, GreaterEqual)
		}
		o.Op = rapid.SampledFrom(ops).Draw(t, "op")
		switch o.Measure {
		case Percentile, FirstEvent, Gap:
			o.Quantile = float64(rapid.IntRange(1, 99999).Draw(t, "quantile")) / 1e5
			fallthrough
		case Mean, Max:
			o.Limit = time.Duration(rapid.Int64Range(1, int64(100*time.Hour)).Draw(t, "limit")).Seconds()
		case Errors:
			o.Limit = float64(rapid.IntRange(0, 1e8).Draw(t, "limit")) / 1e6 / 100 // as parsed
		case Throughput:
			o.Limit = rapid.Float64Range(0, 1e9).Draw(t, "limit")
		}
		return o
	})
	rapid.Check(t, func(t *rapid.T) {
		want := SLO(rapid.SliceOfN(objective, 1, 4).Draw(t, "slo"))
		got, err := ParseSLO(want.String())
		if err != nil {
			t.Fatalf("ParseSLO(%q): %v", want, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("ParseSLO(%q): -want +got\n%s", want, diff)
		}
	})
}

func TestCheckTasks(t *testing.T) {
	for _, c := range []struct {
		slo, want string
		tasks     []string
	}{
		{"p95<1s,errors<1%", "", nil},
		{"p95<1s,chat.errors<1%", "", []string{"login", "chat"}},
		{"p95<1s,chat.errors<1%", "--slo: got chat.errors<1% without --scenario, want an objective for all requests", nil},
		{"chat.errors<1%,caht.p95<1s", "--slo: got caht.p95<1s, want one for a task of the scenario: login, chat", []string{"login", "chat"}},
	} {
		slo, err := ParseSLO(c.slo)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := slo.CheckTasks(c.tasks); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("(%s).CheckTasks(%q) = %q, want %q", c.slo, c.tasks, got, c.want)
		}
	}
}

func TestSLOStringOfNone(t *testing.T) {
	if got := (SLO{}).String(); got != "" {
		t.Errorf("SLO{}.String() = %q, want nothing", got)
	}
}

func TestHolds(t *testing.T) {
	const limit = 0.3
	below, above := math.Nextafter(limit, 0), math.Nextafter(limit, 1)
	for _, c := range []struct {
		op                Op
		atLow, at, atHigh bool
	}{
		{Less, true, false, false},
		{LessEqual, true, true, false},
		{Greater, false, false, true},
		{GreaterEqual, false, true, true},
	} {
		o := Objective{Measure: Percentile, Quantile: 0.95, Op: c.op, Limit: limit}
		for _, v := range []struct {
			value float64
			want  bool
		}{{below, c.atLow}, {limit, c.at}, {above, c.atHigh}, {math.NaN(), false}} {
			if got := o.Holds(v.value); got != v.want {
				t.Errorf("(%s).Holds(%v) = %v, want %v", o, v.value, got, v.want)
			}
		}
	}
}

func TestSLOLatency(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"p95<300ms", "p95<300ms"},
		{"p99<1s,p95<300ms", "p95<300ms"},
		{"p95<300ms,p99<1s", "p95<300ms"},
		{"p95<=300ms,errors<1%", "p95<=300ms"},
		{"errors<1%,rps>5,mean<1ms,max<2ms", ""},
		{"chat.p95<1ms,p99<1s", "p99<1s"},
	} {
		slo, err := ParseSLO(c.in)
		if err != nil {
			t.Fatal(err)
		}
		o, ok := slo.Latency()
		if ok != (c.want != "") || ok && o.String() != c.want {
			t.Errorf("(%s).Latency() = %v, %v, want %q", c.in, o, ok, c.want)
		}
	}
}

func TestFormatValue(t *testing.T) {
	for _, c := range []struct {
		slo  string
		v    float64
		want string
	}{
		{"p95<300ms", 0.31049, "310ms"},
		{"mean<300ms", 0.01184, "11.8ms"},
		{"errors<1%", 0.0123456, "1.235%"},
		{"errors<1%", 0, "0%"},
		{"rps>100", 99.987, "99.99/s"},
		// Rounded as ever they would stand on the limit, and some on its other side.
		{"p95<1s", 1.0004, "1.0004s"},
		{"p95<=1s", 1.0004, "1.0004s"},
		{"p95<1s", 1, "1s"},
		{"p95<300ms", 0.29996, "299.96ms"},
		{"rps>1", 0.998, "0.998/s"},
		{"errors<=1%", 0.01000002, "1.000002%"},
	} {
		slo, err := ParseSLO(c.slo)
		if err != nil {
			t.Fatal(err)
		}
		if got := slo[0].FormatValue(c.v); got != c.want {
			t.Errorf("(%s).FormatValue(%v) = %q, want %q", slo, c.v, got, c.want)
		}
	}
}

func TestFormatLatency(t *testing.T) {
	for _, c := range []struct {
		in   time.Duration
		want string
	}{
		{0, "0ms"},
		{420 * time.Microsecond, "0.42ms"},
		{9994 * time.Microsecond, "9.99ms"},
		{11840 * time.Microsecond, "11.8ms"},
		{310*time.Millisecond + 400*time.Microsecond, "310ms"},
		{2500 * time.Millisecond, "2.5s"},
		{90 * time.Second, "90s"},
	} {
		if got := FormatLatency(c.in); got != c.want {
			t.Errorf("FormatLatency(%v) = %q, want %q", c.in, got, c.want)
		}
	}
}
