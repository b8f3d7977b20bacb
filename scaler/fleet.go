package scaler

import (
	"slices"
	"time"

	"headroom/probe"
)

const (
	keepGone = 20               // at most so many replicas that are gone stay listed,
	goneFor  = 10 * time.Minute // for so long
)

// forget drops what was gone for too long.
func (p *pool) forget(now time.Time) {
	n := min(len(p.gone), keepGone)
	for n > 0 && now.Sub(p.gone[n-1].info.Deleted) > goneFor {
		n--
	}
	clear(p.gone[n:]) // what they printed can go
	p.gone = p.gone[:n]
}

// fleet is the present state of all replicas.
func (p *pool) fleet(now time.Time) probe.Fleet {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.balancer.traffic()
	p.forget(now)
	f := probe.Fleet{
		Managed:  true,
		Wanted:   p.wanted,
		InFlight: t.inFlight,
		Queue:    len(t.waiting),
		Replicas: make([]probe.Replica, 0, len(p.living)+len(p.gone)),
	}
	for _, r := range p.living {
		info := r.info
		if info.State == probe.Ready && r.stable(now) {
			info.Failures = 0
		}
		if w, ok := t.backends[info.ID]; ok {
			info.InFlight, info.Stuck, info.Oldest, info.Served = w.inFlight, w.stuck, w.oldest, w.served
		}
		f.Replicas = append(f.Replicas, info)
	}
	for _, r := range p.gone {
		f.Replicas = append(f.Replicas, r.info)
	}
	return f
}

// roots are the processes of the living replicas, by ID.
func (p *pool) roots() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[string]int, len(p.living))
	for _, r := range p.living {
		if r.root != 0 {
			out[r.info.ID] = r.root
		}
	}
	return out
}

// setUsage notes what the replicas used by now, by ID.
func (p *pool) setUsage(now time.Time, used map[string]usage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.living {
		if u, ok := used[r.info.ID]; ok {
			r.info.CPU, r.info.Memory, r.info.UsedAt = u.cpu, u.memory, now
		}
	}
}

// startups are the latest start-up times of replicas, at most
// profiles.KeptStartUps, oldest first.
func (p *pool) startups() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.took)
}

// restarted counts the replicas that took the place of one that ended by
// itself.
func (p *pool) restarted() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.revived
}

// logs are the lines that a replica printed last, oldest first, as long as it
// is listed.
func (p *pool) logs(id string) ([]Line, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range slices.Concat(p.living, p.gone) {
		if r.info.ID != id {
			continue
		}
		if r.output == nil {
			return nil, true // it was never started
		}
		return r.output.all(), true
	}
	return nil, false
}
