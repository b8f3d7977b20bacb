package scaler

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// script has every connection to a replica served by f, in virtual time.
func script(t *testing.T, f func(conn net.Conn, lines *bufio.Reader), test func(t *testing.T, s *service)) {
	virtual(t, Config{}, []http.HandlerFunc{nil}, func(t *testing.T, s *service) {
		var running sync.WaitGroup
		s.proxy.upstream.dial = func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			running.Go(func() {
				defer theirs.Close()
				f(theirs, bufio.NewReader(theirs))
			})
			return ours, nil
		}
		test(t, s)
		s.client.CloseIdleConnections()
		s.proxy.upstream.close()
		running.Wait()
	})
}

// header reads what comes before the body of a request.
func header(lines *bufio.Reader) string {
	var all strings.Builder
	for {
		line, err := lines.ReadString('\n')
		all.WriteString(line)
		if err != nil || line == "\r\n" {
			return all.String()
		}
	}
}

// What a replica gets, to the byte.
func TestLinkSends(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a request without a body", "GET /a%2Fb?x=1;y HTTP/1.1\r\nHost: h\r\n\r\n",
			"GET /a%2Fb?x=1;y HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\n\r\n"},
		{"fields that are for us", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close, x-mine\r\nX-Mine: 1\r\nTE: gzip\r\nUser-Agent: me\r\nIdempotency-Key: k\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: h\r\nIdempotency-Key: k\r\nUser-Agent: me\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\n\r\n"},
		{"a POST of nothing", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
			"POST / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\nContent-Length: 0\r\n\r\n"},
		{"an old client", "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
			"GET / HTTP/1.1\r\nHost: replica-1:80\r\nX-Forwarded-Host: \r\nX-Forwarded-Proto: http\r\n\r\n"},
		{"an upload of known length", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\ntext",
			"PUT / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\nContent-Length: 4\r\n\r\ntext"},
		{"an upload in chunks", "DELETE / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: Sum\r\n\r\n4\r\ntext\r\n0\r\nSum: 1\r\n\r\n",
			"DELETE / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntext\r\n0\r\n\r\n"},
		{"a length that is not the framing", "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntext\r\n0\r\n\r\n",
			"PUT / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Host: h\r\nX-Forwarded-Proto: http\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ntext\r\n0\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := make([]byte, len(tt.want))
			script(t, func(conn net.Conn, lines *bufio.Reader) {
				n, _ := io.ReadFull(lines, got)
				got = got[:n]
				io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
				if rest, _ := io.ReadAll(lines); len(rest) > 0 {
					t.Errorf("and %q", rest)
				}
			}, func(t *testing.T, s *service) {
				conn, err := s.wire.Dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				go io.WriteString(conn, tt.in)
				lines := bufio.NewReader(conn)
				if !strings.Contains(tt.in, "HTTP/1.0") {
					if hint := header(lines); !strings.HasPrefix(hint, "HTTP/1.1 103") {
						t.Errorf("got %q first, want the hint", hint)
					}
				}
				res, err := http.ReadResponse(lines, nil)
				if err != nil || res.StatusCode != http.StatusNoContent || string(got) != tt.want {
					t.Errorf("got %v, %v, the replica\n%q, want\n%q", res, err, got, tt.want)
				}
			})
		})
	}
}

// A connection is used again, whichever way the bodies are, and not kept for
// longer than a replica would.
func TestLinkKeepsConnections(t *testing.T) {
	var dialled, ended atomic.Int64
	script(t, func(conn net.Conn, lines *bufio.Reader) {
		dialled.Add(1)
		defer ended.Add(1)
		for {
			req, err := http.ReadRequest(lines)
			if err != nil {
				return
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			switch req.URL.Path {
			case "/length":
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
			case "/chunks":
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\nSum: 1\r\n\r\n", len(body)+1, string(body)+"!")
			case "/hint":
				fmt.Fprintf(conn, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
			case "/surplus":
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 Nobody asked\r\n\r\n")
			case "/last":
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			}
		}
	}, func(t *testing.T, s *service) {
		send := func(method, path, body string, dials int64) {
			t.Helper()
			r, err := s.exchange(request(t, method, "http://service"+path, body))
			pass(time.Millisecond) // until the upload and the answer are known to be over
			if err != nil || r.code/100 != 2 || dialled.Load() != dials {
				t.Errorf("%s %s: got %+v, %v over connection %d, want an answer over %d", method, path, r, err, dialled.Load(), dials)
			}
		}
		for _, path := range []string{"/length", "/chunks", "/hint"} {
			send("GET", path, "", 1)
			send("HEAD", "/hint", "", 1)
			send("POST", path, strings.Repeat("x", 100_000), 1)
		}
		send("GET", "/surplus", "", 1)
		send("GET", "/length", "", 2)
		send("GET", "/last", "", 2)
		send("GET", "/length", "", 3)
		pass(maxIdle - 10*time.Millisecond)
		send("GET", "/length", "", 3)
		pass(maxIdle)
		if got := ended.Load(); got != 3 {
			t.Errorf("%s later %d connections have ended, want all 3", maxIdle, got)
		}
		send("GET", "/length", "", 4)
		pass(maxIdle)
		if n := len(s.proxy.upstream.idle); n > 0 {
			t.Errorf("%d addresses are remembered without a connection, want none", n)
		}
	})
}

// A replica may end an idle connection at any time. What was not sent over it
// is sent over another, once.
func TestLinkReplacesAnEndedConnection(t *testing.T) {
	var seen, dialled atomic.Int64
	ended := make(chan struct{}, 10)
	once := func(conn net.Conn, lines *bufio.Reader) { // and says nothing of closing
		dialled.Add(1)
		if req, err := http.ReadRequest(lines); err == nil {
			io.Copy(io.Discard, req.Body)
			seen.Add(1)
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
		conn.Close()
		ended <- struct{}{}
	}
	t.Run("in memory, where only sending tells", func(t *testing.T) {
		script(t, once, func(t *testing.T, s *service) {
			for i := range int64(3) {
				r, err := s.exchange(request(t, "GET", "http://service/", ""))
				<-ended
				if err != nil || r.code != 200 || seen.Load() != i+1 || dialled.Load() != i+1 {
					t.Errorf("request %d: got %+v, %v, %d seen over %d connections, want one each", i+1, r, err, seen.Load(), dialled.Load())
				}
			}
		})
	})
	seen.Store(0)
	t.Run("a socket", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go once(conn, bufio.NewReader(conn))
			}
		}()
		b, s := front(t, limit, 10)
		b.add(1, "replica-1", l.Addr().String())
		for i, body := range []string{"", "text", ""} {
			method := "GET"
			if body != "" {
				method = "POST"
			}
			res, text := fetch(t, request(t, method, s.URL, body))
			<-ended
			if res.StatusCode != 200 || text != "ok" || seen.Load() != int64(i+1) {
				t.Errorf("request %d: got %d %q, %d seen, want each once", i+1, res.StatusCode, text, seen.Load())
			}
		}
	})
}

// A client that asks before it sends its upload is answered by the replica.
func TestLinkAsksBeforeAnUpload(t *testing.T) {
	for _, tt := range []struct {
		name, reply string
		want        string // what the client gets
		sent        string // what the replica gets of the upload
		after       time.Duration
	}{
		{"yes", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue", "text", 0},
		{"no", "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 413 Request Entity Too Large", "", 0},
		{"nothing", "", "HTTP/1.1 100 Continue", "text", maxAsking},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []byte
			script(t, func(conn net.Conn, lines *bufio.Reader) {
				header(lines)
				io.WriteString(conn, tt.reply)
				got = make([]byte, 4)
				n, _ := io.ReadFull(lines, got)
				got = got[:n]
			}, func(t *testing.T, s *service) {
				conn, err := s.wire.Dial(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				began := time.Now()
				io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
				line, err := bufio.NewReader(conn).ReadString('\n')
				if took := time.Since(began); err != nil || strings.TrimSpace(line) != tt.want || took != tt.after {
					t.Errorf("got %q, %v after %s, want %q after %s", line, err, took, tt.want, tt.after)
				}
				if strings.Contains(line, "100") {
					io.WriteString(conn, "text")
					pass(time.Second)
				}
			})
			if string(got) != tt.sent {
				t.Errorf("the replica got %q, want %q", got, tt.sent)
			}
		})
	}
}

// The header of an answer is not read for ever.
func TestLinkLimitsTheHeader(t *testing.T) {
	for _, line := range []string{"X-Long: " + strings.Repeat("x", 10_000) + "\r\n", "Link: " + strings.Repeat("x", 10_000) + "\r\n\r\nHTTP/1.1 103 Early Hints\r\n"} {
		script(t, func(conn net.Conn, lines *bufio.Reader) {
			header(lines)
			_, err := io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\n")
			for err == nil {
				_, err = io.WriteString(conn, line)
			}
		}, func(t *testing.T, s *service) {
			conn, err := s.wire.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
			all, err := io.ReadAll(conn)
			_, answer, _ := strings.Cut(string(all), "HTTP/1.1 502 Bad Gateway\r\n")
			if err != nil || len(all) > maxHeader+1000 || !strings.HasSuffix(answer, "replica-1 did not answer: its header is longer than 10 MB\n") {
				t.Errorf("%.10q without end: got %d bytes, %v, ending with %q, want 502 that says why", line, len(all), err, answer)
			}
		})
	}
}

// What ended a connection is told.
func TestLinkTellsWhatEnded(t *testing.T) {
	for reply, want := range map[string]string{
		"":                      "replica-1 did not answer: it ended the connection\n",
		"SSH-2.0-OpenSSH_9.2\n": "replica-1 did not answer: malformed HTTP response \"SSH-2.0-OpenSSH_9.2\"\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n": "replica-1 did not answer: http: message cannot contain multiple Content-Length headers; got [\"1\" \"2\"]\n",
	} {
		script(t, func(conn net.Conn, lines *bufio.Reader) {
			header(lines)
			io.WriteString(conn, reply)
		}, func(t *testing.T, s *service) {
			if r := await(t, s.get(t, "/")); r.code != 502 || r.body != want {
				t.Errorf("%q: got %d %q, want 502 %q", reply, r.code, r.body, want)
			}
		})
	}
}

// A replica has the header of an upload before the client sends the rest, and
// its connection is not kept idle meanwhile.
func TestLinkSendsTheHeaderAtOnce(t *testing.T) {
	came := false
	script(t, func(conn net.Conn, lines *bufio.Reader) {
		came = strings.HasPrefix(header(lines), "POST / ")
		io.CopyN(io.Discard, lines, 4)
		io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	}, func(t *testing.T, s *service) {
		conn, err := s.wire.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n")
		pass(5 * time.Second)
		if !came {
			t.Error("the replica has no header after 5s")
		}
		io.WriteString(conn, "text")
		if r, err := receive(conn); err != nil || r.code != 204 {
			t.Errorf("got %+v, %v, want 204", r, err)
		}
	})
}

// A replica that ends fresh connections at once has not got the request, and
// is not asked for ever.
func TestLinkMovesOnFromWhoHangsUp(t *testing.T) {
	virtual(t, Config{}, []http.HandlerFunc{nil, echo}, func(t *testing.T, s *service) {
		dial, hungUp := s.proxy.upstream.dial, 0
		s.proxy.upstream.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr != s.backends[0].address {
				return dial(ctx, network, addr)
			}
			hungUp++
			ours, theirs := net.Pipe()
			theirs.Close()
			return ours, nil
		}
		r, err := s.exchange(request(t, "POST", "http://service/", "text"))
		if err != nil || r.code != 200 || r.body != "text" || r.header.Get("X-Served-By") != "replica-2" || hungUp != 1 {
			t.Errorf("got %+v, %v after %d connections, want the answer of replica-2 after one", r, err, hungUp)
		}
	})
}

// What a client is to get last does not wait for what is done afterwards.
func TestProxyKeepsNoAnswerBack(t *testing.T) {
	const length = maxHeader + 1000 // more than a header may have
	virtual(t, Config{}, []http.HandlerFunc{func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(length))
		for n := 0; n < length; n += 1000 {
			io.WriteString(w, strings.Repeat("x", min(1000, length-n)))
		}
	}}, func(t *testing.T, s *service) {
		if r := await(t, s.get(t, "/")); r.code != 200 || len(r.body) != length || r.err != nil {
			t.Errorf("got %d with %d bytes, %v, want 200 with %d", r.code, len(r.body), r.err, length)
		}
	})
}
