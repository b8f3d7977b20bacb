package tui

import (
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// wakingState is a fleet that was scaled to zero, and a load that wakes it:
// nothing has answered yet, and the queue says why.
func wakingState() advisor.State {
	st := managed(run(idleState(), 4*time.Second, 0, 0), 1, 1)
	st.Fleet.Replicas, st.Load.Replicas = nil, nil
	st.Fleet.InFlight, st.Fleet.Queue, st.Load.InFlight = 20, 20, 20
	st.Load.Identity, st.Load.Found, st.Load.Why = "", false, ""
	for i := range st.Load.SLO {
		st.Load.SLO[i].Valid, st.Load.RecentSLO[i].Valid = false, false
	}
	for i := range st.Points {
		p := &st.Points[i]
		p.Up, p.Wanted, p.Answering = 0, 0, 0
	}
	st.Policy.Replicas.Min = 0
	st.Decision = profiles.Decision{At: st.At.Add(-time.Second), Current: 0, Desired: 1, Raw: 1, Reason: profiles.Activated,
		Kind: profiles.RPS, Total: profiles.MilliOf(4.7), Target: profiles.MilliOf(150), Valid: true}
	st.Events = st.Events[:1]
	return st
}

// streamingState has six tasks whose answers are streams, and more thresholds
// than a low screen has lines for.
func streamingState() advisor.State {
	st := managed(run(idleState(), 102*time.Second, 240/0.9, 600*ms), 3, 3)
	st.Load.Requests = nil
	streams := func(n int64) *load.Streams {
		return &load.Streams{Count: n, Complete: n - 9, Open: 7, Events: 40 * n, TTFT: quantiles(n, 90*ms), Gap: quantiles(40*n, 4*ms)}
	}
	for i, name := range []string{"chat", "summarise", "translate", "code", "search", "a task with a long name of its own"} {
		r := stats(name, st.Load.Elapsed, 60-8*float64(i), 0, 600*ms)
		r.Streams = streams(r.Count)
		st.Load.Requests = append(st.Load.Requests, r)
	}
	st.Load.Total.Streams = streams(st.Load.Total.Count)
	for i, text := range []string{"http_req_duration: p(95)<5000", "http_req_duration: p(99)<7000", "http_req_failed: rate<0.01", "http_reqs: rate>100", "http_req_duration: max<9000"} {
		threshold, err := profiles.ParseThreshold(text)
		if err != nil {
			panic(err)
		}
		st.Load.Thresholds = append(st.Load.Thresholds, load.Threshold{
			Threshold: threshold, Value: load.Figure([]float64{4200, 6600, 0, 240, 9300}[i]), Valid: true, Holds: i != 4,
		})
	}
	st.Load.Health = load.Health{Verdict: load.Strained, Reason: "requests leave 45.3ms late (p99); somebody on this machine waits for a processor", LagP99: 45300 * time.Microsecond, CPU: 1.7}
	return st
}

// wordyState fails in ways that take words to say.
func wordyState() advisor.State {
	st := failingState()
	st.Load.Failures = append(st.Load.Failures,
		load.FailureCount{Failure: load.Local, Count: 3, First: 52 * time.Second, Last: 53 * time.Second,
			Example: "out of local ports for this address (widen sysctl net.ipv4.ip_local_port_range, or spread over --source-ip)",
			Latency: quantiles(3, ms), Service: quantiles(3, ms)},
		load.FailureCount{Failure: load.Check, Check: "chat: check json ok", Count: 2, First: 60 * time.Second, Last: 61 * time.Second,
			Example: "chat: check json ok: got false", Latency: quantiles(2, ms), Service: quantiles(2, ms)})
	return st
}
