package load

import (
	"syscall"
	"testing"
	"time"

	"headroom/probe"
)

// BenchmarkIdentityShare measures what share of the engine's CPU time of a
// request telling replicas apart takes: the name, the split of the time, and
// what is kept of each replica.
//
//	go test -run '^$' -bench IdentityShare -benchtime 1x ./load
//
// "%-by-ratio" is the engine with it against the engine without, the median of
// rounds that alternate, because machines are shared; its noise is some percent.
// "%-share" is the work alone against the engine without, in the same rounds.
func BenchmarkIdentityShare(b *testing.B) {
	url := startNginx(b) + "timed"
	for b.Loop() {
		const rounds = 15
		var with, without, work [rounds]float64
		for i := range rounds {
			if i%2 == 0 {
				with[i], without[i] = cpuPerRequest(b, url, true), cpuPerRequest(b, url, false)
			} else {
				without[i], with[i] = cpuPerRequest(b, url, false), cpuPerRequest(b, url, true)
			}
			work[i] = identityWork(b)
		}
		b.ReportMetric(median(rounds, func(i int) float64 { return without[i] })/1e3, "µs/request")
		b.ReportMetric(median(rounds, func(i int) float64 { return with[i]/without[i] - 1 })*100, "%-by-ratio")
		b.ReportMetric(median(rounds, func(i int) float64 { return work[i] / without[i] })*100, "%-share")
	}
}

// cpuPerRequest is the CPU time that the engine takes for a request, in
// nanoseconds, for a second of as many as it can.
func cpuPerRequest(b *testing.B, url string, identity bool) float64 {
	b.Helper()
	plan := closedPlan(64, 1e6, time.Second)
	plan.Target = url
	identifier := probe.NewIdentifier(nil)
	e, err := New(plan, Options{Identifier: identifier})
	if err != nil {
		b.Fatal(err)
	}
	if !identity { // it has looked at enough, and found nothing
		for range 300 {
			a := &probe.Answer{Status: 200}
			identifier.Identify(a)
			e.conns.splitter.Split(a)
		}
	}
	before := cpuTime(b)
	r, err := e.Run(b.Context())
	used := cpuTime(b) - before
	if err != nil || r.Total.Failed > 0 || (len(r.Replicas) > 0) != identity {
		b.Fatalf("%v, failures %+v, replicas %+v", err, r.Failures, r.Replicas)
	}
	return float64(used) / float64(r.Total.Count)
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// identityWork is the CPU time that telling the replica of an answer takes, in
// nanoseconds.
func identityWork(b *testing.B) float64 {
	b.Helper()
	head := []byte("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 32\r\n" +
		"Connection: keep-alive\r\nServer-Timing: queue;dur=1.5, app;dur=12.5\r\n\r\n")
	a := &probe.Answer{Status: 200, Head: head, Body: []byte(`{"hostname":"pod-1","result":42}`)}
	var splitter probe.Splitter
	c := newTestCollector()
	var h held
	conn := h.add(0)
	work := func(times int) {
		for range times {
			s := Sample{Done: time.Millisecond, Status: 200}
			s.Replica, s.Split = c.replicas.identifier.Identify(a), splitter.Split(a)
			s.Switched = conn.answered(s.Replica)
			c.replicas.add(&s)
		}
	}
	work(300) // it learns
	const times = 500_000
	before := cpuTime(b)
	work(times)
	return float64(cpuTime(b)-before) / times
}
