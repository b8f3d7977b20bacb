package scaler

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"headroom/probe"
)

// statusGone is the code under which nginx, and so its users' dashboards, count
// a request whose client went away before the answer began.
const statusGone = 499

// requestMetrics counts and times the requests of the service. It is safe for
// concurrent use; a request costs it the observation and a few atomic additions.
type requestMetrics struct {
	codes          [600]atomic.Int64 // answers, by status code
	queue, service prometheus.Histogram
}

func newRequestMetrics() *requestMetrics {
	histogram := func(phase string) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:        "headroom_scaler_request_duration_seconds",
			Help:        "Time that requests which a replica was given spent waiting for it (phase queue), and from then to the last byte of the answer (phase service).",
			ConstLabels: prometheus.Labels{"phase": phase},
			Buckets:     []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		})
	}
	return &requestMetrics{queue: histogram("queue"), service: histogram("service")}
}

// observation is one request on its way. It stands in for the ResponseWriter,
// to see the status code.
type observation struct {
	http.ResponseWriter
	began   time.Time
	granted time.Time // when a replica was given; zero: never
	code    int       // of the answer; 0: the connection was taken over
}

// begin starts the observation of a request, which must be answered through
// it.
func (m *requestMetrics) begin(w http.ResponseWriter) *observation {
	return &observation{ResponseWriter: w, began: time.Now()} // not pooled: a timer may look at a writer a little late
}

// end counts the request.
func (m *requestMetrics) end(o *observation, r *http.Request) {
	switch {
	case o.code == 0:
		o.code = http.StatusSwitchingProtocols
	case o.code >= 500 && r.Context().Err() != nil:
		o.code = statusGone
	}
	if o.code < len(m.codes) {
		m.codes[o.code].Add(1)
	}
	if !o.granted.IsZero() {
		m.queue.Observe(o.granted.Sub(o.began).Seconds())
		m.service.Observe(time.Since(o.granted).Seconds())
	}
}

// WriteHeader notes the code of the answer, not those of news on the way to
// it.
func (o *observation) WriteHeader(code int) {
	if o.code == 0 && code >= 200 {
		o.code = code
	}
	o.ResponseWriter.WriteHeader(code)
}

func (o *observation) Write(p []byte) (int, error) {
	if o.code == 0 {
		o.code = http.StatusOK
	}
	return o.ResponseWriter.Write(p)
}

// Unwrap lets an http.ResponseController reach what the server offers.
func (o *observation) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// newMetrics serves everything as Prometheus reads it, from a registry of its
// own.
func newMetrics(requests *requestMetrics, p *pool, l *loop) http.Handler {
	r := prometheus.NewRegistry()
	r.MustRegister(
		requests.queue, requests.service,
		&stateCollector{requests, p, l},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// stateCollector reads what is known anyway when somebody asks for it. What is
// not known is left out, which is not the same as 0.
type stateCollector struct {
	requests *requestMetrics
	pool     *pool
	loop     *loop
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("headroom_scaler_"+name, help, labels, nil)
}

var (
	requestsTotal   = describe("requests_total", "Requests answered, by status code; 499: the client went away first.", "code")
	queueLength     = describe("queue_length", "Requests that wait for a replica.")
	inFlight        = describe("in_flight_requests", "Requests accepted and not yet answered, waiting ones included.")
	stuckRequests   = describe("stuck_requests", "Requests answered 504 on which a replica may still work.")
	replicas        = describe("replicas", "Replicas, by state.", "state")
	replicasWanted  = describe("replicas_wanted", "Replicas that the policy, or a pin, wants.")
	decisionsTotal  = describe("decisions_total", "Decisions made, by reason.", "reason")
	restartsTotal   = describe("restarts_total", "Replicas started in place of one that ended by itself.")
	replicaStartUp  = describe("replica_startup_seconds", "Time from the start of the replica until it was ready.", "replica")
	replicaCPU      = describe("replica_cpu_seconds_total", "CPU time used by the processes of the replica.", "replica")
	replicaMemory   = describe("replica_memory_bytes", "Resident memory of the processes of the replica.", "replica")
	replicaInFlight = describe("replica_in_flight_requests", "Requests that the replica works on.", "replica")
	replicaServed   = describe("replica_requests_total", "Requests that the replica answered.", "replica")
)

// livingStates are those of replicas that are not gone. They are all exported,
// so that a state that nobody is in shows 0 and not its last value.
var livingStates = []probe.State{probe.Starting, probe.Ready, probe.Suspect, probe.Draining, probe.Failing}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		requestsTotal, queueLength, inFlight, stuckRequests, replicas, replicasWanted, decisionsTotal, restartsTotal,
		replicaStartUp, replicaCPU, replicaMemory, replicaInFlight, replicaServed,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c *stateCollector) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	for code := range c.requests.codes {
		if n := c.requests.codes[code].Load(); n > 0 {
			counter(requestsTotal, float64(n), strconv.Itoa(code))
		}
	}
	for reason, n := range c.loop.decisions() {
		counter(decisionsTotal, float64(n), string(reason))
	}
	f := c.pool.fleet(time.Now())
	gauge(queueLength, float64(f.Queue))
	gauge(inFlight, float64(f.InFlight))
	gauge(replicasWanted, float64(f.Wanted))
	counter(restartsTotal, float64(c.pool.restarted()))
	for _, s := range livingStates {
		gauge(replicas, float64(f.Count(s)), string(s))
	}
	stuck := 0
	for _, r := range f.Replicas {
		stuck += r.Stuck
		if r.State == probe.Gone {
			continue
		}
		gauge(replicaInFlight, float64(r.InFlight), r.ID)
		counter(replicaServed, float64(r.Served), r.ID)
		counter(replicaCPU, r.CPU.Seconds(), r.ID)
		if r.Memory > 0 {
			gauge(replicaMemory, float64(r.Memory), r.ID)
		}
		if r.StartedIn > 0 {
			gauge(replicaStartUp, r.StartedIn.Seconds(), r.ID)
		}
	}
	gauge(stuckRequests, float64(stuck))
}
