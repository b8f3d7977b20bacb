package advisor

import (
	"strings"
	"testing"
	"time"

	"headroom/advisor/model"
	"headroom/load"
)

// witnesses are requests that took so long, all of one kind.
func witnesses(latencies []time.Duration) []witness {
	out := make([]witness, len(latencies))
	for i, d := range latencies {
		out[i].latency = d
	}
	return out
}

// Each objective is judged by the requests that it speaks of: those of its task,
// and of a first event those that are streams, however long these go on.
func TestObserveParts(t *testing.T) {
	ms := time.Millisecond
	stream := func(first, whole time.Duration) load.Sample {
		return load.Sample{Done: whole, Stream: &load.Stream{First: first, Last: whole, Events: 5}}
	}
	step := func(chat load.Sample) (samples []load.Sample) {
		for i := range 1000 {
			s := load.Sample{Done: 20 * ms}
			if i%5 == 0 {
				s, s.Task = chat, 1
			}
			at := time.Duration(i) * 20 * ms
			s.Intended, s.Sent, s.Done = at, at, at+s.Done
			if s.Stream != nil {
				stream := *s.Stream
				stream.First += at
				s.Stream = &stream
			}
			samples = append(samples, s)
		}
		return samples
	}
	fails := load.Sample{Done: 20 * ms, Failure: load.Status}
	for _, c := range []struct {
		name, slo string
		chat      load.Sample
		verdict   model.Verdict
		why       string
	}{
		{"a task in time", "chat.p95<300ms", load.Sample{Done: 200 * ms}, model.Pass, "0 of "},
		{"a task too late", "chat.p95<300ms", load.Sample{Done: 400 * ms}, model.Fail, "180 of 180 requests over 300ms (chat.p95)"},
		{"the other one in time", "hello.p95<300ms", load.Sample{Done: 400 * ms}, model.Pass, "0 of "},
		{"a first event in time, of a long stream", "ttft.p95<300ms", stream(100*ms, 900*ms), model.Pass, "0 of "},
		{"one too late", "chat.ttft.p95<300ms", stream(400*ms, 900*ms), model.Fail, "180 of 180 requests over 300ms (chat.ttft.p95)"},
		{"none at all", "ttft.p95<300ms", load.Sample{Done: 20 * ms}, model.Unsure, "ttft.p95<300ms speaks of none of the 900 requests"},
		{"a task fails, and has no first event", "ttft.p95<300ms,chat.errors<50%", fails, model.Fail, "100% of the requests failed, the SLO wants chat.errors<50%"},
		{"the other one does not", "hello.p95<300ms,hello.errors<1%", fails, model.Pass, "0 of "},
	} {
		o := Observe(Trial{Rate: 50, Length: 20 * time.Second}, step(c.chat), 20*time.Second, mustSLO(t, c.slo), []string{"hello", "chat"})
		if o.Verdict != c.verdict || !strings.Contains(o.Why, c.why) || o.Met != (c.verdict == model.Pass) {
			t.Errorf("%s: Observe under %s = %s (%s), met %v; want %s (%s)", c.name, c.slo, o.Verdict, o.Why, o.Met, c.verdict, c.why)
		}
	}
}

// The capacity under an SLO of one task in four is told in requests of all
// tasks, and a step is long enough to hear of that task.
func TestSearchOfOneTask(t *testing.T) {
	slo := mustSLO(t, "b.p95<100ms,errors<1%")
	whole := simulated{service: 20 * time.Millisecond, servers: 1, seed: 3, slo: mustSLO(t, "p95<100ms,errors<1%")}
	parted := whole
	parted.slo, parted.tasks, parted.trials = slo, []string{"a", "b", "c", "d"}, nil
	want := truth(whole)
	c, err := Search(t.Context(), &parted, SearchOptions{SLO: slo, Budget: 3 * time.Minute, Seed: 3})
	if err != nil || c.Refusal != nil || c.SLO.Value < 0.85*want || c.SLO.Value > 1.1*want {
		t.Errorf("Search = %v (%v, %v), want about %.1f/s", c.SLO, err, c.Refusal, want)
	}
	unheard := simulated{service: 20 * time.Millisecond, servers: 1, slo: mustSLO(t, "ttft.p95<100ms")}
	c, err = Search(t.Context(), &unheard, SearchOptions{SLO: unheard.slo, Budget: time.Minute})
	if err != nil || c.Refusal == nil || c.Refusal.Code != "R10" || !strings.Contains(c.Refusal.Why, "ttft.p95<100ms speaks of none") {
		t.Errorf("Search of no stream = %v, refusal %+v; want R10", err, c.Refusal)
	}
}
