package probe

import (
	"testing"
	"time"
)

func TestSplit(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name, head, body string
		want             Split
	}{
		{"nothing", "Server: nginx\r\n", `{"time":1}`, Split{Unsaid, Unsaid}},
		{"our scaler", "Server-Timing: queue;dur=12.345\r\n", "", Split{12345 * time.Microsecond, Unsaid}},
		{"queue and work", "server-timing: app;dur=53, db;dur=47.5, queue;dur=2\r\n", "", Split{2 * ms, 53 * ms}},
		{"a line of the app and one of the scaler", "Server-Timing: app;dur=100.000\r\nServer: x\r\nServer-Timing: queue;dur=301.433\r\n", "", Split{301433 * time.Microsecond, 100 * ms}},
		{"a line of each proxy", "Server-Timing:\r\nServer-Timing: queue;dur=2\r\nserver-timing: wait;dur=3\r\n", "", Split{5 * ms, Unsaid}},
		{"two waits", "Server-Timing: Queue;dur=2,worker-wait;dur=3\r\n", "", Split{5 * ms, Unsaid}},
		{"descriptions", "Server-Timing: cache;desc=\"a, dur=9; b\", app;desc=\"x;y\";dur=5\r\n", "", Split{Unsaid, 5 * ms}},
		{"without a duration", "Server-Timing: miss, app;dur=\r\n", "", Split{Unsaid, Unsaid}},
		{"Envoy", "x-envoy-upstream-service-time: 17\r\n", "", Split{Unsaid, 17 * ms}},
		{"FastAPI's documentation", "x-process-time: 0.0125\r\n", "", Split{Unsaid, 12500 * time.Microsecond}},
		{"Rails", "X-Runtime: 0.25\r\n", "", Split{Unsaid, 250 * ms}},
		{"with a unit", "X-Response-Time: 12.5ms\r\n", "", Split{Unsaid, 12500 * time.Microsecond}},
		{"with seconds", "X-Response-Time: 1.5 s\r\n", "", Split{Unsaid, 1500 * ms}},
		{"a field", "", `{"cpu_time": 0.5,"hostname":"a"}`, Split{Unsaid, 500 * ms}},
		{"a short field", "", `{"cpu_time":5.4836293173e-03,"result":45}`, Split{Unsaid, 5484 * time.Microsecond}},
		{"an even shorter one", "", `{"cpu_time":1E-999}`, Split{Unsaid, 0}},
		{"an exponent without digits", "X-Runtime: 2e\r\n", "", Split{Unsaid, 2 * time.Second}},
		{"a large exponent", "X-Runtime: 2e9999\r\n", "", Unsplit},
		{"a value before the field", "", `{"slowest":"cpu_time","cpu_time":0.5}`, Split{Unsaid, 500 * ms}},
		{"no number", "X-Runtime: fast\r\n", `{"cpu_time":"x"}`, Split{Unsaid, Unsaid}},
		{"beyond all bounds", "X-Runtime: 99999999999999999999\r\n", "", Split{Unsaid, Unsaid}},
	} {
		a := &Answer{Status: 200, Head: []byte("HTTP/1.1 200 OK\r\n" + tt.head + "\r\n"), Body: []byte(tt.body)}
		var s Splitter
		for range 2 * splitLearn { // first while it learns, then knowing
			got := s.Split(a)
			if round(got.Queue) != tt.want.Queue || round(got.Compute) != tt.want.Compute {
				t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
				break
			}
		}
		if n := testing.AllocsPerRun(10, func() { s.Split(a) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", tt.name, n)
		}
	}
}

// What the first answers do not have is found when it is looked for again.
func TestSplitLooksAgain(t *testing.T) {
	var s Splitter
	silent := &Answer{Status: 200, Head: []byte("HTTP/1.1 200 OK\r\n\r\n")}
	telling := &Answer{Status: 200, Head: []byte("HTTP/1.1 200 OK\r\nServer-Timing: app;dur=5\r\n\r\n")}
	for range splitLearn {
		s.Split(silent)
	}
	if got := s.Split(telling); got != Unsplit {
		t.Errorf("not looked for: got %v, want nothing", got)
	}
	s.Again()
	for i := range 2 * splitLearn {
		if got := s.Split(telling); got.Compute != 5*time.Millisecond {
			t.Fatalf("answer %d after looking again: got %v, want 5ms of work", i, got)
		}
	}
}

func round(d time.Duration) time.Duration {
	if d == Unsaid {
		return d
	}
	return d.Round(time.Microsecond)
}
