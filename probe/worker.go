package probe

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// mostWorkers is how many entries a list of workers may have.
const mostWorkers = 10_000

// worker is a replica as EverAI's REST API lists it, or the built-in scaler;
// others have less.
type worker struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Pod       string `json:"pod"`
	Status    string `json:"status"`
	Detail    string `json:"detailStatus"`
	Created   moment `json:"createdAt"`
	Launched  moment `json:"launchAt"`
	Deleted   moment `json:"deletedAt"`
	Successes count  `json:"successCount"` // EverAI's
	Served    count  `json:"served"`       // the scaler's
	LastError string `json:"lastError"`
}

// workerStates are what EverAI's words for the status of a worker mean here.
var workerStates = map[string]State{
	"":             Ready, // one that is listed and no more
	"CREATED":      Starting,
	"INITIALIZED":  Starting,
	"PENDING":      Starting,
	"RUNNING":      Ready,
	"UNAVAILABLE":  Suspect,
	"ERROR":        Failing,
	"TERMINATING":  Draining,
	"TERMINATED":   Gone,
	"UNRECOGNIZED": Suspect, // what protocol buffers say of a status that they do not know
}

// ParseWorkers reads a list of workers: a JSON array, an object that has it as
// "workers", an object in which exactly one array has nothing but objects, or an
// empty object, which has none. An entry is a name, or an object with an id, name
// or pod and what EverAI's REST API and the built-in scaler say of a worker.
func ParseWorkers(data []byte) ([]Replica, error) {
	entries, err := workerEntries(data)
	if err != nil {
		return nil, err
	}
	if len(entries) > mostWorkers {
		return nil, fmt.Errorf("got %d workers, want %d or fewer", len(entries), mostWorkers)
	}
	out, seen := make([]Replica, 0, len(entries)), make(map[string]bool, len(entries))
	for i, entry := range entries {
		r, err := parseWorker(entry)
		if err == nil && seen[r.ID] {
			err = errors.New("got the name of another one")
		}
		if err != nil {
			return nil, fmt.Errorf("worker %s of %d: %w", cmp.Or(r.ID, strconv.Itoa(i+1)), len(entries), err)
		}
		seen[r.ID] = true
		out = append(out, r)
	}
	return out, nil
}

func workerEntries(data []byte) ([]json.RawMessage, error) {
	data = bytes.TrimSpace(data)
	if !json.Valid(data) {
		return nil, errors.New("got no JSON, want a list of workers")
	}
	if entries, ok := elements(data); ok {
		return entries, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil || fields == nil {
		return nil, errors.New("got neither an array nor an object, want a list of workers")
	}
	maps.DeleteFunc(fields, func(_ string, value json.RawMessage) bool { return string(value) == "null" })
	if len(fields) == 0 {
		return nil, nil // so JSON of protocol buffers has an empty list: it is left out
	}
	if entries, ok := elements(fields["workers"]); ok {
		return entries, nil
	}
	var keys []string // of arrays of objects
	var found []json.RawMessage
	for key, value := range fields {
		entries, ok := elements(value)
		if ok && !slices.ContainsFunc(entries, func(e json.RawMessage) bool { return e[0] != '{' }) {
			keys, found = append(keys, strconv.Quote(printable(key))), entries
		}
	}
	switch len(keys) {
	case 0:
		return nil, errors.New("got an object without an array of objects, want a list of workers")
	case 1:
		return found, nil
	}
	slices.Sort(keys)
	return nil, fmt.Errorf(`got an object with several arrays of objects (%s), want one, or the workers as "workers"`, list(keys))
}

// elements are those of a JSON array; ok is false where it is none.
func elements(data json.RawMessage) (out []json.RawMessage, ok bool) {
	if len(data) == 0 || data[0] != '[' {
		return nil, false
	}
	return out, json.Unmarshal(data, &out) == nil
}

func parseWorker(data json.RawMessage) (Replica, error) {
	var w worker
	var err error
	if data[0] == '"' {
		err = json.Unmarshal(data, &w.ID)
	} else {
		err = json.Unmarshal(data, &w)
	}
	r := Replica{ID: cmp.Or(w.ID, w.Name, w.Pod), Created: w.Created.Time, Deleted: w.Deleted.Time, Served: int64(max(w.Successes, w.Served)), LastError: w.LastError}
	if err != nil {
		return r, err
	}
	if r.ID == "" {
		return r, errors.New("got no id, name or pod")
	}
	word := strings.TrimPrefix(strings.ToUpper(w.Status), "STATUS_")
	state, known := workerStates[word]
	if !known {
		return r, fmt.Errorf("got status %q, want CREATED, INITIALIZED, PENDING, RUNNING, UNAVAILABLE, ERROR, TERMINATING or TERMINATED", w.Status)
	}
	r.State = state
	if !w.Deleted.IsZero() {
		r.State = Gone
	}
	if r.LastError == "" && (state == Suspect || state == Failing) {
		r.LastError = "it is listed as " + strings.TrimSuffix(word+" "+strings.TrimPrefix(w.Detail, "DETAIL_STATUS_"), " ")
	}
	if w.Launched.After(r.Created) && !r.Created.IsZero() {
		r.StartedIn = w.Launched.Sub(r.Created)
	}
	return r, nil
}

// moment is a time as RFC 3339 has it, with or without the colon of the zone,
// or in seconds since 1970, or thousandths, millionths or billionths of them.
// What is null or empty is zero, and so is what no machine of today means but
// as "never": 0, the year 1, the year 9999.
type moment struct{ time.Time }

// Numbers from finer on are no seconds, which would be those of the year 5138,
// and times from lastYear on are none.
const (
	finer    = 100_000_000_000
	lastYear = 5138
)

// UnmarshalJSON implements json.Unmarshaler.
func (m *moment) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "" || text == "null" {
		return nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			if t.Year() >= 1970 && t.Year() < lastYear {
				m.Time = t
			}
			return nil
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("got time %s, want one such as 2026-01-02T15:04:05Z", data)
	}
	for seconds >= finer {
		seconds /= 1000
	}
	if seconds > 0 {
		m.Time = time.Unix(seconds, 0).UTC()
	}
	return nil
}

// count is a number, also in quotation marks: so JSON of protocol buffers has
// those of 64 bits.
type count int64

// UnmarshalJSON implements json.Unmarshaler.
func (c *count) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "" || text == "null" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("got number %s, want a whole one", data)
	}
	*c = count(n)
	return nil
}
