package target

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"headroom/profiles"
)

// whim is what chaos does to a request.
type whim string

// The whims. All but the first three take the connection away from net/http.
const (
	calm     whim = ""
	refuse   whim = "refuse"   // a 503
	dawdle   whim = "dawdle"   // three times the service time
	cutOff   whim = "cut-off"  // the connection ends without an answer
	reset    whim = "reset"    // it is reset
	truncate whim = "truncate" // the body is shorter than the head says
	stall    whim = "stall"    // half an answer, and then nothing
	garbage  whim = "garbage"  // no HTTP
	bigHead  whim = "big-head" // a megabyte of headers
	endless  whim = "endless"  // a body without an end
)

var whims = []whim{refuse, dawdle, cutOff, reset, truncate, stall, garbage, bigHead, endless}

// drawWhim is calm nine times out of ten.
func (p *sampler) drawWhim() whim {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rng.IntN(10) > 0 {
		return calm
	}
	return whims[p.rng.IntN(len(whims))]
}

// mood is what chaos does to a request that asks for the whim named given, or
// for none.
func (s *Server) mood(given string) (whim, error) {
	switch {
	case !s.config.Misbehaviour.Chaos:
		return calm, nil
	case given == "":
		return s.draws.drawWhim(), nil
	case slices.Contains(whims, whim(given)):
		return whim(given), nil
	}
	return calm, fmt.Errorf("chaos: %w", profiles.OneOf(given, whims))
}

// wreck answers as no server should. It returns when the client has closed
// the connection, or the server stops.
func (s *Server) wreck(w http.ResponseWriter, r *http.Request, how whim) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2: it ends the stream
	}
	defer s.goroutines.Done() // net/http says nothing of the end of a connection that it gave away
	defer conn.Close()
	defer context.AfterFunc(r.Context(), func() { conn.Close() })()

	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	switch how {
	case reset:
		if tcp, ok := conn.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
	case truncate:
		io.WriteString(conn, head+"Content-Length: 100\r\n\r\nnot so long")
	case stall:
		io.WriteString(conn, head+"Content-Length: 100\r\n\r\nand then")
		io.Copy(io.Discard, conn)
	case garbage:
		io.WriteString(conn, "\x00\x01\x02 no HTTP at all\r\n\r\n")
	case bigHead:
		io.WriteString(conn, head)
		line := "X-Padding: " + strings.Repeat("x", 1000) + "\r\n"
		for range 1000 {
			if _, err := io.WriteString(conn, line); err != nil {
				return
			}
		}
		io.WriteString(conn, "Content-Length: 0\r\n\r\n")
	case endless:
		io.WriteString(conn, head+"Transfer-Encoding: chunked\r\n\r\n")
		pause := time.NewTicker(time.Millisecond)
		defer pause.Stop()
		for {
			if _, err := io.WriteString(conn, "10\r\n0123456789abcdef\r\n"); err != nil {
				return
			}
			<-pause.C
		}
	}
}
