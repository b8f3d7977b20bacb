package load

import (
	"bytes"
	"io"
	"strings"
)

const (
	magic     = "HTTP/1."
	switching = 101 // status: the connection goes on in another protocol
)

// What answers break HTTP with.
const (
	errNotHTTP  = protocolError("the answer is not HTTP/1.1")
	errNoStatus = protocolError("the answer has no status code")
	errLongHead = protocolError("the head of the answer is longer than 64 KiB") // headLimit
	errBlank    = protocolError("the answer has a blank between the name of a header and its colon")
	errFolded   = protocolError("the answer has a header that says where its body ends, and that goes on in a second line")
	errLength   = protocolError("the answer has a bad Content-Length")
	errChunk    = protocolError("the answer has a bad chunk size")
	errChunkEnd = protocolError("the answer has a chunk longer than it says")
	errLongLine = protocolError("the answer has an endless line")
)

// framing is what the lines of a head so far say of where the body ends.
type framing struct {
	end       int   // index behind the last whole line
	length    int64 // -1: not given
	encoded   bool  // the body ends as Transfer-Encoding says
	chunked   bool
	keepAlive bool
	closes    bool
	counts    bool       // the last line is one that says where the body ends
	stream    streamKind // what the Content-Type says
}

// readHead reads until the empty line.
func (a *answer) readHead() (framing, error) {
	if a.r > 0 {
		a.w = copy(a.buf, a.buf[a.r:a.w])
		a.r = 0
	}
	f := framing{length: -1}
	for {
		whole, err := a.parseHead(&f, a.buf[:a.w])
		if err != nil || whole {
			return f, err
		}
		if a.w == len(a.buf) {
			if len(a.buf) >= headLimit {
				return f, errLongHead
			}
			a.buf = append(a.buf, make([]byte, len(a.buf))...)
		}
		if err := a.fill(); err == io.EOF && a.w > 0 {
			return f, io.ErrUnexpectedEOF
		} else if err != nil {
			return f, err
		}
	}
}

// parseHead goes on with the head that b begins with where it had stopped for
// want of a whole line. It reports whether the head is whole. Lines should end
// with CR LF, and some servers leave out the CR (RFC 9112, section 2.2).
func (a *answer) parseHead(f *framing, b []byte) (whole bool, err error) {
	if n := min(len(b), len(magic)); string(b[:n]) != magic[:n] {
		return false, errNotHTTP // at once: it may never send an empty line
	}
	for err == nil {
		at := bytes.IndexByte(b[f.end:], '\n')
		if at < 0 {
			return false, nil
		}
		line := bytes.TrimSuffix(b[f.end:f.end+at], []byte("\r"))
		first := f.end == 0
		f.end += at + 1
		switch {
		case first:
			err = a.parseStatus(line, f)
		case len(line) == 0:
			return true, nil
		default:
			err = f.parseField(line)
		}
	}
	return false, err
}

// parseField takes one line of headers. What a line that counts is to mean
// must be beyond doubt: read otherwise than its sender meant, the answer would
// seem not to end.
func (f *framing) parseField(line []byte) error {
	counted := f.counts
	f.counts = false
	switch line[0] {
	case 'c', 'C', 't', 'T':
	case ' ', '\t':
		if counted {
			return errFolded
		}
		return nil
	default:
		return nil
	}
	before, value, found := bytes.Cut(line, []byte(":"))
	name := bytes.TrimRight(before, " \t")
	f.counts = true
	switch {
	case !found:
		f.counts = false
	case equalFold(name, "content-length"):
		n, ok := parseLength(bytes.TrimSpace(value))
		if !ok || f.length >= 0 && f.length != n {
			return errLength
		}
		f.length = n
	case equalFold(name, "transfer-encoding"):
		// identity is what older servers say for none.
		f.encoded = f.encoded || !equalFold(bytes.TrimSpace(value), "identity")
		f.chunked = f.chunked || containsFold(value, "chunked")
	case equalFold(name, "content-type"):
		f.stream = kindOf(value)
		f.counts = false
	case equalFold(name, "connection"):
		f.closes = f.closes || containsFold(value, "close")
		f.keepAlive = f.keepAlive || containsFold(value, "keep-alive")
	default:
		f.counts = false
	}
	if f.counts && len(name) < len(before) {
		return errBlank
	}
	return nil
}

func (a *answer) parseStatus(line []byte, f *framing) error {
	if len(line) < 12 || line[8] != ' ' {
		return errNotHTTP
	}
	status, ok := parseLength(line[9:12])
	if !ok || status < 100 || len(line) > 12 && line[12] != ' ' {
		return errNoStatus
	}
	a.status = int16(status)
	f.keepAlive = line[7] == '1'
	return nil
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
