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
	c.replicas.endSecond(c.lately.n % recentSeconds)
	counted := min(length, now-c.since)
	slot := c.lately.endSecond(counted)
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
	if c.lately.n%c.thinEvery != 0 {
		return
	}
	p.Rate, p.Failed = perSecond(slot.count, counted), perSecond(slot.failed, counted)
	p.Latency, p.Service = slot.latency.quantiles(), slot.service.quantiles()
	p.Total = c.total.totals()
	c.points = append(c.points, p)
	if len(c.points) >= maxPoints {
		c.thin()
	}
}

// thin halves the history; from then on a point stands for twice the time.
// Earlier snapshots keep the old one.
func (c *collector) thin() {
	c.points = Halve(c.points)
	c.thinEvery *= 2
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
