package load

import (
	"bytes"
	"io"
	"strconv"
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
		f, err := a.readHead()
		if err != nil {
			return err
		}
		if a.status >= 100 && a.status < 200 && a.status != switching {
			a.r = f.end // an interim answer; the real one follows
			continue
		}
		a.keepAlive = f.keepAlive && !f.closes
		a.head = a.buf[a.r:f.end]
		a.r = f.end
		switch {
		case a.status == switching:
			a.keepAlive = false // what follows is another protocol
			return nil
		case noBody || a.status == 204 || a.status == 304:
			return nil
		}
		if f.stream != noStream && a.status < 400 {
			a.events.begin(f.stream)
		}
		switch {
		case f.chunked:
			a.spill()
			return a.readChunked()
		case f.length >= 0 && !f.encoded:
			return a.readLength(f.length)
		default:
			a.keepAlive = false // the end of the connection ends it (RFC 9112, section 6.3)
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
			return errChunk
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
			return errChunkEnd
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
			return nil, errLongLine
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

func parseHex(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 15 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b), 16, 63)
	return int64(n), err == nil
}
