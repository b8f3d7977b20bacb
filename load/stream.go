package load

import (
	"bytes"
	"sync/atomic"
	"time"
)

// Stream is what an answer that is a stream of events told.
type Stream struct {
	First  time.Duration // when the first event came, an offset; says nothing without events
	Events int64

	gaps     []time.Duration // between events, those above 0
	together int64           // events that came with the one before
}

// streamKind is how events are told from each other.
type streamKind uint8

const (
	noStream streamKind = iota
	sse                 // text/event-stream: events end with an empty line (WHATWG HTML, section 9.2)
	ndjson              // each line is an event
)

var streamTypes = []struct {
	name string
	kind streamKind
}{
	{"text/event-stream", sse},
	{"application/x-ndjson", ndjson},
	{"application/ndjson", ndjson},
	{"application/jsonl", ndjson},
	{"application/stream+json", ndjson},
}

// lineHead is how much of a line says what it is: "data: [DONE]", and a CR.
const lineHead = 16

// events finds the events of a body that is a stream as its bytes come. An
// event happens when its last byte comes; one read may bring several.
type events struct {
	kind  streamKind
	begun *atomic.Bool // set at the first event; nil: nobody asks
	found Stream
	last  time.Duration // when the latest event came

	head     [lineHead]byte // of the line under way
	length   int            // of it
	lastByte time.Duration  // when its latest bytes came
	hasData  bool           // the event under way has a line of data
}

// begin prepares for a body whose answer has this Content-Type.
func (e *events) begin(contentType []byte) {
	contentType, _, _ = bytes.Cut(contentType, []byte(";"))
	contentType = bytes.TrimSpace(contentType)
	e.found, e.length, e.hasData, e.kind = Stream{}, 0, false, noStream
	for _, t := range streamTypes {
		if equalFold(contentType, t.name) {
			e.kind = t.kind
		}
	}
}

// feed takes the bytes of the body that came at an offset.
func (e *events) feed(p []byte, at time.Duration) {
	for len(p) > 0 {
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		if e.length < lineHead {
			copy(e.head[e.length:], line)
		}
		e.length += len(line)
		e.lastByte = at
		if !ended {
			return
		}
		e.endLine()
		p = rest
	}
}

func (e *events) endLine() {
	line := e.head[:min(e.length, lineHead)]
	if e.length <= lineHead {
		line = bytes.TrimSuffix(line, []byte("\r"))
	}
	e.length = 0
	if e.kind == ndjson {
		if len(line) > 0 {
			e.happened(e.lastByte)
		}
		return
	}
	data, isData := bytes.CutPrefix(line, []byte("data:"))
	switch {
	case isData:
		// OpenAI and those who follow it end a stream with a mark that is
		// no event.
		e.hasData = e.hasData || string(bytes.TrimSpace(data)) != "[DONE]"
	case len(line) == 0 && e.hasData:
		e.hasData = false
		e.happened(e.lastByte)
	}
}

func (e *events) happened(at time.Duration) {
	switch gap := at - e.last; {
	case e.found.Events == 0:
		e.found.First = at
		if e.begun != nil {
			e.begun.Store(true)
		}
	case gap > 0:
		e.found.gaps = append(e.found.gaps, gap)
	default:
		e.found.together++
	}
	e.found.Events++
	e.last = at
}

// end returns what was found; nil where the answer was no stream. The last
// line of NDJSON may lack its end; an SSE event that lacks it is none.
func (e *events) end(whole bool) *Stream {
	if e.kind == noStream {
		return nil
	}
	if whole && e.kind == ndjson && e.length > 0 {
		e.endLine()
	}
	found := e.found
	e.kind, e.found = noStream, Stream{}
	return &found
}

// Streams is what came back as streams of events. Times are of those whose
// requests succeeded.
type Streams struct {
	Count    int64     `json:"count"`    // answers that were streams, those included that broke off
	Complete int64     `json:"complete"` // of them, those that ended as HTTP says they should, with success
	Events   int64     `json:"events"`   // of all of them
	TTFT     Quantiles `json:"ttft"`     // from the intended start to the first event
	Gap      Quantiles `json:"gap"`      // between two events of a stream
}

// streamTally counts the streams of a stretch of time.
type streamTally struct {
	count, complete, events int64
	ttft, gap               *hist
}

func newStreamTally(digits int) *streamTally {
	return &streamTally{ttft: newHist(digits), gap: newHist(digits)}
}

// add counts the stream of a sample.
func (t *streamTally) add(s *Sample) {
	t.count++
	t.events += s.Stream.Events
	if !s.OK() {
		return
	}
	t.complete++
	if s.Stream.Events > 0 {
		t.ttft.record(s.Stream.First - s.Intended)
	}
	for _, gap := range s.Stream.gaps {
		t.gap.record(gap)
	}
	if s.Stream.together > 0 {
		t.gap.recordMany(0, s.Stream.together)
	}
}

func (t *streamTally) merge(u *streamTally) {
	t.count += u.count
	t.complete += u.complete
	t.events += u.events
	t.ttft.merge(u.ttft)
	t.gap.merge(u.gap)
}

func (t *streamTally) reset() {
	t.count, t.complete, t.events = 0, 0, 0
	t.ttft.reset()
	t.gap.reset()
}

func (t *streamTally) streams() *Streams {
	return &Streams{Count: t.count, Complete: t.complete, Events: t.events, TTFT: t.ttft.quantiles(), Gap: t.gap.quantiles()}
}

// progress is how far the request under way is; anybody may ask.
type progress struct{ begun atomic.Bool }

// begin notes that another request is under way. A store costs more than a
// look.
func (p *progress) begin() {
	if p.begun.Load() {
		p.begun.Store(false)
	}
}

// streaming reports whether the first event of a stream has come.
func (p *progress) streaming() bool { return p.begun.Load() }
