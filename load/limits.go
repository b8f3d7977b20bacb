package load

import (
	"fmt"

	"headroom/profiles"
)

// Files that this process opens beside the connections of the users.
const (
	spareFiles = 256 // with them nothing is short
	fewFiles   = 64  // with fewer nothing works
)

// provideFiles raises the limit of open files to what the plan may need, and
// refuses a plan of which it is known beforehand that its users will keep more
// connections than that.
func provideFiles(plan profiles.Plan) error {
	raiseFileLimit(plan.PeakUsers() + spareFiles)
	limit, known := fileLimit()
	if !known {
		return nil
	}
	return enoughFiles(plan, limit)
}

// enoughFiles is that refusal for so many files. How many connections there will
// be at once in an open model, or where users connect for each request, depends
// on the answers: there a request fails for want of a file, as [Local].
func enoughFiles(plan profiles.Plan, limit uint64) error {
	users := plan.PeakUsers()
	if plan.Open() || plan.DisableKeepAlive || plan.ConnMaxRequests == 1 || uint64(users)+fewFiles <= limit {
		return nil
	}
	return fmt.Errorf("--users: got %d, which keep a connection each, want %d at most: this process may open %d files (raise ulimit -n, or connect for each request with --disable-keepalive)",
		users, max(0, int(limit)-fewFiles), limit)
}
