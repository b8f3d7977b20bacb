package load

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"headroom/probe"
	"headroom/profiles"
)

// Each class, each status and each check has one row, over users and ticks,
// with its first example; what the answers say makes no more of them.
func TestOneRowAFailure(t *testing.T) {
	c := newTestCollector()
	shards := make([]shard, 2)
	fail := func(at int, f Failure, status int16, err error) {
		shards[at%2].add(&Sample{Done: time.Duration(at) * time.Second, Failure: f, Status: status, Replica: probe.Unknown}, err, time.Second)
	}
	for i := 1; i <= 1000; i++ {
		fail(i, Check, 200, &profiles.Missed{Check: "a: check json ok", Got: fmt.Sprintf("got %d", i)})
		if i%10 == 0 {
			fail(i, Check, 200, &profiles.Missed{Check: "b: check status", Got: "got 302"})
			fail(i, Status, 503, nil)
			fail(i, Status, 404, nil)
			fail(i, Reset, 0, syscall.ECONNRESET)
			fail(i, Aborted, 0, errAborted)
		}
		if i%100 == 0 {
			for i := range shards {
				c.gather(&shards[i])
			}
		}
	}
	var s Snapshot
	c.fill(&s, nil)
	at := func(i int) time.Duration { return time.Duration(i) * time.Second }
	want := []FailureCount{
		{Failure: Check, Check: "a: check json ok", Count: 1000, First: at(1), Last: at(1000), Example: "a: check json ok: got 2"}, // the first that is gathered
		{Failure: Check, Check: "b: check status", Count: 100, First: at(10), Last: at(1000), Example: "b: check status: got 302"},
		{Failure: Status, Status: 503, Count: 100, First: at(10), Last: at(1000), Example: "503 Service Unavailable"},
		{Failure: Status, Status: 404, Count: 100, First: at(10), Last: at(1000), Example: "404 Not Found"},
		{Failure: Reset, Count: 100, First: at(10), Last: at(1000), Example: "connection reset by peer"},
	}
	if diff := cmp.Diff(want, s.Failures, cmpopts.IgnoreFields(FailureCount{}, "Latency", "Service")); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	for i, want := range []int64{1100, 1100, 100, 100, 100} { // checks have one distribution between them
		if f := s.Failures[i]; f.Latency.Count != want || f.Service.Count != want {
			t.Errorf("%s: %d latencies and %d service times, want %d", f.Example, f.Latency.Count, f.Service.Count, want)
		}
	}
}

func TestLatestFailure(t *testing.T) {
	refused := FailureCount{Failure: Dial, Last: 3 * time.Second, Example: "dial tcp: connect: connection refused"}
	unavailable := FailureCount{Failure: Status, Status: 503, Last: 9 * time.Second, Example: "503 Service Unavailable"}
	slow := FailureCount{Failure: Timeout, Last: 9 * time.Second}
	for _, test := range []struct {
		failures []FailureCount
		want     string
	}{
		{nil, ""},
		{[]FailureCount{refused}, "connection refused"},
		{[]FailureCount{unavailable, refused}, "503 Service Unavailable"},
		{[]FailureCount{unavailable, slow}, "timeout"}, // of two that came last, the class that was met first later
	} {
		if got := (Snapshot{Failures: test.failures}).LatestFailure().Words(); got != test.want {
			t.Errorf("the latest of %+v in words is %q, want %q", test.failures, got, test.want)
		}
	}
}
