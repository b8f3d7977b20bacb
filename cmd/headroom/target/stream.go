package target

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"headroom/profiles"
)

const maxEvents = 100_000 // of a stream

// stream sends events, each after an interval of its own, so that a stream
// holds its slot for events x interval.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	events, interval, err := streamParameters(r.URL.Query())
	if err != nil {
		s.fail(w, http.StatusUnprocessableEntity, "%v", err)
		return
	}
	started := false
	_, err = s.hold(r, func(ctx context.Context, start time.Time) error {
		started = true
		return s.sendEvents(ctx, w, start, events, interval, func(n int) any {
			return struct {
				N        int    `json:"n"`
				Hostname string `json:"hostname"`
			}{n, s.config.Hostname}
		})
	})
	if err != nil && !started {
		s.gone(w)
	}
}

// streamParameters reads the number of events and the time before each.
func streamParameters(q url.Values) (events int, interval time.Duration, err error) {
	events, interval = 10, 100*time.Millisecond
	if given := q.Get("events"); q.Has("events") {
		events, err = strconv.Atoi(given)
		if err != nil || events < 1 || events > maxEvents {
			return 0, 0, fmt.Errorf("events: got %q, want a whole number 1..%d", given, maxEvents)
		}
	}
	if given := q.Get("interval"); q.Has("interval") {
		interval, err = profiles.ParseDuration(given)
		if err != nil || interval > maxTime {
			return 0, 0, fmt.Errorf("interval: got %q, want a duration 0s..1h, such as 100ms", given)
		}
	}
	return events, interval, nil
}

// sendEvents sends events with the data of each, and the mark that ends them.
// It returns an error when the client stops listening.
func (s *Server) sendEvents(ctx context.Context, w http.ResponseWriter, start time.Time, events int, interval time.Duration, data func(n int) any) error {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	out := http.NewResponseController(w)
	if err := out.Flush(); err != nil {
		return err
	}
	for n := 1; n <= events; n++ {
		if err := s.until(ctx, start.Add(time.Duration(n)*interval)); err != nil {
			return err
		}
		text, err := json.Marshal(data(n))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", text); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(w, "data: [DONE]\n\n")
	return err
}
