package profiles

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawPolicy draws any valid policy.
func drawPolicy(t *rapid.T) Policy {
	duration := func(label string, from, to time.Duration) Duration {
		unit := rapid.SampledFrom([]time.Duration{time.Second, time.Millisecond, time.Microsecond, time.Nanosecond}).Draw(t, label+" unit")
		return Duration(unit) * Duration(rapid.Int64Range(int64((from+unit-1)/unit), int64(to/unit)).Draw(t, label))
	}
	p := drawDecidable(t)
	if p.Replicas.Initial = rapid.IntRange(0, 3).Draw(t, "initial"); p.Replicas.Initial > 0 {
		p.Replicas.Initial += p.Replicas.Min - 1
		if p.Replicas.Max != Unlimited {
			p.Replicas.Initial = min(p.Replicas.Initial, int(p.Replicas.Max))
		}
	}
	for i := range p.Metrics {
		p.Metrics[i].Target = Milli(rapid.Int64Range(1, int64(maxTarget)).Draw(t, "target"))
		p.Metrics[i].Window = duration("window", time.Second, MaxWindow)
		p.Metrics[i] = drawMetric(t, p.Metrics[i])
	}
	if int(p.Replicas.Max) == p.Replicas.Min && rapid.Bool().Draw(t, "fixed") {
		p.Metrics = nil
	}
	p.Interval = duration("interval", time.Second, time.Hour)
	p.Tolerance = Ratio(rapid.Int64Range(0, 1000).Draw(t, "tolerance"))
	p.Up.Stabilization = duration("up window", 0, time.Hour)
	p.Down.Stabilization = duration("down window", 0, time.Hour)
	p.Down.Idle = duration("idle", 0, 24*time.Hour)
	p.Down.Order = rapid.SampledFrom([]string{Newest, Oldest}).Draw(t, "order")
	for range rapid.IntRange(0, 2).Draw(t, "schedules") {
		s := Schedule{
			Start:    rapid.SampledFrom([]string{"0 9 * * 1-5", "*/15 0-5 1,15 * *", "* * * * *", "0 0 * JAN Sun"}).Draw(t, "start"),
			End:      rapid.SampledFrom([]string{"0 21 * * 1-5", "59 23 31 12 *"}).Draw(t, "end"),
			Timezone: rapid.SampledFrom([]string{"", "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"}).Draw(t, "timezone"),
			Min:      rapid.IntRange(0, 10).Draw(t, "schedule min"),
			Max:      rapid.IntRange(10, 20).Draw(t, "schedule max"),
		}
		if s.Min > 0 && rapid.Bool().Draw(t, "only min") {
			s.Max = 0
		}
		if rapid.Bool().Draw(t, "match") {
			s.Match, s.Start, s.End = s.Start, "", ""
		}
		if rapid.IntRange(0, 3).Draw(t, "set") == 0 { // costs a second reading
			s.Set = rapid.SampledFrom([]Settings{
				{{"up.step", "3"}}, {{"down.idle", "1m30s"}, {"tolerance", "12.5%"}}, {{"interval", "7s"}, {"up.factor", ""}}, {{"down.order", Oldest}},
			}).Draw(t, "settings")
		}
		p.Schedules = append(p.Schedules, s)
	}
	if rapid.Bool().Draw(t, "to zero") {
		p.Metrics = append(p.Metrics, Metric{Kind: RPS, Target: 1, Window: Duration(time.Second)})
		p.ToZero = &ToZero{After: duration("after", time.Second, 24*time.Hour)}
		if rapid.Bool().Draw(t, "with an idle size") {
			idle := rapid.IntRange(0, p.Replicas.Min-1).Draw(t, "idle size")
			p.Replicas.Idle = &idle
		} else {
			p.Replicas.Min = 0
		}
	}
	p.OnMetricError = Fallback(rapid.IntRange(0, 9).Draw(t, "fallback"))
	if rapid.Bool().Draw(t, "calibrated") {
		p.Calibration = &Calibration{
			MemoryPerReplica: Milli(rapid.IntRange(1, 1e6).Draw(t, "memory")), // one without any value is none

			Latency:       duration("latency", 0, time.Minute),
			CPUPerRequest: duration("cpu", 0, time.Minute),
			Measured:      rapid.SampledFrom([]string{"", "2026-11-21", "1999-01-01"}).Draw(t, "measured"),
		}
	}
	if rapid.Bool().Draw(t, "exported") {
		p.Platforms = drawMap(t, 3)
	}
	return p
}

// drawMetric draws what a metric of that target and window may have besides.
func drawMetric(t *rapid.T, m Metric) Metric {
	m.Kind = rapid.SampledFrom([]Kind{RPS, InFlight, Queue, FreeWorkers, CPU, Memory, Latency, Custom}).Draw(t, "kind")
	if units := kinds[m.Kind].units; len(units) > 1 && rapid.Bool().Draw(t, "another unit") {
		m.Unit = units[1]
	}
	if m.Kind == Custom {
		m.Name = rapid.SampledFrom([]string{"", "tokens"}).Draw(t, "name")
		m.Query = rapid.SampledFrom([]string{"", `sum(rate(x{a="b"}[1m]))`}).Draw(t, "query")
	}
	if m.Kind != FreeWorkers && rapid.Bool().Draw(t, "another scope") {
		m.Scope = map[Scope]Scope{PerReplica: WholeFleet, WholeFleet: PerReplica}[kinds[m.Kind].scope]
	}
	m.Aggregation = rapid.SampledFrom([]string{"", Weighted, Highest, Latest}).Draw(t, "aggregation")
	if m.PerReplica() && rapid.Bool().Draw(t, "panics") {
		m.Panic = &Panic{Window: m.Window, Threshold: Milli(rapid.Int64Range(1001, int64(maxFactor)).Draw(t, "threshold"))}
	}
	if m.Kind == InFlight && m.PerReplica() && rapid.Bool().Draw(t, "trend") {
		m.Trend = &Trend{Ahead: rapid.Bool().Draw(t, "ahead"), Within: Duration(rapid.Int64Range(1, int64(m.Window)).Draw(t, "within")), MaxWait: Duration(rapid.IntRange(0, 3).Draw(t, "max wait")) * Duration(second)}
	}
	return m
}

// drawMap draws settings as a platform may have them.
func drawMap(t *rapid.T, depth int) map[string]any {
	m := map[string]any{}
	key := rapid.StringMatching(`k[a-zA-Z0-9_.-]{0,12}`)
	text := rapid.SampledFrom([]string{
		"", "plain", "two words", "true", "no", "null", "~", "1", "1.5", "010", "1e3", "30s", "10%", "a: b", "- a", "#no comment",
		"a #b", "it's", `"quoted"`, `back\slash`, "two\nlines", "ends\n", " lead", "trail ", "{a}", "[b]", "*c", "&d", "!e",
		"|", ">", "%", "@", "`", "?", "-", "---", "ünïcode ☃ 🙂", "${env.TOKEN}", "<a&b>", "2026-11-21", "0x10", "1_000", "<<", "=", "a,b",
	})
	for range rapid.IntRange(1, 3).Draw(t, "keys") {
		k := key.Draw(t, "key")
		switch rapid.IntRange(0, 4).Draw(t, "type") {
		case 0:
			m[k] = uint64(rapid.IntRange(0, 1e9).Draw(t, "number"))
		case 1:
			m[k] = rapid.Bool().Draw(t, "switch")
		case 2:
			m[k] = []any{text.Draw(t, "item"), text.Draw(t, "item")}
		case 3:
			if depth > 0 {
				m[k] = drawMap(t, depth-1)
				continue
			}
			fallthrough
		default:
			m[k] = text.Draw(t, "text")
		}
	}
	return m
}

// A policy survives being written and read, as a file and over the API, which
// sends JSON and reads it as a file.
func TestPolicyRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawPolicy(t)
		if err := want.Validate(); err != nil {
			t.Fatalf("drew an invalid policy: %v", err)
		}
		file, err := want.YAML()
		if err != nil {
			t.Fatalf("YAML() of %+v: %v", want, err)
		}
		got, err := ParsePolicy(file)
		if err != nil {
			t.Fatalf("ParsePolicy(\n%s): %v", file, err)
		}
		if diff := samePolicy(want, got); diff != "" {
			t.Fatalf("ParsePolicy(\n%s): -want +got\n%s", file, diff)
		}
		again, err := got.YAML()
		if diff := cmp.Diff(string(file), string(again)); diff != "" || err != nil {
			t.Fatalf("YAML() of what was read: %v, -want +got\n%s", err, diff)
		}

		data, err := json.Marshal(want)
		if err != nil {
			t.Fatalf("JSON of %+v: %v", want, err)
		}
		got, err = ParsePolicy(data)
		if err != nil {
			t.Fatalf("ParsePolicy(%s): %v", data, err)
		}
		if diff := samePolicy(want, got); diff != "" {
			t.Fatalf("ParsePolicy(%s): -want +got\n%s", data, diff)
		}
		var plain Policy
		if err := json.Unmarshal(data, &plain); err != nil {
			t.Fatalf("json.Unmarshal(%s): %v", data, err)
		}
		plain.Platforms = want.Platforms // its numbers are float64 now
		if diff := samePolicy(want, plain); diff != "" {
			t.Fatalf("json.Unmarshal(%s): -want +got\n%s", data, diff)
		}
	})
}

// problem is how every line of an error begins: with its place or its key.
var problem = regexp.MustCompile(`^(the file is empty$|the file is not valid YAML|line \d+: .|[a-zA-Z]+(\[\d+\])?([.\[\]a-zA-Z0-9_]*)?: got .)`)

// Whatever the file, ParsePolicy neither panics nor hangs; it says what is
// wrong, or returns a policy that can be used and written.
func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(exampleFile))
	f.Add([]byte(minimalFile))
	for _, c := range badFiles {
		f.Add([]byte(c.file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePolicy(data)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if !problem.MatchString(line) {
					t.Errorf("ParsePolicy(%q): %q names neither line nor key", data, line)
				}
			}
			return
		}
		d, err := p.Decider()
		if err != nil {
			t.Fatalf("Decider() of %q: %v", data, err)
		}
		d.Decide(monday, Metrics{Replicas: p.Initial(), Readings: readings(1, lost, 3)})

		file, err := p.YAML()
		if err != nil {
			t.Fatalf("YAML() of %q: %v", data, err)
		}
		again, err := ParsePolicy(file)
		if err != nil {
			t.Fatalf("ParsePolicy of what was written for %q: %v\n%s", data, err, file)
		}
		p.Platforms, again.Platforms = nil, nil // opaque: the library's affair
		if diff := samePolicy(p, again); diff != "" {
			t.Errorf("what was written for %q: -want +got\n%s", data, diff)
		}
	})
}

// The document of a platform comes back to the byte.
func TestPolicyKeepsDocuments(t *testing.T) {
	line := rapid.SampledFrom([]string{"", " ", "a: 1", "  b: 2  # c", "\tx", "- \"q\"", "---", "# comment", "ü: ☃", "end\r", "'single'", "a\\b", "   "})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(line, 0, 8).Draw(t, "lines"), "\n") + rapid.SampledFrom([]string{"", "\n", "\n\n"}).Draw(t, "end")
		p := example()
		p.Platforms = map[string]any{"hpa": text}
		file, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParsePolicy(file)
		if err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
		if got.Platforms["hpa"] != text {
			t.Fatalf("got %q, want %q; the file is\n%s", got.Platforms["hpa"], text, file)
		}
	})
}
