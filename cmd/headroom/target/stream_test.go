package target

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// flushTimes records when a stream was flushed.
type flushTimes struct {
	*httptest.ResponseRecorder
	start time.Time
	at    []time.Duration
}

func (f *flushTimes) Flush() { f.at = append(f.at, time.Since(f.start)) }

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, nil)
		w := &flushTimes{ResponseRecorder: httptest.NewRecorder(), start: time.Now()}
		s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/sse?events=3&interval=50ms", nil))
		checkAnswer(t, w.ResponseRecorder, 200, `data: {"n":1,"hostname":"r1"}

data: {"n":2,"hostname":"r1"}

data: {"n":3,"hostname":"r1"}

data: [DONE]

`)
		if got := w.Header().Get("Content-Type"); got != "text/event-stream" {
			t.Errorf("Content-Type: %q, want text/event-stream", got)
		}
		if got, want := fmt.Sprint(w.at), "[0s 50ms 100ms 150ms]"; got != want {
			t.Errorf("flushed at %s, want %s", got, want)
		}
		if st := s.Stats(); st.Served != 1 || st.Mean != 150*time.Millisecond {
			t.Errorf("Stats() = %+v, want one of 150ms", st)
		}
	})
}

func TestStreamDefaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		w := ask(newServer(t, nil), "GET", "/sse")
		if got := strings.Count(w.Body.String(), `"n":`); got != 10 {
			t.Errorf("%d events, want 10", got)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("took %v, want 1s", took)
		}
	})
}

// deaf is a connection on which nothing can be sent.
type deaf struct{ *httptest.ResponseRecorder }

func (deaf) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestStreamEndsWhenItCannotSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t, nil)
		start := time.Now()
		s.Handler().ServeHTTP(deaf{httptest.NewRecorder()}, httptest.NewRequest("GET", "/sse?events=100", nil))
		if took := time.Since(start); took != 100*time.Millisecond {
			t.Errorf("ended after %v, want at the first event, after 100ms", took)
		}
		if st := s.Stats(); st.Served != 0 || st.Busy != 0 {
			t.Errorf("Stats() = %+v, want nothing served and no slot taken", st)
		}
	})
}
