package load

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

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
		{Check, 0, "a: check json ok", 1000, at(1), at(1000), "a: check json ok: got 2"}, // the first that is gathered
		{Check, 0, "b: check status", 100, at(10), at(1000), "b: check status: got 302"},
		{Status, 503, "", 100, at(10), at(1000), "503 Service Unavailable"},
		{Status, 404, "", 100, at(10), at(1000), "404 Not Found"},
		{Reset, 0, "", 100, at(10), at(1000), "connection reset by peer"},
	}
	if diff := cmp.Diff(want, s.Failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}
