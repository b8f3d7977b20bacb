package probe

import (
	"slices"
	"time"
)

// State is where a replica is in its life.
type State string

// The states of a replica. A scaler knows Starting, Ready, Suspect, Draining,
// Failing and Gone; from answers alone a replica is New, Serving, Quiet or Gone
// (see Presence).
const (
	Starting State = "starting" // started, not yet ready
	Ready    State = "ready"    // may get requests
	Suspect  State = "suspect"  // did not answer: gets no requests until it does
	New      State = "new"      // answered for the first time, lately
	Serving  State = "serving"  // answered lately
	Quiet    State = "quiet"    // has not answered for a while
	Draining State = "draining" // finishes what it has, gets nothing new
	Failing  State = "failing"  // ended by itself, will be started again after a pause
	Gone     State = "gone"
)

// CrashLoop is the number of failures in a row from which on the place of a
// replica counts as being in a crash loop.
const CrashLoop = 3

// Replica is what is known of one instance of the target. Fields that their
// source does not know are zero; Managed, Listed and Answered say which sources
// there are. It is a value.
type Replica struct {
	ID    string `json:"id"`
	State State  `json:"state"`

	// From the scaler.
	Managed   bool          `json:"managed,omitempty"`
	PID       int           `json:"pid,omitempty"`
	Address   string        `json:"address,omitempty"`
	Created   time.Time     `json:"created,omitzero"`
	Deleted   time.Time     `json:"deleted,omitzero"`
	StartedIn time.Duration `json:"startedIn,omitempty"` // from start to ready, nanoseconds
	InFlight  int           `json:"inFlight"`
	Stuck     int           `json:"stuck,omitempty"` // of InFlight: answered 504, but the replica may still work on them
	Oldest    time.Time     `json:"oldest,omitzero"` // when the oldest request in flight was handed to it
	Served    int64         `json:"served"`
	CPU       time.Duration `json:"cpu"`             // CPU time used so far by its whole process tree, nanoseconds
	Memory    int64         `json:"memory"`          // resident bytes of its process tree
	UsedAt    time.Time     `json:"usedAt,omitzero"` // when these two were looked at
	Restarts  int           `json:"restarts,omitempty"`
	Failures  int           `json:"failures,omitempty"`  // in a row, of this place
	Retry     time.Time     `json:"retry,omitzero"`      // while it is failing: when another one takes its place
	LastError string        `json:"lastError,omitempty"` // why it ended, when it did by itself, or is suspect

	Listed bool      `json:"listed,omitempty"` // a list of workers has it
	Since  time.Time `json:"since,omitzero"`   // since when the scaler or the list says of it what it says (see Since)

	// From the answers.
	Answered  bool          `json:"answered,omitempty"`
	FirstSeen time.Time     `json:"firstSeen,omitzero"`
	LastSeen  time.Time     `json:"lastSeen,omitzero"`
	Requests  int64         `json:"requests,omitempty"`
	Failed    int64         `json:"failed,omitempty"`
	Share     float64       `json:"share,omitempty"` // of all answers, 0..1
	Rate      float64       `json:"rate,omitempty"`  // answers per second, lately
	P50       time.Duration `json:"p50,omitempty"`   // service time, nanoseconds
	P95       time.Duration `json:"p95,omitempty"`
	P99       time.Duration `json:"p99,omitempty"`
	Lately    *Times        `json:"lately,omitempty"` // of the last while; nil: nothing of it is kept, or there was nothing
	Parts     *Means        `json:"parts,omitempty"`  // of the service time; nil: no answer says anything of it
	Conns     *int          `json:"conns,omitempty"`  // open connections that end at it; nil: not known
	// InFlightEstimate is how many requests it had in flight on average over the
	// last seconds, as the answers suggest; nil: there were none.
	InFlightEstimate *float64   `json:"inFlightEstimate,omitempty"`
	ColdStart        *ColdStart `json:"coldStart,omitempty"` // nil: too few answers to tell, or its first ones were no slower than chance explains

	AfterStep *time.Duration `json:"afterStep,omitempty"` // from the load step before its first answer to that, nanoseconds; nil: not known
}

// Times are percentiles of so many service times, nanoseconds.
type Times struct {
	Count int64         `json:"count"`
	P50   time.Duration `json:"p50"`
	P95   time.Duration `json:"p95"`
	P99   time.Duration `json:"p99"`
}

// ReadyAt is when it became ready; ok is false where no source says so.
func (r Replica) ReadyAt() (at time.Time, ok bool) {
	if r.Created.IsZero() || r.StartedIn == 0 {
		return time.Time{}, false
	}
	return r.Created.Add(r.StartedIn), true
}

// InCrashLoop reports whether the replica, or those before it in its place,
// failed CrashLoop times in a row or more.
func (r Replica) InCrashLoop() bool { return r.Failures >= CrashLoop }

// Since notes of what a source says of its replicas since when each has been in
// its state, given what it said before, nil where it is the first time. Of what
// had come about by then the source itself knows when, or nobody does, and
// Since is zero; a replica that is ready counts from the first look.
func Since(now time.Time, before, said []Replica) []Replica {
	was := make(map[string]Replica, len(before))
	for _, r := range before {
		was[r.ID] = r
	}
	out := slices.Clone(said)
	for i := range out {
		r := &out[i]
		last, known := was[r.ID]
		switch {
		case known && last.State == r.State:
			r.Since = last.Since
		case !known && r.State == Gone:
			r.Since = r.Deleted
		case before == nil && r.State == Starting:
			r.Since = r.Created
		default:
			r.Since = now
		}
	}
	return out
}

// Fleet is all replicas of a target at one moment. It is a value: a new one
// is made for each report.
type Fleet struct {
	Managed  bool        `json:"managed"`          // a scaler reported it
	Listed   bool        `json:"listed,omitempty"` // a list of workers, which names replicas as the answers do, is part of it
	Wanted   int         `json:"wanted"`           // by the scaler
	Pinned   bool        `json:"pinned,omitempty"`
	InFlight int         `json:"inFlight"`          // accepted by the scaler and not answered, queued ones included
	Queue    int         `json:"queue"`             // waiting for a replica
	Replicas []Replica   `json:"replicas"`          // living ones, oldest first, then those that went lately
	Sources  []Statement `json:"sources,omitempty"` // where this comes from, and what each of them says
}

// Count is the number of replicas in any of the given states.
func (f Fleet) Count(states ...State) int {
	n := 0
	for _, r := range f.Replicas {
		for _, s := range states {
			if r.State == s {
				n++
			}
		}
	}
	return n
}

// Unanswered are the replicas that a scaler or a list of workers has, by the
// names that the answers have, and that gave none.
func (f Fleet) Unanswered() []Replica {
	var out []Replica
	for _, r := range f.Replicas {
		if (r.Managed || r.Listed) && !r.Answered && r.State != Gone && !f.foreign() {
			out = append(out, r)
		}
	}
	return out
}

// Up is the number of replicas that may get requests.
func (f Fleet) Up() int { return f.Count(upStates...) }

// up reports whether a replica may get requests.
func (r Replica) up() bool { return slices.Contains(upStates, r.State) }

var upStates = []State{Ready, New, Serving, Quiet}

// Answering is the number of replicas that answer, of those that may get
// requests.
func (f Fleet) Answering() int { return f.Count(New, Serving) }
