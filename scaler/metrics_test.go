package scaler

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"headroom/scaler/httpapi"
)

func TestMetricsFollowTheConventions(t *testing.T) {
	a := newAPI(t)
	requests := newRequestMetrics()
	requests.codes[200].Add(3)
	a.loop.tick()
	r := prometheus.NewPedanticRegistry()
	r.MustRegister(requests.queue, requests.service, &stateCollector{requests, a.pool, a.loop})
	problems, err := testutil.GatherAndLint(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestMetricsOfAFleet(t *testing.T) {
	a := newAPI(t) // one replica, ready
	requests := newRequestMetrics()
	requests.codes[200].Add(3)
	requests.codes[statusGone].Add(1)
	a.loop.tick()
	a.pool.setUsage(time.Now(), map[string]usage{"replica-1": {cpu: 1500 * time.Millisecond, memory: 4096}})
	busy, err := a.balancer.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer a.balancer.release(&busy, completed)
	crashed := a.pool.hire(&place{}, 1, 1) // in place of one that ended: it is starting, and nothing else is known of it
	defer a.pool.advance(crashed, dismissed, "")

	want := `
# HELP headroom_scaler_decisions_total Decisions made, by reason.
# TYPE headroom_scaler_decisions_total counter
headroom_scaler_decisions_total{reason="no_data"} 1
# HELP headroom_scaler_in_flight_requests Requests accepted that a replica has not answered yet, waiting ones included.
# TYPE headroom_scaler_in_flight_requests gauge
headroom_scaler_in_flight_requests 1
# HELP headroom_scaler_queue_length Requests that wait for a replica.
# TYPE headroom_scaler_queue_length gauge
headroom_scaler_queue_length 0
# HELP headroom_scaler_replica_cpu_seconds_total CPU time used by the processes of the replica.
# TYPE headroom_scaler_replica_cpu_seconds_total counter
headroom_scaler_replica_cpu_seconds_total{replica="replica-1"} 1.5
headroom_scaler_replica_cpu_seconds_total{replica="replica-2"} 0
# HELP headroom_scaler_replica_memory_bytes Resident memory of the processes of the replica.
# TYPE headroom_scaler_replica_memory_bytes gauge
headroom_scaler_replica_memory_bytes{replica="replica-1"} 4096
# HELP headroom_scaler_replicas Replicas, by state.
# TYPE headroom_scaler_replicas gauge
headroom_scaler_replicas{state="draining"} 0
headroom_scaler_replicas{state="failing"} 0
headroom_scaler_replicas{state="ready"} 1
headroom_scaler_replicas{state="starting"} 1
headroom_scaler_replicas{state="suspect"} 0
# HELP headroom_scaler_replicas_wanted Replicas that the policy, or a pin, wants.
# TYPE headroom_scaler_replicas_wanted gauge
headroom_scaler_replicas_wanted 1
# HELP headroom_scaler_requests_total Requests answered, by status code; 499: the client went away first.
# TYPE headroom_scaler_requests_total counter
headroom_scaler_requests_total{code="200"} 3
headroom_scaler_requests_total{code="499"} 1
# HELP headroom_scaler_restarts_total Replicas started in place of one that ended by itself.
# TYPE headroom_scaler_restarts_total counter
headroom_scaler_restarts_total 1
# HELP headroom_scaler_stuck_requests Requests answered 504 on which a replica may still work.
# TYPE headroom_scaler_stuck_requests gauge
headroom_scaler_stuck_requests 0
`
	names := []string{
		"headroom_scaler_decisions_total", "headroom_scaler_in_flight_requests", "headroom_scaler_queue_length", "headroom_scaler_replica_cpu_seconds_total",
		"headroom_scaler_replica_memory_bytes", "headroom_scaler_replicas", "headroom_scaler_replicas_wanted", "headroom_scaler_requests_total",
		"headroom_scaler_restarts_total", "headroom_scaler_stuck_requests",
	}
	if err := testutil.CollectAndCompare(&stateCollector{requests, a.pool, a.loop}, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

// takeable is a recorder whose connection can be taken over.
type takeable struct{ *httptest.ResponseRecorder }

func (takeable) Hijack() (net.Conn, *bufio.ReadWriter, error) { return nil, nil, nil }

// What becomes of a request is counted once, and timed where a replica had it.
func TestRequestMetrics(t *testing.T) {
	type counted struct {
		Code           int
		Queue, Service string // durations; empty: not timed
	}
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter, o *observation)
		want   counted
	}{
		{"an answer after 1 s in the queue and 2 s of work", func(w http.ResponseWriter, o *observation) {
			time.Sleep(time.Second)
			o.granted = time.Now()
			w.WriteHeader(http.StatusProcessing) // only news
			time.Sleep(2 * time.Second)
			w.WriteHeader(http.StatusCreated)
			w.WriteHeader(http.StatusOK) // too late
		}, counted{201, "1s", "2s"}},
		{"no code", func(w http.ResponseWriter, o *observation) {
			o.granted = time.Now()
			io.WriteString(w, "text")
		}, counted{200, "0s", "0s"}},
		{"refused", func(w http.ResponseWriter, _ *observation) { http.Error(w, "full", http.StatusServiceUnavailable) }, counted{503, "", ""}},
		{"a failure, whether or not its client stays", func(w http.ResponseWriter, o *observation) {
			o.granted = time.Now()
			w.WriteHeader(http.StatusInternalServerError)
		}, counted{500, "0s", "0s"}},
		{"taken over", func(_ http.ResponseWriter, o *observation) {
			o.granted = time.Now()
			http.NewResponseController(o).Hijack()
		}, counted{101, "0s", "0s"}},
		{"no answer at all", func(_ http.ResponseWriter, o *observation) { o.granted = time.Now() }, counted{0, "0s", "0s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newRequestMetrics()
				o := m.begin(takeable{httptest.NewRecorder()})
				tt.answer(o, o)
				m.end(o)

				got := counted{Queue: sum(t, m.queue), Service: sum(t, m.service)}
				for code := range m.codes {
					if n := m.codes[code].Load(); n > 0 {
						got.Code += code * int(n)
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("counted (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// sum is the one duration that a histogram has seen, if any.
func sum(t *testing.T, h prometheus.Histogram) string {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(h)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := families[0].Metric[0].Histogram
	switch got.GetSampleCount() {
	case 0:
		return ""
	case 1:
		return time.Duration(got.GetSampleSum() * float64(time.Second)).String()
	}
	t.Errorf("timed %d times, want once", got.GetSampleCount())
	return ""
}

// Beyond a few at once the answer is of the form of every other refusal.
func TestMetricsAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		h := httpapi.Limited(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-free }))
		req := request(t, "GET", "/metrics", "")
		for range 4 {
			go h.ServeHTTP(httptest.NewRecorder(), req)
		}
		synctest.Wait()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		const want = `{"problems":["requests: 4 are under way, want at most 4"]}` + "\n"
		if w.Code != http.StatusServiceUnavailable || w.Body.String() != want {
			t.Errorf("a fifth: got %d %s, want 503 %s", w.Code, w.Body, want)
		}
		close(free)
		synctest.Wait()
		w = httptest.NewRecorder()
		if h.ServeHTTP(w, req); w.Code != http.StatusOK {
			t.Errorf("one after them: got %d, want 200", w.Code)
		}
	})
}

func BenchmarkRequestMetrics(b *testing.B) {
	m := newRequestMetrics()
	client := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	next := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	b.ReportAllocs()
	for b.Loop() {
		o := m.begin(client)
		o.granted = o.began
		next.ServeHTTP(o, r)
		m.end(o)
	}
}
