package advisor

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headroom/load"
	"headroom/profiles"
)

func tail(p95, low, high time.Duration) *load.Tail { return &load.Tail{P95: p95, Low: low, High: high} }

func TestCompareRun(t *testing.T) {
	const ms, forever = time.Millisecond, load.Unbounded
	base := *tail(200*ms, 190*ms, 210*ms)
	for _, c := range []struct {
		name      string
		now       *load.Tail
		tolerance profiles.Ratio
		want      Change
		says      string
	}{
		{"the same", tail(200*ms, 190*ms, 210*ms), 100, NotWorse, "it is 200ms [190ms … 210ms], it was 200ms [190ms … 210ms]: +0 % [-7 % … +7 %]; the change is within the tolerance of 10%"},
		{"slower within the tolerance", tail(210*ms, 205*ms, 215*ms), 200, NotWorse, "+5 %"},
		{"slower than the tolerance", tail(300*ms, 290*ms, 310*ms), 100, Worse, "+50 % [+41 % … +59 %]; the change is beyond the tolerance of 10%, whatever chance did"},
		{"the tolerance is within the interval", tail(215*ms, 195*ms, 240*ms), 100, Unclear, "more requests, or a higher tolerance, would tell"},
		{"the same, but hardly known", tail(200*ms, 100*ms, 400*ms), 100, Unclear, "latency p95 against base.json: cannot tell"},
		{"faster", tail(100*ms, 95*ms, 105*ms), 100, Better, "more than chance explains"},
		{"faster by chance", tail(195*ms, 185*ms, 205*ms), 100, NotWorse, "-3 %"},
		{"no tolerance", tail(200*ms, 190*ms, 210*ms), 0, Unclear, "the tolerance of 0%"},
		{"too short", nil, 100, Unclear, "the run was too short"},
		{"most failed", tail(forever, forever, forever), 100, Worse, "it is unbounded [unbounded … unbounded], it was 200ms [190ms … 210ms]; so many requests failed that there is no p95"},
		{"some failed", tail(200*ms, 190*ms, forever), 100, Unclear, "+0 % [-7 % … without bound]"},
	} {
		got := CompareRun("base.json", c.tolerance, c.now, base)
		if got.Change != c.want || !strings.Contains(got.String(), c.says) {
			t.Errorf("%s: got %s, want %s and %q", c.name, got, c.want, c.says)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func measured(value, low, high float64) Measurement {
	return Measurement{SLO: "p95<300ms", Target: "http://a/", Machine: Machine{"linux", "amd64", 2},
		Capacity: Capacity{Replicas: 1, SLO: Interval{Value: value, Low: low, High: high, Unit: "/s"}}}
}

func TestCompareCapacity(t *testing.T) {
	edited := func(m Measurement, edit func(*Measurement)) Measurement {
		edit(&m)
		return m
	}
	for _, c := range []struct {
		name        string
		now, before Measurement
		want        Change
		says        string
	}{
		{"the same", measured(20, 19.5, 20.5), measured(20, 19.5, 20.5), NotWorse, "capacity against old.json: not worse; it is 20.0/s [19.5 … 20.5], it was 20.0/s [19.5 … 20.5]: +0 %"},
		{"less", measured(15, 14.5, 15.5), measured(20, 19.5, 20.5), Worse, "-25 %"},
		{"more", measured(25, 24, 26), measured(20, 19.5, 20.5), Better, "+25 %"},
		{"maybe less", measured(18.5, 17, 20), measured(20, 19, 21), Unclear, "would tell"},
		{"nothing proven now", measured(20, 0, 20.5), measured(20, 19.5, 20.5), Unclear, "[– … 20.5]"},
		{"nothing proven then", measured(20, 19.5, 20.5), measured(20, 0, 20.5), NotWorse, "without bound"},
		{"another SLO", edited(measured(20, 19, 21), func(m *Measurement) { m.SLO = "p95<1s" }), measured(20, 19, 21), Unclear, "it is what holds under p95<1s, not under p95<300ms"},
		{"refused", edited(measured(0, 0, 0), func(m *Measurement) { m.Capacity.Refusal = &Refusal{} }), measured(20, 19, 21), Unclear, "the measurement was refused"},
		{"refused then", measured(20, 19, 21), edited(measured(0, 0, 0), func(m *Measurement) { m.Capacity.Refusal = &Refusal{} }), Unclear, "the earlier measurement has none"},
		{"of other tasks", edited(measured(20, 19, 21), func(m *Measurement) { m.Tasks = []string{"chat"} }), measured(20, 19, 21), Unclear, "of the tasks chat, not of "},
		{"of more replicas", edited(measured(40, 39, 41), func(m *Measurement) { m.Capacity.Replicas = 2 }), measured(20, 19, 21), Unclear, "not so many times"},
	} {
		got := CompareCapacity("old.json", 100, c.now, c.before)
		if got.Change != c.want || !strings.Contains(got.String(), c.says) {
			t.Errorf("%s: got %s, want %s and %q", c.name, got, c.want, c.says)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestCompareCapacitySaysWhatDiffers(t *testing.T) {
	now, before := measured(20, 19, 21), measured(20, 19, 21)
	now.Target, now.Machine.Cores, now.Capacity.Replicas = "http://b/", 4, 2
	got := strings.Join(CompareCapacity("old.json", 100, now, before).Differs, "\n")
	want := "another target: http://b/, it was http://a/\nanother machine: 4 cores, linux, amd64, it was 2 cores, linux, amd64\nanother fleet: 2 replicas, it was 1 replica"
	if got != want {
		t.Errorf("differs: %q, want %q", got, want)
	}
}

// A run that is slower throughout is never judged better than one that is not.
func TestSlowerIsNeverBetter(t *testing.T) {
	rank := map[Change]int{Better: 0, NotWorse: 1, Unclear: 2, Worse: 3}
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) load.Tail {
			v := rapid.Float64Range(0.001, 10).Draw(t, name)
			low, high := v*rapid.Float64Range(0.3, 1).Draw(t, name+" low"), v*rapid.Float64Range(1, 3).Draw(t, name+" high")
			return load.Tail{P95: fromSeconds(v), Low: fromSeconds(low), High: fromSeconds(high)}
		}
		now, before, factor := draw("now"), draw("before"), rapid.Float64Range(1, 5).Draw(t, "factor")
		stretch := func(d time.Duration) time.Duration { return time.Duration(math.Ceil(float64(d) * factor)) }
		slower := load.Tail{P95: stretch(now.P95), Low: stretch(now.Low), High: stretch(now.High)}
		tolerance := profiles.Ratio(rapid.IntRange(0, 500).Draw(t, "tolerance"))
		a, b := CompareRun("f", tolerance, &now, before), CompareRun("f", tolerance, &slower, before)
		if rank[a.Change] > rank[b.Change] {
			t.Errorf("%v against %v is %s, %v is %s", now, before, a.Change, slower, b.Change)
		}
	})
}
