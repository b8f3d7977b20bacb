package tui

import (
	"strings"
	"testing"

	"headroom/advisor"
	"headroom/probe"
)

// The counts above the table add up to its rows.
func TestReplicaSummary(t *testing.T) {
	fleet := func(states ...probe.State) (f probe.Fleet) {
		for _, s := range states {
			f.Replicas = append(f.Replicas, probe.Replica{State: s, Answered: true})
		}
		return f
	}
	for _, c := range []struct {
		state advisor.State
		want  string
	}{
		{advisor.State{Fleet: fleet()}, "0 answering"},
		{advisor.State{Fleet: fleet(probe.Serving, probe.New, probe.Ready, probe.Starting, probe.Gone)}, "2 answering, 1 of them new · 1 ready · 1 starting · 1 gone"},
		{advisor.State{Fleet: fleet(probe.Serving, probe.Draining, probe.Suspect, probe.Failing, probe.Quiet)}, "1 answering · 1 failing · 1 suspect · 1 draining · 1 quiet"},
		{advisor.State{Managed: true, Fleet: fleet(probe.Serving, probe.Ready)}, "2 up · 1 answering · 1 ready"},
	} {
		if got := replicaSummary(c.state, plainStyles(), 200); !strings.HasPrefix(got, c.want) {
			t.Errorf("replicaSummary = %q, want %q", got, c.want)
		}
	}
}
