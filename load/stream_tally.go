package load

// Streams is what came back as streams of events, from when it came: those
// included that go on and those that broke off.
type Streams struct {
	Count    int64     `json:"count"`    // answers that were streams
	Complete int64     `json:"complete"` // of them, those that ended as HTTP says they should, with success
	Open     int64     `json:"open"`     // that go on: now, or when the end of the run cut them off
	Events   int64     `json:"events"`   // of all of them
	TTFT     Quantiles `json:"ttft"`     // from the intended start to the first event
	Gap      Quantiles `json:"gap"`      // between two events of a stream
}

// streamTally counts the streams of a stretch of time.
type streamTally struct {
	count, complete, events int64
	broken                  int64 // failed behind their first event
	ttft, gap               *hist
}

func newStreamTally(digits int) *streamTally {
	return &streamTally{ttft: newHist(digits), gap: newHist(digits)}
}

// hear counts what came of a stream.
func (t *streamTally) hear(m *mark) {
	t.events += m.events
	switch {
	case m.opened:
		t.count++
	case m.events == 0:
	case m.first:
		t.ttft.record(m.after)
	default:
		t.gap.record(m.after)
	}
	if m.events > 1 {
		t.gap.recordMany(0, m.events-1)
	}
}

// end counts the end of a stream.
func (t *streamTally) end(s *Sample) {
	switch {
	case s.OK():
		t.complete++
	case s.Failure != Aborted && s.Stream.Events > 0:
		t.broken++
	}
}

func (t *streamTally) merge(u *streamTally) {
	t.count += u.count
	t.complete += u.complete
	t.events += u.events
	t.broken += u.broken
	t.ttft.merge(u.ttft)
	t.gap.merge(u.gap)
}

func (t *streamTally) reset() {
	t.count, t.complete, t.events, t.broken = 0, 0, 0, 0
	t.ttft.reset()
	t.gap.reset()
}

// streamed is the tally of the streams. Most runs have none.
func (t *tally) streamed() *streamTally {
	if t.streams == nil {
		t.streams = newStreamTally(t.digits)
	}
	return t.streams
}

// hear counts what came of streams.
func (c *collector) hear(marks []mark) {
	for i := range marks {
		for _, t := range c.tallies(marks[i].row) {
			t.bytes += marks[i].bytes
			t.streamed().hear(&marks[i])
		}
	}
}

// plain reports whether the answers of a row have been no streams, although
// there are some that are whole.
func (c *collector) plain(row int32) bool {
	if len(c.tasks) == 0 {
		return false
	}
	t := &c.tasks[row]
	return t.count > t.failed && (t.streams == nil || t.streams.count+t.streams.complete == 0)
}
