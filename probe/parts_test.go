package probe

import (
	"fmt"
	"testing"
	"time"
)

func TestParts(t *testing.T) {
	const ms = time.Millisecond
	text := func(d *time.Duration) string {
		if d == nil {
			return "-"
		}
		return d.String()
	}
	for _, tt := range []struct {
		name  string
		parts []Split // of answers that took 20 ms each
		want  string  // network, queue, compute
	}{
		{"nothing said", []Split{Unsplit, Unsplit}, "nothing"},
		{"the wait only", []Split{{2 * ms, Unsaid}, {4 * ms, Unsaid}}, "- 3ms -"},
		{"the work only", []Split{{Unsaid, 15 * ms}, Unsplit}, "5ms - 15ms"},
		{"both", []Split{{0, 10 * ms}, {4 * ms, 12 * ms}}, "7ms 2ms 11ms"},
		{"more than it took", []Split{{Unsaid, 30 * ms}}, "0s - 30ms"},
	} {
		var p Parts
		for _, s := range tt.parts {
			p.Add(s, 20*ms)
		}
		got := "nothing"
		if m := p.Means(); m != nil {
			got = fmt.Sprint(text(m.Network), " ", text(m.Queue), " ", text(m.Compute))
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}
