//go:build !linux && !darwin

package tui

import "os"

// Elsewhere nothing guards the terminal. A Windows console has no modes that
// outlive the process.

// IsGuard is false.
func IsGuard([]string) bool { return false }

// Guard does nothing.
func Guard() int { return 0 }

func guard(*os.File) (release func()) { return func() {} }
