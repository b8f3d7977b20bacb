package scaler

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"headroom/scaler/httpapi"
	"headroom/scaler/httpapi/described"
)

func TestEventLogSince(t *testing.T) {
	var told []int64
	l := newEventLog(time.Now(), func(e Event) { told = append(told, e.N) })
	for range keepEvents + 5 {
		l.add(Event{})
	}
	if len(told) != keepEvents+5 || told[0] != 1 {
		t.Errorf("told %d events, the first %d; want all from 1", len(told), told[0])
	}
	for _, tt := range []struct{ seen, first, missed, count int64 }{
		{0, 6, 5, keepEvents},
		{4, 6, 1, keepEvents},
		{5, 6, 0, keepEvents},
		{6, 7, 0, keepEvents - 1},
		{keepEvents + 4, keepEvents + 5, 0, 1},
		{keepEvents + 5, 0, 0, 0},
	} {
		events, missed, more := l.since(tt.seen)
		first := int64(0)
		if len(events) > 0 {
			first = events[0].N
		}
		if first != tt.first || missed != tt.missed || int64(len(events)) != tt.count || isClosed(more) {
			t.Errorf("since(%d): got %d from %d with %d missed, want %d from %d with %d missed", tt.seen, len(events), first, missed, tt.count, tt.first, tt.missed)
		}
	}
	_, _, more := l.since(keepEvents + 5)
	l.add(Event{})
	if !isClosed(more) {
		t.Error("another event: got silence, want the channel closed")
	}
	l.close()
	l.add(Event{})
	if _, _, more := l.since(0); more != nil {
		t.Error("after the end: got a channel, want none")
	}
}

// A stream goes on behind what its reader saw last, and says what is missing.
func TestEvents(t *testing.T) {
	withAPI(t, func(t *testing.T, a *api, dial func() net.Conn) {
		a.events.add(Event{At: time.Now(), Kind: EventPin, Text: "pinned"}) // 2
		schemas := described.Load(t, openAPIDocument()).Schemas()
		all := follow(t, schemas, dial(), "")
		all.expect(t, "all", "replica 1", "pin 2")
		a.events.add(Event{At: time.Now(), Kind: EventPolicy, Text: "another"})
		all.expect(t, "all, and one more", "replica 1", "pin 2", "policy 3")

		run := a.events.run
		anew := []string{"gap: these are the events of another scaler than before, from its start", "replica 1", "pin 2", "policy 3"}
		for _, tt := range []struct {
			since, lastID string
			want          []string
		}{
			{"1", "", []string{"pin 2", "policy 3"}},
			{run + "-2", "", []string{"policy 3"}},
			{"", run + "-2", []string{"policy 3"}},
			{"0", run + "-2", []string{"policy 3"}}, // the header wins
			{"3", "", nil},
			{"4", "", anew},
			{"", "other-2", anew},
		} {
			conn := dial()
			follow(t, schemas, conn, tt.since, "Last-Event-ID: "+tt.lastID).expect(t, tt.since+" "+tt.lastID, tt.want...)
			conn.Close()
		}

		for range keepEvents {
			a.events.add(Event{At: time.Now(), Kind: EventPolicy})
		}
		got := follow(t, nil, dial(), "2").all()
		if len(got) != 1+keepEvents || got[0] != "gap: 1 events are not kept any more" || got[1] != "policy 4" {
			t.Errorf("since 2 with 4 to 1003 kept: got %d messages, at first %q; want the gap named, then all", len(got), got[:min(2, len(got))])
		}
	})
}

// A stream outlives the timeouts of the server, shows that it is alive, and
// ends with the scaler.
func TestEventsStayOpen(t *testing.T) {
	withAPI(t, func(t *testing.T, a *api, dial func() net.Conn) {
		s := follow(t, nil, dial(), "1")
		time.Sleep(4*httpapi.Heartbeat + time.Second) // twice the write timeout of the server
		s.expect(t, "in silence", "", "", "", "")
		a.events.add(Event{At: time.Now(), Kind: EventPin})
		s.expect(t, "after the silence", "", "", "", "", "pin 2")
		a.events.close()
		s.expect(t, "at the end", "", "", "", "", "pin 2", "EOF")
	})
}

// Who takes nothing is dropped, and only so many are let in.
func TestEventsOfSlowReaders(t *testing.T) {
	withAPI(t, func(t *testing.T, a *api, dial func() net.Conn) {
		for range httpapi.MaxReaders {
			openStream(t, dial(), "1")
		}
		conn := dial()
		fmt.Fprint(conn, streamRequest(""))
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Fatalf("one too many: got %+v, %v, want 503 with Retry-After", res, err)
		}
		a.events.add(Event{Text: "nobody reads this"})
		time.Sleep(httpapi.SendLimit - time.Millisecond)
		synctest.Wait()
		if n := len(a.events.readers); n != httpapi.MaxReaders {
			t.Errorf("just before the limit: got %d readers, want %d", n, httpapi.MaxReaders)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if n := len(a.events.readers); n != 0 {
			t.Errorf("readers that took nothing for %s: got %d, want none", httpapi.SendLimit, n)
		}
	})
}

func streamRequest(since string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "GET /v1/events?since=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer secret\r\n", url.QueryEscape(since))
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	return b.String() + "\r\n"
}

// openStream asks for the events and reads the header of the answer.
func openStream(t *testing.T, conn net.Conn, since string, headers ...string) io.Reader {
	t.Helper()
	fmt.Fprint(conn, streamRequest(since, headers...))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("since %q: got %+v, %v, want a stream", since, res, err)
	}
	return res.Body
}

// reader gathers the messages of a stream: kind and number of an event, what
// a gap says, nothing for a comment, and the end.
type reader struct {
	mu       sync.Mutex // guards messages
	messages []string
}

// follow reads a stream until it ends. Messages must be as the schemas say,
// where there are any.
func follow(t *testing.T, schemas openapi3.Schemas, conn net.Conn, since string, headers ...string) *reader {
	t.Helper()
	body := bufio.NewReader(openStream(t, conn, since, headers...))
	r := &reader{}
	go func() {
		for {
			message, err := readMessage(t, body, schemas)
			if err != nil {
				message = err.Error()
			}
			r.mu.Lock()
			r.messages = append(r.messages, message)
			r.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return r
}

// all is what has come when everything is at rest.
func (r *reader) all() []string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.messages)
}

func (r *reader) expect(t *testing.T, what string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, r.all()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func readMessage(t *testing.T, r *bufio.Reader, schemas openapi3.Schemas) (string, error) {
	fields := map[string]string{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			break
		}
		field, value, _ := strings.Cut(line, ":")
		fields[field] = strings.TrimPrefix(value, " ")
	}
	if _, comment := fields[""]; comment {
		return "", nil
	}
	return checkMessage(t, schemas, fields["id"], fields["event"], fields["data"]), nil
}

func checkMessage(t *testing.T, schemas openapi3.Schemas, id, kind, data string) string {
	t.Helper()
	name := "Event"
	if kind == "gap" {
		name = "Gap"
	}
	var v map[string]any
	if err := json.Unmarshal([]byte(data), &v); err != nil {
		t.Errorf("data of %s: %v", kind, err)
		return kind
	}
	if schemas == nil {
		// Looking at each of a thousand takes seconds.
	} else if err := schemas[name].Value.VisitJSON(v, openapi3.EnableJSONSchema2020()); err != nil {
		t.Errorf("%s: %v", kind, err)
	}
	if kind == "gap" {
		return "gap: " + v["text"].(string)
	}
	if _, n, _ := strings.Cut(id, "-"); n != fmt.Sprint(v["n"]) {
		t.Errorf("id %q: got number %v in the data", id, v["n"])
	}
	return fmt.Sprint(kind, " ", v["n"])
}

// withAPI serves an API over connections in memory, in virtual time.
func withAPI(t *testing.T, f func(t *testing.T, a *api, dial func() net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		open, closeListener := context.WithCancel(t.Context())
		l := &memory{make(chan net.Conn), open, closeListener}
		s := newAPIServer(l, a)
		s.Start(func(err error) { t.Error(err) })
		t.Cleanup(func() { s.Shutdown(t.Context()) })
		f(t, a, func() net.Conn {
			ours, theirs := net.Pipe()
			t.Cleanup(func() { ours.Close() })
			l.conns <- theirs
			return ours
		})
	})
}

// memory is a listener whose connections are handed to it.
type memory struct {
	conns chan net.Conn
	open  context.Context
	close func()
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.open.Done():
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error   { m.close(); return nil }
func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8001} }

// What a replica becomes is told in words, and so that a program can read it.
func TestEventsOfReplicas(t *testing.T) {
	p := newAPI(t).pool
	var told []string
	p.log = func(e Event) { told = append(told, fmt.Sprint(e.Kind, " ", e.Replica, " ", e.State)) }
	r := p.hire(&place{}, 0, 0)
	p.started(r, &instance{address: "127.0.0.1:4001"})
	for _, e := range []event{answered, doubted, answered, dismissed, ended} {
		p.advance(r, e, "")
	}
	var want []string
	for _, state := range []string{"starting", "ready", "suspect", "ready", "draining", "gone"} {
		want = append(want, "replica replica-2 "+state)
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}
