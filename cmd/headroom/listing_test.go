package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// elsewhere serves what a scaler would say, for those who know the token, and
// makes it the one that cannot be found but by its URL.
func elsewhere(t *testing.T) (url string) {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	mux := http.NewServeMux()
	for path, answer := range map[string]string{
		"/v1/workers": `[{"id":"replica-1","status":"RUNNING","detailStatus":"FREE","createdAt":"2024-07-29T02:42:50Z","pid":17,"inFlight":0,"served":3},
			{"id":"replica-2","status":"TERMINATED","detailStatus":"","createdAt":"2024-07-29T02:42:50Z","deletedAt":"2024-07-29T02:43:50Z","inFlight":0,"served":1,"lastError":"told to"}]`,
		"/v1/queue":                  `[{"queueIndex":0,"createAt":"2024-07-29T02:42:50Z","queueReason":"WorkerBusy"}]`,
		"/v1/workers/replica-1/logs": `[{"at":"2024-07-29T02:42:50.5Z","text":"listening"},{"at":"2024-07-29T02:42:51Z","stderr":true,"text":"a warning"}]`,
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer t0ken" {
				http.Error(w, `{"problems":["authorization: want the bearer token"]}`, http.StatusUnauthorized)
				return
			}
			fmt.Fprintln(w, answer)
		})
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func TestListings(t *testing.T) {
	url := elsewhere(t)
	t.Setenv("HEADROOM_TOKEN", "t0ken")
	for _, tt := range []struct{ args, want string }{
		{"workers", `
ID                      STATUS    DETAIL_STATUS    CREATED_AT                DELETED_AT
----------------------  --------  ---------------  ------------------------  ------------
replica-1               RUNNING   FREE             2024-07-29T02:42:50+0000
`},
		{"workers -a", `
ID                      STATUS      DETAIL_STATUS    CREATED_AT                DELETED_AT
----------------------  ----------  ---------------  ------------------------  ------------------------
replica-1               RUNNING     FREE             2024-07-29T02:42:50+0000
replica-2               TERMINATED                   2024-07-29T02:42:50+0000  2024-07-29T02:43:50+0000
`},
		{"workers -o json", `
[
  {
    "id": "replica-1",
    "status": "RUNNING",
    "detailStatus": "FREE",
    "createdAt": "2024-07-29T02:42:50Z",
    "pid": 17,
    "inFlight": 0,
    "served": 3
  }
]
`},
		{"queue", `
QUEUE_INDEX    CREATE_AT                 QUEUE_REASON
-------------  ------------------------  --------------
0              2024-07-29T02:42:50+0000  WorkerBusy
`},
		{"workers --logs replica-1", `
listening
a warning
`},
		{"workers --logs replica-1 -o wide", `
2024-07-29T02:42:50.500Z  stdout  listening
2024-07-29T02:42:51.000Z  stderr  a warning
`},
	} {
		args := append(strings.Fields(tt.args), "--scaler", url)
		code, out, err := execute(t, args...)
		if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), out); code != 0 || err != "" || diff != "" {
			t.Errorf("headroom %s: exit code %d, says %q, prints (-want +got):\n%s", tt.args, code, err, diff)
		}
	}
	for args, want := range map[string]string{
		"workers -o wide": "  LAST_ERROR\n",
		"queue -o wide":   "  WAITED\n",
	} {
		_, out, _ := execute(t, append(strings.Fields(args), "--scaler", url)...)
		if !strings.Contains(out, want) {
			t.Errorf("headroom %s: prints\n%s\nwant %q", args, out, want)
		}
	}
}

func TestListingsRefuse(t *testing.T) {
	url := elsewhere(t)
	for _, tt := range []struct{ args, token, want string }{
		{"workers -o yaml", "", `--output: got "yaml", want table, wide or json`},
		{"workers --logs replica-1 --watch", "", "--watch: got it together with --logs, want one of the two"},
		{"workers --logs replica-1 -a", "", "--all: got it together with --logs, want one of the two"},
		{"queue --name x --scaler " + url, "", "--scaler: got it together with --name, want one of the two"},
		{"queue --scaler here", "", `--scaler: got "here", want a URL such as http://127.0.0.1:8001`},
		{"queue --scaler " + url, "", "HEADROOM_TOKEN must hold its token"},
		{"queue --scaler " + url, "guess", "authorization: want the bearer token"},
		{"queue", "", "none is running"},
	} {
		t.Setenv("HEADROOM_TOKEN", tt.token)
		code, out, err := execute(t, strings.Fields(tt.args)...)
		if code != exitUsage || out != "" || !strings.Contains(err, tt.want) || strings.Count(err, "\n") != 1 {
			t.Errorf("headroom %s: exit code %d, prints %q, says %q; want 2 and one line with %q", tt.args, code, out, err, tt.want)
		}
	}
}

func TestAPIAddress(t *testing.T) {
	for given, want := range map[string][2]string{
		"http://127.0.0.1:8001":  {"127.0.0.1:8001", "http://127.0.0.1:8001"},
		"http://127.0.0.1:8001/": {"127.0.0.1:8001", "http://127.0.0.1:8001"},
		"localhost:8001":         {"localhost:8001", "http://localhost:8001"},
		"[::1]:8001":             {"[::1]:8001", "http://[::1]:8001"},
		"https://localhost":      {"localhost:443", "https://localhost"},
		"http://h:1/v1":          {}, "http://h:1?x=1": {}, "http://u:p@h:1": {}, "ftp://h:1": {}, "localhost": {}, ":8001": {}, "": {},
	} {
		address, base, err := apiAddress("--scaler", given)
		if got := [2]string{address, base}; got != want || (err == nil) != (want != [2]string{}) {
			t.Errorf("apiAddress(%q) = %q, %v; want %q", given, got, err, want)
		}
	}
}
