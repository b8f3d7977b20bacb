package load

import (
	"bytes"
	"time"
)

// Stream is what an answer that is a stream of events told. Times are offsets
// from the start of the run, and say nothing without events.
type Stream struct {
	First  time.Duration // when the first event came
	Last   time.Duration // when the latest came
	Events int64
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
	log   *streamLog // is told at once; nil: nobody asks
	found Stream

	head     [lineHead]byte // of the line under way
	length   int            // of it
	lastByte time.Duration  // when its latest bytes came
	hasData  bool           // the event under way has a line of data
}

// kindOf is what a Content-Type says.
func kindOf(contentType []byte) streamKind {
	contentType, _, _ = bytes.Cut(contentType, []byte(";"))
	contentType = bytes.TrimSpace(contentType)
	for i := range streamTypes {
		if t := &streamTypes[i]; equalFold(contentType, t.name) {
			return t.kind
		}
	}
	return noStream
}

// begin prepares for a body.
func (e *events) begin(kind streamKind) {
	e.found, e.length, e.hasData, e.kind = Stream{}, 0, false, kind
	if kind != noStream && e.log != nil {
		e.log.open()
	}
}

// feed takes the bytes of the body that came at an offset.
func (e *events) feed(p []byte, at time.Duration) {
	size, before := len(p), e.found
	e.find(p, at)
	e.tell(size, before)
}

// tell passes on what was found since before.
func (e *events) tell(size int, before Stream) {
	if e.log != nil {
		e.log.came(size, before, e.found)
	}
}

func (e *events) find(p []byte, at time.Duration) {
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
	if e.found.Events == 0 {
		e.found.First = at
	}
	e.found.Events++
	e.found.Last = at
}

// end returns what was found; nil where the answer was no stream. The last
// line of NDJSON may lack its end; an SSE event that lacks it is none.
func (e *events) end(whole bool) *Stream {
	if e.kind == noStream {
		return nil
	}
	if whole && e.kind == ndjson && e.length > 0 {
		before := e.found
		e.endLine()
		e.tell(0, before)
	}
	found := e.found
	e.kind, e.found = noStream, Stream{}
	return &found
}
