package probe

import "time"

// Parts adds up where the service times of answers went, as far as they say.
// It is not safe for concurrent use.
type Parts struct {
	queue, compute, network mean
}

// Means is where the service time of answers went, on average. nil stands for
// what they do not say.
type Means struct {
	Network *time.Duration `json:"network,omitempty"` // what is left of the service time, where Compute is said: the way, and what stands on it
	Queue   *time.Duration `json:"queue,omitempty"`
	Compute *time.Duration `json:"compute,omitempty"`
}

// Add takes an answer into account that took so long in all.
func (p *Parts) Add(s Split, service time.Duration) {
	if s.Queue != Unsaid {
		p.queue.add(s.Queue)
	}
	if s.Compute != Unsaid {
		p.compute.add(s.Compute)
		p.network.add(max(0, service-s.Compute-max(0, s.Queue)))
	}
}

// Means is what they come to; nil where no answer said anything.
func (p *Parts) Means() *Means {
	if p.queue.n == 0 && p.compute.n == 0 {
		return nil
	}
	return &Means{Network: p.network.value(), Queue: p.queue.value(), Compute: p.compute.value()}
}

// mean adds up times.
type mean struct {
	n   int64
	sum time.Duration
}

func (m *mean) add(d time.Duration) {
	m.n++
	m.sum += d
}

func (m *mean) value() *time.Duration {
	if m.n == 0 {
		return nil
	}
	return new(m.sum / time.Duration(m.n))
}
