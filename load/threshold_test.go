package load

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/probe"
	"headroom/profiles"
)

func thresholds(t *testing.T, texts ...string) (out []profiles.Threshold) {
	t.Helper()
	for _, text := range texts {
		threshold, err := profiles.ParseThreshold(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, threshold)
	}
	return out
}

// outcome is what a threshold came to, in a word.
func outcome(t Threshold) string {
	switch {
	case !t.Valid:
		return "no data"
	case t.Holds:
		return "holds"
	}
	return "missed"
}

// 10 users have 100 requests a second of 100 ms answered, 10 bytes each.
func TestThresholdsOfTheWholeRun(t *testing.T) {
	for _, c := range []struct {
		threshold string
		fail      bool
		want      string
		value     float64
	}{
		{"http_req_duration: p(95)<150", false, "holds", 100},
		{"http_req_duration: p(95)<50", false, "missed", 100},
		{"http_req_duration: avg>=99", false, "holds", 100},
		{"http_req_duration: min==100", false, "holds", 100},
		{"http_req_duration: max<99", false, "missed", 100},
		{"http_req_duration: med<1000", true, "missed", math.Inf(1)},
		{"http_req_duration: min<1000", true, "no data", 0},
		{"http_req_failed: rate==0", false, "holds", 0},
		{"http_req_failed: rate<0.5", true, "missed", 1},
		{"http_reqs: count!=0", false, "holds", 1000},
		{"http_reqs: rate>90", false, "holds", 100},
		{"iterations: rate>110", false, "missed", 100},
		{"data_received: count>=10", false, "holds", 10_000},
		{"data_received: rate<10", false, "missed", 1000},
		{"http_req_waiting: avg<1", false, "no data", 0},
		{"http_req_connecting: avg<1", false, "no data", 0},
		{"http_req_tls_handshaking: avg<1", false, "no data", 0},
		{"dropped_iterations: count==0", false, "no data", 0},
	} {
		o := fake(100*time.Millisecond, func(conn *fakeConn) { conn.fail = c.fail })
		o.Thresholds = thresholds(t, c.threshold)
		plan := closedPlan(10, 1000, 10*time.Second)
		if c.fail {
			plan.RunTime = 3 * time.Second
		}
		got := run(t, plan, o, nil).Thresholds[0]
		if outcome(got) != c.want {
			t.Errorf("%s of failing %v: %s at %s, want %s", c.threshold, c.fail, outcome(got), got.Format(), c.want)
		}
		if v := float64(got.Value); v != c.value && math.Abs(v-c.value) > 0.02*c.value {
			t.Errorf("%s of failing %v: value %v, want about %v", c.threshold, c.fail, v, c.value)
		}
	}
}

// A freeze of a second shows in its window, and hardly in the whole run. A rest
// at the end is a window of its own where it is half of one.
func TestThresholdsInWindows(t *testing.T) {
	const p, failing = "http_req_duration: p(90)<500", "http_req_duration: p(90)<500 every=5s"
	for _, c := range []struct {
		name, threshold string
		length          time.Duration
		want            string
		windows, missed int
		at              time.Duration // end of the worst
	}{
		{"the whole run", p, 20 * time.Second, "holds", 0, 0, 0},
		{"four windows", failing, 20 * time.Second, "missed", 4, 1, 15 * time.Second},
		{"a long rest", failing, 23 * time.Second, "missed", 5, 1, 15 * time.Second},
		{"a short rest", failing, 22 * time.Second, "missed", 4, 1, 15 * time.Second},
		{"the freeze in the rest", failing, 14 * time.Second, "missed", 3, 1, 14 * time.Second},
		{"less than a window", failing, 4 * time.Second, "holds", 1, 0, 4 * time.Second},
		{"a rate", "http_reqs: rate>95 every=5s", 20 * time.Second, "missed", 4, 1, 15 * time.Second},
		{"a rate that must be low", "http_reqs: rate<150 every=5s", 20 * time.Second, "holds", 4, 0, 20 * time.Second},
	} {
		o := fake(10*time.Millisecond, func(conn *fakeConn) { conn.freezeFrom, conn.freezeTo = 11*time.Second, 13*time.Second })
		o.Thresholds = thresholds(t, c.threshold)
		plan := openPlan(100, profiles.Even, c.length)
		plan.OnBusy, plan.MaxUsers = profiles.Dropped, 50
		got := run(t, plan, o, nil).Thresholds[0]
		if outcome(got) != c.want || got.Windows != c.windows || got.Missed != c.missed || c.windows > 0 && got.Missed > 0 && got.At.Round(time.Second) != c.at {
			t.Errorf("%s: %s: %s, %s; want %s, missed in %d of %d windows, the worst up to %v", c.name, c.threshold, outcome(got), got.Format(), c.want, c.missed, c.windows, c.at)
		}
	}
}

// A request that waits for its answer counts in the window in which it waits.
func TestWindowsSeeWhatWaits(t *testing.T) {
	o := fake(10*time.Millisecond, func(conn *fakeConn) { conn.freezeFrom, conn.freezeTo = 3*time.Second, time.Hour })
	o.Thresholds = thresholds(t, "http_req_duration: max<1000 every=5s")
	plan := closedPlan(5, 1000, 10*time.Second)
	plan.StopGrace = 0
	if got := run(t, plan, o, nil).Thresholds[0]; got.Holds || got.Missed != 2 || !got.AtLeast || got.Unanswered != 5 {
		t.Errorf("a target that died: %+v, want both windows missed by 5 requests without an answer", got)
	}
}

func TestThresholdEndsTheRun(t *testing.T) {
	for _, c := range []struct {
		threshold string
		ends      time.Duration
	}{
		{"http_req_failed: rate<0.5", 10 * time.Second},
		{"http_req_failed: rate<0.5 abortOnFail", 250 * time.Millisecond},
		{"http_req_failed: rate<0.5 abortOnFail delay=3s", 3 * time.Second},
		{"http_req_failed: rate<0.5 abortOnFail every=2s", 2 * time.Second},
		{"http_req_failed: rate<0.5 abortOnFail delay=3s every=2s", 3 * time.Second},
		{"http_req_failed: rate>0.5 abortOnFail", 10 * time.Second},
		{"http_req_waiting: avg<1 abortOnFail", 10 * time.Second}, // no data fails nothing
	} {
		o := fake(100*time.Millisecond, func(conn *fakeConn) { conn.fail = true })
		o.Thresholds = thresholds(t, "http_reqs: count>=0", c.threshold)
		got := run(t, closedPlan(10, 1000, 10*time.Second), o, nil)
		within(t, c.threshold+": load in s", got.Loaded.Seconds(), c.ends.Seconds(), 0.01)
		want := ""
		if c.ends < 10*time.Second {
			want = c.threshold
		}
		if got.EndedBy != want {
			t.Errorf("%s: ended by %q, want %q", c.threshold, got.EndedBy, want)
		}
	}
}

// What comes after a threshold ended the load does not make it hold again.
func TestThresholdThatEndedTheRunStaysMissed(t *testing.T) {
	o := fake(100*time.Millisecond, nil)
	o.Thresholds = thresholds(t, "http_reqs: count>5 abortOnFail delay=1s", "http_reqs: count<5 abortOnFail delay=250ms")
	got := run(t, closedPlan(10, 1000, 10*time.Second), o, nil)
	if first, second := got.Thresholds[0], got.Thresholds[1]; !first.Holds || second.Holds || got.EndedBy != second.Threshold.String() {
		t.Errorf("ended by %q, %s and %s", got.EndedBy, outcome(first), outcome(second))
	}
}

func TestThresholdsForgetWithTheStatistics(t *testing.T) {
	o := fake(10*time.Millisecond, func(conn *fakeConn) { conn.freezeFrom, conn.freezeTo = time.Second, 3*time.Second })
	o.Thresholds = thresholds(t, "http_req_duration: max<500", "http_req_duration: max<500 every=2s")
	got := run(t, closedPlan(5, 1000, 10*time.Second), o, func(e *Engine) {
		sleep(3500 * time.Millisecond)
		e.ResetStats()
	})
	for _, threshold := range got.Thresholds {
		if !threshold.Holds {
			t.Errorf("%s: %s after the statistics began anew, want that it holds", threshold.Threshold, threshold.Format())
		}
	}
	if n := got.Thresholds[1].Windows; n != 3 {
		t.Errorf("%d windows of 2s in the last 6.5s, want 3", n)
	}
}

func TestThresholdsOfATask(t *testing.T) {
	o := Options{Identifier: probe.NewIdentifier(nil), Thresholds: thresholds(t, "http_req_failed{name:b}: rate<0.5", "http_req_failed{name:b}: rate<0.5 every=1s", "http_req_failed: rate<0.6")}
	c := newCollector([]string{"a", "b"}, o, func() []string { return nil })
	var sh shard
	for i := range 10 {
		sample := Sample{Task: int32(i % 2), Done: time.Millisecond, Status: 200, Replica: probe.Unknown}
		if i%2 == 1 {
			sample.Status, sample.Failure = 503, Status
		}
		sh.add(&sample, nil, time.Second)
	}
	c.gather(&sh)
	s := Snapshot{Phase: Running, Elapsed: time.Second, Loaded: time.Second}
	c.fill(&s, nil)
	var got []string
	for _, threshold := range s.Thresholds {
		got = append(got, outcome(threshold))
	}
	if want := []string{"missed", "missed", "holds"}; !slices.Equal(got, want) {
		t.Errorf("thresholds %q, want %q: of the requests b all failed, of all half", got, want)
	}
}

func TestThresholdReadsBack(t *testing.T) {
	all := thresholds(t, "http_req_duration{name:chat}: p(99.9)<200 abortOnFail delay=10s every=30s", "http_reqs: count>1")
	for _, want := range []Threshold{
		{Threshold: all[0], Value: 120.5, Windows: 4, Missed: 1, At: time.Minute, Valid: true},
		{Threshold: all[0], Value: Figure(math.Inf(1)), AtLeast: true, Unanswered: 3, Valid: true},
		{Threshold: all[1]},
	} {
		data, err := json.Marshal(want)
		var got Threshold
		if err == nil {
			err = json.Unmarshal(data, &got)
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v, -want +got:\n%s", data, err, diff)
		}
	}
}

func TestThresholdFormat(t *testing.T) {
	all := thresholds(t, "http_req_duration: p(95)<200", "http_req_duration: p(95)<200 every=30s")
	for _, c := range []struct {
		t    Threshold
		want string
	}{
		{Threshold{Threshold: all[0]}, "no data"},
		{Threshold{Threshold: all[0], Valid: true, Value: 182.4}, "182ms"},
		{Threshold{Threshold: all[0], Valid: true, Value: 6020, AtLeast: true}, "over 6020ms"},
		{Threshold{Threshold: all[0], Valid: true, Value: Figure(math.Inf(1))}, "unbounded: too many failed"},
		{Threshold{Threshold: all[1], Valid: true, Value: 182.4, Windows: 1, At: 30 * time.Second, Holds: true}, "182ms in the worst of 1 window, up to 30s"},
		{Threshold{Threshold: all[1], Valid: true, Value: 812.4, Windows: 4, Missed: 2, At: 90 * time.Second}, "812ms in the worst of 4 windows, up to 1m30s; missed in 2"},
	} {
		if got := c.t.Format(); got != c.want {
			t.Errorf("Format of %+v = %q, want %q", c.t, got, c.want)
		}
	}
}

func TestNewRefusesAThresholdOfNoTask(t *testing.T) {
	o := fake(time.Millisecond, nil)
	o.Thresholds = thresholds(t, "http_reqs{name:chat}: count>1")
	if _, err := New(closedPlan(1, 1, time.Second), o); err == nil {
		t.Error("New took a threshold on a task of a plan without tasks")
	}
}
