package scaler

import (
	"fmt"
	"slices"
	"time"
)

// apply has a step happen to both.
func (p *pair) apply(a action) {
	b, m := p.balancer, p.reference
	// The replica that the action concerns, and its oldest request, if there
	// are any.
	var r *referenceReplica
	var be *backend
	var working *client
	request := -1
	if len(m.replicas) > 0 {
		i := a.n % len(m.replicas)
		r, be = m.replicas[i], p.backends[i]
		if len(r.working) > 0 {
			request = r.working[0]
			working = p.clients[request]
		}
	}
	switch {
	case a.kind == "arrive":
		p.arrive()
	case a.kind == "cancel" && len(m.queue) > 0:
		n := m.queue[a.n%len(m.queue)]
		m.queue = slices.DeleteFunc(m.queue, func(q int) bool { return q == n })
		m.outcome[n] = "left"
		p.clients[n].cancel()
	case a.kind == "pass":
		d := time.Duration(a.n)*time.Second + time.Millisecond // never at the moment of something else
		m.now += d
		m.expire()
		pass(d)
	case a.kind == "add":
		p.add(a.n)
	case r == nil:
	case a.kind == "ask":
		select {
		case <-be.suspect:
			if !r.accused {
				p.Errorf("%s: it is to be asked, and has broken nothing", r.id)
			}
		default:
		}
		r.accused = false
	case a.kind == "resume":
		r.suspended = r.accused
		b.resume(be)
	case a.kind == "drain" && !r.closed:
		r.closed = true
		b.drain(be)
	case a.kind == "remove" && len(r.working) == 0:
		i := slices.Index(m.replicas, r)
		m.replicas = slices.Delete(m.replicas, i, i+1)
		p.backends = slices.Delete(p.backends, i, i+1)
		if served := b.remove(be); served != r.served {
			p.Errorf("remove: got %d served, want %d", served, r.served)
		}
	case working == nil:
	case a.kind == "stick" && !slices.Contains(r.late, request):
		r.late = append(r.late, request)
		b.stick(&working.lease)
	case a.kind == "unsent" && !slices.Contains(r.late, request):
		r.working = r.working[1:]
		r.suspended, r.accused = true, true
		p.sendBack(request)
	case a.kind == "release", a.kind == "give up", a.kind == "break":
		r.working = r.working[1:]
		late := slices.Contains(r.late, request)
		r.late = slices.DeleteFunc(r.late, func(q int) bool { return q == request })
		how := map[string]outcome{"release": completed, "give up": abandoned, "break": broken}[a.kind]
		if how == broken {
			r.suspended, r.accused = true, true
		}
		if how == completed && !late {
			r.served++
		}
		b.release(&working.lease, how)
	}
}

// arrive sends a request; one that finds no room is refused.
func (p *pair) arrive() {
	m := p.reference
	n := len(p.clients)
	p.clients = append(p.clients, arrive(p.T, p.balancer))
	m.arrived = append(m.arrived, m.now)
	m.queue = append(m.queue, n)
	m.settle(p.outcome)
	if len(m.queue) > m.MaxQueue && m.queue[len(m.queue)-1] == n {
		m.queue = m.queue[:len(m.queue)-1]
		m.outcome[n] = "full"
	}
}

// sendBack has a request wait again, in the order of arrival.
func (p *pair) sendBack(request int) {
	m := p.reference
	m.queue = append(m.queue, request)
	slices.Sort(m.queue)
	delete(m.outcome, request)
	m.expire()
	p.clients[request].retry(p.T, p.balancer)
}

// add puts a replica into service. Numbers come in any order; the list of the
// reference is in theirs.
func (p *pair) add(n int) {
	m := p.reference
	number := 1000*n + len(p.clients) + len(m.replicas)
	for slices.ContainsFunc(m.replicas, func(r *referenceReplica) bool { return r.number == number }) {
		number++
	}
	id := fmt.Sprint("r", number)
	at := 0
	for at < len(m.replicas) && m.replicas[at].number < number {
		at++
	}
	m.replicas = slices.Insert(m.replicas, at, &referenceReplica{number: number, id: id})
	p.backends = slices.Insert(p.backends, at, p.balancer.add(number, id, ""))
}
