package scaler

import (
	"time"

	"headroom/profiles"
)

// meters measure what passes through a balancer, under its lock.
type meters struct {
	flow    *profiles.Window // level: requests in flight, queued and stuck ones included; events: arrivals, refused ones included
	line    *profiles.Window // level: requests in the queue
	spare   *profiles.Window // level: replicas in service without a request
	answers *profiles.Window // events
	took    *profiles.Window // events: microseconds that the answers took
}

func newMeters(now time.Time) meters {
	return meters{
		flow: profiles.NewWindow(now), line: profiles.NewWindow(now), spare: profiles.NewWindow(now),
		answers: profiles.NewWindow(now), took: profiles.NewWindow(now),
	}
}

// answer notes an answer and how long it took since the request arrived.
func (m *meters) answer(now time.Time, took time.Duration) {
	m.answers.Count(now)
	m.took.Add(now, took.Microseconds())
}

// latency is the mean time in milliseconds from the arrival of a request to
// the end of its answer, of those answered in the last width. It is not valid
// where there were none.
func (m *meters) latency(now time.Time, width time.Duration) profiles.Reading {
	answers := m.answers.Sum(now, width)
	if answers == 0 {
		return profiles.Reading{}
	}
	// Microseconds are thousandths of what is wanted, as a Milli is.
	return profiles.Reading{Total: profiles.Milli(m.took.Sum(now, width) / answers), Valid: true}
}

// read measures the metrics of a policy. CPU, memory and custom metrics are
// not known here; their readings are not valid.
//
// A request whose client was answered 504 counts as in flight while its
// replica may still work on it: it takes a slot, which is what the replicas
// are sized for.
//
// Where a target is for the fleet as a whole, adding a replica changes the
// level, so a level from before the latest change would ask for the same
// replica again. Such readings reach back to that change at most, and are not
// valid in the first moment after it.
func (b *balancer) read(now time.Time, metrics []profiles.Metric) []profiles.Reading {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]profiles.Reading, len(metrics))
	for i, m := range metrics {
		out[i] = b.measure(now, m, m.Window.Std())
		if m.Panic != nil {
			out[i].Burst = b.measure(now, m, m.Panic.Window.Std()).Total
		}
	}
	return out
}

func (b *balancer) measure(now time.Time, m profiles.Metric, width time.Duration) profiles.Reading {
	if !m.PerReplica() {
		width = min(width, now.Sub(b.resized)-profiles.WindowResolution) // the cell of the change is of both sizes
	}
	switch m.Kind {
	case profiles.RPS:
		return b.flow.Rate(now, width)
	case profiles.InFlight:
		return b.flow.Average(now, width)
	case profiles.Queue:
		return b.line.Average(now, width)
	case profiles.FreeWorkers:
		return b.spare.Average(now, width)
	case profiles.Latency:
		return b.latency(now, width)
	}
	return profiles.Reading{}
}

// situation is what a decision has to know of one moment.
type situation struct {
	inFlight int             // queued and stuck ones included
	waiting  int             // requests in the queue
	oldest   time.Duration   // that the first of them has waited; 0 without any
	active   time.Time       // when a request arrived last, or now while one is in flight; zero: none yet
	ready    int             // replicas in service
	resized  time.Time       // when a replica came or was to go last
	idle     []time.Duration // how long each of those without a request has been so, the oldest replica first
}

func (b *balancer) sense(now time.Time) situation {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := situation{inFlight: b.flow.Level(), waiting: b.queue.Len(), ready: b.serving, resized: b.resized, active: b.came}
	if s.inFlight > 0 {
		s.active = now
	}
	if first := b.queue.Front(); first != nil {
		s.oldest = now.Sub(first.Value.(*waiter).arrived)
	}
	for _, be := range b.backends {
		if be.free {
			s.idle = append(s.idle, now.Sub(be.since))
		}
	}
	return s
}

// traffic is the state of the balancer at one moment.
type traffic struct {
	inFlight int // queued and stuck ones included
	waiting  []time.Time
	reason   string // why they wait
	backends map[string]work
}

// work is what one replica has done and does.
type work struct {
	inFlight int
	stuck    int       // of inFlight: answered 504, but the replica may still work on them
	oldest   time.Time // when the first of inFlight was handed over; zero without any
	idle     time.Time // since when it could serve a request, and had none; zero: it has, or cannot
	served   int64
}

// The reasons why requests wait, as EverAI names them.
const (
	reasonBusy = "WorkerBusy"
	reasonNone = "NoWorker"
)

func (b *balancer) traffic() traffic {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := traffic{
		inFlight: b.flow.Level(),
		waiting:  make([]time.Time, 0, b.queue.Len()),
		reason:   reasonNone,
		backends: make(map[string]work, len(b.backends)),
	}
	for e := b.queue.Front(); e != nil; e = e.Next() {
		t.waiting = append(t.waiting, e.Value.(*waiter).arrived)
	}
	if b.serving > 0 {
		t.reason = reasonBusy
	}
	for _, be := range b.backends {
		w := work{inFlight: be.inFlight, stuck: be.stuck, oldest: be.oldest(), served: be.served}
		if be.free {
			w.idle = be.since
		}
		t.backends[be.id] = w
	}
	return t
}
