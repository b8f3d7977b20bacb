package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

const (
	// MaxReaders is how many may read one stream at once.
	MaxReaders = 16

	// Heartbeat is the time between two signs of life of a stream: a proxy in
	// between must not think that nobody is there.
	Heartbeat = 15 * time.Second

	// SendLimit is for how long a reader may take nothing of what it is sent
	// before it is dropped.
	SendLimit = 10 * time.Second
)

// Stream writes server-sent events. They are gathered until Send. It is for
// one goroutine.
type Stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	text    bytes.Buffer
}

// StartStream sends the header. The limits of the server are for answers that
// end: from now on each sending has one of its own.
func StartStream(w http.ResponseWriter) (*Stream, error) {
	s := &Stream{w: w, control: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	// The server watches for the end of the connection by reading from it, and
	// would take its read timeout for that.
	return s, errors.Join(s.control.SetReadDeadline(time.Time{}), s.Send())
}

// Add adds an event with data as JSON; the id may be empty.
func (s *Stream) Add(id, kind string, data any) error {
	line, err := json.Marshal(data) // on one line
	if err != nil {
		return err
	}
	if id != "" {
		fmt.Fprintf(&s.text, "id: %s\n", id)
	}
	fmt.Fprintf(&s.text, "event: %s\ndata: %s\n\n", kind, line)
	return nil
}

// Beat adds a sign of life.
func (s *Stream) Beat() { s.text.WriteString(":\n\n") }

// Send sends what has been added.
func (s *Stream) Send() error {
	if err := s.control.SetWriteDeadline(time.Now().Add(SendLimit)); err != nil {
		return err
	}
	if _, err := s.text.WriteTo(s.w); err != nil {
		return err
	}
	return s.control.Flush()
}
