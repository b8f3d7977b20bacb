package scaler

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
	"headroom/scaler/httpapi"
	"headroom/scaler/httpapi/wire"
)

// control serves the API of a fleet with one replica.
func control(t *testing.T) (*httptest.Server, *api) {
	t.Helper()
	a := newAPI(t)
	s := httptest.NewServer(a.handler())
	t.Cleanup(s.Close)
	return s, a
}

func newAPI(t *testing.T) *api {
	t.Helper()
	cfg := Config{Command: []string{"serve"}, Policy: rpsPolicy(1, 5)}.withDefaults()
	b := newBalancer(time.Now(), cfg)
	p := newPool(cfg, b, 1)
	l, err := newLoop(cfg, 1, p, newSignals(cfg, b, p).sense, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := p.hire(&place{}, 0, 0)
	p.enter(r, &instance{address: "127.0.0.1:4000"})
	events := newEventLog(time.Now(), cfg.Log)
	events.add(Event{At: time.Now(), Kind: EventReplica, Text: "replica-1 is ready"})
	return &api{
		guard: httpapi.NewGuard("secret", "localhost"), service: "http://127.0.0.1:8000", cpuLimit: 500,
		pool: p, balancer: b, loop: l, policies: &policyStore{loop: l, log: cfg.Log, lost: "there is no policy file"}, ready: p.full,
		events: events, metrics: newMetrics(newRequestMetrics(), p, l),
	}
}

func TestAPIRefuses(t *testing.T) {
	s, a := control(t)
	const good = "Bearer secret"
	tests := []struct {
		name, method, path, auth, host, body string
		code                                 int
		want                                 string
	}{
		{"no token", "GET", "/v1/status", "", "", "", 401, "bearer token"},
		{"another token", "GET", "/v1/status", "Bearer guess", "", "", 401, "bearer token"},
		{"no token to change", "PUT", "/v1/replicas", "", "", `{"replicas":2,"ttl":"30s"}`, 401, "bearer token"},
		{"a name that was made to resolve here", "GET", "/v1/status", good, "evil.example:8001", "", 421, `host: got \"evil.example:8001\"`},
		{"the same without a token", "GET", "/healthz", "", "evil.example", "", 421, "host"},
		{"localhost", "GET", "/v1/status", good, "localhost:8001", "", 200, `"fleet"`},
		{"IPv6", "GET", "/v1/status", good, "[::1]:8001", "", 200, `"fleet"`},
		{"health without a token", "GET", "/healthz", "", "", "", 200, "ok"},
		{"no Bearer", "GET", "/v1/status", "secret", "", "", 401, "bearer token"},
		{"metrics without a token", "GET", "/metrics", "", "", "", 401, "bearer token"},
		{"no such route", "GET", "/v1/nothing", good, "", "", 404, `path: got \"/v1/nothing\", want one of /healthz, `},
		{"no such route without a token", "GET", "/v1/nothing", "", "", "", 401, "bearer token"},
		{"no such method", "POST", "/v1/replicas", good, "", "{}", 405, `{"problems":["method: got POST, want one of DELETE, PUT"]}`},
		{"OPTIONS", "OPTIONS", "/v1/queue", good, "", "", 405, `{"problems":["method: got OPTIONS, want one of GET, HEAD"]}`},
		{"HEAD", "HEAD", "/v1/status", good, "", "", 200, ""},
		{"HEAD of the stream ends", "HEAD", "/v1/events", good, "", "", 200, ""},
		{"HEAD of what has none", "HEAD", "/v1/replicas", good, "", "", 405, ""},
		{"no such worker", "GET", "/v1/workers/replica-7/logs", good, "", "", 404, `worker: got \"replica-7\", want one of replica-1`},
		{"pin to none", "PUT", "/v1/replicas", good, "", `{"replicas":0,"ttl":"0s"}`, 422,
			`{"problems":["replicas: got 0, want 1 to 1000","ttl: got 0s, want more than 0s and at most 1h"]}`},
		{"pin for too long", "PUT", "/v1/replicas", good, "", `{"replicas":1,"ttl":"61m"}`, 422, "ttl: got 1h1m"},
		{"pin too many", "PUT", "/v1/replicas", good, "", `{"replicas":1001,"ttl":"1m"}`, 422, "replicas: got 1001"},
		{"pin with an unknown key", "PUT", "/v1/replicas", good, "", `{"count":3}`, 422,
			`{"problems":["count: unknown key, want replicas or ttl","replicas: got nothing, want 1 to 1000","ttl: got nothing, want more than 0s and at most 1h"]}`},
		{"pin with values of other types", "PUT", "/v1/replicas", good, "", `{"replicas":"three","ttl":true}`, 422,
			`{"problems":["replicas: got \"three\", want a whole number","ttl: got \"true\", want a duration of 0 or more`},
		{"pin with one problem of each sort", "PUT", "/v1/replicas", good, "", `{"replicas":0,"ttl":[]}`, 422,
			`{"problems":["ttl: got a list, want a single value","replicas: got 0, want 1 to 1000"]}`},
		{"pin with no object", "PUT", "/v1/replicas", good, "", `[3]`, 422, `got a list, want keys with values`},
		{"no JSON", "PUT", "/v1/replicas", good, "", `replicas=1`, 422, "want one JSON object"},
		{"two values", "PUT", "/v1/replicas", good, "", `{"replicas":1,"ttl":"1m"}{}`, 422, "want one JSON object"},
		{"a policy with every kind of problem", "PUT", "/v1/policy", good, "",
			`{"version":"headroom/v1","replicas":{"min":3,"max":2},"interval":"1ms","metrics":[{"kind":"magic","target":0,"window":"30s"}]}`, 422,
			`{"problems":["replicas.max: got 2, want replicas.min (3) or more, or unlimited",` +
				`"metrics[0].target: got 0, want more than 0 and at most 1000000000",` +
				`"metrics[0].kind: got \"magic\", want one of rps, in_flight, queue, free_workers, cpu, memory, latency, custom","interval: got 1ms, want 1s to 1h"]}`},
		{"a policy on what is not measured", "PUT", "/v1/policy", good, "",
			`{"version":"headroom/v1","replicas":{"min":1,"max":2},"metrics":[{"kind":"custom","target":70},{"kind":"memory","target":70,"unit":"%"}]}`, 422,
			`{"problems":["metrics[0].kind: got custom, want another: the built-in scaler measures requests and processes, and asks nobody else",` +
				`"metrics[1].unit: got %, want MiB, or a limit to take a share of: --memory-limit"]}`},
		{"a policy with an unknown key", "PUT", "/v1/policy", good, "", `{"version":"headroom/v1","replicsa":{"min":3}}`, 422, `"replicsa: unknown key, want version, kind`},
		{"a policy as YAML", "PUT", "/v1/policy", good, "", "version: headroom/v1\n", 422, "want one JSON object"},
		{"no policy", "PUT", "/v1/policy", good, "", "null", 422, "problems"},
		{"too much", "PUT", "/v1/policy", good, "", `"` + strings.Repeat("x", httpapi.MaxBody) + `"`, 413, "more than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := request(t, tt.method, s.URL+tt.path, tt.body)
			req.Host = tt.host
			if tt.auth != "" {
				req.Header.Set("Authorization", tt.auth)
			}
			res, body := fetch(t, req)
			if res.StatusCode != tt.code || !strings.Contains(body, tt.want) {
				t.Errorf("%s %s: got %d %s, want %d with %s", tt.method, tt.path, res.StatusCode, body, tt.code, tt.want)
			}
			if allow := res.Header.Get("Allow"); (tt.code == http.StatusMethodNotAllowed) != (allow != "") {
				t.Errorf("%s %s: got Allow %q with %d", tt.method, tt.path, allow, tt.code)
			}
		})
	}
	if got := a.loop.state(); got.pin.size != 0 || got.policy.Replicas.Max != 5 {
		t.Errorf("after all refusals: got %+v, want nothing changed", got)
	}
}

func TestClientRoundTrip(t *testing.T) {
	s, a := control(t)
	ctx := t.Context()
	c := NewClient(s.URL+"/", "secret")
	if c.URL() != s.URL {
		t.Errorf("URL: got %q, want %q", c.URL(), s.URL)
	}

	fleet, _, err := c.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := a.pool.fleet(time.Now())
	if diff := cmp.Diff(want, fleet, timesEqual); diff != "" {
		t.Errorf("fleet (-want +got):\n%s", diff)
	}

	if err := c.Pin(ctx, 3, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	fleet, control, err := c.Status(ctx)
	if d := control.Decision; err != nil || !fleet.Pinned || fleet.Wanted != 3 || d.Reason != profiles.Pinned || d.Desired != 3 {
		t.Errorf("pinned: got %+v, %+v, %v, want 3 wanted at once", fleet, d, err)
	}
	if err := c.Unpin(ctx); err != nil {
		t.Fatal(err)
	}
	if fleet, _, err = c.Status(ctx); err != nil || fleet.Pinned || fleet.Wanted != 1 {
		t.Errorf("unpinned: got %+v, %v, want 1 wanted at once", fleet, err)
	}
	if err := c.Pin(ctx, 0, time.Minute); err == nil || !strings.Contains(err.Error(), "replicas: got 0, want 1 to 1000") {
		t.Errorf("pin to 0: got error %v, want the scaler's", err)
	}

	// Every field of a policy must come through, whatever it holds.
	policy := rpsPolicy(2, 20)
	policy.Replicas.Initial = 3
	policy.Metrics = append(policy.Metrics, profiles.Metric{Kind: profiles.InFlight, Target: 1500, Window: profiles.Duration(time.Second)})
	policy.Tolerance = 55
	policy.Up = profiles.Behavior{Step: 4, Factor: 2500, Stabilization: profiles.Duration(90 * time.Second)}
	policy.Down.Factor, policy.Down.Order = 500, profiles.Oldest
	policy.Schedules = []profiles.Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: "Europe/Berlin", Min: 8}}
	policy.Calibration = &profiles.Calibration{Latency: profiles.Duration(200 * time.Millisecond), Measured: "2026-11-21"}
	policy.Platforms = map[string]any{"jcloud": map[string]any{"note": "a <b> & \"c\"\nü \\", "instance": "C3"}}
	if err := c.Pin(ctx, 1, time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := c.Follow(ctx, policy); err != nil {
		t.Fatal(err)
	}
	got, _, err := c.Policy(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(policy, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if fleet, control, err = c.Status(ctx); err != nil || fleet.Pinned || fleet.Wanted != 2 {
		t.Errorf("after following: got %+v, %v, want not pinned and 2 wanted", fleet, err)
	}
	if control.CPULimit != 500 {
		t.Errorf("CPU limit: got %s, want 0.5 cores", control.CPULimit)
	}
	if diff := cmp.Diff(policy, control.Policy); diff != "" {
		t.Errorf("policy in force (-want +got):\n%s", diff)
	}
	unlimited := rpsPolicy(1, 5)
	unlimited.Replicas.Max = profiles.Unlimited
	if err := c.Follow(ctx, unlimited); err != nil {
		t.Errorf("follow a policy without a limit: %v", err)
	}
	if err := c.Follow(ctx, rpsPolicy(3, 2)); err == nil || !strings.Contains(err.Error(), "replicas.max: got 2") {
		t.Errorf("follow min above max: got error %v, want the scaler's", err)
	}

	if _, _, err := NewClient(s.URL, "guess").Status(ctx); err == nil || !strings.Contains(err.Error(), "bearer token") {
		t.Errorf("with another token: got error %v, want the scaler's", err)
	}
}

func TestClientListsWhoIsBusyAndWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, w := newAPI(t), wire.New(80)
		s := httpapi.NewServer(w, a.handler(), errClosed)
		s.Start(func(err error) { t.Error(err) })
		c, ctx := NewClient("http://127.0.0.1", "secret"), t.Context()
		c.api.HTTP.Transport = &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return w.Dial(ctx) }}
		busy, waits := arrive(t, a.balancer), arrive(t, a.balancer)

		workers, err := c.Workers(ctx)
		if err != nil || len(workers) != 1 || workers[0].ID != "replica-1" || workers[0].Status != "RUNNING" || workers[0].Detail != "BUSY" {
			t.Errorf("workers: got %+v, %v, want a busy replica-1", workers, err)
		}
		waiting, err := c.Queue(ctx)
		if err != nil || len(waiting) != 1 || waiting[0].Reason != reasonBusy || waiting[0].Created.IsZero() {
			t.Errorf("queue: got %+v, %v, want one that waits for a busy worker", waiting, err)
		}
		waits.cancel()
		busy.release(a.balancer)
		s.Shutdown(t.Context())
	})
}

// timesEqual compares times as JSON keeps them.
var timesEqual = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })

func TestAPIHealthWhileStarting(t *testing.T) {
	a := &api{ready: make(chan struct{})}
	w := httptest.NewRecorder()
	a.health(w, request(t, "GET", "/healthz", ""))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("while the replicas start: got %d, want 503", w.Code)
	}
}

func TestAPILogsOfNoWorkers(t *testing.T) {
	a := newAPI(t)
	cfg := Config{Policy: rpsPolicy(1, 5)}.withDefaults()
	a.pool = newPool(cfg, a.balancer, 1)
	req := request(t, "GET", "http://127.0.0.1:8001/v1/workers/replica-1/logs", "")
	req.Header.Set("Authorization", "Bearer secret")
	w := httptest.NewRecorder()
	a.handler().ServeHTTP(w, req)
	const want = `{"problems":["worker: got \"replica-1\", and there is none"]}` + "\n"
	if w.Code != http.StatusNotFound || w.Body.String() != want {
		t.Errorf("got %d %s, want 404 %s", w.Code, w.Body, want)
	}
}
