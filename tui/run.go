package tui

import (
	"context"
	"errors"
	"io"
	"os"

	tea "github.com/charmbracelet/bubbletea"

	"headroom/advisor"
	"headroom/profiles"
)

// Controller is what the keys do. *advisor.Session implements it, and so does
// the client of a session elsewhere. Calls come one at a time, save that Stop
// may come while another is under way.
type Controller interface {
	Start() error
	Stop() error // ends the job under way in peace; does not wait
	SetUsers(int) error
	SetSpawnRate(float64) error
	SetRate(float64) error
	SetTraffic(profiles.Traffic) error
	TogglePause() error
	Recycle() error
	ResetStats() error
	Advise() error
	Apply() error
	Verify() error
}

var _ Controller = (*advisor.Session)(nil)

// Format is something that a policy can be exported to.
type Format struct {
	Name  string // as it is typed
	Title string // one line that says what it is
	File  string // what such a file is usually called
}

// Options say what the dashboard shows and what it may do.
type Options struct {
	States    <-chan advisor.State // newest wins; never closed
	Autostart bool                 // start at once instead of on enter
	Formats   []Format             // what the advised policy can be exported to
	ASCII     bool                 // nothing but ASCII on the screen

	Attached  bool   // the session runs elsewhere, and goes on when the user leaves
	ReadOnly  string // why nothing can be changed; empty: it can
	FleetOnly bool   // there is a scaler and no session: only its Replicas and Log

	Another bool // whoever called Run can ask for another run

	// Export writes the advised policy to a file and says what came of it. A
	// file that is there is an fs.ErrExist, unless it may be overwritten.
	Export func(format, path string, overwrite bool) (notice string, err error)
	// Save writes a report of the run, in the format that the file's name ends
	// with; otherwise like Export.
	Save func(path string, overwrite bool) (notice string, err error)
	// Copy returns the advised policy as a text for the clipboard.
	Copy func() (string, error)

	// Explain writes the derivation of an advice in lines of at most so many
	// columns.
	Explain func(c advisor.Capacity, r advisor.Recommendation, width int) string

	Input  io.Reader // nil: the terminal
	Output io.Writer // nil: the terminal; takes writes from several goroutines
}

// framesPerSecond bounds how often the terminal is written to. States come
// four times a second; the rest is for keys to be felt at once.
const framesPerSecond = 20

// ErrInterrupted is returned when the user left with ctrl+c, ErrAnother when
// they want to set up another run.
var (
	ErrInterrupted = errors.New("interrupted")
	ErrAnother     = errors.New("another run")
)

// Run shows the dashboard on the whole screen until the user leaves or ctx
// ends, neither of which is an error, interrupts it, or wants another run. The
// terminal is restored on every way out. For those that no code of this process
// sees, such as SIGKILL, main must hand over to [Guard] where [IsGuard].
func Run(ctx context.Context, c Controller, o Options) error {
	inner, cancel := context.WithCancel(ctx)
	defer cancel()

	if o.Output == nil {
		o.Output = os.Stdout
		defer guard(os.Stdout)()
	}
	options := []tea.ProgramOption{
		tea.WithContext(inner), tea.WithoutSignalHandler(), tea.WithAltScreen(),
		tea.WithFPS(framesPerSecond), tea.WithOutput(o.Output), tea.WithFilter(new(backgroundAnswer).filter),
	}
	if o.Input != nil {
		options = append(options, tea.WithInput(o.Input))
	}
	m := newScreen(inner, c, o, newStyles(o.Output, o.ASCII))
	_, err := tea.NewProgram(m, options...).Run()
	switch {
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return nil
	case err == nil:
		return m.left
	}
	return err
}
