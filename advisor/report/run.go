package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// Run is a finished run as it is saved. Reports are made from it alone, so one
// that is read again gives the same ones.
type Run struct {
	Version  string            `json:"version"`
	Kind     string            `json:"kind"`              // "run"
	Program  string            `json:"program,omitempty"` // that ran it, with its version
	Command  []string          `json:"command"`           // without secrets
	Machine  advisor.Machine   `json:"machine"`
	Target   string            `json:"target"`
	Date     time.Time         `json:"date"`
	Began    time.Time         `json:"began"`             // what the timeline and the points count from
	Methods  map[string]string `json:"methods,omitempty"` // of the requests, by their names
	Result   load.Snapshot     `json:"result"`
	Fleet    probe.Fleet       `json:"fleet"`
	Timeline advisor.Timeline  `json:"timeline"`
	Points   []advisor.Point   `json:"points"`
	Events   []advisor.Event   `json:"events"`
	Noticed  []advisor.Noticed `json:"noticed,omitempty"` // what kept the load from replicas
	Policy   *profiles.Policy  `json:"policy,omitempty"`  // in force at the scaler, where there is one

	Capacity *advisor.Capacity       `json:"capacity,omitempty"` // of the session's latest measurement
	Baseline *advisor.Comparison     `json:"baseline,omitempty"` // with an earlier run, if one was given
	Advice   *advisor.Recommendation `json:"advice,omitempty"`
	Before   *advisor.Outcome        `json:"before,omitempty"`
	After    *advisor.Outcome        `json:"after,omitempty"`
}

// NewRun takes what is worth keeping from the last State of a session.
func NewRun(s advisor.State, program string, command []string) Run {
	r := Run{
		Version: profiles.Version, Kind: "run", Program: program, Command: withoutSecrets(command, s.Plan.Secrets), Machine: advisor.ThisMachine(),
		Target: s.Plan.ShownTarget(), Date: s.Load.Started.UTC(), Methods: methods(s),
		Result: s.Load, Fleet: s.Fleet, Timeline: s.Timeline, Points: s.Points, Events: s.Events, Noticed: s.Noticed,
		Advice: s.Advice, Before: s.Before, After: s.After,
	}
	// By the clock of this process, which no file keeps, the offsets are exact.
	offset := s.Load.Started.Sub(s.Began)
	r.Result.Started = r.Result.Started.Round(0)
	r.Began = r.Result.Started.Add(-offset).UTC()
	if s.Managed {
		r.Policy = &s.Policy
	}
	if s.Search != nil {
		r.Capacity = s.Search.Capacity
	}
	return r
}

// offset is when the load began, as the timeline and the points count.
func (r Run) offset() time.Duration { return r.Result.Started.Sub(r.Began) }

// methods are those of the requests, by name. A name of several has none.
func methods(s advisor.State) map[string]string {
	if s.Plan.Scenario == nil {
		return map[string]string{s.Load.Total.Name: s.Plan.Method}
	}
	out := map[string]string{}
	for _, class := range s.Plan.Scenario.Classes {
		for _, t := range append(append([]profiles.Task{}, class.OnStart...), class.Tasks...) {
			if before, ok := out[t.Name]; ok && before != t.Method {
				out[t.Name] = ""
			} else {
				out[t.Name] = t.Method
			}
		}
	}
	return out
}

// WriteRun writes a run for ReadRun, without the blanks that would make half of
// a long one.
func WriteRun(w io.Writer, r Run) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// ReadRun reads a run as WriteRun wrote it.
func ReadRun(from io.Reader) (Run, error) {
	var r Run
	if err := json.NewDecoder(from).Decode(&r); err != nil {
		return r, fmt.Errorf("not a run: %w", err)
	}
	if r.Version != profiles.Version || r.Kind != "run" {
		return r, fmt.Errorf("got kind %q and version %q, want run and %s", r.Kind, r.Version, profiles.Version)
	}
	if r.Result.Started.IsZero() {
		return r, errors.New("got a run without a result, want what run --save wrote")
	}
	return r, nil
}

// WriteJSON writes v, indented.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
