package load

import "time"

// lifetime says when a connection is to be replaced. The zero value says
// never.
type lifetime struct {
	age      time.Duration
	requests int
}

// draw is a lifetime for one connection: up to a fifth less, as random (0..1)
// says, so that connections that began together do not end together.
func (l lifetime) draw(random float64) lifetime {
	less := 1 - random/5
	return lifetime{
		age:      max(min(l.age, 1), time.Duration(float64(l.age)*less)), // 0 stays 0, and nothing else becomes 0
		requests: max(min(l.requests, 1), int(float64(l.requests)*less+0.5)),
	}
}

// over reports whether a connection of this age that has carried so many
// requests has lived.
func (l lifetime) over(age time.Duration, requests int) bool {
	return l.age > 0 && age >= l.age || l.requests > 0 && requests >= l.requests
}
