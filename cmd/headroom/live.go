package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// lineEvery is the time between two lines of progress off a terminal.
const lineEvery = 5 * time.Second

// progress shows a session without a screen: a bar on a terminal, else a
// plain line now and then; and the events as they come.
type progress struct {
	out   io.Writer
	total time.Duration // of the work, for the bar; 0: not known
	told  telling

	ended   bool      // that a threshold ended the load was shown
	printed int       // number of the last event shown
	lastAt  time.Time // of the last line
	bars    *mpb.Progress
	bar     *mpb.Bar
	text    atomic.Pointer[string] // beside the bar
}

// telling is how much a progress says.
type telling int

const (
	nothing telling = iota
	notices         // the progress, and what keeps the load from replicas
	events          // and the whole log of the session
)

// told is how much is said by a command that says so much unless it is quiet.
func told(quiet bool, usual telling) telling {
	if quiet {
		return nothing
	}
	return usual
}

func newProgress(out *os.File, total time.Duration, told telling) *progress {
	p := &progress{out: out, total: total, told: told}
	empty := ""
	p.text.Store(&empty)
	if told == nothing || !term.IsTerminal(int(out.Fd())) || os.Getenv("TERM") == "dumb" {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(out), mpb.WithWidth(24), mpb.WithRefreshRate(250*time.Millisecond))
	p.out = p.bars // lines go above the bar
	p.bar = p.bars.AddBar(total.Milliseconds(), mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return " " + *p.text.Load() })))
	return p
}

// show takes the newest State.
func (p *progress) show(s advisor.State) {
	if p.told == nothing {
		return
	}
	for _, e := range s.Events {
		if e.N <= p.printed {
			continue
		}
		p.printed = e.N
		if p.told == events || e.Kind == advisor.NoticeEvent {
			p.line("%s  %-8s %s", e.At.Format(time.TimeOnly), e.Kind, e.Text)
		}
	}
	if ended := s.Load.EndedBy; ended != "" && !p.ended {
		p.ended = true
		p.line("stopping: %s is missed", ended)
	}
	text := statusLine(s)
	p.text.Store(&text)
	switch {
	case p.bar != nil:
		p.bar.SetCurrent(min(elapsed(s), p.total).Milliseconds())
	case (s.Phase == advisor.Swarming || s.Phase == advisor.Replaying) && s.At.Sub(p.lastAt) >= lineEvery:
		if !p.lastAt.IsZero() {
			p.line("%s", text)
		}
		p.lastAt = s.At
	}
}

func (p *progress) line(format string, args ...any) {
	write(p.out, strings.TrimRight(fmt.Sprintf(format, args...), " ")+"\n")
}

// end takes the bar away.
func (p *progress) end() {
	if p.bar != nil {
		p.bar.Abort(true)
		p.bars.Wait()
	}
}

// elapsed is how far the present job is.
func elapsed(s advisor.State) time.Duration {
	if s.Phase == advisor.Measuring && s.Search != nil {
		return s.Spent()
	}
	return s.Load.Elapsed
}

// statusLine is the run in one line. Where answers have stopped coming it says
// what waits, instead of how long the last ones took.
func statusLine(s advisor.State) string {
	l := s.Load
	line := fmt.Sprintf("%02d:%02d  %s  %.1f req/s  %.2f %% failed", int(l.Elapsed.Minutes()), int(l.Elapsed.Seconds())%60,
		demand(l), l.Recent.Rate(), l.Total.FailShare()*100)
	if waiting, oldest, ok := l.Stalled(); ok {
		line += fmt.Sprintf("  %d waiting, the oldest for %s", waiting, profiles.FormatLatency(oldest))
	} else if q := l.Recent.Latency; q.Count > 0 {
		line += fmt.Sprintf("  p50 %s  p95 %s", profiles.FormatLatency(q.P50), profiles.FormatLatency(q.P95))
	}
	if r := l.Total.Streams; r != nil {
		line += fmt.Sprintf("  %s open, %s", profiles.Plural(r.Open, "stream", "streams"), profiles.Plural(r.Events, "event", "events"))
	}
	if s.Phase == advisor.Measuring && s.Search != nil {
		line = fmt.Sprintf("%s left  %s", max(0, s.Search.Budget-s.Spent()).Round(time.Second), line)
	}
	if s.Managed {
		line += fmt.Sprintf("  replicas %d/%d", s.Fleet.Up(), s.Fleet.Wanted)
	} else if n := s.Fleet.Answering(); n > 0 {
		line += fmt.Sprintf("  replicas %d", n)
	}
	return line
}

// demand is the load of the moment.
func demand(l load.Snapshot) string {
	switch {
	case l.Phase == load.Draining:
		return "draining"
	case l.Phase == load.Paused:
		return "paused"
	case l.Open:
		return fmt.Sprintf("%.1f/s planned", l.Planned)
	case l.Shaped:
		return fmt.Sprintf("%d of %s", l.Users, profiles.Plural(l.Wanted, "user", "users"))
	}
	return profiles.Plural(l.Users, "user", "users")
}
