package load

import (
	"strings"
	"testing"
	"time"

	"headroom/profiles"
)

// What can be known before the load is said before the load.
func TestUsersForWhomThereAreNoFiles(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*profiles.Plan)
		want string // in the error; "": none
	}{
		{"as many as there are files for", func(p *profiles.Plan) { p.Users = 936 }, ""},
		{"one too many", func(p *profiles.Plan) { p.Users = 937 }, "--users: got 937, which keep a connection each, want 936 at most: this process may open 1000 files"},
		{"they keep it for a while", func(p *profiles.Plan) { p.Users, p.ConnMaxRequests = 5000, 2 }, "ulimit -n"},
		{"they do not keep it", func(p *profiles.Plan) { p.Users, p.DisableKeepAlive = 5000, true }, ""},
		{"nor here", func(p *profiles.Plan) { p.Users, p.ConnMaxRequests = 5000, 1 }, ""},
		{"there are not so many before the end", func(p *profiles.Plan) { p.Users, p.SpawnRate, p.RunTime = 5000, 90, 10*time.Second }, ""},
		{"there are", func(p *profiles.Plan) { p.Users, p.SpawnRate, p.RunTime = 5000, 100, 10*time.Second }, "got 1000,"},
		{"nor requests for so many", func(p *profiles.Plan) { p.Users, p.Requests = 5000, 900 }, ""},
		{"a shape of users", func(p *profiles.Plan) {
			p.UserShape = profiles.Ramp{Stages: []profiles.Stage{{For: time.Second, To: 5000}}}
		}, "got 5000,"},
		{"arrivals need as many as answers take time for", func(p *profiles.Plan) { p.Rate, p.MaxUsers = 10, 5000 }, ""},
	} {
		plan := closedPlan(1, 1e6, 0)
		c.edit(&plan)
		err := enoughFiles(plan, 1000, 936)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: enoughFiles(1000) = %v, want %q", c.name, err, c.want)
		}
	}
}

// What is open before the load is counted, where the system tells, and not
// guessed at: a few files are enough for a few users.
func TestFilesForConnections(t *testing.T) {
	for _, c := range []struct {
		limit uint64
		left  figure
		want  int
	}{
		{64, known(55), 39},
		{64, known(20), 4},
		{64, figure{}, 32},
		{1 << 20, known(1<<20 - 9), 1<<20 - 25},
		{16, known(7), 0},
		{8, figure{}, 0},
	} {
		if got := connectionFiles(c.limit, c.left); got != c.want {
			t.Errorf("connectionFiles(%d, %+v) = %d, want %d", c.limit, c.left, got, c.want)
		}
	}
}
