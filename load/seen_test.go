package load

import (
	"strings"
	"testing"
	"time"

	"headroom/probe"
)

func TestSpread(t *testing.T) {
	two := []Replica{{Name: "a"}, {Name: "b"}}
	for _, tt := range []struct {
		name string
		s    Snapshot
		want string // a part of each sentence, with | between
	}{
		{"nothing", Snapshot{}, ""},
		{"even, all seen", Snapshot{Replicas: two, Imbalance: new(0.01), Unseen: probe.Unseen{Seen: 2, Total: 2, Low: 2, High: 2}}, ""},
		{"uneven", Snapshot{Replicas: two, Imbalance: new(0.5), Unseen: probe.Unseen{Seen: 2, Total: 2, Low: 2, High: 2}}, "50 % more than an even share"},
		{"some not seen", Snapshot{Replicas: two, Unseen: probe.Unseen{Seen: 2, Total: 3, Low: 2, High: 9}}, "2 replicas seen, between 2 and 9"},
		{"none twice", Snapshot{Replicas: two, Unseen: probe.Unseen{Seen: 2, Total: 2, Low: 2}}, "any number of replicas from 2 on"},
		{"one connection", Snapshot{Replicas: two[:1], Sticky: true, Unseen: probe.Unseen{Seen: 1, Total: 1, Low: 1}}, "one connection tells nothing of how many replicas"},
		{"one answer", Snapshot{Replicas: two[:1], Unseen: probe.Unseen{Seen: 1, Total: 1, Low: 1}}, ""},
		{"cold starts", Snapshot{Replicas: []Replica{{Name: "a"}, {Name: "b", ColdStart: &probe.ColdStart{Answers: 10, First: 30 * time.Millisecond, Later: 10 * time.Millisecond}},
			{Name: "c", ColdStart: &probe.ColdStart{Answers: 10, First: 450 * time.Millisecond, Later: 12 * time.Millisecond}}}},
			"first 10 answers of 2 replicas took longer than the later ones; those of c 450ms on average instead of 12ms"},
		{"connections that stay", Snapshot{Replicas: two, Sticky: true}, "stayed with its replica"},
		{"one replica", Snapshot{Replicas: two[:1], Sticky: true, Unseen: probe.Unseen{Seen: 1, Total: 1, Low: 1, High: 1}}, ""},
	} {
		got, want := tt.s.Spread(), strings.Split(tt.want, "|")
		if tt.want == "" {
			want = nil
		}
		ok := len(got) == len(want)
		for i := 0; ok && i < len(got); i++ {
			ok = strings.Contains(got[i], want[i])
		}
		if !ok {
			t.Errorf("%s: got %q, want %q", tt.name, got, want)
		}
	}
}

// Two replicas that answered three and one times over connections that stay,
// one of which says where its time went.
func TestSnapshotOfReplicas(t *testing.T) {
	identifier := probe.NewIdentifier(probe.Source{{Kind: probe.JSONField, Field: "pod"}})
	c := newCollector([]string{"GET /"}, Options{Identifier: identifier}, func() []string { return []string{"192.0.2.1:80"} })
	for i, pod := range []string{"a", "b", "a", "a"} {
		s := Sample{Done: 20 * time.Millisecond, Status: 200, Remote: 1, Split: probe.Unsplit}
		if s.Replica = identifier.Identify(&probe.Answer{Status: 200, Body: []byte(`{"pod":"` + pod + `"}`)}); i < 2 {
			s.Dial = time.Millisecond
		}
		if pod == "a" {
			s.Split = probe.Split{Queue: time.Millisecond, Compute: 15 * time.Millisecond}
		}
		c.add(&s)
	}
	var got Snapshot
	c.fill(&got, nil)
	if !got.Sticky || got.Unseen.Seen != 2 || got.Unseen.High != 0 || len(got.Replicas) != 2 {
		t.Fatalf("sticky %v, %+v, replicas %+v; want true, 2 of which none was met twice over 2 connections", got.Sticky, got.Unseen, got.Replicas)
	}
	if m := got.Replicas[0].Parts; m == nil || *m.Network != 4*time.Millisecond || *m.Queue != time.Millisecond || *m.Compute != 15*time.Millisecond {
		t.Errorf("a says %+v, want 4, 1 and 15 ms", m)
	}
	if m := got.Replicas[1].Parts; m != nil {
		t.Errorf("b says %+v, want nothing", m)
	}
	c.add(&Sample{Done: 20 * time.Millisecond, Status: 200, Remote: 1, Replica: 1, Switched: true, Split: probe.Unsplit})
	if c.fill(&got, nil); got.Sticky || got.Unseen.High == 0 {
		t.Errorf("after a switch: sticky %v, %+v; want false, and an end", got.Sticky, got.Unseen)
	}
}
