package main

import (
	"bytes"
	"io"
	"time"

	"headroom/advisor/report"
	"headroom/probe"
)

// watchOutput is where a watch is shown.
type watchOutput interface {
	// show takes the newest picture, and what changed since the one before.
	show(w report.Watch, fresh []probe.Change) error
	// end takes the last one.
	end(w report.Watch) error
}

// newWatchOutput is JSON where that was asked for, else a screen on a terminal,
// else lines.
func (a *app) newWatchOutput(json bool) watchOutput {
	s := newScreen(a.out, false)
	switch {
	case json:
		return &watchJSON{out: a.out, pace: pace{every: watchScreenEvery}}
	case s.size == nil:
		return &watchLines{out: a.out, pace: pace{every: watchLineEvery}}
	}
	return &watchScreen{screen: s, pace: pace{every: watchScreenEvery}}
}

// Times between two pictures of which nothing has changed.
const (
	watchScreenEvery = time.Second
	watchLineEvery   = 30 * time.Second
)

// pace says when the next of several things is due. They keep to the times at
// which they should have come, however late the one before was.
type pace struct {
	every time.Duration
	at    time.Time // when the latest was due
}

// due reports whether one is due now; the first always is.
func (p *pace) due(now time.Time) bool {
	late := now.Sub(p.at)
	switch {
	case p.at.IsZero():
		p.at = now
	case late < p.every:
		return false
	default:
		p.at = now.Add(-late % p.every)
	}
	return true
}

// watchScreen draws in place.
type watchScreen struct {
	screen *screen
	pace   pace
}

func (o *watchScreen) show(w report.Watch, fresh []probe.Change) error {
	width, height := o.screen.size()
	if due := o.pace.due(w.At); !due && len(fresh) == 0 && !o.screen.resized() {
		return nil
	}
	var text bytes.Buffer
	if err := report.WriteWatch(&text, w, width, height-1); err != nil {
		return err
	}
	return o.screen.show(text.String(), w.At)
}

func (o *watchScreen) end(w report.Watch) error {
	if err := o.screen.wipe(); err != nil {
		return err
	}
	width, _ := o.screen.size()
	return report.WriteWatchSummary(o.screen.out, w, max(width, 1))
}

// watchLines writes a line for each change, and one now and then.
type watchLines struct {
	out  io.Writer
	pace pace
}

func (o *watchLines) show(w report.Watch, fresh []probe.Change) error {
	var text string
	for _, c := range fresh {
		text += report.ChangeLine(c) + "\n"
	}
	if first := o.pace.at.IsZero(); o.pace.due(w.At) && !first {
		text += w.At.Format(time.TimeOnly) + " " + report.WatchLine(w) + "\n"
	}
	_, err := io.WriteString(o.out, text)
	return err
}

// end writes the summary without the changes, which stand above it.
func (o *watchLines) end(w report.Watch) error {
	w.Changes = nil
	write(o.out, "\n")
	return report.WriteWatchSummary(o.out, w, 0)
}

// watchJSON writes lines of JSON.
type watchJSON struct {
	out  io.Writer
	pace pace
}

func (o *watchJSON) show(w report.Watch, fresh []probe.Change) error {
	for _, c := range fresh {
		if err := report.WriteWatchChange(o.out, c); err != nil {
			return err
		}
	}
	if !o.pace.due(w.At) {
		return nil
	}
	return report.WriteWatchStatus(o.out, w, false)
}

func (o *watchJSON) end(w report.Watch) error { return report.WriteWatchStatus(o.out, w, true) }
