package report

import (
	"encoding/json"
	"io"
	"net/netip"
	"time"

	"headroom/load"
	"headroom/probe"
)

// watchStatus is a watch at one moment as a line of JSON. Times are RFC 3339,
// durations nanoseconds, shares 0 to 1.
type watchStatus struct {
	Type       string           `json:"type"` // status; end for the last one
	At         time.Time        `json:"at"`
	Started    time.Time        `json:"started"`
	Target     string           `json:"target"`
	Rate       float64          `json:"rate"`     // sent per second
	Requests   int64            `json:"requests"` // answers and failures
	Failed     int64            `json:"failed"`
	Down       time.Time        `json:"down,omitzero"`        // since when every request fails
	Problem    string           `json:"problem,omitempty"`    // why the latest failure failed
	Service    load.Quantiles   `json:"service"`              // of successes since the start, connecting included
	LastMinute *load.Quantiles  `json:"lastMinute,omitempty"` // the same of the last minute; missing: nothing succeeded
	Addresses  []load.Remote    `json:"addresses"`            // that connections went to
	Resolved   []netip.Addr     `json:"resolved,omitempty"`   // addresses of the target's name; missing: it has none, or none is known
	Identity   string           `json:"identity,omitempty"`
	Sure       probe.Sureness   `json:"sure,omitempty"`
	Why        string           `json:"why,omitempty"`
	Unnamed    int64            `json:"unnamed"` // answers that name no replica
	Replicas   []watchReplica   `json:"replicas"`
	Unseen     probe.Unseen     `json:"unseen"`
	Workers    *probe.Statement `json:"workers,omitempty"` // what a list of them says; missing: none has been asked
	Notices    []probe.Notice   `json:"notices,omitempty"`
}

// watchReplica is a replica in a watchStatus. The times, which are those since
// the start but for LastMinute, are missing where nothing succeeded.
type watchReplica struct {
	ID         string        `json:"id"`
	State      probe.State   `json:"state"` // serving, quiet or gone; of one without an answer what a list of workers says
	Answers    int64         `json:"answers"`
	Failed     int64         `json:"failed"`
	Share      float64       `json:"share"`              // of the latest 200 answers since replicas last came or went
	FirstSeen  time.Time     `json:"firstSeen,omitzero"` // missing, like LastSeen, where nothing was answered
	LastSeen   time.Time     `json:"lastSeen,omitzero"`
	P50        time.Duration `json:"p50,omitempty"`
	P95        time.Duration `json:"p95,omitempty"`
	P99        time.Duration `json:"p99,omitempty"`
	LastMinute *probe.Times  `json:"lastMinute,omitempty"` // of what succeeded in the last minute
}

// WriteWatchStatus writes a watch as one line of JSON; last marks its end.
func WriteWatchStatus(w io.Writer, s Watch, last bool) error {
	l := s.Load
	status := watchStatus{
		Type: "status", At: s.At, Started: l.Started, Target: s.Target, Rate: s.Rate,
		Requests: l.Total.Count, Failed: l.Total.Failed, Down: s.Down, Problem: s.Problem, Service: l.Total.Service,
		Addresses: append([]load.Remote{}, l.Conns.Remotes...), Resolved: s.Name.Addresses, Identity: l.Identity, Sure: l.Sure, Why: l.Why, Unnamed: l.Unnamed,
		Replicas: []watchReplica{}, Unseen: s.Unseen, Notices: s.Notices,
	}
	if s.Workers.Known != nil || s.Workers.Error != "" {
		status.Workers = &s.Workers
	}
	if l.Lately.Count > 0 {
		status.LastMinute = &l.Lately
	}
	if last {
		status.Type = "end"
	}
	for _, r := range s.Replicas {
		status.Replicas = append(status.Replicas, watchReplica{
			ID: r.ID, State: r.State, Answers: r.Requests, Failed: r.Failed, Share: r.Share,
			FirstSeen: r.FirstSeen, LastSeen: r.LastSeen, P50: r.P50, P95: r.P95, P99: r.P99, LastMinute: r.Lately,
		})
	}
	return json.NewEncoder(w).Encode(status)
}

// WriteWatchChange writes a change as one line of JSON.
func WriteWatchChange(w io.Writer, c probe.Change) error {
	return json.NewEncoder(w).Encode(struct {
		Type string `json:"type"`
		probe.Change
	}{"change", c})
}
