package tui

import (
	"slices"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// scene is a State on a dashboard with certain options, after certain keys.
type scene struct {
	name    string
	state   func() advisor.State
	views   []int
	options func(*Options) // nil: the usual ones
	keys    []string
}

// frame is one of its views.
func (s scene) frame(look *styles, view, w, h int) string {
	var changes []func(*Options)
	if s.options != nil {
		changes = append(changes, s.options)
	}
	m := showing(s.state(), look, view, w, h, changes...)
	for _, key := range s.keys {
		m.Update(keyMsg(key))
	}
	return m.View()
}

// allViews are those of a session.
var allViews = []int{viewDashboard, viewRequests, viewReplicas, viewFailures, viewAdvisor, viewLog}

// scenes are all views of each state that a session can be in, and those views
// of other states that have something of their own for it.
var scenes = []scene{
	{name: "empty", state: emptyState, views: allViews},
	{name: "ramping", state: rampingState, views: allViews},
	{name: "steady", state: steadyState, views: allViews},
	{name: "failing", state: failingState, views: allViews},
	{name: "down", state: downState, views: allViews},
	{name: "measuring", state: measuringState, views: allViews},
	{name: "refused", state: refusedState, views: allViews},
	{name: "applied", state: appliedState, views: allViews},
	{name: "finished", state: finishedState, views: allViews},
	{name: "idle", state: idleState, views: []int{viewDashboard, viewAdvisor}},
	{name: "paused", state: pausedState, views: []int{viewDashboard}},
	{name: "draining", state: drainingState, views: []int{viewDashboard, viewFailures}},
	{name: "arrivals", state: arrivalsState, views: []int{viewDashboard}},
	{name: "streams", state: streamsState, views: []int{viewDashboard, viewRequests, viewFailures}},
	{name: "disagreeing", state: disagreeingState, views: []int{viewDashboard, viewReplicas}},
	{name: "scaled", state: scaledState, views: []int{viewDashboard}},
	{name: "tracked", state: trackedState, views: []int{viewDashboard, viewReplicas}},
	{name: "advised", state: advisedState, views: []int{viewDashboard, viewAdvisor}},
	{name: "verified", state: verifiedState, views: []int{viewAdvisor}},
	{name: "measured", state: measuredState, views: []int{viewAdvisor}},
	{name: "stopped", state: stoppedState, views: []int{viewDashboard, viewAdvisor}},
	{name: "replaying", state: replayingState, views: []int{viewDashboard, viewAdvisor}},
	{name: "read-only", state: advisedState, views: []int{viewDashboard, viewAdvisor}, options: elsewhere("this run is read-only: start it with --control")},
	{name: "waking", state: wakingState, views: []int{viewDashboard, viewReplicas}},
	{name: "wordy", state: wordyState, views: []int{viewRequests, viewFailures}},
	{name: "lost", state: lostState, views: []int{viewDashboard}, options: elsewhere("")},
	{name: "ended", state: endedState, views: []int{viewDashboard, viewLog}, options: elsewhere("")},
	{name: "scaler-alone", state: aloneState, views: []int{viewReplicas, viewLog}, options: func(o *Options) {
		o.Attached, o.FleetOnly, o.ReadOnly = true, true, "a scaler alone has no load"
	}},
	{name: "sorted", state: streamsState, views: []int{viewRequests}, keys: []string{"o", "o", "O"}},
	{name: "filtered", state: trackedState, views: []int{viewReplicas}, keys: []string{"o", "o", "o", "/", "s", "e", "r", "v", "enter"}},
}

// elsewhere are the options of a dashboard of a session elsewhere, and why it
// may change nothing there.
func elsewhere(readOnly string) func(*Options) {
	return func(o *Options) { o.Attached, o.ReadOnly = true, readOnly }
}

func pausedState() advisor.State {
	st := steadyState()
	st.Load.Phase, st.Load.InFlight = load.Paused, 0
	for i := range st.Points[len(st.Points)-4:] {
		p := &st.Points[len(st.Points)-4+i]
		p.Rate, p.P50, p.P95, p.P99 = 0, 0, 0, 0
	}
	return st
}

// drainingState waits for its last answers, and has cut some off.
func drainingState() advisor.State {
	st := steadyState()
	st.Load.Phase, st.Load.Users, st.Load.InFlight = load.Draining, 3, 3
	st.Load.Total.Aborted, st.Load.Total.AbortedAge = 2, 31*time.Second
	return st
}

// arrivalsState is the open model along a shape, with more arrivals than there
// are users for.
func arrivalsState() advisor.State {
	st := steadyState()
	st.Plan.Shape = profiles.Ramp{From: 50, Stages: []profiles.Stage{{For: 5 * time.Minute, To: 1200}}}
	l := &st.Load
	l.Open, l.Shaped, l.Planned, l.Ends = true, true, 441, st.Plan.Length()
	l.Health.Due, l.Health.Sent, l.Health.Late = 38400, 38391, 212
	for i := range st.Points {
		if p := &st.Points[i]; p.Phase != advisor.Idle {
			p.Planned = st.Plan.Shape.At(p.At - 10*time.Second)
			p.Rate, p.InFlight = p.Planned*0.97, 12+i/4
		}
	}
	return st
}

// streamsState is a scenario with six tasks that are answered with streams of
// events, one that is not, and thresholds on them.
func streamsState() advisor.State {
	st := steadyState()
	streams := func(n int64) *load.Streams {
		return &load.Streams{Count: n, Complete: n - 9, Open: 7, Events: 41 * n, TTFT: quantiles(n, 31*ms), Gap: quantiles(40*n, 4*ms)}
	}
	st.Load.Requests = []load.Stats{stats("GET /models", st.Load.Elapsed, 120.5, 3, 2*ms)}
	for i, name := range []string{"chat", "complete", "summarize", "translate", "POST /v1/embeddings/batches", "transcribe"} {
		r := stats(name, st.Load.Elapsed, 61.4-9*float64(i), int64(i), time.Duration(60+11*i)*ms)
		r.Streams = streams(r.Count)
		st.Load.Requests = append(st.Load.Requests, r)
	}
	st.Load.Total.Streams = streams(20_000)
	st.Load.Total.Aborted, st.Load.Total.AbortedAge = 44, 1200*ms
	for i, text := range []string{"http_req_duration{name:chat}: p(95)<500", "http_req_failed: rate<0.01", "http_req_duration: p(99)<100 abortOnFail delay=10s"} {
		t, err := profiles.ParseThreshold(text)
		if err != nil {
			panic(err)
		}
		st.Load.Thresholds = append(st.Load.Thresholds, load.Threshold{Threshold: t, Value: []load.Figure{462, 0.0004, 129.8}[i], Valid: true, Holds: i < 2})
	}
	return st
}

// lostState is a session elsewhere that does not answer any more.
func lostState() advisor.State {
	st := steadyState()
	st.Lost = "connection lost: dial tcp 10.0.0.7:8001: connection refused; trying again in 4s"
	return st
}

// endedState is a session elsewhere that is over.
func endedState() advisor.State {
	st := finishedState()
	st.Ended = true
	return st
}

// aloneState is a scaler without a session.
func aloneState() advisor.State {
	st := managed(rampingState(), 2, 3)
	st.Load, st.Plan, st.SLO, st.Traffic, st.Events = load.Snapshot{}, profiles.Plan{}, nil, profiles.Traffic{}, st.Events[1:]
	for i := range st.Events {
		st.Events[i].N = i + 1
	}
	for i := range st.Fleet.Replicas {
		r := &st.Fleet.Replicas[i]
		r.Answered, r.Share, r.Rate, r.Conns = false, 0, 0, nil
	}
	st.Decision.Current, st.Decision.Total = 2, profiles.MilliOf(412.6)
	starting := probe.Replica{ID: "replica-3", State: probe.Starting, Managed: true, Created: st.At.Add(-2 * time.Second)}
	st.Fleet.Replicas, st.Fleet.InFlight = append(st.Fleet.Replicas, starting), 5
	return st
}

// earlier is st so much earlier, with other rates.
func earlier(st advisor.State, by time.Duration) advisor.State {
	st.At = st.At.Add(-by)
	st.Fleet.Replicas = slices.Clone(st.Fleet.Replicas)
	for i := range st.Fleet.Replicas {
		r := &st.Fleet.Replicas[i]
		r.Rate *= 1 - 0.09*float64((int(by/time.Second)*(i+3))%7)
		r.Answered = r.Answered && !r.FirstSeen.After(st.At)
	}
	return st
}

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
