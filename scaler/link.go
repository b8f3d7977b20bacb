package scaler

import (
	"bufio"
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/textproto"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// link is a connection to a replica, for one HTTP/1.1 request after the other.
type link struct {
	net.Conn
	upstream *upstream
	address  string
	r        *bufio.Reader
	w        *bufio.Writer
	expiry   *time.Timer // ends it while it is idle; nil before it is so
	reused   bool        // it has carried a request

	sent int64 // bytes of this request
	room int64 // how much longer the header of its answer may be
}

func newLink(u *upstream, address string, conn net.Conn) *link {
	l := &link{Conn: conn, upstream: u, address: address}
	l.r, l.w = bufio.NewReader(l), bufio.NewWriter(l)
	return l
}

// usable reports whether the replica has left an idle connection as it was: it
// has neither ended it, nor sent what nobody asked for.
func (l *link) usable() bool { return l.r.Buffered() == 0 && silent(l.Conn) }

var errLongHeader = errors.New("its header is longer than 10 MB")

// maxHeader is how long the header of an answer may be, with all hints before it.
const maxHeader = 10 << 20

// Read reads from the connection, while there is room.
func (l *link) Read(p []byte) (int, error) {
	if l.room <= 0 {
		return 0, errLongHeader
	}
	n, err := l.Conn.Read(p[:min(int64(len(p)), l.room)])
	l.room -= int64(n)
	return n, err
}

// Write writes to the connection.
func (l *link) Write(p []byte) (int, error) {
	n, err := l.Conn.Write(p)
	l.sent += int64(n)
	return n, err
}

// roundTrip sends a request and returns the answer. An upload goes on in a
// goroutine of its own, as it may be answered before its end. Whatever ends
// the context of the request ends the connection.
func (l *link) roundTrip(req *http.Request) (*http.Response, error) {
	a := &answer{link: l}
	a.stop = context.AfterFunc(req.Context(), func() { l.Close() })
	a.ongoing.Store(1)
	l.sent, l.room = 0, maxHeader
	l.writeHeader(req)
	failed := l.w.Flush()
	if failed != nil && l.sent == 0 {
		a.abort()
		return nil, failed
	}
	var wanted chan bool // whether to send the upload, where the client asks
	if failed == nil && req.Body != nil {
		if strings.EqualFold(req.Header.Get("Expect"), "100-continue") {
			wanted = make(chan bool, 1)
		}
		a.ongoing.Store(2)
		l.upstream.uploads.Go(func() { a.end(l.writeBody(req, wanted) == nil) })
	}
	res, err := l.readHeader(req, wanted)
	tell(wanted, false)
	if err != nil {
		if failed != nil {
			err = failed // else what the replica said before it stopped to read is the answer
		}
		a.abort()
		return nil, err
	}
	l.room = math.MaxInt64
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
	return res, nil
}

// elsewhere are the fields of a header that follow from other fields of a request.
var elsewhere = map[string]bool{"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Trailer": true}

// writeHeader buffers the header of a request. What fails is told by the next
// flush.
func (l *link) writeHeader(req *http.Request) {
	host := req.Host
	if host == "" {
		host = l.address // the client speaks HTTP/1.0
	}
	for _, s := range []string{req.Method, " ", req.URL.RequestURI(), " HTTP/1.1\r\nHost: ", host, "\r\n"} {
		l.w.WriteString(s)
	}
	if req.Header.Get("User-Agent") == "" {
		delete(req.Header, "User-Agent") // that is how the proxy says that the client sent none
	}
	req.Header.WriteSubset(l.w, elsewhere)
	switch {
	case req.Body != nil && req.ContentLength < 0:
		l.w.WriteString("Transfer-Encoding: chunked\r\n")
	case req.Body != nil || req.Method == http.MethodPost || req.Method == http.MethodPut || req.Method == http.MethodPatch:
		l.w.WriteString("Content-Length: ")
		l.w.Write(strconv.AppendInt(l.w.AvailableBuffer(), req.ContentLength, 10))
		l.w.WriteString("\r\n")
	}
	l.w.WriteString("\r\n")
}

// maxAsking is how long a client that asks whether to send its upload waits for
// a replica that may not know the question.
const maxAsking = time.Second

var errUnwanted = errors.New("the replica does not want the upload")

// writeBody sends the upload, each part of it as it comes. When the client does
// not send all of it, the connection is of no more use.
func (l *link) writeBody(req *http.Request, wanted <-chan bool) error {
	if wanted != nil {
		asking := time.NewTimer(maxAsking)
		defer asking.Stop()
		select {
		case yes := <-wanted:
			if !yes {
				return errUnwanted
			}
		case <-asking.C:
		}
	}
	body := io.Writer(l.w)
	if req.ContentLength < 0 {
		body = httputil.NewChunkedWriter(l.w)
	}
	buf := l.upstream.buffers.Get()
	defer l.upstream.buffers.Put(buf)
	for {
		n, err := req.Body.Read(buf)
		if err != nil && err != io.EOF {
			l.Close()
			return err
		}
		if n > 0 {
			body.Write(buf[:n])
		}
		if chunks, ok := body.(io.Closer); ok && err == io.EOF {
			chunks.Close()
			l.w.WriteString("\r\n") // no trailers
		}
		if failed := l.w.Flush(); failed != nil || err == io.EOF {
			return failed
		}
	}
}

// tell answers whoever waits, once.
func tell(c chan<- bool, b bool) {
	select {
	case c <- b:
	default:
	}
}

var errNoAnswer = errors.New("it ended the connection")

// readHeader returns the answer to a request, whose body is yet to be read,
// and passes hints that come before it on; but not to a client that waits for
// permission to send its upload, which the server may write at the same time.
func (l *link) readHeader(req *http.Request, wanted chan<- bool) (*http.Response, error) {
	if _, err := l.r.Peek(1); err == io.EOF {
		return nil, errNoAnswer
	} else if err != nil {
		return nil, err
	}
	trace := httptrace.ContextClientTrace(req.Context())
	for {
		res, err := http.ReadResponse(l.r, req)
		if err != nil || res.StatusCode < 100 || res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols {
			return res, err
		}
		if res.StatusCode == http.StatusContinue {
			tell(wanted, true)
		}
		if wanted == nil && trace != nil && trace.Got1xxResponse != nil {
			if err := trace.Got1xxResponse(res.StatusCode, textproto.MIMEHeader(res.Header)); err != nil {
				return nil, err
			}
		}
	}
}

// answer is the body of an answer. The connection serves another request when
// the upload was sent and the answer was read, both to their ends, whichever
// is the last.
type answer struct {
	*link
	body    io.Reader
	err     error        // what the reading of it ended with, nil before
	last    bool         // the replica ends the connection after it
	hurried bool         // the upload, as it was not over with the answer
	stop    func() bool  // keeps the end of the context from ending the connection
	ongoing atomic.Int32 // of the two, upload and answer
	broken  atomic.Bool  // one of them was
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
		a.abort()
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
	a.link.Close()
	a.end(false)
}

// complete notes the end of an answer. An upload that still goes on is mostly
// over in a moment; else it ends with the exchange, and a replica that does
// not read it has little time.
func (a *answer) complete() {
	unharmed := a.stop()
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
	t.stop()
	return t.Conn.Close()
}

// CloseWrite tells the replica that no more will come.
func (t *tunnel) CloseWrite() error {
	if c, ok := t.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return http.ErrNotSupported
}
