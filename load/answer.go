package load

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"time"
)

const (
	bufferSize = 4 << 10  // holds most answers whole
	headLimit  = 64 << 10 // no honest head is longer
	prefixSize = 4 << 10  // how much of a body the probe looks at
	wholeSize  = 1 << 20  // how much of it checks and captures look at
)

// answer reads HTTP/1.1 responses from a connection (RFC 9112). It keeps nothing of a body but its beginning, and it allocates only
// when an answer does not fit its buffer.
//
// A connection that waits has none: it takes one from the pool of the run when
// the first bytes come, so that memory follows the answers and not the users.
type answer struct {
	src  io.Reader
	base time.Time // what the times below count from
	buf  []byte    // bytes r to w are read and not yet used
	r, w int

	// Of the last answer. head and body are valid until the next read.
	status    int16
	bytes     int64 // length of the body
	keepAlive bool
	head      []byte        // status line and headers
	body      []byte        // its beginning: want bytes, or more
	firstByte time.Duration // 0: none came
	lastByte  time.Duration // when the latest bytes came

	want    int    // how much of a body is kept
	events  events // of a body that is a stream
	scratch []byte // holds head and body where the buffer cannot
}

const (
	magic      = "HTTP/1."
	errNotHTTP = protocolError("the answer is not HTTP/1.1")
)

// framing says where a body ends.
type framing struct {
	chunked   bool
	length    int64 // -1: not given
	keepAlive bool
	stream    streamKind // what the Content-Type says
}

func newAnswer(base time.Time) *answer { return &answer{base: base, buf: make([]byte, bufferSize)} }

// reset makes a read from src next, and forgets what it had read.
func (a *answer) reset(src io.Reader) {
	a.src, a.r, a.w = src, 0, 0
	a.head, a.body, a.scratch, a.bytes = nil, nil, a.scratch[:0], 0
	a.firstByte, a.lastByte, a.want = 0, 0, prefixSize
	a.events.kind, a.events.log = noStream, nil
}

// received notes that n more bytes have come into the buffer.
func (a *answer) received(n int) {
	a.w += n
	a.lastByte = time.Since(a.base)
	if a.firstByte == 0 {
		a.firstByte = a.lastByte
	}
}

// read takes one whole answer. noBody is set for HEAD.
func (a *answer) read(noBody bool) error {
	a.bytes, a.body = 0, nil
	for {
		f, end, err := a.readHead()
		if err != nil {
			return err
		}
		if a.status >= 100 && a.status < 200 && a.status != 101 {
			a.r = end // an interim answer; the real one follows
			continue
		}
		a.keepAlive = f.keepAlive
		a.head = a.buf[a.r:end]
		a.r = end
		if noBody || a.status == 204 || a.status == 304 {
			return nil
		}
		if f.stream != noStream && a.status < 400 {
			a.events.begin(f.stream)
		}
		switch {
		case f.chunked:
			a.spill()
			return a.readChunked()
		case f.length >= 0:
			return a.readLength(f.length)
		default:
			a.keepAlive = false
			a.spill()
			return a.readUntilEOF()
		}
	}
}

// fill reads more bytes behind those that are there. There must be room.
func (a *answer) fill() error {
	n, err := a.src.Read(a.buf[a.w:])
	if n > 0 {
		a.received(n)
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// readHead reads until the empty line. It returns what the head says and the
// index behind it.
func (a *answer) readHead() (framing, int, error) {
	if a.r > 0 {
		a.w = copy(a.buf, a.buf[a.r:a.w])
		a.r = 0
	}
	for {
		f, end, err := a.parseHead(a.buf[:a.w])
		if err != nil || end > 0 {
			return f, end, err
		}
		if a.w == len(a.buf) {
			if len(a.buf) >= headLimit {
				return f, 0, protocolError("the head of the answer is longer than 65 kB")
			}
			a.buf = append(a.buf, make([]byte, len(a.buf))...)
		}
		if err := a.fill(); err == io.EOF && a.w > 0 {
			return f, 0, io.ErrUnexpectedEOF
		} else if err != nil {
			return f, 0, err
		}
	}
}

// parseHead takes the status and what says where the body ends from the head
// that b begins with. It returns the index behind the head, or 0 where b ends
// before the head does. Lines should end with CR LF, and some servers leave
// out the CR (RFC 9112, section 2.2).
func (a *answer) parseHead(b []byte) (f framing, end int, err error) {
	if n := min(len(b), len(magic)); string(b[:n]) != magic[:n] {
		return f, 0, errNotHTTP // at once: it may never send an empty line
	}
	f.length = -1
	closes, encoded := false, false
	for end < len(b) {
		at := bytes.IndexByte(b[end:], '\n')
		if at < 0 {
			return f, 0, nil
		}
		line := bytes.TrimSuffix(b[end:end+at], []byte("\r"))
		first := end == 0
		end += at + 1
		switch {
		case first:
			err = a.parseStatus(line, &f)
		case len(line) == 0:
			if encoded && !f.chunked {
				f.length = -1 // until the connection closes (RFC 9112, section 6.3)
			}
			f.keepAlive = f.keepAlive && !closes
			return f, end, nil
		case line[0]|0x20 != 'c' && line[0]|0x20 != 't':
			// None of those below.
		default:
			name, value, _ := bytes.Cut(line, []byte(":"))
			switch {
			case equalFold(name, "content-length"):
				n, ok := parseLength(bytes.TrimSpace(value))
				if !ok || f.length >= 0 && f.length != n {
					err = protocolError("the answer has a bad Content-Length")
				}
				f.length = n
			case equalFold(name, "transfer-encoding"):
				encoded, f.chunked = true, containsFold(value, "chunked")
			case equalFold(name, "content-type"):
				f.stream = kindOf(value)
			case equalFold(name, "connection"):
				closes = closes || containsFold(value, "close")
				f.keepAlive = f.keepAlive || containsFold(value, "keep-alive")
			}
		}
		if err != nil {
			return f, 0, err
		}
	}
	return f, 0, nil
}

func (a *answer) parseStatus(line []byte, f *framing) error {
	if len(line) < 12 || line[8] != ' ' {
		return errNotHTTP
	}
	status, ok := parseLength(line[9:12])
	if !ok || status < 100 || len(line) > 12 && line[12] != ' ' {
		return protocolError("the answer has no status code")
	}
	a.status = int16(status)
	f.keepAlive = line[7] == '1'
	return nil
}

// spill copies the head out of the buffer, which the body will overwrite, and
// makes room for the beginning of the body behind it.
func (a *answer) spill() {
	a.scratch = append(a.scratch[:0], a.head...)
	a.head = a.scratch
	a.body = a.scratch[len(a.scratch):]
}

// keep adds to the copied beginning of the body.
func (a *answer) keep(p []byte) {
	a.bytes += int64(len(p))
	if a.events.kind != noStream {
		a.events.feed(p, a.lastByte)
	}
	if room := a.want - len(a.body); room > 0 {
		n := len(a.head)
		a.scratch = append(a.scratch, p[:min(room, len(p))]...)
		a.head, a.body = a.scratch[:n], a.scratch[n:]
	}
}

func (a *answer) readLength(n int64) error {
	if a.events.kind == noStream && int64(a.r)+n <= int64(len(a.buf)) {
		for int64(a.w-a.r) < n {
			if err := a.fill(); err != nil {
				return cutOff(err)
			}
		}
		a.bytes = n
		a.body = a.buf[a.r : a.r+int(n)]
		a.r += int(n)
		return nil
	}
	a.spill()
	return a.skip(n)
}

// skip uses up n bytes of a body.
func (a *answer) skip(n int64) error {
	for n > 0 {
		if a.r == a.w {
			a.r, a.w = 0, 0
			if err := a.fill(); err != nil {
				return cutOff(err)
			}
		}
		take := min(int64(a.w-a.r), n)
		a.keep(a.buf[a.r : a.r+int(take)])
		a.r += int(take)
		n -= take
	}
	return nil
}

func (a *answer) readUntilEOF() error {
	for {
		a.keep(a.buf[a.r:a.w])
		a.r, a.w = 0, 0
		if err := a.fill(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// readChunked reads a chunked body and its trailers (RFC 9112, section 7.1).
func (a *answer) readChunked() error {
	for {
		line, err := a.line()
		if err != nil {
			return err
		}
		if at := bytes.IndexByte(line, ';'); at >= 0 {
			line = line[:at]
		}
		size, ok := parseHex(bytes.TrimSpace(line))
		if !ok {
			return protocolError("the answer has a bad chunk size")
		}
		if size == 0 {
			break
		}
		if err := a.skip(size); err != nil {
			return err
		}
		if line, err := a.line(); err != nil {
			return err
		} else if len(line) > 0 {
			return protocolError("the answer has a chunk longer than it says")
		}
	}
	for {
		if line, err := a.line(); err != nil || len(line) == 0 {
			return err
		}
	}
}

// line takes one line without its end.
func (a *answer) line() ([]byte, error) {
	for {
		if at := bytes.IndexByte(a.buf[a.r:a.w], '\n'); at >= 0 {
			line := a.buf[a.r : a.r+at]
			a.r += at + 1
			return bytes.TrimSuffix(line, []byte("\r")), nil
		}
		if a.r > 0 {
			a.w = copy(a.buf, a.buf[a.r:a.w])
			a.r = 0
		}
		if a.w == len(a.buf) {
			return nil, protocolError("the answer has an endless line")
		}
		if err := a.fill(); err != nil {
			return nil, cutOff(err)
		}
	}
}

// cutOff turns an end that comes too early into the error that says so.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// equalFold compares without regard to case. Short names are converted on the
// stack.
func equalFold(b []byte, name string) bool {
	return len(b) == len(name) && strings.EqualFold(string(b), name)
}

// containsFold looks for a word in a comma-separated list.
func containsFold(list []byte, word string) bool {
	for len(list) > 0 {
		item := list
		if at := bytes.IndexByte(list, ','); at >= 0 {
			item, list = list[:at], list[at+1:]
		} else {
			list = nil
		}
		if equalFold(bytes.TrimSpace(item), word) {
			return true
		}
	}
	return false
}

func parseLength(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func parseHex(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b), 16, 63)
	return int64(n), err == nil
}
