package load

import (
	"sync"
	"sync/atomic"
	"time"
)

// streamLog is what comes of the streams of one user, from when it comes. The
// collector takes it every tick, so it is no longer than what a user reads
// meanwhile; nobody else shares the lock, and a user without streams never
// needs it.
type streamLog struct {
	// Of the request under way, known to its user alone.
	row      int32
	intended time.Duration

	used atomic.Bool // there has been a stream

	mu     sync.Mutex // guards the fields below
	marks  []mark
	opened bool // the answer under way is a stream
	found  Stream
}

// mark is one reading of a stream.
type mark struct {
	row    int32
	opened bool          // its head has come, and no more
	first  bool          // the first of the events is the first of its stream
	after  time.Duration // when that one came, from the intended start of the request or else from the event before
	events int64         // they came together
	bytes  int64
}

// expect prepares for a request of a row, which should have left at the offset
// intended.
func (l *streamLog) expect(row int32, intended time.Duration) {
	l.row, l.intended = row, intended
	if l.used.Load() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.opened, l.found = false, Stream{}
	}
}

// open notes that the answer is a stream.
func (l *streamLog) open() {
	l.used.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.opened = true
	l.marks = append(l.marks, mark{row: l.row, opened: true})
}

// came notes that bytes of a stream have come, which was at before and is now
// at after.
func (l *streamLog) came(bytes int, before, after Stream) {
	m := mark{row: l.row, events: after.Events - before.Events, bytes: int64(bytes)}
	switch m.first = before.Events == 0; {
	case m.events == 0:
	case m.first:
		m.after = after.First - l.intended
	default:
		m.after = after.Last - before.Last
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found = after
	l.marks = append(l.marks, m)
}

// mostMarks is how many a log keeps room for.
const mostMarks = 1024

// take moves the marks behind those of into, and tells how far the stream
// under way is, if there is one.
func (l *streamLog) take(into []mark) (marks []mark, opened bool, found Stream) {
	if !l.used.Load() {
		return into, false, Stream{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	into = append(into, l.marks...)
	if l.marks = l.marks[:0]; cap(l.marks) > mostMarks {
		l.marks = nil
	}
	return into, l.opened, l.found
}
