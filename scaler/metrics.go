package scaler

import (
	"bufio"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"headroom/probe"
	"headroom/scaler/httpapi"
)

// statusGone is the code with which nginx answers a client that is not there any
// more, so that its users' dashboards count what nobody got.
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
	code    int       // of the answer; 0: none yet
}

// begin starts the observation of a request, which must be answered through
// it.
func (m *requestMetrics) begin(w http.ResponseWriter) *observation {
	return &observation{ResponseWriter: w, began: time.Now()} // not pooled: a timer may look at a writer a little late
}

// end counts the request.
func (m *requestMetrics) end(o *observation) {
	if o.code > 0 && o.code < len(m.codes) {
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

// Hijack takes the connection over, which is the answer to a request for an
// upgrade.
func (o *observation) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(o.ResponseWriter).Hijack()
	if err == nil && o.code == 0 {
		o.code = http.StatusSwitchingProtocols
	}
	return conn, rw, err
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
	return httpapi.Limited(promhttp.HandlerFor(r, promhttp.HandlerOpts{}))
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
	requestsDesc        = describe("requests_total", "Requests answered, by status code; 499: the client went away first.", "code")
	queueLengthDesc     = describe("queue_length", "Requests that wait for a replica.")
	inFlightDesc        = describe("in_flight_requests", "Requests accepted that a replica has not answered yet, waiting ones included.")
	stuckDesc           = describe("stuck_requests", "Requests answered 504 on which a replica may still work.")
	replicasDesc        = describe("replicas", "Replicas, by state.", "state")
	wantedDesc          = describe("replicas_wanted", "Replicas that the policy, or a pin, wants.")
	decisionsDesc       = describe("decisions_total", "Decisions made, by reason.", "reason")
	restartsDesc        = describe("restarts_total", "Replicas started in place of one that ended by itself.")
	replicaStartUpDesc  = describe("replica_startup_seconds", "Time from the start of the replica until it was ready.", "replica")
	replicaCPUDesc      = describe("replica_cpu_seconds_total", "CPU time used by the processes of the replica.", "replica")
	replicaMemoryDesc   = describe("replica_memory_bytes", "Resident memory of the processes of the replica.", "replica")
	replicaInFlightDesc = describe("replica_in_flight_requests", "Requests that the replica works on.", "replica")
	replicaServedDesc   = describe("replica_requests_total", "Requests that the replica answered.", "replica")
)

// livingStates are those of replicas that are not gone. They are all exported,
// so that a state that nobody is in shows 0 and not its last value.
var livingStates = []probe.State{probe.Starting, probe.Ready, probe.Suspect, probe.Draining, probe.Failing}

// Describe implements prometheus.Collector.
func (c *stateCollector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		requestsDesc, queueLengthDesc, inFlightDesc, stuckDesc, replicasDesc, wantedDesc, decisionsDesc, restartsDesc,
		replicaStartUpDesc, replicaCPUDesc, replicaMemoryDesc, replicaInFlightDesc, replicaServedDesc,
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
			counter(requestsDesc, float64(n), strconv.Itoa(code))
		}
	}
	for reason, n := range c.loop.decisions() {
		counter(decisionsDesc, float64(n), string(reason))
	}
	f := c.pool.fleet(time.Now())
	gauge(queueLengthDesc, float64(f.Queue))
	gauge(inFlightDesc, float64(f.InFlight))
	gauge(wantedDesc, float64(f.Wanted))
	counter(restartsDesc, float64(c.pool.restarted()))
	for _, s := range livingStates {
		gauge(replicasDesc, float64(f.Count(s)), string(s))
	}
	stuck := 0
	for _, r := range f.Replicas {
		stuck += r.Stuck
		if r.State == probe.Gone {
			continue
		}
		gauge(replicaInFlightDesc, float64(r.InFlight), r.ID)
		counter(replicaServedDesc, float64(r.Served), r.ID)
		counter(replicaCPUDesc, r.CPU.Seconds(), r.ID)
		if r.Memory > 0 {
			gauge(replicaMemoryDesc, float64(r.Memory), r.ID)
		}
		if r.StartedIn > 0 {
			gauge(replicaStartUpDesc, r.StartedIn.Seconds(), r.ID)
		}
	}
	gauge(stuckDesc, float64(stuck))
}
