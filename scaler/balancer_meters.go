package scaler

import (
	"time"

	"headroom/profiles"
)

// read measures the metrics of a policy.
func (b *balancer) read(now time.Time, metrics []profiles.Metric) []profiles.Reading {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.meters.Read(now, metrics)
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
	s := situation{
		inFlight: b.meters.InFlight(), waiting: b.queue.Len(), ready: b.serving, resized: b.meters.Resized(), active: b.meters.Active(now),
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
		inFlight: b.meters.InFlight(),
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
