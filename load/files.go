package load

import (
	"fmt"

	"headroom/profiles"
)

// enoughFiles refuses a closed plan of more users than may have a connection
// each, when so many files may still be opened.
func enoughFiles(plan profiles.Plan, left figure) error {
	if users := plan.PeakUsers(); left.valid && float64(users) > left.value {
		return fmt.Errorf("--users: got %d, want %.0f at most: this process may open no more files (raise ulimit -n)", users, left.value)
	}
	return nil
}
