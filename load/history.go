package load

import "time"

// endSecond closes the present second if one has passed and makes a point of
// it. area is that of the planned load so far: in the open model, how many
// arrivals were planned.
func (c *collector) endSecond(s *Snapshot, area float64) {
	now := s.Elapsed
	length := now - c.secondAt
	if length < time.Second-tick/2 {
		return
	}
	c.replicas.endSecond(c.recent.n % recentSeconds)
	counted := min(length, now-c.since)
	slot := c.recent.endSecond(counted)
	c.spans.add(slot, s.Loaded == s.Elapsed)
	for _, w := range c.watched {
		if w != nil {
			w.endSecond(counted)
		}
	}
	p := Point{At: now, Users: s.Users, InFlight: s.InFlight, Planned: s.Planned}
	if s.Open {
		p.Planned = (area - c.planned) / length.Seconds()
	}
	c.secondAt, c.planned = now, area
	p.Rate, p.Failed = perSecond(slot.count, counted), perSecond(slot.failed, counted)
	p.Latency, p.Service = slot.latency.quantiles(), slot.service.quantiles()
	p.Total = c.total.totals()
	c.points = Coarsen(append(c.points, p), func(p Point) time.Duration { return p.At })
}

// Resolution is how finely a history tells of the past: its points lie apart by
// no more than their age over it, or by a second. So any stretch of time up to
// the present can be drawn in as many columns, and a day takes no more than
// 4,000 points.
const Resolution = 300

// coarsenEvery is how many more points a history gets before it is looked
// through for those that it can do without.
const coarsenEvery = 600

// Coarsen returns a history without the points that its Resolution has no need
// of, where it is time to look for them; in memory of its own, as others may
// hold what it was.
func Coarsen[T any](history []T, at func(T) time.Duration) []T {
	n := len(history)
	if n == 0 || n%coarsenEvery != 0 {
		return history
	}
	now := at(history[n-1])
	out := make([]T, 1, n)
	out[0] = history[0]
	for i := 1; i < n; i++ {
		before := at(out[len(out)-1])
		if i == n-1 || at(history[i+1])-before > (now-before)/Resolution {
			out = append(out, history[i])
		}
	}
	return out
}

// Halve returns every other element of a history, the last one included, in
// memory of its own.
func Halve[T any](history []T) []T {
	half := make([]T, 0, len(history))
	for i := 1 - len(history)%2; i < len(history); i += 2 {
		half = append(half, history[i])
	}
	return half
}
