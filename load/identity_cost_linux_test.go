package load

import (
	"syscall"
	"testing"
	"time"

	"headroom/probe"
)

// BenchmarkIdentityShare measures what share of the engine's CPU time of a
// request telling replicas apart takes: "%-identity" is the name and what is kept
// of each replica, "%-parts" the split of the time by Server-Timing.
//
//	go test -run '^$' -bench IdentityShare -benchtime 1x ./load
//
// Both are the work alone, in a loop, against the engine's request in the same
// round. The engine with it against the engine without differs by less than
// such rounds do among themselves; a CPU profile of a run says the same.
func BenchmarkIdentityShare(b *testing.B) {
	url := startNginx(b) + "timed"
	for b.Loop() {
		const rounds = 15
		var request, identity, parts [rounds]float64
		for i := range rounds {
			request[i] = cpuPerRequest(b, url)
			identity[i], parts[i] = identityWork(b), partsWork(b)
		}
		b.ReportMetric(median(rounds, func(i int) float64 { return request[i] })/1e3, "µs/request")
		b.ReportMetric(median(rounds, func(i int) float64 { return identity[i] / request[i] })*100, "%-identity")
		b.ReportMetric(median(rounds, func(i int) float64 { return parts[i] / request[i] })*100, "%-parts")
	}
}

// cpuPerRequest is the CPU time that the engine takes for a request, in
// nanoseconds, for a second of as many as it can.
func cpuPerRequest(b *testing.B, url string) float64 {
	b.Helper()
	plan := closedPlan(64, 1e6, time.Second)
	plan.Target = url
	e, err := New(plan, Options{Identifier: probe.NewIdentifier(nil)})
	if err != nil {
		b.Fatal(err)
	}
	before := cpuTime(b)
	r, err := e.Run(b.Context())
	used := cpuTime(b) - before
	if err != nil || r.Total.Failed > 0 || len(r.Replicas) == 0 {
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

// timedAnswer is what the server of the benchmark answers.
func timedAnswer() *probe.Answer {
	head := []byte("HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: 32\r\n" +
		"Connection: keep-alive\r\nServer-Timing: queue;dur=1.5, app;dur=12.5\r\n\r\n")
	return &probe.Answer{Status: 200, Head: head, Body: []byte(`{"hostname":"pod-1","result":42}`)}
}

// identityWork is the CPU time that telling the replica of an answer takes, in
// nanoseconds.
func identityWork(b *testing.B) float64 {
	b.Helper()
	a := timedAnswer()
	c := newTestCollector()
	var h held
	conn := h.add(0)
	return cpuEach(b, func() {
		s := Sample{Done: time.Millisecond, Status: 200}
		s.Replica = c.replicas.identifier.Identify(a)
		s.Switched = conn.answered(s.Replica)
		c.replicas.add(&s)
	})
}

// partsWork is the CPU time that splitting the time of an answer takes, in
// nanoseconds.
func partsWork(b *testing.B) float64 {
	b.Helper()
	a := timedAnswer()
	var splitter probe.Splitter
	return cpuEach(b, func() { splitter.Split(a) })
}

// cpuEach is the CPU time of work that has been done often, in nanoseconds.
func cpuEach(b *testing.B, work func()) float64 {
	b.Helper()
	for range 300 { // it learns
		work()
	}
	const times = 500_000
	before := cpuTime(b)
	for range times {
		work()
	}
	return float64(cpuTime(b)-before) / times
}
