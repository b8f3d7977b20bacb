package main

import (
	"strings"
	"testing"

	"headroom/advisor"
)

// An attached capacity has steps and no swarm; they are its result.
func TestFindingsWithoutASwarm(t *testing.T) {
	capacity := advisor.Capacity{Steps: []advisor.Observation{{Trial: advisor.Trial{Name: "32 users"}, Requests: 900, Rate: 90}}}
	for _, c := range []struct {
		name  string
		state advisor.State
		want  []string
	}{
		{"nothing", advisor.State{}, nil},
		{"stopped early", advisor.State{Search: &advisor.SearchState{}}, nil},
		{"steps", advisor.State{Search: &advisor.SearchState{Capacity: &capacity}}, []string{"verdict", "32 users"}},
		{"refused", advisor.State{Search: &advisor.SearchState{Capacity: &capacity}, Refusal: &advisor.Refusal{Code: "too-thin", Why: "too few", Do: "more"}},
			[]string{"32 users", "no advice (too-thin): too few"}},
	} {
		a := newApp(t)
		if err := a.writeFindings(c.state); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		out := read(t, a.out.Name())
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: prints\n%s\nwant %q", c.name, out, want)
			}
		}
		if len(c.want) == 0 && out != "" {
			t.Errorf("%s: prints %q, want nothing", c.name, out)
		}
	}
}
