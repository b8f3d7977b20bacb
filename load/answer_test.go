package load

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

type answerCase struct {
	name   string
	input  string
	noBody bool
	status int16
	body   string
	length int64 // of the body, where it is longer than what is kept
	reuse  bool
	bare   bool  // lines end without CR
	err    error // nil, or the kind of error
}

var long = strings.Repeat("0123456789abcdef", 1000)

var answerCases = []answerCase{
	{name: "plain", input: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", status: 200, body: "hello", reuse: true},
	{name: "no reason", input: "HTTP/1.1 204\r\n\r\n", status: 204, reuse: true},
	{name: "empty body", input: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", status: 200, reuse: true},
	{name: "close", input: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok", status: 200, body: "ok"},
	{name: "close in a list", input: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: foo, Close\r\n\r\nok", status: 200, body: "ok"},
	{name: "HTTP/1.0", input: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok"},
	{name: "HTTP/1.0 keep-alive", input: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok", reuse: true},
	{name: "until the end", input: "HTTP/1.1 200 OK\r\n\r\nall of it", status: 200, body: "all of it"},
	{name: "chunked", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n5;x=y\r\npedia\r\n0\r\n\r\n", status: 200, body: "wikipedia", reuse: true},
	{name: "chunked with trailers", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\nA\r\n0123456789\r\n0\r\nX: y\r\nZ: 1\r\n\r\n", status: 200, body: "0123456789", reuse: true},
	{name: "HEAD", input: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", noBody: true, status: 200, reuse: true},
	{name: "304", input: "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", status: 304, reuse: true},
	{name: "100 before", input: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx", status: 201, body: "x", reuse: true},
	{name: "long body", input: "HTTP/1.1 200 OK\r\nContent-Length: 16000\r\n\r\n" + long, status: 200, body: long[:prefixSize], length: 16000, reuse: true},
	{name: "long chunk", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3E80\r\n" + long + "\r\n0\r\n\r\n", status: 200, body: long[:prefixSize], length: 16000, reuse: true},
	{name: "long head", input: "HTTP/1.1 200 OK\r\nX: " + long + "\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok", reuse: true},
	{name: "same length twice", input: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok", reuse: true},
	{name: "close and keep-alive", input: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nConnection: keep-alive\r\n\r\nok", status: 200, body: "ok"},
	{name: "lines without CR", input: "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", status: 200, body: "ok", reuse: true, bare: true},
	{name: "encoded, not chunked", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nall of it", status: 200, body: "all of it"},
	{name: "identity", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok", reuse: true},
	{name: "encodings in two lines", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", status: 200, body: "ok", reuse: true},
	{name: "another protocol", input: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", status: 101},
	{name: "folded, and of no concern", input: "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok", status: 200, body: "ok", reuse: true},
	{name: "blank before the colon", input: "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok", err: protocolError("")},
	{name: "folded encoding", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", err: protocolError("")},
	{name: "folded length", input: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\t3\r\n\r\nok", err: protocolError("")},
	{name: "status 000", input: "HTTP/1.1 000 Odd\r\n\r\n", err: protocolError("")},
	{name: "status of four digits", input: "HTTP/1.1 2000 OK\r\n\r\n", err: protocolError("")},
	{name: "two lengths", input: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", err: protocolError("")},
	{name: "negative length", input: "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok", err: protocolError("")},
	{name: "bad chunk size", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", err: protocolError("")},
	{name: "chunk too long", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", err: protocolError("")},
	{name: "not HTTP", input: "SSH-2.0-OpenSSH_9.2\r\n", err: protocolError("")},
	{name: "HTTP/2", input: "HTTP/2 200\r\n\r\n", err: protocolError("")},
	{name: "no status", input: "HTTP/1.1 abc\r\n\r\n", err: protocolError("")},
	{name: "endless head", input: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", headLimit+1), err: protocolError("")},
	{name: "endless chunk line", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("0", headLimit+1), err: protocolError("")},
	{name: "nothing", input: "", err: io.EOF},
	{name: "head cut off", input: "HTTP/1.1 200 OK\r\nContent-Le", err: io.ErrUnexpectedEOF},
	{name: "body cut off", input: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", err: io.ErrUnexpectedEOF},
	{name: "long body cut off", input: "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + long, err: io.ErrUnexpectedEOF},
	{name: "chunk cut off", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwi", err: io.ErrUnexpectedEOF},
	{name: "last chunk missing", input: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\n", err: io.ErrUnexpectedEOF},
}

// Every case must come out the same whether its bytes arrive at once, one by
// one, or after another answer on the same connection.
func TestAnswer(t *testing.T) {
	const before = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
	readers := map[string]func(string) io.Reader{
		"at once":    func(s string) io.Reader { return strings.NewReader(s) },
		"one by one": func(s string) io.Reader { return iotest.OneByteReader(strings.NewReader(s)) },
	}
	for _, c := range answerCases {
		for how, reader := range readers {
			for _, second := range []bool{false, true} {
				a := newAnswer(time.Now())
				if second {
					a.reset(reader(before + c.input))
					if err := a.read(false); err != nil {
						t.Fatalf("the answer before: %v", err)
					}
				} else {
					a.reset(reader(c.input))
				}
				checkAnswer(t, c.name+", "+how, a, c)
			}
		}
	}
}

func checkAnswer(t *testing.T, name string, a *answer, c answerCase) {
	t.Helper()
	err := a.read(c.noBody)
	var bad protocolError
	switch {
	case c.err == nil && err != nil, c.err != nil && err == nil:
		t.Errorf("%s: read = %v, want %v", name, err, c.err)
		return
	case errors.As(c.err, &bad):
		if !errors.As(err, &bad) {
			t.Errorf("%s: read = %v, want a protocol error", name, err)
		}
		return
	case c.err != nil:
		if !errors.Is(err, c.err) {
			t.Errorf("%s: read = %v, want %v", name, err, c.err)
		}
		return
	}
	length := c.length
	if length == 0 {
		length = int64(len(c.body))
	}
	if a.status != c.status || string(a.body) != c.body || a.bytes != length || a.keepAlive != c.reuse {
		t.Errorf("%s: status %d, %d bytes, body %.20q, reuse %v; want %d, %d, %.20q, %v",
			name, a.status, a.bytes, a.body, a.keepAlive, c.status, length, c.body, c.reuse)
	}
	if end := []byte("\r\n\r\n"); !bytes.HasPrefix(a.head, []byte("HTTP/1.")) || !c.bare && !bytes.HasSuffix(a.head, end) {
		t.Errorf("%s: head %.40q, want the whole head", name, a.head)
	}
}
