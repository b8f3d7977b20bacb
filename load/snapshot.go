package load

import (
	"time"

	"headroom/probe"
)

// Phase is where a run is.
type Phase string

// The phases of a run.
const (
	Running  Phase = "running"
	Paused   Phase = "paused"
	Draining Phase = "draining" // nothing new is sent, answers may still come
	Done     Phase = "done"
)

// Quantiles summarise a distribution of times. With a Count of 0 there is no
// data, and the rest says nothing.
type Quantiles struct {
	Count int64         `json:"count"`
	Min   time.Duration `json:"min"`
	Mean  time.Duration `json:"mean"`
	P50   time.Duration `json:"p50"`
	P90   time.Duration `json:"p90"`
	P95   time.Duration `json:"p95"`
	P99   time.Duration `json:"p99"`
	P999  time.Duration `json:"p999"`
	Max   time.Duration `json:"max"`
}

// Stats is what came back for one kind of request.
type Stats struct {
	Name       string        `json:"name"`
	Over       time.Duration `json:"over"`                 // the time these figures cover
	Count      int64         `json:"count"`                // answers and failures
	Failed     int64         `json:"failed"`               //
	Aborted    int64         `json:"aborted"`              // cut off by the end of the run: neither answered nor failed
	AbortedAge time.Duration `json:"abortedAge,omitempty"` // the oldest of them that was no stream, from the intended start
	Bytes      int64         `json:"bytes"`                // of bodies received; those of a stream count as they come
	Latency    Quantiles     `json:"latency"`              // from the intended start; successes only
	Service    Quantiles     `json:"service"`              // from the actual send; successes only
	Streams    *Streams      `json:"streams,omitempty"`    // nil: no answer is one

	FailedLatency Quantiles `json:"failedLatency,omitzero"` // of failures, from the intended start
	FailedService Quantiles `json:"failedService,omitzero"` // of failures, from the actual send

	Histogram Histogram `json:"histogram,omitempty"` // of Latency; of a finished run
}

// Rate is the number of answers and failures per second.
func (s Stats) Rate() float64 { return perSecond(s.Count, s.Over) }

// OpenStreams is how many streams go on: now, or when the end of the run cut
// them off.
func (s Stats) OpenStreams() int64 {
	if s.Streams == nil {
		return 0
	}
	return s.Streams.Open
}

// FailRate is the number of failures per second.
func (s Stats) FailRate() float64 { return perSecond(s.Failed, s.Over) }

// FailShare is the share of requests that failed, 0..1.
func (s Stats) FailShare() float64 {
	if s.Count == 0 {
		return 0
	}
	return float64(s.Failed) / float64(s.Count)
}

// Replica is what one replica answered. What the end of the run cut off behind
// its head is counted, and neither failed nor in the times.
type Replica struct {
	Name    string        `json:"name"`
	State   probe.State   `json:"state"` // as the answers tell it
	Count   int64         `json:"count"`
	Failed  int64         `json:"failed"`
	Share   float64       `json:"share"`           // of all answers that name a replica
	Rate    float64       `json:"rate"`            // per second, over the last seconds
	First   time.Duration `json:"first"`           // offset of its first answer of the run
	Last    time.Duration `json:"last"`            // offset of its latest answer
	Conns   *int          `json:"conns,omitempty"` // open connections that end at it; nil: not known, as connections do not stay with one replica
	Latency Quantiles     `json:"latency"`         // from the intended start; successes only
	Service Quantiles     `json:"service"`         // from the actual send; successes only
	Lately  Quantiles     `json:"lately,omitzero"` // of Service, as Snapshot.Lately
	Parts   *probe.Means  `json:"parts,omitempty"` // of the service time; nil: no answer says anything of it
	// InFlight estimates how many requests it had in flight, on average over the
	// last seconds; nil: it answered none.
	InFlight  *float64         `json:"inFlightEstimate,omitempty"`
	ColdStart *probe.ColdStart `json:"coldStart,omitempty"` // nil: too few answers to tell, or its first ones were no slower than chance explains
}

// StatusCount says how many answers had a status.
type StatusCount struct {
	Status int16 `json:"status"`
	Count  int64 `json:"count"`
}

// Point is about one second of a run. Rates are per second.
type Point struct {
	At       time.Duration `json:"at"` // end of the second, offset from the start
	Users    int           `json:"users"`
	InFlight int           `json:"inFlight"`
	Planned  float64       `json:"planned"` // users, or the mean of the arrivals per second of the open model
	Rate     float64       `json:"rate"`    // answers and failures
	Failed   float64       `json:"failed"`
	Latency  Quantiles     `json:"latency"` // from the intended start; successes only
	Service  Quantiles     `json:"service"` // from the actual send; successes only
	Total    Totals        `json:"total"`   // of the run, or since the last reset
}

// Totals is what has come back until the end of a second.
type Totals struct {
	Count   int64     `json:"count"`  // answers and failures
	Failed  int64     `json:"failed"` //
	Bytes   int64     `json:"bytes"`  // of bodies received
	Latency Quantiles `json:"latency"`

	// What Locust's history has besides.
	P66   time.Duration `json:"p66"`
	P75   time.Duration `json:"p75"`
	P80   time.Duration `json:"p80"`
	P98   time.Duration `json:"p98"`
	P9999 time.Duration `json:"p9999"`
}

// Snapshot is the state of a run at one moment. It is a value that nobody
// changes any more; Points may share memory with later snapshots.
type Snapshot struct {
	Phase     Phase          `json:"phase"`
	Started   time.Time      `json:"started"`
	Elapsed   time.Duration  `json:"elapsed"`
	Loaded    time.Duration  `json:"loaded"`         // of it, how long there was load; the rest is the wait for the last answers
	Ends      time.Duration  `json:"ends,omitempty"` // when the load will end at the latest, pauses so far included; 0: not known
	Open      bool           `json:"open"`
	Users     int            `json:"users"`   // alive
	Wanted    int            `json:"wanted"`  // users asked for
	Spawned   int            `json:"spawned"` // users that have started, those included that have left
	SpawnRate float64        `json:"spawnRate"`
	Shaped    bool           `json:"shaped,omitempty"` // the load follows a shape, not a number or a hand
	Planned   float64        `json:"planned"`          // at this moment: users, or arrivals per second of the open model
	InFlight  int            `json:"inFlight"`
	Flowing   int            `json:"flowing,omitempty"` // of them, streams whose latest event is no older than a second
	Oldest    time.Duration  `json:"oldest"`            // how long the longest of them has been due, or silent if it is a stream that has begun
	Total     Stats          `json:"total"`             // of the run, or since the last reset
	Recent    Stats          `json:"recent"`            // of the last seconds
	Lately    Quantiles      `json:"lately,omitzero"`   // service time of the successes of the last while, as long as Options.Lately; no data where nobody asks for it
	Requests  []Stats        `json:"requests"`
	SLO       []Objective    `json:"slo,omitempty"`       // judged on Total and on what waits for an answer
	RecentSLO []Objective    `json:"recentSlo,omitempty"` // judged on Recent and on what waits, while there is load
	Replicas  []Replica      `json:"replicas"`
	Imbalance *float64       `json:"imbalance,omitempty"` // how much more than its even share the busiest of several replicas gets, of those that are there and since they are; nil: there are not several
	Sticky    bool           `json:"sticky,omitempty"`    // every connection of the run has stayed with one replica
	Unseen    probe.Unseen   `json:"unseen"`              // how many replicas there are, seen or not, but for those that are gone; zero: not known
	Unnamed   int64          `json:"unnamed"`             // answers that name no replica
	Identity  string         `json:"identity,omitempty"`  // where the answers name their replica
	Found     bool           `json:"found,omitempty"`     // the identity was found, not given
	Sure      probe.Sureness `json:"sure,omitempty"`      // how sure it is that it is one
	Why       string         `json:"why,omitempty"`       // what speaks for it or, without one, why there is none
	Failures  []FailureCount `json:"failures"`
	Statuses  []StatusCount  `json:"statuses"` // of all answers, in the order of the status
	Retried   int64          `json:"retried"`
	Conns     Connections    `json:"connections"`
	Points    []Point        `json:"points"`
	Spent     string         `json:"spent,omitempty"`     // feed that is read once, whose last row ended the load
	Stages    []string       `json:"stages,omitempty"`    // of a finished run that was steered: its load, as --stage takes it
	DeadSince time.Duration  `json:"deadSince,omitempty"` // of a finished run: offset of the last success, where requests long before the end got none; 0: they did
	Health    Health         `json:"health"`
}

// Stalled says that answers are longer in coming than all of the last seconds
// took: how many requests wait for one, arrivals that found no user included,
// and since when the oldest has been due. A stream that has begun waits for its
// next event. ok is false where they come as they did, or within a second.
func (s Snapshot) Stalled() (waiting int64, oldest time.Duration, ok bool) {
	slowest := max(s.Recent.Latency.Max, s.Recent.FailedLatency.Max, flowing)
	if r := s.Recent.Streams; r != nil {
		slowest = max(slowest, r.TTFT.Max, r.Gap.Max)
	}
	return int64(s.InFlight-s.Flowing) + s.Health.Unsent, s.Oldest, s.Oldest > slowest
}

// flowing is how long nothing may come without anything being said of it.
const flowing = time.Second

// Fleet is the snapshot's view of the replicas, for the probe.
func (s Snapshot) Fleet() []probe.Replica {
	out := make([]probe.Replica, len(s.Replicas))
	for i, r := range s.Replicas {
		var lately *probe.Times
		if q := r.Lately; q.Count > 0 {
			lately = &probe.Times{Count: q.Count, P50: q.P50, P95: q.P95, P99: q.P99}
		}
		out[i] = probe.Replica{
			ID: r.Name, State: r.State, Answered: true,
			FirstSeen: s.Started.Add(r.First), LastSeen: s.Started.Add(r.Last),
			Requests: r.Count, Failed: r.Failed, Share: r.Share, Rate: r.Rate,
			P50: r.Service.P50, P95: r.Service.P95, P99: r.Service.P99, Lately: lately,
			Parts: r.Parts, Conns: r.Conns, InFlightEstimate: r.InFlight, ColdStart: r.ColdStart,
		}
	}
	return out
}

func perSecond(n int64, over time.Duration) float64 {
	if over <= 0 {
		return 0
	}
	return float64(n) / over.Seconds()
}
