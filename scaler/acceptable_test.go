package scaler

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestUnacceptable(t *testing.T) {
	for _, tt := range []struct {
		method, path, query, host, upgrade string
		length                             int64
		want                               string // the beginning; "": acceptable
	}{
		{"GET", "/", "", "h", "", 0, ""},
		{"M-SEARCH", "/a b", "x=%20&y;z", "[::1]:80", "", 3, ""},
		{"OPTIONS", "*", "", "", "", 0, ""},
		{"GET", "/", "", "h", "websocket", 0, ""},
		{"GET", "/", "", "h", "HTTP/2.0, SHTTP/1.3", 0, ""},
		{"POST", "/", "", "h", "h2c", 9, ""},
		{"CONNECT", "", "", "h:1", "", 0, "CONNECT: "},
		{"", "/", "", "h", "", 0, "method: "},
		{"GET /admin?", "/", "", "h", "", 0, "method: "},
		{"G\tET", "/", "", "h", "", 0, "method: "},
		{"GET", "/", "b HTTP/0.9", "h", "", 0, "request target: "},
		{"GET", "/", "a\r\nX: y", "h", "", 0, "request target: "},
		{"GET", "/", "", "h x", "", 0, "host: "},
		{"GET", "/", "", "[fe80::1% b]", "", 0, "host: "},
		{"GET", "/", "", "h", "é", 0, "upgrade: "},
		{"GET", "/", "", "h", "websocket", 5, "upgrade: "},
		{"POST", "/", "", "h", "websocket", -1, "upgrade: "},
	} {
		r := &http.Request{Method: tt.method, URL: &url.URL{Path: tt.path, RawQuery: tt.query}, Host: tt.host, ContentLength: tt.length, Header: http.Header{}}
		if tt.upgrade != "" {
			r.Header.Set("Upgrade", tt.upgrade)
		}
		if got := unacceptable(r); (got == "") != (tt.want == "") || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%+v: got %q, want %q", tt, got, tt.want)
		}
	}
}

// What is wrong with a request is answered 400, and no replica is blamed.
func TestProxyRefusesWhatCannotBePassedOn(t *testing.T) {
	virtual(t, Config{}, []http.HandlerFunc{echo}, func(t *testing.T, s *service) {
		for _, tt := range []struct{ request, want string }{
			{"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: é\r\n\r\n", "upgrade: got \"é\", want a protocol\n"},
			{"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz\r\n", "the upload is malformed\n"},
		} {
			conn, err := s.wire.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			go fmt.Fprint(conn, tt.request)
			r, err := receive(conn)
			if err != nil || r.code != 400 || r.body != tt.want {
				t.Errorf("%q: got %+v, %v, want 400 %q", tt.request, r, err, tt.want)
			}
			conn.Close()
			if s.backends[0].suspended {
				t.Errorf("%q: the replica is suspended", tt.request)
			}
		}
	})
}

// receive reads an answer.
func receive(conn net.Conn) (result, error) {
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return result{}, err
	}
	defer res.Body.Close()
	var body strings.Builder
	_, err = bufio.NewReader(res.Body).WriteTo(&body)
	return result{code: res.StatusCode, header: res.Header, body: body.String()}, err
}
