package sim

import "time"

// request is one that waits for a replica.
type request struct {
	arrived, service time.Duration
}

// queue is requests that wait, oldest first.
type queue struct {
	ring    []request // its size is a power of two, or 0
	head, n int
	watched bool // there is an event for the end of the first one's patience
}

func (q *queue) push(r request) {
	if q.n == len(q.ring) {
		bigger := make([]request, max(16, 2*len(q.ring)))
		for i := range q.n {
			bigger[i] = q.ring[(q.head+i)&(len(q.ring)-1)]
		}
		q.ring, q.head = bigger, 0
	}
	q.ring[(q.head+q.n)&(len(q.ring)-1)] = r
	q.n++
}

func (q *queue) first() request { return q.ring[q.head] }

func (q *queue) pop() request {
	r := q.ring[q.head]
	q.head = (q.head + 1) & (len(q.ring) - 1)
	q.n--
	return r
}
