package scaler

import (
	"bufio"
	"errors"
	"io"
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
	begun    bool        // some of the answer has come

	whole atomic.Bool // the header of this request was sent
	sent  int64       // bytes of this request
	room  int64       // how much longer the header of its answer may be
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

// interrupt breaks off what the exchange waits for. The connection stays as it
// is, unless it is the header of the request that does not get through.
func (l *link) interrupt() {
	l.SetReadDeadline(time.Unix(1, 0))
	if !l.whole.Load() {
		l.SetWriteDeadline(time.Unix(1, 0))
	}
}

// roundTrip sends a request and returns the answer. An upload goes on in a
// goroutine of its own, as it may be answered before its end.
func (l *link) roundTrip(req *http.Request) (*http.Response, error) {
	x := exchangeOf(req)
	a := &answer{link: l, exchange: x, request: req}
	a.ongoing.Store(1)
	l.whole.Store(false)
	l.sent, l.room = 0, maxHeader
	x.attach(l)
	l.writeHeader(req)
	failed := l.w.Flush()
	l.whole.Store(failed == nil)
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
	if failed == nil && a.interrupted(err) {
		return nil, err
	}
	tell(wanted, false)
	if err != nil {
		if failed != nil {
			err = failed // else what the replica said before it stopped to read is the answer
		}
		a.abort()
		return nil, err
	}
	a.begin(res)
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
	l.begun = false
	if _, err := l.r.Peek(1); err == io.EOF {
		return nil, errNoAnswer
	} else if err != nil {
		return nil, err
	}
	l.begun = true
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
