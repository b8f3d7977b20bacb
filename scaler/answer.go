package scaler

import (
	"cmp"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// answer is the body of an answer. The connection serves another request when
// the upload was sent and the answer was read, both to their ends, whichever
// is the last.
type answer struct {
	*link
	exchange *exchange
	request  *http.Request
	body     io.Reader    // nil: the header is yet to come, or there is no body
	err      error        // what the reading of it ended with, nil before
	last     bool         // the replica ends the connection after it
	hurried  bool         // the upload, as it was not over with the answer
	ongoing  atomic.Int32 // of the two, upload and answer
	broken   atomic.Bool  // one of them was
}

// begin has the answer be read through a.
func (a *answer) begin(res *http.Response) {
	a.room = math.MaxInt64
	a.last = res.Close
	switch {
	case res.StatusCode == http.StatusSwitchingProtocols:
		res.Body = &tunnel{a}
	case res.Body == http.NoBody:
		a.complete()
	default:
		a.body = res.Body
		res.Body = a
	}
}

// interrupted reports whether the exchange was, and keeps the answer for later
// if so.
func (a *answer) interrupted(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	a.exchange.pending = a
	return true
}

// resume reads the rest of an answer that was broken off, and drops it. Where
// the reading cannot go on in the middle of something, that is whatever comes
// until the replica hangs up.
func (a *answer) resume() error {
	a.SetReadDeadline(time.Time{})
	a.err = nil
	if a.body == nil && !a.begun {
		res, err := a.readHeader(a.request, nil)
		if err != nil {
			a.abort()
			return err
		}
		if a.begin(res); a.body == nil {
			return nil
		}
	}
	if a.body != nil {
		if _, err := io.Copy(io.Discard, a); !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
	_, err := io.Copy(io.Discard, a.Conn)
	a.abort()
	return cmp.Or(err, io.ErrUnexpectedEOF)
}

// Read reads from the body.
func (a *answer) Read(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	n, err := a.body.Read(p)
	switch a.err = err; err {
	case nil:
	case io.EOF:
		a.complete()
	default:
		if !a.interrupted(err) {
			a.abort()
		}
	}
	return n, err
}

// Close gives up what was not read.
func (a *answer) Close() error {
	if a.err == nil {
		a.err = net.ErrClosed
		a.abort()
	}
	return nil
}

// abort ends an answer before its end, and the upload with it.
func (a *answer) abort() {
	a.exchange.detach()
	a.link.Close()
	a.end(false)
}

// complete notes the end of an answer. An upload that still goes on is mostly
// over in a moment; else it ends with the exchange, and a replica that does
// not read it has little time.
func (a *answer) complete() {
	unharmed := a.exchange.detach()
	if a.ongoing.Load() > 1 {
		a.hurried = true
		a.SetWriteDeadline(time.Now().Add(lingering))
	}
	a.end(unharmed)
}

// end notes that the upload, or the answer, is over.
func (a *answer) end(whole bool) {
	if !whole {
		a.broken.Store(true)
	}
	switch {
	case a.ongoing.Add(-1) > 0:
	case a.last, a.broken.Load(), a.hurried && a.SetWriteDeadline(time.Time{}) != nil:
		a.link.Close()
	default:
		a.upstream.put(a.link)
	}
}

// tunnel is an upgraded connection.
type tunnel struct{ *answer }

func (t *tunnel) Read(p []byte) (int, error)  { return t.r.Read(p) }
func (t *tunnel) Write(p []byte) (int, error) { return t.Conn.Write(p) }

// Close ends the connection. It may be called more than once.
func (t *tunnel) Close() error {
	t.exchange.detach()
	return t.Conn.Close()
}

// CloseWrite tells the replica that no more will come.
func (t *tunnel) CloseWrite() error {
	if c, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return http.ErrNotSupported
}
