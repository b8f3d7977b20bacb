//go:build unix && !linux

package scaler

import (
	"os"
	"syscall"
)

// Outside Linux there is neither a subreaper nor a parent-death signal that
// all kernels share. The process group is what can be ended.

func adopt() {}

func commandAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func confine(*syscall.SysProcAttr, *os.File) {} // there are no control groups

func endDescendants() {}

func endMarked(string) {}
