package advisor

import (
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// Phase is what a session does at the moment.
type Phase string

// The phases of a session.
const (
	Idle      Phase = "idle"
	Swarming  Phase = "swarming"
	Measuring Phase = "measuring"
	Applying  Phase = "applying"
	Replaying Phase = "replaying" // the load of a before / after comparison
)

// State is a complete picture of a session at one moment. It is a value that
// nobody changes any more; a consumer that missed some States has lost
// nothing.
type State struct {
	Seq     uint64           `json:"seq"`
	At      time.Time        `json:"at"`
	Began   time.Time        `json:"began"` // of the session: Points and the Timeline count from it
	Phase   Phase            `json:"phase"`
	Problem string           `json:"problem,omitempty"` // why the last job failed
	Plan    profiles.Plan    `json:"plan"`              // what start would do, with the users of the moment; in JSON without what may be secret
	SLO     profiles.SLO     `json:"slo"`
	Traffic profiles.Traffic `json:"traffic"`
	Replay  time.Duration    `json:"replay"`          // length of a replay
	Ended   bool             `json:"ended,omitempty"` // the session is over, and this is its last State
	Lost    string           `json:"-"`               // why no newer State comes, where they come from elsewhere; set by who receives them

	Loaded bool          `json:"loaded"` // Load means something
	Load   load.Snapshot `json:"load"`   // of the present or the latest run
	Fleet  probe.Fleet   `json:"fleet"`

	Notices []probe.Notice `json:"notices,omitempty"` // what keeps the load from replicas
	Noticed []Noticed      `json:"noticed,omitempty"` // during the swarm, and for how long

	Swarm *load.Snapshot `json:"swarm,omitempty"` // of the present or the latest swarm, whatever ran since

	Managed     bool              `json:"managed"` // there is a scaler
	ScalerError string            `json:"scalerError,omitempty"`
	Decision    profiles.Decision `json:"decision"`
	Policy      profiles.Policy   `json:"policy,omitzero"` // in force at the scaler, as it last said

	Search  *SearchState    `json:"search,omitempty"` // of the present or the latest measurement
	Refusal *Refusal        `json:"refusal,omitempty"`
	Advice  *Recommendation `json:"advice,omitempty"`
	Applied bool            `json:"applied"` // the advice is in force
	Before  *Outcome        `json:"before,omitempty"`
	After   *Outcome        `json:"after,omitempty"`

	Timeline Timeline `json:"timeline"` // how the fleet followed the load, up to the latest second

	Points []Point `json:"points"` // about one a second since the session began; older ones lie further apart
	Events []Event `json:"events"` // the latest ones, numbered without gaps
}

// Busy reports whether a job runs that must end before another can start.
func (s State) Busy() bool {
	return s.Phase == Measuring || s.Phase == Applying || s.Phase == Replaying
}

// Spent is how much of a measurement's budget is used, the step under way
// included; 0 where there is none.
func (s State) Spent() time.Duration {
	if s.Search == nil {
		return 0
	}
	spent := s.Search.Budget - s.Search.Left
	if s.Phase == Measuring && s.Load.Phase != load.Done {
		spent += s.Load.Elapsed
	}
	return min(spent, s.Search.Budget)
}

// SearchState is a measurement as it goes.
type SearchState struct {
	Steps    []Observation `json:"steps"`
	Now      Trial         `json:"now"` // the step under way
	Budget   time.Duration `json:"budget"`
	Left     time.Duration `json:"left"`
	Capacity *Capacity     `json:"capacity,omitempty"` // once it has ended
}

// Point is one second of the session, for the charts. A latency of 0 means
// that nothing was answered.
type Point struct {
	At        time.Duration `json:"at"` // since the session began
	Phase     Phase         `json:"phase"`
	Users     int           `json:"users"`
	InFlight  int           `json:"inFlight"` // requests
	Planned   float64       `json:"planned"`  // users, or arrivals per second of the open model
	Rate      float64       `json:"rate"`     // answers and failures per second
	Failed    float64       `json:"failed"`   // per second
	P50       time.Duration `json:"p50"`
	P95       time.Duration `json:"p95"`
	P99       time.Duration `json:"p99"`
	Wanted    int           `json:"wanted"` // replicas; 0 without a scaler
	Up        int           `json:"up"`
	Answering int           `json:"answering"`
	SLO       *bool         `json:"slo,omitempty"` // the last seconds met it; nil: that cannot be told
}

// Event is one line of the log.
type Event struct {
	N    int       `json:"n"` // counts from 1
	At   time.Time `json:"at"`
	Kind string    `json:"kind"` // run, load, slo, hand, scale, replica, measure, advice, apply, verify, notice, error
	Text string    `json:"text"`
}

const maxEvents = 500

// mailbox holds the newest State for one consumer. Only the session puts.
type mailbox chan State

func (m mailbox) put(s State) {
	select {
	case <-m:
	default:
	}
	m <- s // there is room: nobody else puts
}
