package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// A name of requests with several methods has none.
func TestMethods(t *testing.T) {
	task := func(name, method string) profiles.Task {
		return profiles.Task{Request: profiles.Request{Name: name, Method: method}}
	}
	several := profiles.DefaultPlan()
	several.Scenario = &profiles.Scenario{Classes: []profiles.Class{
		{OnStart: []profiles.Task{task("login", "POST")}, Tasks: []profiles.Task{task("item", "GET"), task("both", "GET"), task("both", "PUT"), task("both", "PUT")}},
		{Tasks: []profiles.Task{task("item", "GET")}},
	}}
	for name, c := range map[string]struct {
		plan profiles.Plan
		want map[string]string
	}{
		"one":      {profiles.DefaultPlan(), map[string]string{"GET /": "GET"}},
		"scenario": {several, map[string]string{"login": "POST", "item": "GET", "both": ""}},
	} {
		got := methods(advisor.State{Plan: c.plan, Load: load.Snapshot{Total: load.Stats{Name: "GET /"}}})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: methods (-want +got):\n%s", name, diff)
		}
	}
}
