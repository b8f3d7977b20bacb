package load

import (
	"fmt"

	"headroom/profiles"
)

// Files that this process opens beside the connections of the users.
const (
	spareFiles = 256 // with them nothing is short
	fewFiles   = 16  // with fewer, beside those that are open before the load, nothing works
	usualFiles = 16  // open before the load, where the system does not tell
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
	return enoughFiles(plan, limit, connectionFiles(limit, filesLeft()))
}

// connectionFiles is how many files there are for connections, where the limit
// leaves so many for more than is open now.
func connectionFiles(limit uint64, left figure) int {
	if !left.valid {
		left = known(float64(limit) - usualFiles)
	}
	return max(0, int(left.value)-fewFiles)
}

// enoughFiles is that refusal for a limit that leaves so many files for
// connections. How many connections there will
// be at once in an open model, or where users connect for each request, depends
// on the answers: there a request fails for want of a file, as [Local].
func enoughFiles(plan profiles.Plan, limit uint64, left int) error {
	users := plan.PeakUsers()
	if plan.Open() || plan.DisableKeepAlive || plan.ConnMaxRequests == 1 || users <= left {
		return nil
	}
	return fmt.Errorf("--users: got %d, which keep a connection each, want %d at most: this process may open %d files (raise ulimit -n, or connect for each request with --disable-keepalive)",
		users, left, limit)
}
