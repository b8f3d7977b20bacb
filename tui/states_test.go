package tui

import (
	"fmt"
	"math"
	"slices"
	"time"

	"headroom/advisor"
	"headroom/advisor/model"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// began is when every session of these tests begins.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const ms = time.Millisecond

func mustSLO(s string) profiles.SLO {
	slo, err := profiles.ParseSLO(s)
	if err != nil {
		panic(err)
	}
	return slo
}

func testPlan() profiles.Plan {
	p := profiles.DefaultPlan()
	p.Target, p.Users, p.SpawnRate, p.RunTime = "http://127.0.0.1:8000/load/100000", 50, 5, 5*time.Minute
	return p
}

func testPolicy(low, high int, target profiles.Milli) profiles.Policy {
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: low, Max: profiles.Limit(high)}
	p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: target, Window: profiles.Duration(10 * time.Second)}}
	p.Interval = profiles.Duration(5 * time.Second)
	return p
}

// quantiles are those of a latency around p50.
func quantiles(n int64, p50 time.Duration) load.Quantiles {
	return load.Quantiles{Count: n, Min: p50 / 4, Mean: p50 * 11 / 10, P50: p50, P90: p50 * 3, P95: p50 * 7, P99: p50 * 11, P999: p50 * 15, Max: p50 * 31 / 2}
}

// steady are those of times that hardly differ, such as of timeouts.
func steady(n int64, d time.Duration) load.Quantiles {
	return load.Quantiles{Count: n, Min: d, Mean: d, P50: d, P90: d, P95: d, P99: d, P999: d, Max: d}
}

func stats(name string, over time.Duration, rate float64, failed int64, p50 time.Duration) load.Stats {
	n := int64(rate * over.Seconds())
	return load.Stats{
		Name: name, Over: over, Count: n, Failed: failed, Bytes: n * 312,
		Latency: quantiles(n-failed, p50), Service: quantiles(n-failed, p50*9/10),
	}
}

func idleState() advisor.State {
	return advisor.State{
		Seq: 1, At: began, Phase: advisor.Idle, Plan: testPlan(), SLO: mustSLO("p95<100ms,errors<1%"),
		Traffic: profiles.Traffic{Low: profiles.MilliOf(50), High: profiles.MilliOf(200)},
	}
}

func emptyState() advisor.State { return advisor.State{} }

// run puts a load on st that has lasted so long, with points for each second
// of it after ten idle ones.
func run(st advisor.State, elapsed time.Duration, rate float64, p50 time.Duration) advisor.State {
	const idle = 10
	st.Phase, st.Loaded, st.At = advisor.Swarming, true, began.Add(idle*time.Second+elapsed)
	seconds := int(elapsed / time.Second)
	users := min(st.Plan.Users, int(st.Plan.SpawnRate)*seconds)
	total := stats("all", elapsed, rate*0.9, 0, p50)
	st.Load = load.Snapshot{
		Phase: load.Running, Started: began.Add(idle * time.Second), Elapsed: elapsed, Ends: st.Plan.Length(), Users: users, Wanted: st.Plan.Users,
		SpawnRate: st.Plan.SpawnRate, InFlight: users * 4 / 5, Total: total, Recent: stats("recent", 5*time.Second, rate, 0, p50),
		Requests: []load.Stats{stats("GET /load/100000", elapsed, rate*0.9, 0, p50)}, Unnamed: total.Count, Why: "nothing in the answers looks like the name of a replica",
		Health: load.Health{Verdict: load.Sound, LagP99: 300 * time.Microsecond, CPU: 0.2},
	}
	for _, o := range st.SLO {
		value := total.Latency.P95.Seconds()
		if o.Measure == profiles.Errors {
			value = total.FailShare()
		}
		st.Load.SLO = append(st.Load.SLO, load.Objective{Objective: o, Name: o.String(), Value: value, Valid: true, Holds: o.Holds(value)})
	}
	st.Load.RecentSLO = slices.Clone(st.Load.SLO)
	for i := range idle + seconds {
		p := advisor.Point{At: time.Duration(i+1) * time.Second, Phase: advisor.Idle}
		if i >= idle {
			k := float64(i - idle)
			p.Phase, p.Users = advisor.Swarming, min(st.Plan.Users, int(st.Plan.SpawnRate)*(i-idle+1))
			share := float64(p.Users) / float64(st.Plan.Users)
			wave := 1 + 0.06*math.Sin(k/3) + 0.03*math.Sin(k*1.7)
			p.Rate = rate * share * wave
			p.P50 = time.Duration(float64(p50) * (0.6 + 0.4*share) * wave)
			p.P95, p.P99 = p.P50*7, p.P50*11
		}
		st.Points = append(st.Points, p)
	}
	st.Events = append(st.Events, advisor.Event{N: 1, At: st.Load.Started, Kind: "run",
		Text: fmt.Sprintf("swarming %s with %d users, 5.00 started per second", st.Plan.Target, st.Plan.Users)})
	return st
}

func rampingState() advisor.State { return run(idleState(), 7*time.Second, 82.4, 9*ms) }

// managed puts a scaler with n replicas behind st; they came one after the
// other.
func managed(st advisor.State, n, wanted int) advisor.State {
	st.Managed = true
	st.Policy = testPolicy(1, 4, profiles.MilliOf(150))
	st.Fleet = probe.Fleet{Managed: true, Wanted: wanted, InFlight: st.Load.InFlight, Queue: 3}
	st.Load.Identity, st.Load.Found, st.Load.Unnamed = "json:hostname", true, 0
	st.Load.Sure, st.Load.Why = probe.Sure, fmt.Sprintf("%s in 256 answers, which come back", plural(n, "value"))
	took := st.Load.Recent.Service
	for i := range n {
		first := st.Load.Started.Add(time.Duration(i) * 36 * time.Second)
		share := 1 / float64(n) * (1 + 0.05*(float64(n-1)/2-float64(i)))
		r := probe.Replica{
			ID: fmt.Sprintf("replica-%d", i+1), State: probe.Serving, Managed: true, PID: 4000 + i, Address: "127.0.0.1:40001",
			Created: first.Add(-time.Second), StartedIn: time.Duration(390+11*i) * ms, InFlight: 12 + i, Served: 5000,
			CPU: time.Duration(20-5*i) * time.Second, Memory: 48_000_000, Conns: new(17 - i), Answered: true, FirstSeen: first, LastSeen: st.At,
			Requests: 5000, Share: share, Rate: st.Load.Recent.Rate() * share, P50: took.P50, P95: took.P95, P99: took.P99,
		}
		st.Fleet.Replicas = append(st.Fleet.Replicas, r)
		st.Load.Replicas = append(st.Load.Replicas, load.Replica{Name: r.ID, Count: r.Requests, Share: share, Rate: r.Rate})
	}
	for i := range st.Points {
		p := &st.Points[i]
		up := 1
		if p.Phase != advisor.Idle {
			up = min(n, 1+max(0, i-10)/36)
		}
		p.Up, p.Wanted = up, min(wanted, max(1, 1+max(0, i-6)/36))
		if p.Phase != advisor.Idle {
			p.Answering = up
		}
	}
	st.Decision = profiles.Decision{At: st.At.Add(-4 * time.Second), Current: n, Desired: wanted, Raw: wanted,
		Reason: profiles.AboveTarget, Kind: profiles.RPS, Total: profiles.MilliOf(st.Load.Recent.Rate()), Target: profiles.MilliOf(150), Valid: true}
	for i := range n {
		at := st.Load.Started.Add(time.Duration(i) * 36 * time.Second)
		if i > 0 {
			st.Events = append(st.Events, advisor.Event{N: len(st.Events) + 1, At: at.Add(-2 * time.Second), Kind: "scale",
				Text: fmt.Sprintf("%d -> %d: rps %d with a target of 150 per replica asks for %d", i, i+1, 140*(i+1), i+1)})
		}
		st.Events = append(st.Events, advisor.Event{N: len(st.Events) + 1, At: at, Kind: "replica", Text: fmt.Sprintf("replica-%d answers", i+1)})
	}
	return st
}

func steadyState() advisor.State {
	return managed(run(idleState(), 102*time.Second, 412.6, 11800*time.Microsecond), 3, 3)
}

// trackedState is a target without a scaler whose replicas come and go.
func trackedState() advisor.State {
	st := run(idleState(), 102*time.Second, 412.6, 11800*time.Microsecond)
	st.Load.Identity, st.Load.Found, st.Load.Unnamed = "header:X-Pod-Name", true, 0
	st.Load.Sure, st.Load.Why = probe.Sure, "5 values in 512 answers, which come back"
	for i := range st.Points { // the first three and the one that is gone, then without one, without two, with the new one
		if p := &st.Points[i]; p.Phase != advisor.Idle {
			p.Answering = 4
			for _, after := range []int{70, 90} {
				if i > after {
					p.Answering--
				}
			}
			if i > 105 {
				p.Answering++
			}
		}
	}
	for i, state := range []probe.State{probe.Serving, probe.Serving, probe.Quiet, probe.New, probe.Gone} {
		first := st.Load.Started.Add([]time.Duration{0, 0, 0, 95 * time.Second, 0}[i])
		share := []float64{0.38, 0.36, 0.2, 0.01, 0.05}[i]
		r := probe.Replica{ID: "web-7d4b9c6f5-" + []string{"x2x9k", "q8w7z", "lm4tn", "bb5cd", "zz7pq"}[i], State: state, Answered: true,
			FirstSeen: first, LastSeen: st.At, Requests: int64(share * 38000), Share: share, P50: 11 * ms, P95: 82 * ms, P99: 128 * ms, Conns: new(0)}
		if state == probe.Serving || state == probe.New {
			r.Rate, r.Conns, r.InFlightEstimate = st.Load.Recent.Rate()/3, new(17-i), new(3.24+5*float64(i))
		}
		if state == probe.New {
			r.ColdStart = &probe.ColdStart{Answers: 10, First: 450 * ms, Later: 12 * ms}
		}
		st.Fleet.Replicas = append(st.Fleet.Replicas, r)
		st.Load.Replicas = append(st.Load.Replicas, load.Replica{Name: r.ID, State: state, Count: r.Requests, Share: share, Rate: r.Rate, ColdStart: r.ColdStart})
	}
	return st
}

// ended is st after its swarm.
func ended(st advisor.State) advisor.State {
	st.Phase, st.Load.Phase = advisor.Idle, load.Done
	swarm := st.Load
	st.Swarm = &swarm
	return st
}

// failingState is a target that answers ever less.
func failingState() advisor.State {
	st := run(idleState(), 64*time.Second, 120, 40*ms)
	st.Load.Recent.Failed, st.Load.Total.Failed = 90, 1201
	st.Load.Requests[0].Failed = 1201
	st.Load.Recent.Latency.Count, st.Load.Total.Latency.Count = 510, 5711
	for i, o := range st.Load.SLO {
		if o.Objective.Measure == profiles.Errors {
			st.Load.SLO[i].Value, st.Load.SLO[i].Holds = st.Load.Total.FailShare(), false
		} else {
			st.Load.SLO[i].Value, st.Load.SLO[i].Holds = math.Inf(1), false
		}
		now := st.Load.SLO[i]
		if o.Objective.Measure == profiles.Errors {
			now.Value = st.Load.Recent.FailShare()
		}
		st.Load.RecentSLO[i] = now
	}
	for i := range st.Points {
		if p := &st.Points[i]; i > 40 {
			p.Failed = p.Rate * float64(i-40) / 40
		}
	}
	st.Load.Failures = []load.FailureCount{
		{Failure: load.Status, Status: 503, Count: 1100, First: 31 * time.Second, Last: 64 * time.Second, Example: "503 Service Unavailable",
			Latency: quantiles(1100, 400*ms), Service: quantiles(1100, 390*ms)},
		{Failure: load.Timeout, Count: 90, First: 44 * time.Second, Last: 63 * time.Second, Example: "no complete answer within 10s",
			Latency: steady(90, 10100*ms), Service: steady(90, 10*time.Second)},
		{Failure: load.Reset, Count: 11, First: 50 * time.Second, Last: 51 * time.Second, Example: "the connection was closed before the answer was complete",
			Latency: quantiles(11, 3*ms), Service: quantiles(11, 2*ms)},
	}
	st.Load.Total.Aborted, st.Load.Total.AbortedAge, st.Load.Retried = 4, 2300*ms, 7
	st.Load.Health = load.Health{Verdict: load.Limited, Reason: "requests leave 35.2ms late (p99)", LagP99: 35 * ms}
	return st
}

// downState is a target that went down: nothing answers any more.
func downState() advisor.State {
	st := run(idleState(), 40*time.Second, 60, 40*ms)
	st.Load.Recent.Failed, st.Load.Recent.Latency = st.Load.Recent.Count, load.Quantiles{}
	st.Load.Total.Failed, st.Load.Requests[0].Failed = 900, 900
	for i, o := range st.Load.SLO {
		st.Load.RecentSLO[i] = load.Objective{Objective: o.Objective, Name: o.Name}
		if o.Objective.Measure == profiles.Errors {
			st.Load.SLO[i].Value, st.Load.SLO[i].Holds = st.Load.Total.FailShare(), false
			st.Load.RecentSLO[i].Value, st.Load.RecentSLO[i].Valid = 1, true
		}
	}
	for i := range st.Points {
		if p := &st.Points[i]; i > 30 {
			p.Failed, p.P50, p.P95, p.P99 = p.Rate, 0, 0, 0
		}
	}
	st.Load.Failures = []load.FailureCount{{Failure: load.Dial, Count: 900, First: 21 * time.Second, Last: 40 * time.Second,
		Example: "connection refused", Latency: quantiles(900, 2*ms), Service: quantiles(900, ms)}}
	st.Events = append(st.Events, advisor.Event{N: 2, At: began.Add(31 * time.Second), Kind: "slo", Text: "errors<1% is missed: 4%"})
	return st
}

func step(name string, rate float64, p95 time.Duration, verdict model.Verdict, why string) advisor.Observation {
	n := int(rate * 4)
	return advisor.Observation{
		Trial: advisor.Trial{Name: name, Length: 4 * time.Second}, Took: 4200 * ms, Over: 4 * time.Second, Requests: n,
		Rate: rate, InFlight: rate * p95.Seconds() / 2, P50: p95 / 3, P95: p95, Service: 50 * ms, Replicas: 1,
		Health: load.Health{Verdict: load.Sound}, Met: verdict != model.Fail, Verdict: verdict, Why: why,
	}
}

// disagreeingState has replicas that get nothing, a list of workers, and a name
// that cannot be looked up.
func disagreeingState() advisor.State {
	st := steadyState()
	st.Fleet.Sources = []probe.Statement{
		{Origin: probe.FromScaler, Known: new(3), Ready: new(3)},
		{Origin: probe.FromWorkers, Known: new(5), Ready: new(4), Apart: true},
		{Origin: probe.FromDNS, Error: "DNS: lookup web.example.com: no such host"},
		{Origin: probe.FromAnswers, Known: new(2), Ready: new(2)},
	}
	st.Notices = []probe.Notice{
		{Kind: probe.NoticePinned, Text: "1 of 3 replicas has had nothing for 12s (replica-3): connections are pinned, the oldest for 41s; R opens fresh connections, --conn-max-age 30s keeps doing so"},
		{Kind: probe.NoticeDisagree, Text: "the sources disagree: the scaler has 3 ready, the list of workers 4"},
	}
	return st
}

func testSteps() []advisor.Observation {
	failed := step("12.6/s", 12.4, math.MaxInt64, model.Fail, "29 of 49 requests over 100ms, worth 12 independent ones")
	failed.Failed, failed.InFlight, failed.P50 = 4, 3.1, 61*ms
	ladder := func(users int, o advisor.Observation) advisor.Observation {
		o.Trial.Users = users
		return o
	}
	return []advisor.Observation{
		ladder(1, step("baseline", 19.8, 52*ms, model.Unsure, "0 of 60 requests over 100ms")),
		ladder(2, step("2 users", 20.1, 101*ms, model.Fail, "31 of 80 requests over 100ms")),
		ladder(4, step("4 users", 20.0, 203*ms, model.Fail, "80 of 80 requests over 100ms")),
		step("14.07/s", 14.0, 140*ms, model.Fail, "11 of 56 requests over 100ms"),
		failed,
		step("7.03/s", 7.1, 71*ms, model.Pass, "0 of 120 requests over 100ms"),
		step("10.11/s", 10.1, 97*ms, model.Pass, "4 of 205 requests over 100ms"),
	}
}

func measuringState() advisor.State {
	st := steadyState()
	l, now := &st.Load, advisor.Trial{Name: "7.03/s", Rate: 7.03, Length: 12 * time.Second}
	l.Elapsed, l.Started = 3*time.Second, st.At.Add(-3*time.Second) // of the step under way
	l.Open, l.Planned, l.Users, l.Wanted, l.InFlight = true, now.Rate, 2, 2, 1
	l.Total = stats("all", l.Elapsed, now.Rate, 0, 10*ms)
	l.Recent, l.Requests = l.Total, []load.Stats{l.Total}
	l.Requests[0].Name = "GET /load/100000"
	l.SLO[0].Value = l.Total.Latency.P95.Seconds()
	l.RecentSLO[0].Value = l.SLO[0].Value
	st.Phase, st.Policy = advisor.Measuring, testPolicy(1, 4, profiles.MilliOf(150))
	st.Search = &advisor.SearchState{Steps: testSteps()[:5], Budget: 90 * time.Second, Left: 51 * time.Second, Now: now}
	r := st.Fleet.Replicas[0]
	r.Share, r.Rate, r.InFlight, r.Conns = 1, l.Recent.Rate(), 1, new(1)
	r.P50, r.P95, r.P99 = l.Recent.Service.P50, l.Recent.Service.P95, l.Recent.Service.P99
	st.Fleet.Replicas, st.Fleet.Wanted, st.Fleet.Pinned, st.Fleet.InFlight, st.Fleet.Queue = []probe.Replica{r}, 1, true, 1, 0
	st.Decision.Current, st.Decision.Desired, st.Decision.Raw, st.Decision.Total = 1, 1, 1, profiles.MilliOf(l.Recent.Rate())
	since := len(st.Points) - 20
	for i := range st.Points[since:] { // a step every four seconds
		p, o := &st.Points[since+i], st.Search.Steps[i/4]
		p.Phase, p.Wanted, p.Up, p.Answering = advisor.Measuring, 1, 1, 1
		p.Users, p.Rate, p.P50, p.P95, p.P99 = max(o.Trial.Users, 2), o.Rate, o.P50, o.P50*3, o.P50*5
	}
	st.Events = append(st.Events, advisor.Event{N: len(st.Events) + 1, At: st.At.Add(-20 * time.Second), Kind: "measure", Text: "measuring for 1m30s: what does one replica hold under p95<100ms,errors<1%?"})
	return st
}

// testAdvice is written out, so that a change of the advisor's words does not
// change these screens.
func testAdvice(capped bool) *advisor.Recommendation {
	p := testPolicy(7, 25, profiles.MilliOf(8.08))
	p.Interval, p.Metrics[0].Window = profiles.Duration(2*time.Second), profiles.Duration(2*time.Second)
	p.Down.Stabilization = profiles.Duration(time.Minute)
	r := &advisor.Recommendation{Policy: p, Applied: p, Values: []advisor.Value{
		{Name: "min", Value: 7, Unit: "replicas", Formula: "ceil(50 / 8.08) = 7", Why: "the quiet hours bring 50 requests/s and one replica is given 8.08"},
		{Name: "max", Value: 25, Unit: "replicas", Formula: "ceil(200 / 8.08) = 25", Why: "the busy hours bring 200 requests/s and one replica is given 8.08"},
		{Name: "target", Value: 8.08, Unit: "requests/s per replica", Formula: "10.11 x (1 - 20%) = 8.08",
			Why: "one replica holds p95<100ms,errors<1% up to 10.11/s; 20% of it is kept free for what arrives in the 3.4 s until a new replica answers (interval 2.0 s + half the window 1.0 s + start-up 0.4 s)"},
		{Name: "interval", Value: 2, Unit: "s", Formula: "start-up 0.4 s / 4, between 2 s and 30 s", Why: "how often the metric is looked at"},
		{Name: "window", Value: 2, Unit: "s", Formula: "96 / 200, at least the interval", Why: "long enough that chance moves the measured rate by at most 20 %"},
		{Name: "down after", Value: 60, Unit: "s", Formula: "max(60 s, 2 x (start-up + interval))", Why: "a lull shorter than this would only stop replicas that are needed again"},
	}}
	r.Chosen = "requests are alike and short, and arrivals at the balancer have no ceiling"
	if capped {
		r.Applied.Replicas.Max = 7
		r.Capped = "this machine has 2 cores and a replica at its target keeps 0.24 of them busy, the load included: it carries 7; here max is 7, exports keep 25"
	}
	r.Grade, r.GradeWhy = advisor.GradeC, "the bracket is 14 % wide; a longer --budget narrows it"
	return r
}

// advisedState has an advice that this machine cannot carry in full.
func advisedState() advisor.State {
	st := steadyState()
	c := &advisor.Capacity{
		SLO:        advisor.Interval{Value: 10.11, Low: 7.03, High: 11.5, Unit: "/s"},
		Saturation: advisor.Interval{Value: 20.1, Low: 19.8, High: 20.1, Unit: "/s"},
		Curves:     []model.Curve{{Model: "hinge", Lambda: 19.8, Max: 20.05, Peak: 1.01}}, Knee: 1,
		Scaling: &advisor.Scaling{Replicas: 4, Saturation: 74.2, Efficiency: advisor.Interval{Value: 0.92, Low: 0.9, High: 0.95},
			SLO: &advisor.Interval{Value: 45.9, Low: 41.2, High: 49.5, Unit: "/s"}},
		Service: 50 * ms, Replicas: 1, Steps: testSteps(), Budget: 90 * time.Second, Spent: 84 * time.Second,
		Assessment: advisor.Assessment{Grade: advisor.GradeC, GradeWhy: "the capacity is known within 14 %", Raise: []string{"a longer --budget"}},
	}
	st.Search = &advisor.SearchState{Steps: testSteps(), Budget: 90 * time.Second, Left: 6 * time.Second, Capacity: c}
	st.Advice = testAdvice(true)
	st.Advice.Notes = []string{"the steps were short: a longer --budget gives firmer numbers"}
	return st
}

// appliedState has an advice in force that no replay has been made under.
func appliedState() advisor.State {
	st := advisedState()
	st.Advice = testAdvice(false)
	st.Applied, st.Policy = true, st.Advice.Applied
	return st
}

// finishedState is a swarm that has come to its end.
func finishedState() advisor.State {
	st := ended(steadyState())
	st.Events = append(st.Events, advisor.Event{N: len(st.Events) + 1, At: st.At, Kind: "run", Text: "the swarm has ended"})
	return st
}

func refusedState() advisor.State {
	st := idleState()
	st = managed(run(st, 20*time.Second, 19.8, 240*ms), 1, 1)
	st = ended(st)
	alone := step("baseline", 8.4, 140*ms, model.Fail, "58 of 60 requests over 100ms")
	alone.Trial.Users, alone.P50, alone.Service = 1, 118*ms, 117*ms
	st.Search = &advisor.SearchState{Steps: []advisor.Observation{alone}, Budget: 90 * time.Second, Left: 85 * time.Second, Capacity: &advisor.Capacity{}}
	st.Refusal = &advisor.Refusal{Code: "R1", Why: "one request alone misses the SLO: p50 118ms and p95 140ms, the SLO wants p95<100ms",
		Do: "no number of replicas meets 100ms: make the service faster or relax the SLO"}
	return st
}

func outcome(st advisor.State, rate float64, p50 time.Duration, least, most int) *advisor.Outcome {
	o := &advisor.Outcome{Stats: stats("all", 30*time.Second, rate, 0, p50), Least: least, Most: most, Health: load.Health{Verdict: load.Sound},
		Attainment: new(min(1, 0.11/p50.Seconds()*0.4)), ReplicaSeconds: new(30 * float64(most))}
	for i := range most {
		o.Replicas = append(o.Replicas, load.Replica{Name: fmt.Sprintf("replica-%d", i+1)})
	}
	for _, objective := range st.SLO {
		value := o.Stats.Latency.P95.Seconds()
		if objective.Measure == profiles.Errors {
			value = 0
		}
		o.SLO = append(o.SLO, load.Objective{Objective: objective, Name: objective.String(), Value: value, Valid: true, Holds: objective.Holds(value)})
	}
	return o
}

func verifiedState() advisor.State {
	st := advisedState()
	st.Advice = testAdvice(false)
	st = ended(st)
	st.Applied, st.Policy = true, st.Advice.Applied
	st.Before, st.After = outcome(st, 61.2, 240*ms, 1, 2), outcome(st, 96.8, 11*ms, 7, 9)
	return st
}

// measuredState has a capacity and no traffic to advise for.
func measuredState() advisor.State {
	st := ended(advisedState())
	st.Advice, st.Traffic = nil, profiles.Traffic{}
	return st
}

// stoppedState is after a second measurement that was stopped, with its step
// as the latest load.
func stoppedState() advisor.State {
	st := verifiedState()
	st.Search = &advisor.SearchState{Steps: testSteps()[:2], Budget: 90 * time.Second, Left: 80 * time.Second}
	st.Load.Wanted, st.Load.Users, st.Load.SpawnRate, st.Load.Elapsed = 2, 0, 1000, 3*time.Second
	return st
}

// replayingState is the replay under the advice, 12 s into it.
func replayingState() advisor.State {
	st := verifiedState()
	st.Phase, st.After, st.Replay = advisor.Replaying, nil, 30*time.Second
	st.Load.Phase, st.Load.Elapsed = load.Running, 12*time.Second
	return st
}
