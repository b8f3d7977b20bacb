package scaler

import (
	"time"

	"headroom/probe"
)

// Worker is a replica as EverAI lists it, and what else is known of it. What
// is not known is left out of the JSON.
type Worker struct {
	ID      string    `json:"id"`
	Status  string    `json:"status"`       // PENDING, RUNNING, UNAVAILABLE, TERMINATING, TERMINATED or ERROR
	Detail  string    `json:"detailStatus"` // IN_FLIGHT while it starts, FREE or BUSY while it runs, REMOVE while it ends, CRASHED or CRASH_LOOP while it waits to be started again
	Created time.Time `json:"createdAt"`
	Deleted time.Time `json:"deletedAt,omitzero"`

	PID       int       `json:"pid,omitempty"` // of its command
	Address   string    `json:"address,omitempty"`
	StartedIn float64   `json:"startedInSeconds,omitempty"` // from start to ready
	InFlight  int       `json:"inFlight"`
	Stuck     int       `json:"stuck,omitempty"`       // of InFlight: answered 504, but it may still work on them
	Since     time.Time `json:"requestSince,omitzero"` // when it was given the oldest request in flight
	Served    int64     `json:"served"`                // requests answered
	Restarts  int       `json:"restarts,omitempty"`    // how many had its place before and ended by themselves
	CPU       float64   `json:"cpuSeconds,omitempty"`  // used by its processes so far
	Memory    int64     `json:"memoryBytes,omitempty"` // resident
	Retry     time.Time `json:"retryAt,omitzero"`      // while it is in ERROR: when another one takes its place
	LastError string    `json:"lastError,omitempty"`   // why it ended, when it did by itself
}

// Waiting is a request in the queue.
type Waiting struct {
	Index   int       `json:"queueIndex"` // 0 is next
	Created time.Time `json:"createAt"`
	Reason  string    `json:"queueReason"` // WorkerBusy, or NoWorker when there is none that could take it
}

// workers lists a fleet, in its order.
func workers(f probe.Fleet) []Worker {
	out := make([]Worker, 0, len(f.Replicas))
	for _, r := range f.Replicas {
		w := Worker{
			ID: r.ID, Created: r.Created, Deleted: r.Deleted,
			PID: r.PID, Address: r.Address, StartedIn: r.StartedIn.Seconds(),
			InFlight: r.InFlight, Stuck: r.Stuck, Since: r.Oldest, Served: r.Served,
			Restarts: r.Restarts, CPU: r.CPU.Seconds(), Memory: r.Memory, Retry: r.Retry, LastError: r.LastError,
		}
		w.Status, w.Detail = everaiStatus(r)
		out = append(out, w)
	}
	return out
}

// everaiStatus says in EverAI's words what a replica does. They have none for
// what crashes.
func everaiStatus(r probe.Replica) (status, detail string) {
	switch r.State {
	case probe.Starting:
		return "PENDING", "IN_FLIGHT"
	case probe.Ready:
		return "RUNNING", occupation(r)
	case probe.Suspect:
		return "UNAVAILABLE", occupation(r)
	case probe.Draining:
		return "TERMINATING", "REMOVE"
	case probe.Failing:
		if r.InCrashLoop() {
			return "ERROR", "CRASH_LOOP"
		}
		return "ERROR", "CRASHED"
	}
	return "TERMINATED", ""
}

func occupation(r probe.Replica) string {
	if r.InFlight > 0 {
		return "BUSY"
	}
	return "FREE"
}

func queue(t traffic) []Waiting {
	out := make([]Waiting, 0, len(t.waiting))
	for i, since := range t.waiting {
		out = append(out, Waiting{Index: i, Created: since, Reason: t.reason})
	}
	return out
}
