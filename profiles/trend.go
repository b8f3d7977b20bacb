package profiles

import "time"

// Trend looks at where the requests in flight are heading, and lets a change
// of the size wait while they will soon be what the present fleet is meant to
// carry: a backlog that drains by itself needs no more replicas, and replicas
// that a growing load will need again are not worth stopping. It is the idea
// of Cortex's issue 859, which was never built there.
//
// The line is that of the samples of the metric's window since the size
// changed last, as the change itself bends it. Fewer than three say nothing.
type Trend struct {
	Within  Duration `yaml:"within" json:"within"`                       // how soon the requests must be as many as they should; 0: never wait; at most the metric's window
	MaxWait Duration `yaml:"maxWait,omitempty" json:"maxWait,omitempty"` // a request in the queue for longer than this ends the waiting for fewer; 0: none does
	Ahead   bool     `yaml:"ahead,omitempty" json:"ahead,omitempty"`     // add as many as the line will need when they are ready
}

// Sample is the requests in flight over the whole fleet at one moment, those
// in the queue included. It is not an average: that would bend the line.
type Sample struct {
	At       time.Time
	InFlight float64
}

// minFit is the share of the samples' variance that a line has to explain to
// be believed.
const minFit = 0.5

// waits reports whether a change of the size may wait; change is above 0 where
// the scaler would add replicas and below 0 where it would take some away. The
// goal is the target of a replica times the replicas that are wanted, those
// still starting included. The oldest is for how long the first request in the
// queue has been there.
func (t Trend) waits(change int, line Line, goal float64, oldest time.Duration) bool {
	within := t.Within.Std()
	switch {
	case within <= 0:
		return false
	case change > 0:
		late := t.MaxWait > 0 && oldest > t.MaxWait.Std()
		return line.Slope < 0 && line.In(within) <= goal && !late
	case change < 0:
		return line.Slope > 0 && line.In(within) >= goal
	}
	return false
}

// lineOf is the line through the samples, which come oldest first, of the last
// window, and not from before since; ok is false where there is none to be
// believed.
func lineOf(samples []Sample, window time.Duration, since time.Time) (line Line, ok bool) {
	if len(samples) == 0 {
		return Line{}, false
	}
	if first := samples[len(samples)-1].At.Add(-window); first.After(since) {
		since = first
	}
	for len(samples) > 0 && samples[0].At.Before(since) {
		samples = samples[1:]
	}
	line, ok = Fit(samples)
	return line, ok && line.R2 >= minFit
}

// Line is the straight line that is nearest to samples by least squares.
type Line struct {
	Slope float64 // requests per second
	Last  float64 // requests, where the line is at the time of the last sample
	R2    float64 // 0..1, the share of the variance that it explains; 0 where there is none
}

// In is where the line will be so long after the last sample; with the time
// that a replica takes to start, that is what to start replicas for.
func (l Line) In(d time.Duration) float64 { return l.Last + l.Slope*d.Seconds() }

// Fit is the line through at least three samples, the oldest first. With t in
// seconds before the last sample and y requests:
//
//	slope = Σ(t - mean t)(y - mean y) / Σ(t - mean t)²
//	R²    = (Σ(t - mean t)(y - mean y))² / (Σ(t - mean t)² Σ(y - mean y)²)
func Fit(samples []Sample) (line Line, ok bool) {
	if len(samples) < 3 {
		return Line{}, false
	}
	n, last := float64(len(samples)), samples[len(samples)-1].At
	var meanT, meanY float64
	for _, s := range samples {
		meanT += s.At.Sub(last).Seconds() / n
		meanY += s.InFlight / n
	}
	var tt, ty, yy float64
	for _, s := range samples {
		t, y := s.At.Sub(last).Seconds()-meanT, s.InFlight-meanY
		tt, ty, yy = tt+t*t, ty+t*y, yy+y*y
	}
	if tt == 0 {
		return Line{}, false // all at one moment
	}
	line.Slope = ty / tt
	line.Last = meanY - line.Slope*meanT
	if yy > 0 {
		line.R2 = ty * ty / (tt * yy)
	}
	return line, true
}
