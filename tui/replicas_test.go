package tui

import (
	"strings"
	"testing"

	"headroom/advisor"
	"headroom/load"
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
	scaled := func(f probe.Fleet, wanted, queue int) probe.Fleet {
		f.Managed, f.Wanted, f.Queue, f.InFlight = true, wanted, queue, queue
		return f
	}
	for _, c := range []struct {
		state advisor.State
		want  string
	}{
		{advisor.State{Fleet: fleet()}, "0 answering"},
		{advisor.State{Fleet: fleet(probe.Serving, probe.New, probe.Ready, probe.Starting, probe.Gone)}, "2 answering, 1 of them new · 1 ready · 1 starting · 1 gone"},
		{advisor.State{Fleet: fleet(probe.Serving, probe.Draining, probe.Suspect, probe.Failing, probe.Quiet)}, "1 answering · 1 failing · 1 suspect · 1 draining · 1 quiet"},
		{advisor.State{Fleet: scaled(fleet(probe.Serving, probe.Ready), 0, 0)}, "0 wanted · 2 up · queue 0 · 1 answering · 1 ready · in flight 0"},
		{advisor.State{Loaded: true, Load: load.Snapshot{Unnamed: 9}, Fleet: scaled(fleet(probe.Ready), 1, 0)}, "1 wanted · 1 up · queue 0 · answers name no replica · 1 ready"},
		{advisor.State{Managed: true, Fleet: scaled(fleet(probe.Ready), 2, 7)}, "2 wanted · 1 up · queue 7 · 1 ready · in flight 7"},
		{advisor.State{Fleet: scaled(fleet(), 2, 7)}, "2 wanted · 0 up · queue 7 · 0 answering · in flight 7"},
	} {
		if got := replicaSummary(c.state, plainStyles(), 200); !strings.HasPrefix(got, c.want) {
			t.Errorf("replicaSummary = %q, want %q", got, c.want)
		}
	}
}
