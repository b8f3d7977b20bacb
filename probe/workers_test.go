package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func lookupOf(found []netip.Addr, err error) func(context.Context, string, string) ([]netip.Addr, error) {
	return func(context.Context, string, string) ([]netip.Addr, error) { return found, err }
}

func TestParseWorkers(t *testing.T) {
	at := func(s int) time.Time { return time.Date(2026, 1, 2, 3, 4, s, 0, time.UTC) }
	for _, c := range []struct {
		name, data string
		want       []Replica
		err        string
	}{
		{"names", `["a", "b"]`, []Replica{{ID: "a", State: Ready}, {ID: "b", State: Ready}}, ""},
		{"objects", `[{"id":"a"},{"name":"b"},{"pod":"c"}]`, []Replica{{ID: "a", State: Ready}, {ID: "b", State: Ready}, {ID: "c", State: Ready}}, ""},
		{"none", `[]`, []Replica{}, ""},
		{"none, left out", `{}`, []Replica{}, ""},
		{"none, as null", `{"workers":null}`, []Replica{}, ""},
		{"EverAI's", `{"workers":[
			{"id":"w1","status":"STATUS_RUNNING","detailStatus":"DETAIL_STATUS_BUSY","createdAt":"2026-01-02T03:04:05Z","launchAt":"2026-01-02T03:04:15Z","lastServeAt":"2026-01-02T03:05:00Z","successCount":"12"},
			{"id":"w2","status":"STATUS_PENDING","detailStatus":"DETAIL_STATUS_IN_FLIGHT","createdAt":"2026-01-02T03:04:05+0000","launchAt":null,"successCount":0},
			{"id":"w3","status":"STATUS_TERMINATING","detailStatus":"DETAIL_STATUS_REMOVE"},
			{"id":"w4","status":"STATUS_ERROR"},{"id":"w5","status":"STATUS_UNAVAILABLE","detailStatus":"DETAIL_STATUS_FREE"},{"id":"w6","status":"STATUS_TERMINATED"}]}`,
			[]Replica{
				{ID: "w1", State: Ready, Created: at(5), StartedIn: 10 * time.Second, Served: 12},
				{ID: "w2", State: Starting, Created: at(5)},
				{ID: "w3", State: Draining},
				{ID: "w4", State: Failing, LastError: "it is listed as ERROR"},
				{ID: "w5", State: Suspect, LastError: "it is listed as UNAVAILABLE FREE"},
				{ID: "w6", State: Gone},
			}, ""},
		{"the scaler's", `[{"id":"replica-1","status":"RUNNING","detailStatus":"FREE","createdAt":"2026-01-02T03:04:05Z","inFlight":0,"served":3},
			{"id":"replica-2","status":"TERMINATED","createdAt":"2026-01-02T03:04:05Z","deletedAt":"2026-01-02T03:04:07Z","lastError":"exit 1"}]`,
			[]Replica{{ID: "replica-1", State: Ready, Created: at(5), Served: 3}, {ID: "replica-2", State: Gone, Created: at(5), Deleted: at(7), LastError: "exit 1"}}, ""},
		{"seconds", `[{"id":"a","createdAt":1767323045}]`, []Replica{{ID: "a", State: Ready, Created: at(5)}}, ""},
		{"finer than seconds", `[{"id":"a","createdAt":1767323045000},{"id":"b","createdAt":"1767323045000000"},{"id":"c","createdAt":1767323045000000001}]`,
			[]Replica{{ID: "a", State: Ready, Created: at(5)}, {ID: "b", State: Ready, Created: at(5)}, {ID: "c", State: Ready, Created: at(5)}}, ""},
		{"never", `[{"id":"a","createdAt":0,"launchAt":"0001-01-01T00:00:00Z","deletedAt":"9999-12-31T23:59:59Z"}]`, []Replica{{ID: "a", State: Ready}}, ""},
		{"an unknown status", `[{"id":"a","status":"STATUS_ODD"}]`, nil, `worker a of 1: got status "STATUS_ODD", want CREATED`},
		{"a time", `[{"id":"a","createdAt":"yesterday"}]`, nil, `got time "yesterday"`},
		{"twice the same", `["a","b","a"]`, nil, "worker a of 3: got the name of another one"},
		{"no name", `["a",{"status":"RUNNING"}]`, nil, "worker 2 of 2: got no id, name or pod"},
		{"a number", `[7]`, nil, "worker 1 of 1: json:"},
		{"objects by another name", `{"total":2,"items":[{"id":"a"},{"id":"b"}],"tags":["x"],"next":null}`, []Replica{{ID: "a", State: Ready}, {ID: "b", State: Ready}}, ""},
		{"none by another name", `{"items":[]}`, []Replica{}, ""},
		{"workers besides others", `{"workers":["a"],"events":[{"id":"e"}]}`, []Replica{{ID: "a", State: Ready}}, ""},
		{"two arrays of objects", `{"items":[{"id":"a"}],"errors":[]}`, nil, `got an object with several arrays of objects ("errors", "items"), want one, or the workers as "workers"`},
		{"an object without a list", `{"items":["a"],"workers":null,"count":1}`, nil, "got an object without an array of objects, want a list of workers"},
		{"an error", `{"error":"no such app"}`, nil, "got an object without an array of objects"},
		{"a list further inside", `{"data":{"workers":[{"id":"a"}]}}`, nil, "got an object without an array of objects"},
		{"null", `null`, nil, "got neither an array nor an object"},
		{"a word", `"a"`, nil, "got neither an array nor an object"},
		{"no JSON", `<html>`, nil, "got no JSON"},
		{"nothing", ``, nil, "got no JSON"},
		{"too many", "[" + strings.Repeat(`"a",`, mostWorkers) + `"a"]`, nil, "got 10001 workers, want 10000 or fewer"},
	} {
		got, err := ParseWorkers([]byte(c.data))
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: ParseWorkers: %v, want an error with %q", c.name, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: ParseWorkers: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
}

func FuzzParseWorkers(f *testing.F) {
	f.Add([]byte(`{"workers":[{"id":"w1","status":"STATUS_RUNNING","createdAt":"2026-01-02T03:04:05Z","successCount":"12"}]}`))
	f.Add([]byte(`["a",{"name":"b","createdAt":1}]`))
	f.Fuzz(func(t *testing.T, data []byte) {
		replicas, err := ParseWorkers(data)
		for _, r := range replicas {
			if _, unfit := json.Marshal(r); r.ID == "" || r.State == "" || err != nil || unfit != nil {
				t.Errorf("ParseWorkers(%q) has %+v, %v; want a name, a state, and what JSON can hold", data, r, err)
			}
		}
	})
}

func TestWorkersAreAsked(t *testing.T) {
	for _, c := range []struct {
		name  string
		serve http.HandlerFunc
		want  string // of the error, or the names
	}{
		{"a list", func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer secret" || r.Header.Get("Accept") != "application/json" {
				t.Errorf("asked with %v, want the header, and to accept JSON", r.Header)
			}
			w.Write([]byte(`["a",{"id":"b","status":"STATUS_PENDING"},{"id":"c","status":"STATUS_TERMINATED"}]`))
		}, "2 known, 1 ready"},
		{"a redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere?token=secret", http.StatusFound)
		},
			"workers list: got 302, a redirect to http://HOST/elsewhere, want the list itself: redirects are not followed"},
		{"a refusal", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no secret for you", http.StatusForbidden) }, "workers list: got 403 Forbidden, want 200"},
		{"too much", func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(strings.Repeat(" ", mostListBytes+1)))
		}, "workers list: got more than 8 MiB"},
		{"a page", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) }, "workers list: got no JSON, want a list of workers"},
		{"half an answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte(`["a"`))
		}, "workers list: unexpected EOF"},
	} {
		server := httptest.NewServer(c.serve)
		list := NewWorkers(server.URL+"/workers?key=secret", http.Header{"Authorization": {"Bearer secret"}})
		report, err := list.List(t.Context())
		got := ""
		if err != nil {
			got = strings.ReplaceAll(err.Error(), strings.TrimPrefix(server.URL, "http://"), "HOST")
		} else {
			got = fmt.Sprintf("%d known, %d ready", report.Known, *report.Ready)
		}
		server.Close()
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if _, err := list.List(t.Context()); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: with nobody there: %v, want an error without a secret", c.name, err)
		}
	}
}

// Whoever does not answer is given up when the context ends.
func TestWorkersThatDoNotAnswer(t *testing.T) {
	release := make(chan struct{})
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(asked); <-release }))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := NewWorkers(server.URL, nil).List(ctx); err == nil || !strings.Contains(err.Error(), "context canceled") {
		t.Errorf("List: %v, want that it was given up", err)
	}
}
