package remote

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
)

const ms = time.Millisecond

func runningState() advisor.State {
	latency := load.Quantiles{Count: 90, Min: 2 * ms, Mean: 25 * ms, P50: 20 * ms, P95: 80 * ms, P99: 90 * ms, Max: 100 * ms}
	return advisor.State{
		Phase: advisor.Swarming, Loaded: true, Managed: true,
		Fleet: probe.Fleet{Wanted: 3, Replicas: []probe.Replica{{ID: "a", State: probe.Serving, Answered: true}}},
		Load: load.Snapshot{
			Users: 5, Wanted: 7, Planned: 7, InFlight: 4,
			Total:     load.Stats{Name: "all", Over: 10 * time.Second, Count: 100, Failed: 10, Bytes: 4600, Latency: latency},
			Recent:    load.Stats{Over: 5 * time.Second, Count: 75, Latency: latency},
			Requests:  []load.Stats{{Name: "GET /a b", Over: 10 * time.Second, Count: 100, Failed: 10, Bytes: 4600, Latency: latency}, {Name: "Chat long"}},
			Replicas:  []load.Replica{{Name: "a", Count: 60, Failed: 6, Rate: 4.5, Service: latency}, {Name: "\xff\n\"", Count: 1}},
			Failures:  []load.FailureCount{{Failure: load.Status, Status: 503, Count: 7}, {Failure: load.Timeout, Count: 3}},
			RecentSLO: []load.Objective{{Name: "p95<100ms", Valid: true, Holds: true}, {Name: "errors<1%", Valid: true}, {Name: "max<1s"}},
			Health:    load.Health{Verdict: load.Sound},
		},
	}
}

func TestMetrics(t *testing.T) {
	const want = `
# HELP headroom_replica_requests_total Answers and failures of the replica.
# TYPE headroom_replica_requests_total counter
headroom_replica_requests_total{replica="?\n\""} 1
headroom_replica_requests_total{replica="a"} 60
# HELP headroom_replicas_wanted Replicas that the scaler wants.
# TYPE headroom_replicas_wanted gauge
headroom_replicas_wanted 3
# HELP headroom_slo_objective_holds 1 where the last seconds meet the objective, 0 where they do not.
# TYPE headroom_slo_objective_holds gauge
headroom_slo_objective_holds{objective="errors<1%"} 0
headroom_slo_objective_holds{objective="p95<100ms"} 1
# HELP locust_errors Failures, by what went wrong.
# TYPE locust_errors gauge
locust_errors{error="status 503",method="",name="Aggregated"} 7
locust_errors{error="timeout",method="",name="Aggregated"} 3
# HELP locust_requests_avg_response_time Mean latency of successes in ms.
# TYPE locust_requests_avg_response_time gauge
locust_requests_avg_response_time{method="",name="Aggregated"} 25
locust_requests_avg_response_time{method="GET",name="/a b"} 25
# HELP locust_requests_current_rps Answers and failures per second: of all (Aggregated) over the last seconds, of one kind over the run.
# TYPE locust_requests_current_rps gauge
locust_requests_current_rps{method="",name="Aggregated"} 15
locust_requests_current_rps{method="",name="Chat long"} 0
locust_requests_current_rps{method="GET",name="/a b"} 10
# HELP locust_users Users that are alive.
# TYPE locust_users gauge
locust_users 5
`
	c := collector(runningState)
	if err := testutil.CollectAndCompare(c, strings.NewReader(want), "headroom_replica_requests_total", "headroom_replicas_wanted", "headroom_slo_objective_holds",
		"locust_errors", "locust_requests_avg_response_time", "locust_requests_current_rps", "locust_users"); err != nil {
		t.Error(err)
	}
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(c)
	if _, err := r.Gather(); err != nil {
		t.Errorf("a strict reader: %v", err)
	}
}

// Before the first load nothing is known of it, which is not 0.
func TestMetricsWithoutLoad(t *testing.T) {
	if n := testutil.CollectAndCount(collector(func() advisor.State { return advisor.State{Phase: advisor.Idle} })); n != 1 {
		t.Errorf("an idle session has %d series, want locust_up alone", n)
	}
}

// The text of a run's end can be parsed, has every series that a scrape has, and
// keeps the rules that OpenMetrics adds: the samples of a counter end in _total,
// its family does not, and the text in # EOF.
func TestWriteOpenMetrics(t *testing.T) {
	var out strings.Builder
	if err := WriteOpenMetrics(&out, runningState()); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if body, ok := strings.CutSuffix(text, "\n# EOF\n"); !ok || strings.Contains(body, "# EOF") || strings.Contains(body, "\n\n") {
		t.Errorf("the text is not one that ends in # EOF:\n%s", text)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	series := 0
	for _, f := range families {
		series += len(f.GetMetric())
	}
	if want := testutil.CollectAndCount(collector(runningState)); series != want {
		t.Errorf("%d series, want the %d of a scrape", series, want)
	}
	if !strings.Contains(text, "# TYPE headroom_replica_requests counter\n") || families["headroom_replica_requests_total"] == nil {
		t.Errorf("the counter of the replicas is missing:\n%s", text)
	}
	for _, m := range families["headroom_request_latency_seconds"].GetMetric() {
		if labels := m.GetLabel(); labels[1].GetValue() == "Aggregated" && labels[2].GetValue() == "0.95" && m.GetUntyped().GetValue()+m.GetGauge().GetValue() != 0.08 {
			t.Errorf("p95 of all: %v, want 0.08", m)
		}
	}
}
