package tui

import (
	"fmt"
	"strings"

	"headroom/profiles"
)

// fakeController notes what it is asked for.
type fakeController struct {
	asked []string
	err   error
}

func (f *fakeController) note(format string, args ...any) error {
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fakeController) Start() error                        { return f.note("start") }
func (f *fakeController) Stop() error                         { return f.note("stop") }
func (f *fakeController) SetUsers(n int) error                { return f.note("users %d", n) }
func (f *fakeController) SetSpawnRate(r float64) error        { return f.note("spawn rate %v", r) }
func (f *fakeController) SetRate(r float64) error             { return f.note("rate %v", r) }
func (f *fakeController) SetTraffic(t profiles.Traffic) error { return f.note("traffic %s", t) }
func (f *fakeController) TogglePause() error                  { return f.note("pause") }
func (f *fakeController) Recycle() error                      { return f.note("recycle") }
func (f *fakeController) ResetStats() error                   { return f.note("reset") }
func (f *fakeController) Advise() error                       { return f.note("advise") }
func (f *fakeController) Apply() error                        { return f.note("apply") }
func (f *fakeController) Verify() error                       { return f.note("verify") }

func (f *fakeController) String() string { return strings.Join(f.asked, ", ") }
