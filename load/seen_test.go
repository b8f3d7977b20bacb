package load

import (
	"strings"
	"testing"

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
