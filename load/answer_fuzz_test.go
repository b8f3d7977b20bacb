package load

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/iotest"
	"time"
)

// Whatever comes, read ends, stays within its limits, and takes the same from
// the bytes however they are cut.
func FuzzAnswer(f *testing.F) {
	for _, c := range answerCases {
		f.Add([]byte(c.input), c.noBody)
	}
	f.Fuzz(func(t *testing.T, input []byte, noBody bool) {
		whole, pieces := newAnswer(time.Now()), newAnswer(time.Now())
		whole.reset(bytes.NewReader(input))
		pieces.reset(iotest.HalfReader(bytes.NewReader(input)))
		for range 3 {
			err1, err2 := whole.read(noBody), pieces.read(noBody)
			if (err1 == nil) != (err2 == nil) {
				t.Fatalf("read = %v at once and %v in pieces", err1, err2)
			}
			if err1 != nil {
				return
			}
			if whole.status != pieces.status || whole.bytes != pieces.bytes || !bytes.Equal(whole.body, pieces.body) {
				t.Fatalf("%d, %d bytes, %q at once; %d, %d bytes, %q in pieces",
					whole.status, whole.bytes, whole.body, pieces.status, pieces.bytes, pieces.body)
			}
			if len(whole.body) > max(prefixSize, len(whole.buf)) || len(whole.buf) > 2*headLimit {
				t.Fatalf("%d bytes of body kept in a buffer of %d", len(whole.body), len(whole.buf))
			}
		}
	})
}

// oracle reads an answer as net/http does.
func oracle(input []byte, noBody bool) (status int, body []byte, closes bool, err error) {
	r := bufio.NewReader(bytes.NewReader(input))
	method := http.MethodGet
	if noBody {
		method = http.MethodHead
	}
	for {
		response, err := http.ReadResponse(r, &http.Request{Method: method})
		if err != nil {
			return 0, nil, false, err
		}
		if s := response.StatusCode; s >= 100 && s < 200 && s != switching {
			continue
		}
		body, err := io.ReadAll(response.Body)
		return response.StatusCode, body, response.Close, err
	}
}

// What both net/http and we take, both take alike, and where
// net/http takes an answer and we do not, we are stricter on purpose.
func FuzzAnswerAgainstNetHTTP(f *testing.F) {
	for _, c := range answerCases {
		f.Add([]byte(c.input), c.noBody)
	}
	f.Fuzz(func(t *testing.T, input []byte, noBody bool) {
		if bytes.Contains(input, []byte("HTTP/1.0")) && bytes.Contains(bytes.ToLower(input), []byte("transfer-encoding")) {
			return // net/http takes the chunks for the body
		}
		a := newAnswer(time.Now())
		a.reset(bytes.NewReader(input))
		a.want = len(input)
		err := a.read(noBody)
		status, body, closes, oracleErr := oracle(input, noBody)
		switch {
		case oracleErr != nil:
			// It looks at every line, and we at those that say where a body
			// ends: we take some that it does not.
		case err != nil && !onPurpose(err):
			t.Fatalf("read = %v; net/http takes %d with %d bytes", err, status, len(body))
		case err == nil && (int(a.status) != status || a.bytes != int64(len(body)) || !bytes.Equal(a.body, body)):
			t.Fatalf("%d with %d bytes, %q; net/http takes %d with %d bytes, %q", a.status, a.bytes, a.body, status, len(body), body)
		case err == nil && a.keepAlive && closes:
			t.Fatal("the connection is kept, and net/http closes it")
		}
	})
}

// onPurpose reports whether we refuse what net/http takes, knowing it.
func onPurpose(err error) bool {
	for _, known := range []error{
		errNotHTTP,  // HTTP/2.0 in a status line, which is none of HTTP/2, and a status line without a blank before the status
		errNoStatus, // +20 and 099 are no status codes
		errBlank,    // net/http ignores the header, and misses where the body ends
		errFolded,   // net/http joins the lines; proxies differ, and so may the replica and its balancer
		errLength,   // it ignores a Content-Length beside chunks, whatever it says, and takes +2
		errChunk,    // it takes sizes of 16 digits
		errLongHead, // it takes 10 MB
		errLongLine, // of a chunk's extensions: it takes as many
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
