package load

import (
	"time"

	"headroom/probe"
)

// Sample is one request and what came of it. Times are offsets from the start
// of the run.
type Sample struct {
	Intended  time.Duration // when the workload wanted it sent
	Sent      time.Duration // when it was sent, or when sending was tried
	FirstByte time.Duration // 0 if none came
	Done      time.Duration // last byte, or the moment of the failure
	Bytes     int64         // of the body received
	Dial      time.Duration // what the name and TCP took; 0 on a connection that was there
	TLS       time.Duration // what its handshake took
	Remote    int32         // number of the address that was sent to, from 1; 0: unknown
	Task      int32         // row of the request among the names of the run
	Replica   int32         // number given by the probe, without an answer the one of that before it over the same connection; probe.Unknown if none
	Status    int16         // 0 without an answer
	Failure   Failure
	Stream    *Stream       // nil: the answer was no stream, or none came
	Retried   bool          // went over a fresh connection, because the idle one had been closed or was not clean
	Split     probe.Split   // of the service time, as the answer says it
	Switched  bool          // another replica than that of the answer before it over the same connection
	Queued    time.Duration // of what it was sent late, for how long no user was free
}

// Latency is what somebody waits who wanted the answer at the intended time.
func (s *Sample) Latency() time.Duration { return s.Done - s.Intended }

// Service is what the target, and the way to it, took.
func (s *Sample) Service() time.Duration { return s.Done - s.Sent }

// Worked is what of the service time was neither the making of a connection nor
// the wait for a replica, as far as the answer says.
func (s *Sample) Worked() time.Duration {
	return max(0, s.Service()-s.Dial-s.TLS-max(0, s.Split.Queue))
}

// Lag is how late it was sent for reasons of the generator's own.
func (s *Sample) Lag() time.Duration { return s.Sent - s.Intended - s.Queued }

// Late reports whether it was sent late for want of a free user rather than for
// reasons of the generator's own.
func (s *Sample) Late() bool { return mostly(s.Queued, s.Sent-s.Intended) }

// mostly reports whether a part is more than half of the whole.
func mostly(part, whole time.Duration) bool { return part > whole-part }

// OK reports whether the request succeeded.
func (s *Sample) OK() bool { return s.Failure == None }
