package report

import (
	"encoding/json"
	"io"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// Run is a finished run as it is saved.
type Run struct {
	Version  string            `json:"version"`
	Kind     string            `json:"kind"` // "run"
	Command  []string          `json:"command"`
	Target   string            `json:"target"`
	Date     time.Time         `json:"date"`
	Result   load.Snapshot     `json:"result"`
	Fleet    probe.Fleet       `json:"fleet"`
	Began    time.Time         `json:"began"` // what the timeline and the points count from
	Timeline advisor.Timeline  `json:"timeline"`
	Points   []advisor.Point   `json:"points"`
	Events   []advisor.Event   `json:"events"`
	Noticed  []advisor.Noticed `json:"noticed,omitempty"` // what kept the load from replicas
	Policy   *profiles.Policy  `json:"policy,omitempty"`  // in force at the scaler, where there is one
}

// NewRun takes what is worth keeping from the last State of a session.
func NewRun(s advisor.State, command []string) Run {
	r := Run{
		Version: profiles.Version, Kind: "run", Command: command, Target: s.Plan.Target,
		Date: s.Load.Started.UTC(), Result: s.Load, Fleet: s.Fleet,
		Began: s.Began.UTC(), Timeline: s.Timeline, Points: s.Points, Events: s.Events,
		Noticed: s.Noticed,
	}
	if s.Managed {
		r.Policy = &s.Policy
	}
	return r
}

// WriteJSON writes v, indented.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
