package scaler

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"headroom/scaler/httpapi"
)

const keepEvents = 1000

// eventLog numbers the events of a scaler from 1, and keeps the latest. Who
// reads it says what it saw last: there is no queue for each reader, so that a
// slow one holds nothing up, and sees that it has missed something. It is safe
// for concurrent use.
type eventLog struct {
	run    string      // tells these numbers from those of another scaler at this address
	notify func(Event) // the Log of Config

	readers httpapi.Places

	mu     sync.Mutex // guards the fields below
	last   int64      // the number of the latest
	kept   []Event    // oldest first
	more   chan struct{}
	closed bool
}

func newEventLog(now time.Time, notify func(Event)) *eventLog {
	return &eventLog{run: strconv.FormatInt(now.UnixMilli(), 36), notify: notify, readers: httpapi.NewPlaces(httpapi.MaxReaders), more: make(chan struct{})}
}

func (l *eventLog) add(e Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	e.N = l.last
	if len(l.kept) == keepEvents {
		l.kept = slices.Delete(l.kept, 0, 1)
	}
	l.kept = append(l.kept, e)
	if !l.closed {
		close(l.more)
		l.more = make(chan struct{})
	}
	l.notify(e) // under the lock, so that events are told in their order
}

// since returns the events after number n, and how many of them are not kept
// any more. The channel is closed when there are others; it is nil when there
// will be none.
func (l *eventLog) since(n int64) (events []Event, missed int64, more <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.last - int64(len(l.kept)) // the number of the latest that is not kept
	missed = max(0, before-n)
	events = slices.Clone(l.kept[min(max(n-before, 0), int64(len(l.kept))):])
	if !l.closed {
		more = l.more
	}
	return events, missed, more
}

// first is the position in front of all that is kept.
func (l *eventLog) first() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last - int64(len(l.kept))
}

// position finds what an id says was seen last: RUN-N as it is sent, or N. Known
// is false when that was in the log of another scaler.
func (l *eventLog) position(id string) (n int64, known bool, err error) {
	run, number, ok := strings.Cut(id, "-")
	if !ok {
		run, number = l.run, id
	}
	n, err = strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return 0, false, fmt.Errorf("since: got %q, want the id of an event, or its number", id)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return n, run == l.run && n <= l.last, nil
}

// close ends what is being read. Events are still added, and notified.
func (l *eventLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	close(l.more)
}

// gap tells a reader that events are missing.
type gap struct {
	Missed int64  `json:"missed,omitempty"` // how many; 0: not known
	Text   string `json:"text"`
}

// getEvents streams the log as server-sent events: what is kept after the id
// in Last-Event-ID, which a browser sends when it connects again, or in
// ?since=, else all of it; then what happens.
func (a *api) getEvents(w http.ResponseWriter, r *http.Request) {
	seen, known := a.events.first(), true
	if id := cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("since")); id != "" {
		var err error
		if seen, known, err = a.events.position(id); err != nil {
			httpapi.Refuse(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	if !a.events.readers.Enter(w, "readers") {
		return
	}
	defer a.events.readers.Leave()
	s, err := httpapi.StartStream(w)
	if err != nil || r.Method == http.MethodHead {
		return
	}
	if !known {
		seen = 0
		_ = s.Add("", "gap", gap{Text: "these are the events of another scaler than before, from its start"})
	}
	beat := time.NewTicker(httpapi.Heartbeat)
	defer beat.Stop()
	for {
		events, missed, more := a.events.since(seen)
		if missed > 0 {
			_ = s.Add("", "gap", gap{missed, fmt.Sprintf("%d events are not kept any more", missed)})
		}
		for _, e := range events {
			_ = s.Add(a.events.run+"-"+strconv.FormatInt(e.N, 10), e.Kind, e)
			seen = e.N
		}
		if s.Send() != nil || more == nil {
			return
		}
		select {
		case <-more:
		case <-beat.C:
			s.Beat()
		case <-r.Context().Done():
			return
		}
	}
}
