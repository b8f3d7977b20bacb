//go:build !unix

package scaler

import (
	"context"
	"errors"
)

var errUnsupported = errors.New("scaler: not supported on Windows")

func supported() error { return errUnsupported }

// IsSupervisor reports whether these are the os.Args of a process that a
// scaler started as a supervisor. Here there is none.
func IsSupervisor([]string) bool { return false }

// Supervise returns the exit code of an error.
func Supervise([]string) int { return 2 }

type launcher struct{}

func newLauncher(Config) *launcher { return &launcher{} }

func (*launcher) launch(context.Context, string) (*instance, error) { return nil, errUnsupported }

func (*launcher) open() error { return errUnsupported }

func (*launcher) wait() {}

func (*launcher) close() {}

func descriptorLimit() uint64 { return 0 }
