package tui

import "os"

// A Windows console has no modes that outlive the process: there is nothing to
// guard.

// IsGuard is false.
func IsGuard([]string) bool { return false }

// Guard does nothing.
func Guard() int { return 0 }

func guard(*os.File) (release func()) { return func() {} }
