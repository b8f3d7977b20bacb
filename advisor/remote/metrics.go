package remote

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"headroom/advisor"
	"headroom/load"
	"headroom/scaler/httpapi"
)

// newMetrics serves everything as Prometheus reads it, from a registry of its
// own.
func newMetrics(s *advisor.Session) http.HandlerFunc {
	r := prometheus.NewRegistry()
	r.MustRegister(collector(s.State), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	// Names come from the target: one that spoils a series must not take the
	// others with it.
	return httpapi.Limited(promhttp.HandlerFor(r, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
}

// WriteOpenMetrics writes a State as OpenMetrics text, which ends in # EOF.
func WriteOpenMetrics(w io.Writer, st advisor.State) error {
	r := prometheus.NewRegistry()
	r.MustRegister(collector(func() advisor.State { return st }))
	families, err := r.Gather() // what it could read, also where names spoil some
	e := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeOpenMetrics))
	errs := []error{err}
	for _, f := range families {
		errs = append(errs, e.Encode(f))
	}
	_, err = expfmt.FinalizeOpenMetrics(w)
	return errors.Join(append(errs, err)...)
}

// collector reads the newest State when somebody asks. What is not known is
// left out, which is not the same as 0.
type collector func() advisor.State

func locust(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("locust_"+name, help, labels, nil)
}

func ours(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("headroom_"+name, help, labels, nil)
}

// Those of ContainerSolutions/locust_exporter have its names, labels and
// units, so that the dashboards made for it work.
var (
	locustUp       = locust("up", "1 while the session answers.")
	locustUsers    = locust("users", "Users that are alive.")
	locustRequests = locust("requests_num_requests", "Answers and failures.", "method", "name")
	locustFailures = locust("requests_num_failures", "Failures.", "method", "name")
	locustRPS      = locust("requests_current_rps", "Answers and failures per second: of all (Aggregated) over the last seconds, of one kind over the run.", "method", "name")
	locustMean     = locust("requests_avg_response_time", "Mean latency of successes in ms.", "method", "name")
	locustMin      = locust("requests_min_response_time", "Least latency of successes in ms.", "method", "name")
	locustMax      = locust("requests_max_response_time", "Highest latency of successes in ms.", "method", "name")
	locustMedian   = locust("requests_median_response_time", "Median latency of successes in ms.", "method", "name")
	locustLength   = locust("requests_avg_content_length", "Mean bytes of a body.", "method", "name")
	locustErrors   = locust("errors", "Failures, by what went wrong.", "method", "name", "error")

	usersWanted  = ours("users_wanted", "Users asked for.")
	planned      = ours("load_planned", "Load planned at the moment: users, or arrivals per second of the open model.")
	overall      = ours("request_latency_seconds", "Latency since the start, from the intended start; successes only.", "method", "name", "quantile")
	inFlight     = ours("in_flight_requests", "Requests sent and not answered.")
	latency      = ours("latency_seconds", "Latency of the last seconds, from the intended start; successes only.", "quantile")
	objective    = ours("slo_objective_holds", "1 where the last seconds meet the objective, 0 where they do not.", "objective")
	generator    = ours("generator_health", "1 for the verdict on the generator: sound, strained or limited.", "verdict")
	answering    = ours("replicas_answering", "Replicas that have answered lately.")
	replicasUp   = ours("replicas_up", "Replicas that may get requests, by the scaler.")
	wanted       = ours("replicas_wanted", "Replicas that the scaler wants.")
	byReplica    = ours("replica_requests_total", "Answers and failures of the replica.", "replica")
	failedOf     = ours("replica_failures_total", "Failures of the replica.", "replica")
	rateOf       = ours("replica_requests_per_second", "Answers of the replica per second, lately.", "replica")
	serviceOf    = ours("replica_service_time_seconds", "Service time of the replica's successes.", "replica", "quantile")
	descriptions = []*prometheus.Desc{
		locustUp, locustUsers, locustRequests, locustFailures, locustRPS, locustMean, locustMin, locustMax, locustMedian, locustLength, locustErrors,
		usersWanted, planned, overall, inFlight, latency, objective, generator, answering, replicasUp, wanted, byReplica, failedOf, rateOf, serviceOf,
	}
)

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, d := range descriptions {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	st := c()
	emit := func(kind prometheus.ValueType) func(*prometheus.Desc, float64, ...string) {
		return func(d *prometheus.Desc, v float64, labels ...string) {
			for i, l := range labels {
				labels[i] = strings.ToValidUTF8(l, "?")
			}
			out <- prometheus.MustNewConstMetric(d, kind, v, labels...)
		}
	}
	gauge, counter := emit(prometheus.GaugeValue), emit(prometheus.CounterValue)
	gauge(locustUp, 1)
	if st.Managed {
		gauge(replicasUp, float64(st.Fleet.Up()))
		gauge(wanted, float64(st.Fleet.Wanted))
	}
	if !st.Loaded {
		return
	}
	l := st.Load
	gauge(locustUsers, float64(l.Users))
	gauge(usersWanted, float64(l.Wanted))
	gauge(planned, l.Planned)
	gauge(inFlight, float64(l.InFlight))
	gauge(answering, float64(st.Fleet.Answering()))
	if v := l.Health.Verdict; v != "" {
		gauge(generator, 1, string(v))
	}
	total := l.Total
	kind(gauge, total, "", "Aggregated", l.Recent.Rate())
	for _, r := range l.Requests {
		method, name := split(r.Name)
		kind(gauge, r, method, name, r.Rate())
	}
	for _, f := range l.Failures {
		gauge(locustErrors, float64(f.Count), "", "Aggregated", failure(f))
	}
	quantiles(l.Recent.Latency, func(q string, v float64) { gauge(latency, v, q) })
	for _, o := range l.RecentSLO {
		if o.Valid {
			holds := 0.0
			if o.Holds {
				holds = 1
			}
			gauge(objective, holds, o.Name)
		}
	}
	for _, r := range l.Replicas {
		counter(byReplica, float64(r.Count), r.Name)
		counter(failedOf, float64(r.Failed), r.Name)
		gauge(rateOf, r.Rate, r.Name)
		quantiles(r.Service, func(q string, v float64) { gauge(serviceOf, v, r.Name, q) })
	}
}

// kind is one kind of request as Locust shows it.
func kind(gauge func(*prometheus.Desc, float64, ...string), s load.Stats, method, name string, rate float64) {
	gauge(locustRequests, float64(s.Count), method, name)
	gauge(locustFailures, float64(s.Failed), method, name)
	gauge(locustRPS, rate, method, name)
	if q := s.Latency; q.Count > 0 {
		for d, v := range map[*prometheus.Desc]time.Duration{locustMean: q.Mean, locustMin: q.Min, locustMax: q.Max, locustMedian: q.P50} {
			gauge(d, v.Seconds()*1000, method, name)
		}
	}
	quantiles(s.Latency, func(q string, v float64) { gauge(overall, v, method, name, q) })
	if s.Count > 0 {
		gauge(locustLength, float64(s.Bytes)/float64(s.Count), method, name)
	}
}

// quantiles gives those of a distribution in seconds; none where there is no
// data.
func quantiles(q load.Quantiles, give func(quantile string, seconds float64)) {
	if q.Count == 0 {
		return
	}
	for quantile, v := range map[string]time.Duration{"0.5": q.P50, "0.95": q.P95, "0.99": q.P99} {
		give(quantile, v.Seconds())
	}
}

// split takes the method off the name of a request that has one. The name of a
// scenario's task is all name.
func split(request string) (method, name string) {
	if method, name, ok := strings.Cut(request, " "); ok && method == strings.ToUpper(method) && strings.HasPrefix(name, "/") {
		return method, name
	}
	return "", request
}

// failure names a row of failures.
func failure(f load.FailureCount) string {
	text := f.Failure.String()
	switch {
	case f.Status != 0:
		return text + " " + strconv.Itoa(int(f.Status))
	case f.Check != "":
		return text + " " + f.Check
	}
	return text
}
