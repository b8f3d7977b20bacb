package report

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"
	"github.com/google/go-cmp/cmp"

	"headroom/advisor"
	"headroom/advisor/model"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

const milli = time.Millisecond

func quantiles(n int64, base time.Duration) load.Quantiles {
	return load.Quantiles{Count: n, Min: base / 2, Mean: base, P50: base, P90: 2 * base, P95: 3 * base, P99: 5 * base, P999: 6 * base, Max: 8 * base}
}

func objectives(t *testing.T, slo string, values ...float64) []load.Objective {
	t.Helper()
	parsed, err := profiles.ParseSLO(slo)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]load.Objective, len(parsed))
	for i, o := range parsed {
		out[i] = load.Objective{Objective: o, Name: o.String(), Value: values[i], Valid: true, Holds: o.Holds(values[i])}
	}
	return out
}

func snapshot(t *testing.T) load.Snapshot {
	slo := objectives(t, "p50<50ms,p95<1s,p99<1s,errors<1%", 0.036, 1.2, math.Inf(1), 0.0097)
	slo[1].AtLeast, slo[1].Unanswered = true, 60
	stats := load.Stats{Name: "GET /load/100000", Over: 30 * time.Second, Count: 1234, Failed: 12, Aborted: 63, AbortedAge: 1500 * milli, Bytes: 123456, Latency: quantiles(1222, 12*milli), Service: quantiles(1222, 11*milli),
		Streams: &load.Streams{Count: 1230, Complete: 1222, Events: 12_240, TTFT: quantiles(1222, 2*milli), Gap: quantiles(11_000, milli)}}
	return load.Snapshot{
		Phase: load.Done, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Elapsed: 32 * time.Second, Loaded: 30 * time.Second, Wanted: 20, Spawned: 20,
		Total: stats, Requests: []load.Stats{stats},
		Replicas: []load.Replica{
			{Name: "replica-1", State: probe.Gone, Last: 14 * time.Second, Count: 800, Failed: 2, Share: 0.66, Service: quantiles(798, 11*milli)},
			{Name: "a-much-longer-name", State: probe.Serving, Count: 412, Share: 0.34, First: 65 * time.Second, Last: 92 * time.Second, Service: quantiles(412, 150*milli),
				Parts: &probe.Means{Network: new(3 * milli), Compute: new(140 * milli)}},
		},
		Identity: "json:hostname", Found: true, Sure: probe.Sure, Why: "2 values in 256 answers, which come back", Unnamed: 10,
		Imbalance: new(0.32), Unseen: probe.Unseen{Seen: 2, Total: 2, Low: 2, High: 3},
		Failures: []load.FailureCount{
			{Failure: load.Status, Status: 502, Count: 10, First: 3 * time.Second, Last: 9 * time.Second, Example: "502 Bad Gateway", Latency: quantiles(10, 400*milli), Service: quantiles(10, 300*milli)},
			{Failure: load.Timeout, Count: 2, First: 20 * time.Second, Last: 21 * time.Second, Example: "no complete answer within 1s", Latency: quantiles(2, 1001*milli), Service: quantiles(2, 1000*milli)},
		},
		Statuses: []load.StatusCount{{Status: 200, Count: 1220}, {Status: 301, Count: 2}, {Status: 502, Count: 10}}, Retried: 4,
		Conns: load.Connections{Opened: 21, Dial: quantiles(21, milli), TLS: quantiles(21, 3*milli), FirstByte: quantiles(1222, 10*milli),
			Remotes: []load.Remote{{Address: "192.0.2.1:80", Opened: 11, Count: 700}, {Address: "192.0.2.2:80", Opened: 10, Count: 534}}},
		SLO: slo,
		Health: load.Health{Verdict: load.Strained, Reason: "requests leave 6ms late (p99)", LagP50: 200 * time.Microsecond, LagP99: 6 * milli, CPU: 0.31, Late: 7,
			GC: new(0.021), Files: new(1048000.), Ports: new(28100.), Pressure: new(0.12), Steal: new(0.)},
	}
}

// sourced is a swarm whose replicas several sources know, and what it met.
func sourced() advisor.State {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	noticed := func(kind probe.NoticeKind, text string, held time.Duration, atEnd bool) advisor.Noticed {
		return advisor.Noticed{Notice: probe.Notice{Kind: kind, Text: text}, First: at, Last: at.Add(held), Held: held, AtEnd: atEnd}
	}
	return advisor.State{
		Fleet: probe.Fleet{Listed: true, Replicas: []probe.Replica{{ID: "without-an-answer", State: probe.Ready, Listed: true}}, Sources: []probe.Statement{
			{Origin: probe.FromWorkers, Known: new(4), Ready: new(3)}, {Origin: probe.FromDNS, Error: "DNS: lookup web: no such host"},
			{Origin: probe.FromAnswers, Known: new(2), Ready: new(2)},
		}},
		Noticed: []advisor.Noticed{
			noticed(probe.NoticePinned, "1 of 3 replicas has had nothing for 12s (b): connections are pinned; R opens fresh connections, --conn-max-age 30s keeps doing so", 12*time.Second, true),
			noticed(probe.NoticeDisagree, "the sources disagree: for long", 40*time.Second, false),
			noticed(probe.NoticeOneConn, "what passed soon is not told", 29*time.Second, false),
		},
	}
}

// crowded has several requests with long names that differ in the middle.
func crowded(t *testing.T) load.Snapshot {
	s := snapshot(t)
	s.Requests = nil
	for _, id := range []string{"4711", "4712"} {
		r := s.Total
		r.Name, r.Streams = "GET /api/v1/customers/"+id+"/invoices/latest/positions", nil
		s.Requests = append(s.Requests, r)
	}
	s.Total.Name = "all"
	s.Failures[1].Example = "dial tcp 192.0.2.1:80: a sentence that is a good deal longer than what is left of a line beside the other columns"
	return s
}

func outcome(t *testing.T, p95 time.Duration, least, most int) advisor.Outcome {
	s := load.Stats{Over: 20 * time.Second, Count: 640, Latency: quantiles(640, p95/3)}
	spent, cost, good := float64(20*most), float64(20*most)/3600*0.35, 45./float64(p95/milli)
	fleet := []advisor.FleetLevel{{Up: least, Exist: least}}
	for n := least + 1; n <= most; n++ { // one replica more every five seconds
		fleet = append(fleet, advisor.FleetLevel{At: time.Duration(n-least) * 5 * time.Second, Up: n, Exist: n})
	}
	return advisor.Outcome{
		Stats: s, SLO: objectives(t, "p95<250ms", p95.Seconds()), Replicas: make([]load.Replica, most), Least: least, Most: most,
		Health: load.Health{Verdict: load.Sound}, Length: 20 * time.Second, Fleet: fleet,
		Attainment: &good, ReplicaSeconds: &spent, Cost: &cost,
	}
}

func capacity() advisor.Capacity {
	step := func(name string, rate float64, p95 time.Duration, v model.Verdict, why string) advisor.Observation {
		return advisor.Observation{Trial: advisor.Trial{Name: name}, Rate: rate, P50: 20 * milli, P95: p95, Requests: 100, Verdict: v, Why: why}
	}
	return advisor.Capacity{
		Saturation: advisor.Interval{Value: 48, Low: 47.5, High: 48.2, Unit: "/s"}, SLO: advisor.Interval{Value: 31.8, High: 40.8, Unit: "/s"},
		Service: 21 * milli, Replicas: 1, Budget: 45 * time.Second, Spent: 44 * time.Second,
		Assessment: advisor.Assessment{Grade: advisor.GradeC, GradeWhy: "the capacity is known within 14 %", Raise: []string{"a longer --budget"}},
		Steps: []advisor.Observation{
			step("baseline", 47.6, 22*milli, model.Unsure, "0 of 57 requests over 250ms"),
			step("31.8/s", 30.1, 240*milli, model.Pass, "1 of 149 requests over 250ms"),
			step("confirm 31.8/s", 29.9, time.Duration(1<<63-1), model.Fail, "8% of the requests failed, the SLO wants errors<1%"),
		},
	}
}

func tuned(t *testing.T) advisor.TuneResult {
	advice, err := advisor.Recommend(advisor.Needs{
		Capacity: 31_800, SLO: profiles.SLO{{Measure: profiles.Percentile, Quantile: 0.95, Op: profiles.Less, Limit: 0.25}},
		Traffic: profiles.Traffic{Low: 50_000, High: 200_000}, Sizing: advisor.Sizing{Headroom: 200}, StartUp: 8 * time.Second,
		Local: 1, Host: advisor.HostUse{Known: true, Cores: 2, Replicas: 0.5, Load: 0.1},
	})
	if err != nil {
		t.Fatal(err)
	}
	advice.Assessment, advice.Notes = capacity().Assessment, []string{"a note"}
	before, after := outcome(t, 1800*milli, 1, 1), outcome(t, 120*milli, 1, 3)
	return advisor.TuneResult{
		Measurement: advisor.Measurement{Capacity: capacity()}, Advice: &advice, Before: &before, After: &after,
		Verdict: advisor.NotHeld, Why: "p95<250ms is wanted, it is 1.2s", Restored: true,
		Wrong: []string{"a replica was ready 20 s after the decision for it, 8.0 s were counted on"}, Corrected: &advice,
		Tried: []string{"the load rose by 7.5 requests/s each second at most: for traffic that rises more steeply give advice --rise"},
	}
}

// explained is a tune whose advice has everything that is told of one.
func explained(t *testing.T) advisor.TuneResult {
	r := tuned(t)
	c := &r.Measurement.Capacity
	c.Knee = 1.01
	c.Curves = []model.Curve{
		{Model: "hinge", Lambda: 47.6, Max: 48, Peak: 1.01, AICc: -12.34},
		{Model: "usl", Lambda: 47.6, Sigma: 0.98, Kappa: 0.0001, Max: 48.1, Peak: 14, AICc: -3.2},
	}
	r.Advice.Chosen = "requests are alike and short"
	r.Advice.Metrics = []advisor.MetricScore{
		{Kind: profiles.RPS, Fitness: advisor.Good, Why: "requests are alike and short", Tests: []advisor.MetricTest{{Name: "linear", Value: 0.998, Want: "0.9 or more", Passed: true}}},
		{Kind: profiles.CPU, Fitness: advisor.Misleading, Why: "it is at 6 % when the SLO is about to be missed, and at 8 % at saturation: 92 % of the 21ms of a request are spent waiting",
			Tests: []advisor.MetricTest{{Name: "clips", Value: 1.08, Want: "1.15 or more"}}},
	}
	target := &r.Advice.Values[2]
	target.Low, target.High = 23.2, 27.1
	target.Rejected = []advisor.Rejection{{Option: "10% kept free", Why: "less than 20%; they are not added up: what each is for is not planned to happen together"}}
	return r
}

func TestSummaryOfATargetThatDied(t *testing.T) {
	s := snapshot(t)
	for since, want := range map[time.Duration]bool{0: false, 4 * time.Second: true} {
		var out bytes.Buffer
		if s.DeadSince = since; WriteSummary(&out, Run{Result: s}, 80) != nil || strings.Contains(out.String(), "nothing has succeeded since 00:04\n") != want {
			t.Errorf("dead since %v: said is not %v, in\n%s", since, want, out.String())
		}
	}
}

func TestText(t *testing.T) {
	empty := load.Snapshot{Phase: load.Done, Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Open: true, Requests: []load.Stats{{Name: "GET /"}}, Health: load.Health{Verdict: load.Limited, Reason: "the generator uses 95 % of the machine"}}
	for name, write := range map[string]func(io.Writer) error{
		"summary": func(w io.Writer) error { return WriteSummary(w, Run{Result: snapshot(t), Fleet: sourced().Fleet}, 80) },
		"sources": func(w io.Writer) error { return WriteSources(w, sourced().Fleet, sourced().Noticed, 80) },
		"piped":   func(w io.Writer) error { return WriteSummary(w, Run{Result: crowded(t)}, 0) },
		"narrow":  func(w io.Writer) error { return WriteSummary(w, Run{Result: crowded(t)}, 80) },
		"empty":   func(w io.Writer) error { return WriteSummary(w, Run{Result: empty}, 80) },
		"tune":    func(w io.Writer) error { return WriteTune(w, tuned(t)) },
		"explain": func(w io.Writer) error {
			return WriteExplanation(w, explained(t).Measurement.Capacity, *explained(t).Advice, 0)
		},
		"refusal": func(w io.Writer) error {
			return WriteRefusal(w, &advisor.Refusal{Code: "R1", Why: "one request alone misses the SLO", Do: "make the service faster"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := write(&out); err != nil {
				t.Fatal(err)
			}
			golden.RequireEqual(t, out.Bytes())
			for _, line := range strings.Split(out.String(), "\n") {
				if line != strings.TrimRight(line, " ") {
					t.Errorf("trailing space in %q", line)
				}
			}
		})
	}
}

func summary(t *testing.T, s load.Snapshot) string {
	t.Helper()
	var out bytes.Buffer
	if err := WriteSummary(&out, Run{Result: s}, 80); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Whatever a run brought, its summary fits the narrowest terminal.
func TestSummaryFitsTheScreen(t *testing.T) {
	path := "GET /v1/models/" + strings.Repeat("llama/", 40) + "end"
	s := snapshot(t)
	stats := load.Stats{
		Name: path, Over: time.Hour, Count: 123_456_789, Failed: 12_345_678, Bytes: math.MaxInt64, Aborted: 100_000, AbortedAge: time.Hour,
		Latency: quantiles(1e8, 100*time.Second), Service: quantiles(1e8, 100*time.Second),
		Streams: &load.Streams{Count: 123_456_789, Complete: 123_456_789, Events: 1e11, TTFT: quantiles(1e8, 100*time.Second), Gap: quantiles(1e9, time.Second)},
	}
	s.Elapsed, s.Loaded, s.Total, s.Requests = 100*time.Hour, 99*time.Hour+1234*milli, stats, []load.Stats{stats}
	for i := range s.Replicas {
		s.Replicas[i] = load.Replica{Name: strings.Repeat("ä-long-pod-name-", 6) + "x2z", State: probe.Draining, Count: 98_765_432, Failed: 1_234_567, Share: 1, First: 100 * time.Hour, Last: 100 * time.Hour, Service: stats.Service}
	}
	s.Identity, s.Unnamed, s.Retried = "json:"+strings.Repeat("deep.", 30)+"name", 1e9, 1e9
	s.Failures[0].Count, s.Failures[0].Last = 123_456_789, 100*time.Hour
	s.Failures[1].Example = strings.Repeat("a word and ", 20) + strings.Repeat("aWordWithoutEnd", 10)
	s.Statuses = []load.StatusCount{{Status: 301, Count: 1e9}, {Status: 302, Count: 1e9}, {Status: 303, Count: 1e9}, {Status: 307, Count: 1e9}, {Status: 308, Count: 1e9}}
	s.SLO[1].Unanswered, s.Health.Reason = 1e9, strings.Repeat("because ", 30)
	text := summary(t, s)
	for _, line := range strings.Split(text, "\n") {
		if n := len([]rune(line)); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{"\nGET /v1/models/l…llama/llama/end  123456789  12345678 (10.00 %)", "-x2z  draining  98765432", "aWordWithoutEnd", "\nSLO p95<1s: over 1.2s ✗"} {
		if !strings.Contains(text, want) {
			t.Errorf("the summary does not say %q:\n%s", want, text)
		}
	}
}

// One is not many, and no data is not zero.
func TestSummaryWords(t *testing.T) {
	one := snapshot(t)
	one.Wanted, one.Total.Aborted, one.Unnamed, one.Retried, one.Health.Late, one.SLO[1].Unanswered = 1, 1, 1, 1, 1, 1
	one.Statuses = []load.StatusCount{{Status: 308, Count: 1}}
	failing := snapshot(t)
	failing.Total.Failed, failing.Total.Latency, failing.Total.Service = failing.Total.Count, load.Quantiles{}, load.Quantiles{}
	failing.Requests[0], failing.SLO = failing.Total, []load.Objective{{Objective: failing.SLO[0].Objective, Name: "p95<1s"}}
	open := snapshot(t)
	open.Open, open.Elapsed, open.Total.Count = true, open.Loaded+20*milli, 0
	paced := snapshot(t)
	paced.Health.Late, paced.Health.Missed = 0, 40
	steered := snapshot(t)
	steered.Stages = []string{"0s:1", "2s:20", "0s:5", "8.125s:5", "1.25s:17.125", "2.5s:19.25", "3s:9"}
	dropped := snapshot(t)
	dropped.Open, dropped.Shaped, dropped.Health.Dropped = true, true, 12
	dropped.Health.Due, dropped.Health.Sent = 1200, 1188
	shaped := snapshot(t)
	shaped.Shaped = true
	streaming, mixed := snapshot(t), snapshot(t)
	streaming.Total.Streams = &load.Streams{Count: 63, Open: 63}
	mixed.Total.Streams = &load.Streams{Count: 60, Open: 60}
	silent := snapshot(t)
	silent.SLO = []load.Objective{
		{Objective: profiles.Objective{Measure: profiles.Gap, Quantile: 0.95, Limit: 0.05}, Name: "gap.p95<50ms", Value: 1, AtLeast: true, Unanswered: 19, Valid: true},
		{Objective: profiles.Objective{Measure: profiles.FirstEvent, Quantile: 0.95, Limit: 0.5}, Name: "ttft.p95<500ms", Value: 1, AtLeast: true, Unanswered: 1, Valid: true},
	}
	short := snapshot(t)
	short.Wanted, short.Spawned, short.Loaded, short.Elapsed, short.Health.CPU = 3, 1, 12345*time.Microsecond, 13*milli, 0
	for name, c := range map[string]struct {
		s    load.Snapshot
		want []string
		not  []string
	}{
		"short":     {short, []string{", 1 of 3 users: 12.3ms of load\n", "its processor time not measured in so short"}, []string{"cores"}},
		"steered":   {steered, []string{", 20 users: 30s of load", ", repeat the\nload:\n--stage 0s:1 --stage 2s:20 --step 8.125s:5 --stage 1.25s:17.125 \\\n--stage 2.5s:19.25 --stage 3s:9\n"}, nil},
		"dropped":   {dropped, []string{"open model, arrivals over time: 30s of load", "7 arrivals waited for a free", "12 arrivals were dropped for want of a free user)", "99.0 % of 1200"}, []string{"steered"}},
		"paced":     {paced, []string{"answers slower than the users' pace cost 40 requests)"}, []string{"waited for a free"}},
		"streaming": {streaming, []string{"in no latency above: 63 requests\n", "63", "streams still open at the end, which is no failure"}, []string{"aborted", "a user that waits"}},
		"silent":    {silent, []string{"gap.p95<50ms: over 1s ✗ (19 open streams were silent for longer than the\nlimit)", "\nSLO ttft.p95<500ms: over 1s ✗ (1 request was over it without a first event)"}, nil},
		"mixed":     {mixed, []string{"in flight at the end, the oldest for 1.5s", "streams still open at the end, which is no failure"}, nil},
		"shaped":    {shaped, []string{", users over time: 30s of load"}, []string{"steered", "dropped"}},
		"one": {one, []string{", 1 user: ", "\nstill in flight at the end, and in no latency above: 1 request\n", "\n1 answer names no", "\n1 answer was a redirect (308 Permanent Redirect), which", "\n1 request met",
			"1 arrival waited", "(1 request was over it"}, []string{"1 answers", "1 requests", "were"}},
		"many":           {snapshot(t), []string{"\nstill in flight at the end, and in no latency above: 63 requests\n", "a user that waits sends nothing else"}, nil},
		"all failed":     {failing, []string{" 1234 (100.00 %) ", "\nGET /load/100000    –    –    –    –    –    –    –\n", "p95<1s: no data\n"}, []string{"0ms", "NaN"}},
		"open, none yet": {open, []string{"open model: 30s of load\n", "late by p50 –, p99 –;"}, []string{"a user that waits", "last answers"}},
	} {
		text := summary(t, c.s)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the summary does not say %q:\n%s", name, want, text)
			}
		}
		for _, not := range c.not {
			if strings.Contains(text, not) {
				t.Errorf("%s: the summary says %q:\n%s", name, not, text)
			}
		}
	}
}

// Of a fleet that grew, or of which not all answered, the steps say how many did.
func TestStepsSayHowManyAnswered(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []advisor.Observation
		want  string
	}{
		{"as many throughout", []advisor.Observation{{Trial: advisor.Trial{Users: 1}, Answered: 1}, {Answered: 3}, {Answered: 3}}, `requests +why`},
		{"of ours", []advisor.Observation{{Replicas: 1, Answered: 1}, {Replicas: 2, Answered: 2}}, `requests +why`},
		{"more later", []advisor.Observation{{Answered: 1, Why: "first"}, {}, {Answered: 2, Why: "last"}}, `requests +replicas +why
.*0 +1 +first
.*0 +–
.*0 +2 +last`},
	} {
		var text bytes.Buffer
		if err := WriteSteps(&text, advisor.Capacity{Steps: c.steps}); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(c.want).MatchString(text.String()) {
			t.Errorf("%s: want %s in\n%s", c.name, c.want, text.String())
		}
	}
}

func TestNoDataIsNotZero(t *testing.T) {
	var steps, comparison bytes.Buffer
	nothing := advisor.Observation{Trial: advisor.Trial{Name: "baseline"}, Verdict: model.Unsure, Why: "no request was judged"}
	if err := WriteSteps(&steps, advisor.Capacity{Steps: []advisor.Observation{nothing}}); err != nil {
		t.Fatal(err)
	}
	if err := WriteComparison(&comparison, advisor.Outcome{}, outcome(t, 120*milli, 1, 1)); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		steps.String():      `baseline +nothing +– +– +– +0 +0 +no request.*\n.*one request alone takes –\n`,
		comparison.String(): `failed +– +0.00 %\n.*0\nthroughput, req/s +– +32.0\nlatency p50, ms +– +40.0\n`,
	} {
		if !regexp.MustCompile("(?s)" + want).MatchString(text) {
			t.Errorf("want %s in\n%s", want, text)
		}
	}
}

// brokenPaper takes so many bytes and then fails.
type brokenPaper struct{ left int }

func (b *brokenPaper) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestWriteErrorsAreReported(t *testing.T) {
	for _, left := range []int{0, 200, 1200} {
		if err := WriteTune(&brokenPaper{left}, tuned(t)); err == nil {
			t.Errorf("WriteTune on paper for %d bytes = nil, want an error", left)
		}
	}
}

// JSON has no infinity, and an SLO that too many failures broke has one.
func TestRunAsJSON(t *testing.T) {
	s := advisor.State{Load: snapshot(t), Managed: true, Policy: profiles.FixedPolicy(2), Plan: profiles.Plan{Target: "http://x/"}}
	var out bytes.Buffer
	if err := WriteJSON(&out, NewRun(s, "headroom v1", []string{"headroom", "run"})); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version, Kind, Target string
		Result                struct {
			SLO []struct {
				Objective string
				Value     *float64
				Holds     bool
			}
			Failures []struct{ Failure string }
		}
		Policy struct{ Replicas struct{ Min, Max int } }
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != profiles.Version || got.Kind != "run" || got.Target != "http://x/" || got.Policy.Replicas.Max != 2 {
		t.Errorf("run %+v", got)
	}
	if slo := got.Result.SLO; len(slo) != 4 || *slo[0].Value != 0.036 || !slo[0].Holds || slo[2].Value != nil || slo[2].Holds {
		t.Errorf("SLO %+v, want the third one without a value", slo)
	}
	var back Run
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Load, back.Result); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	if f := got.Result.Failures; len(f) != 2 || f[1].Failure != "timeout" {
		t.Errorf("failures %+v", f)
	}
}
