package profiles

import (
	"slices"
	"time"
)

// Meters measure what passes through a balancer in front of replicas, so that
// the built-in scaler and a simulation of it decide on the same figures. They
// take their times from the caller, which must not go back, and are not safe
// for concurrent use.
type Meters struct {
	flow    *Window // level: requests in flight, queued and stuck ones included; events: arrivals, refused ones included
	line    *Window // level: requests in the queue
	spare   *Window // level: replicas in service without a request
	answers *Window // events
	took    *Window // events: microseconds that the answers took
	came    time.Time
	resized time.Time

	start, now time.Time
	at         time.Duration // from one to the other; a request changes several levels at once
}

// NewMeters begin to measure at start: nothing is in flight, and the fleet has
// just got its size.
func NewMeters(start time.Time) *Meters {
	return &Meters{
		flow: NewWindow(start), line: NewWindow(start), spare: NewWindow(start),
		answers: NewWindow(start), took: NewWindow(start),
		resized: start, start: start, now: start,
	}
}

// since is now as a time since the start.
func (m *Meters) since(now time.Time) time.Duration {
	if now != m.now {
		m.now, m.at = now, now.Sub(m.start)
	}
	return m.at
}

// Arrive notes so many requests that came, one or more, whatever becomes of
// them.
func (m *Meters) Arrive(now time.Time, n int) {
	m.flow.add(m.since(now), int64(n))
	m.came = now
}

// Flow notes that so many more requests are in flight, or fewer.
func (m *Meters) Flow(now time.Time, delta int) { m.flow.change(m.since(now), delta) }

// Line notes that so many more requests wait for a replica, or fewer.
func (m *Meters) Line(now time.Time, delta int) { m.line.change(m.since(now), delta) }

// Spare notes that so many more replicas are in service without a request, or
// fewer.
func (m *Meters) Spare(now time.Time, delta int) { m.spare.change(m.since(now), delta) }

// Resize notes that a replica came into service, or is to go.
func (m *Meters) Resize(now time.Time) { m.resized = now }

// Answer notes an answer and how long it took since the request arrived.
func (m *Meters) Answer(now time.Time, took time.Duration) {
	at := m.since(now)
	m.answers.add(at, 1)
	m.took.add(at, took.Microseconds())
}

// InFlight is how many requests are in flight, queued ones included.
func (m *Meters) InFlight() int { return m.flow.Level() }

// Active is when a request came last, or now while one is in flight; zero: none
// has come yet.
func (m *Meters) Active(now time.Time) time.Time {
	if m.InFlight() > 0 {
		return now
	}
	return m.came
}

// Resized is when a replica came into service or was to go last.
func (m *Meters) Resized() time.Time { return m.resized }

// Read measures the metrics of a policy. CPU, memory and custom metrics are
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
func (m *Meters) Read(now time.Time, metrics []Metric) []Reading {
	out := make([]Reading, len(metrics))
	for i, metric := range metrics {
		out[i] = m.measure(now, metric, metric.Window.Std())
		if metric.Panic != nil {
			out[i].Burst = m.measure(now, metric, metric.Panic.Window.Std()).Total
		}
	}
	return out
}

func (m *Meters) measure(now time.Time, metric Metric, width time.Duration) Reading {
	if !metric.PerReplica() {
		width = min(width, now.Sub(m.resized)-WindowResolution) // the cell of the change is of both sizes
	}
	switch metric.Kind {
	case RPS:
		return m.flow.Rate(now, width)
	case InFlight:
		return m.flow.Average(now, width)
	case Queue:
		return m.line.Average(now, width)
	case FreeWorkers:
		return m.spare.Average(now, width)
	case Latency:
		return m.latency(now, width)
	}
	return Reading{}
}

// latency is the mean time in milliseconds from the arrival of a request to
// the end of its answer, of those answered in the last width. It is not valid
// where there were none.
func (m *Meters) latency(now time.Time, width time.Duration) Reading {
	answers := m.answers.Sum(now, width)
	if answers == 0 {
		return Reading{}
	}
	// Microseconds are thousandths of what is wanted, as a Milli is.
	return Reading{Total: Milli(m.took.Sum(now, width) / answers), Valid: true}
}

// SampleEvery is the time between two samples of the requests in flight.
const SampleEvery = time.Second

// Samples are the requests in flight, one every SampleEvery, oldest first, for
// as long as a policy may look back.
type Samples []Sample

// Add returns the samples with one more; what was returned before stays as it
// is, so that a decision may hold it.
func (s Samples) Add(latest Sample) Samples {
	const keep = int(MaxWindow / SampleEvery)
	if len(s) == cap(s) {
		s = append(make(Samples, 0, 2*keep), s[max(0, len(s)-keep):]...)
	}
	return append(s, latest)
}

// KeptStartUps is how many start-up times of replicas a scaler remembers at
// most: the latest.
const KeptStartUps = 100

// MedianStartUp is the middle one of some durations, or the lower of the two in
// the middle; 0 of none.
func MedianStartUp(of []time.Duration) time.Duration {
	if len(of) == 0 {
		return 0
	}
	of = slices.Sorted(slices.Values(of))
	return of[(len(of)-1)/2]
}
