package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/advisor/model"
	"headroom/advisor/report"
	"headroom/profiles"
	"headroom/profiles/platform"
)

// measurementFile is of a service that computes for 70 ms a request, one at a
// time, and holds 10 requests/s. Its replicas took so long to start.
func measurementFile(t *testing.T, local bool, starts ...time.Duration) string {
	t.Helper()
	c := advisor.Capacity{
		SLO: advisor.Interval{Value: 10, Low: 9.6, High: 10.3, Unit: "/s"}, Saturation: advisor.Interval{Value: 14.2, Low: 14, High: 14.3, Unit: "/s"},
		Replicas: 1, Service: 70 * time.Millisecond, CPU: 70 * time.Millisecond, Knee: 1, Baseline: advisor.Observation{Service: 70 * time.Millisecond},
		Assessment: advisor.Assessment{Grade: advisor.GradeB, GradeWhy: "only one number of replicas was measured", Raise: []string{"a second replica count"}},
	}
	for _, rate := range []float64{3, 5, 7, 9, 10} {
		c.Steps = append(c.Steps, advisor.Observation{
			Trial: advisor.Trial{Name: profiles.FormatRate(rate) + "/s", Rate: rate}, Requests: 600, Offered: rate, Rate: rate, InFlight: rate / 9,
			P50: 70 * time.Millisecond, P95: time.Duration(29*rate) * time.Millisecond, Verdict: model.Pass, Met: true,
			Host: advisor.HostUse{Known: true, Cores: 4, Replicas: 0.07 * rate},
		})
	}
	m := advisor.Measurement{
		Version: profiles.Version, Kind: "measurement", SLO: "p95<300ms", Date: time.Now(), Local: local, Capacity: c,
		StartUp: starts,
	}
	file := filepath.Join(t.TempDir(), "measurement.json")
	if err := newApp(t).saveFile(file, func(w io.Writer) error { return report.WriteJSON(w, m) }); err != nil {
		t.Fatal(err)
	}
	return file
}

// Cores are for the platforms that take them: the others count in percent, or do
// not scale on CPU.
func TestWhoTakesCores(t *testing.T) {
	takes := map[string]bool{"policy": true, "hpa": true, "keda": true, "nomad": true}
	for _, name := range platform.Names() {
		a, err := abilityOf(name)
		if err != nil {
			t.Fatal(err)
		}
		if a.Cores != takes[name] {
			t.Errorf("abilityOf(%q): takes cores: %v, want %v", name, a.Cores, takes[name])
		}
	}
}

// rangeQuery is what Prometheus would answer had these been the requests of one
// minute after the other, a number a line.
func rangeQuery(counts string) string {
	var values []string
	for i, count := range strings.Fields(counts) {
		n, _ := strconv.ParseFloat(count, 64)
		values = append(values, fmt.Sprintf(`[%d,"%g"]`, 1767571200+60*i, n/60))
	}
	return `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[` + strings.Join(values, ",") + `]}]}}`
}

func TestAdvise(t *testing.T) {
	ours, foreign := measurementFile(t, true, 10*time.Second), measurementFile(t, false, 10*time.Second)
	unstarted := measurementFile(t, false)
	var counts strings.Builder
	for minute := range 60 {
		fmt.Fprintf(&counts, "%d\n", 60*(10+50*min(minute%30, 30-minute%30, 10)/10))
	}
	trace, short := newFile(t, "trace.json", rangeQuery(counts.String())), newFile(t, "short.csv", "0\n5\n60.5\n")
	for _, c := range []struct {
		name string
		args []string
		code int
		says []string // on either
	}{
		{"the textbook", []string{ours, "--textbook"}, 0, []string{"min         5 replicas", "max         20 replicas", "target      10 requests/s per replica", "all of it is used"}},
		{"the textbook and more", []string{ours, "--textbook", "--rise", "1"}, 2, []string{`--rise: got "1" with --textbook`}},
		{"its words", []string{ours}, 0, []string{"It scales on rps: requests are alike and short", "cpu is good: it grows with the load (70ms of CPU a request)"}},
		{"all of its working", []string{ours, "--explain"}, 0, []string{
			"the knee is at 1.0", "too few to fit a model", "✓ linear", "from        capacity of 1 replica: 10.0/s [9.60 … 10.3]", "8 requests/s per replica [7.68 … 8.24]", "not         unlimited: "}},
		{"by CPU", []string{ours, "--metric", "cpu"}, 0, []string{"target      56 % of one core per replica", "asked for; it grows with the load", "from the quiet to the busy hours it takes 3 decisions"}},
		{"as a policy", []string{ours, "--metric", "in_flight", "--to", "policy"}, 0, []string{"kind: in_flight", "target: 0.889"}},
		{"by free workers", []string{ours, "--metric", "free_workers"}, 0, []string{"min         9 replicas", "max         25 replicas", "9 free replicas", "up step", "idle", "free_workers was asked for: "}},
		{"by CPU that nobody told of", []string{foreign, "--metric", "cpu"}, 3, []string{"no advice (R8): cpu cannot be scaled on here: only a scaler tells", "leave out --metric: rps is good here"}},
		{"by latency", []string{ours, "--metric", "latency"}, 3, []string{"(R8)", "it is never offered"}},
		{"by a queue, when nobody may wait", []string{ours, "--metric", "queue"}, 3, []string{"(R8)", "requests wait already"}},
		{"by free workers that are never idle", []string{ours, "--metric", "free_workers", "--dispatch", "round-robin"}, 3,
			[]string{"(R11)", "idle for 50 s, but with round-robin each of 20 gets a request every 0.4 s even in the quiet hours: the fleet would never shrink"}},
		{"by free workers that are packed", []string{ours, "--metric", "free_workers", "--dispatch", "pack"}, 0, []string{"9 free replicas"}},
		{"by no dispatch there is", []string{ours, "--dispatch", "best"}, 2, []string{"--dispatch", `"best"`}},
		{"by no metric there is", []string{ours, "--metric", "moon"}, 2, []string{`--metric`, `got "moon", want one of rps, in_flight, queue, free_workers, cpu, latency`}},
		{"a rise that nothing follows", []string{ours, "--rise", "20"}, 0, []string{"min 20 replicas", "150 requests/s may come on top in the 14.5 s", "so many carry all that ever comes"}},
		{"traffic that doubles", []string{ours, "--doubles", "30s"}, 0, []string{"28.5% of it is kept free: the traffic may double every 30 s, and a new replica answers after 14.5 s"}},
		{"traffic that doubles too fast", []string{ours, "--doubles", "5s"}, 3, []string{"(R9)", "may double every 5.0 s", "no scaling that reacts can follow", "keep 20 replicas at all times"}},
		{"a rise", []string{ours, "--rise", "5"}, 0, []string{"72.5 requests/s may come on top in the 14.5 s"}},
		{"a start-up that is said", []string{foreign, "--start-up", "60s"}, 0, []string{"was said, not measured", "start-up 60 s / 4"}},
		{"the textbook with a start-up", []string{ours, "--textbook", "--start-up", "60s"}, 0, []string{"target      10 requests/s"}},
		{"a jump", []string{ours, "--jump", "60", "--explain"}, 0, []string{"ceil((50 + 60) / 10) = 11", "requests would pile up"}},
		{"a rise of what starts nobody knows when", []string{unstarted, "--rise", "5"}, 2, []string{"--rise: got 5 while the start-up time is not known, want --start-up too"}},
		{"a platform with its names", []string{ours, "--to", "hpa", "--name", "shop", "--namespace", "web"}, 0, []string{"name: shop", "namespace: web"}},
		{"names of no platform", []string{ours, "--name", "shop"}, 2, []string{`--name: got "shop" with the advice, want it only with --to`}},
		{"a platform and JSON", []string{ours, "--to", "policy", "--json"}, 2, []string{"--to: got it and --json, want one"}},
		{"JSON and words", []string{ours, "--json", "--explain"}, 2, []string{"--json: got it and --explain, want one"}},
		{"traffic from a trace", []string{ours, "--trace", trace}, 0, []string{"the traffic, by the trace: low 15 requests/s, high 60 requests/s, rise 1.2 requests/s in the lag", "max 8 replicas", "the trace counts over 1m and says nothing of rises within 14.5 s"}},
		{"and its derivation", []string{ours, "--trace", trace, "--explain"}, 0, []string{"formula 99th percentile of 60 rates, each over 1m", "no schedule (R12)"}},
		{"a schedule that it does not show", []string{ours, "--trace", trace, "--schedule"}, 3, []string{"no advice (R12): no schedule follows from this traffic: the trace has 0 whole days", "give a longer --trace with dates"}},
		{"a schedule of no trace", []string{ours, "--schedule"}, 2, []string{"--schedule: got it without a --trace, want both: hours are taken from a recorded load"}},
		{"a trace and a range", []string{ours, "--trace", trace, "--traffic", "5..6"}, 2, []string{"--traffic: got 5..6 and --trace " + trace + ", want one"}},
		{"a trace and nobody knows how long a start takes", []string{unstarted, "--trace", trace}, 2, []string{"--trace: got a recorded load while the start-up time is not known"}},
		{"the textbook by a trace", []string{unstarted, "--trace", trace, "--textbook"}, 0, []string{"min 2 replicas", "max 6 replicas", "target 10 requests/s"}},
		{"a trace of no format", []string{ours, "--trace", trace, "--trace-format", "xml"}, 2, []string{`--trace-format: got "xml", want auto, csv, log or prometheus`}},
		{"a trace of another format", []string{ours, "--trace", trace, "--trace-format", "log"}, 2, []string{"--trace: " + trace + ": line 1: got no time such as"}},
		{"an empty trace", []string{ours, "--trace", os.DevNull}, 2, []string{"--trace: " + os.DevNull + ": there is no line with a value"}},
		{"a trace that is not there", []string{ours, "--trace", "none"}, 2, []string{"--trace: open none: no such file"}},
		{"a short trace", []string{ours, "--trace", short}, 2, []string{"--trace: " + short + ": got 1m1s, want 10m or more"}},
		{"a format of no trace", []string{ours, "--trace-format", "csv"}, 2, []string{"--trace-format: got csv without --trace"}},
		{"hours of no trace", []string{ours, "--timezone", "UTC"}, 2, []string{`--timezone: got "UTC" without --trace`}},
		{"hours of no place", []string{ours, "--trace", trace, "--timezone", "Moon"}, 2, []string{`--timezone: got "Moon", want an IANA name`}},
		{"no traffic at all", []string{ours, "--rise", "1"}, 2, []string{"--traffic: got nothing, want LOW..HIGH in requests per second, such as 50..200, or a --trace"}},
		{"a platform with all it wants", []string{ours, "--traffic", "5..20", "--for", "keda"}, 0, []string{"target 8 requests/s per replica", "keda on rps takes ", "both simulated; free to choose, the advice would be 1 to 3 replicas at rps 8/s"}},
		{"a platform with CPU and memory alone", []string{ours, "--traffic", "5..20", "--for", "hpa:cpu,memory"}, 0, []string{"target 0.56 cores", "hpa on cpu takes ", "within the SLO instead of"}},
		{"and its derivation", []string{ours, "--traffic", "5..20", "--for", "hpa:cpu", "--explain"}, 0, []string{"hpa on cpu takes "}},
		{"a platform that has nothing that is known", []string{foreign, "--traffic", "5..20", "--for", "hpa:cpu,memory"}, 3, []string{"no advice (R8): none of the metrics of hpa (cpu, memory) can be scaled on here: cpu: only a scaler tells",
			"keep 3 replicas at all times, which takes 3.00 replica-hours instead of", "or give hpa another metric: rps is best here"}},
		{"a metric that the platform has not", []string{ours, "--for", "everai", "--metric", "rps"}, 3, []string{"rps cannot be scaled on here: everai (queue, free_workers) cannot", "leave out --metric: free_workers is usable here"}},
		{"a platform with its own times", []string{ours, "--for", "hpa", "--interval", "1m"}, 0, []string{"interval 15 s hpa has 15 s", "window 15 s not in hpa: 15 s is counted on how long a sample looks back is up to what serves the metrics"}},
		{"a platform with whole numbers", []string{ours, "--for", "jcloud", "--headroom", "25%", "--explain"}, 0, []string{"target 7 requests/s per replica", "floor(10 x (100% - 25%) = 7.5) = 7", "not 7.5: jcloud has whole numbers only", "no tolerance, up after, down after can be set on jcloud: the platform sets its own timing"}},
		{"a platform that is none", []string{ours, "--for", "moon"}, 2, []string{`--for: got "moon"`}},
		{"a metric that is none", []string{ours, "--for", "hpa:moon"}, 2, []string{`--for: got "moon" of hpa, want some of rps, in_flight, queue, cpu, latency, memory`}},
		{"two platforms", []string{ours, "--for", "hpa:cpu", "--to", "keda"}, 2, []string{`--for: got "hpa:cpu" and --to keda, want the same platform`}},
		{"a platform's file of what it can follow", []string{ours, "--for", "hpa:cpu", "--to", "hpa"}, 0, []string{"name: cpu", `averageValue: "560m"`}},
		{"a platform that counts in percent", []string{ours, "--traffic", "5..20", "--for", "aws:cpu", "--explain"}, 0, []string{"56 % of one core per replica", "aws takes percent of what a replica has there: 1 core, as --cpu-limit says nothing else"}},
		{"of what a replica has there", []string{ours, "--for", "aws:cpu", "--to", "aws", "--cpu-limit", "0.8"}, 0, []string{"TargetValue: 70"}},
		{"of less than it needs", []string{ours, "--traffic", "5..20", "--for", "aws:cpu", "--cpu-limit", "0.5"}, 3, []string{"no advice (R14): a replica needs 0.56 cores at the target, more than the 0.5 cores it has there", "say with --cpu-limit how many cores it has if it has more"}},
		{"less than the capacity took", []string{ours, "--cpu-limit", "0.5"}, 0, []string{"with 0.5 cores a replica holds less than was measured"}},
		{"a policy for anybody by CPU", []string{ours, "--metric", "cpu", "--to", "policy"}, 0, []string{"target: 56"}},
		{"a limit that is none", []string{ours, "--cpu-limit", "-1"}, 2, []string{"--cpu-limit: got -1, want more than 0 cores"}},
		{"the textbook and a limit", []string{ours, "--textbook", "--cpu-limit", "1"}, 2, []string{`--cpu-limit: got "1" with --textbook`}},
		{"the textbook and a platform", []string{ours, "--textbook", "--for", "hpa"}, 2, []string{`--for: got "hpa" with --textbook`}},
		{"what it costs", []string{ours, "--price", "0.35/h"}, 0, []string{"cost, least 2.45 an hour", "7 replicas x 0.35; x 730 h = 1788.50 a month", "cost, most 8.75 an hour", "what the settled fleet costs in the busy hours"}},
		{"what it costs by a trace", []string{ours, "--trace", trace, "--price", "2", "--explain"}, 0, []string{"cost 11.733 an hour", "not 16.00, max replicas at all times"}},
		{"a price that is none", []string{ours, "--price", "free"}, 2, []string{`--price: got "free", want the price of a replica hour`}},
		{"a rate that is none", []string{ours, "--jump", "-1"}, 2, []string{"--jump: got -1, want 0 or more"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := append([]string{"advise"}, c.args...)
			if !slices.Contains(args, "--trace") && !slices.Contains(args, "--traffic") && c.name != "no traffic at all" {
				args = append(args, "--traffic", "50..200")
			}
			code, out, said := execute(t, args...)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, want := range c.says {
				if text := strings.Join(strings.Fields(out+said), " "); !strings.Contains(text, strings.Join(strings.Fields(want), " ")) {
					t.Errorf("prints\n%ssays %q; want %q", out, said, want)
				}
			}
		})
	}
}
