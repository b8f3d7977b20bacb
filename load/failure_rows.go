package load

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"headroom/profiles"
)

// FailureCount is one row of the table of failures: a class, and in it a
// status or a check of the scenario.
type FailureCount struct {
	Failure Failure       `json:"failure"`
	Status  int16         `json:"status,omitempty"` // of class status
	Check   string        `json:"check,omitempty"`  // of class check: the request, and which of its checks
	Count   int64         `json:"count"`
	First   time.Duration `json:"first"`
	Last    time.Duration `json:"last"`
	Example string        `json:"example"` // one of the first in words
	Latency Quantiles     `json:"latency"` // from the intended start; of all of the class and status, as checks have one between them
	Service Quantiles     `json:"service"` // from the actual send, likewise

	Requests []RequestCount `json:"requests,omitempty"` // of which requests, where the run has several; a check is one of its own
}

// Words are the failure in words: the example without what the system puts
// before it, or the class where there is none.
func (f FailureCount) Words() string {
	return cmp.Or(strings.TrimPrefix(f.Example, "dial tcp: connect: "), f.Failure.String())
}

// LatestFailure is the row of the failure that was met last; a zero one where
// nothing failed.
func (s Snapshot) LatestFailure() (latest FailureCount) {
	for _, f := range s.Failures {
		if f.Last >= latest.Last {
			latest = f
		}
	}
	return latest
}

// RequestCount says how many requests there were of a name.
type RequestCount struct {
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// failureRows are rows in the order in which they first came. There are no
// more of them than classes, statuses and checks, whatever the answers say.
type failureRows []FailureCount

// add counts a sample that failed, err explaining it.
func (f *failureRows) add(s *Sample, err error, timeout time.Duration) {
	status, check := int16(0), ""
	if s.Failure == Status {
		status = s.Status
	}
	if missed, ok := err.(*profiles.Missed); ok {
		check = missed.Check
	}
	row := f.row(s.Failure, status, check)
	row.count(1, s.Done, s.Done)
	if row.Example == "" && err != nil {
		row.Example = describe(err, timeout)
	}
}

// merge adds the rows of others.
func (f *failureRows) merge(others failureRows) {
	for i := range others {
		o := &others[i]
		row := f.row(o.Failure, o.Status, o.Check)
		row.count(o.Count, o.First, o.Last)
		switch {
		case row.Example != "":
		case o.Example == "" && o.Failure == Status:
			row.Example = fmt.Sprintf("%d %s", o.Status, http.StatusText(int(o.Status)))
		default:
			row.Example = o.Example
		}
	}
}

func (f *failureRows) row(failure Failure, status int16, check string) *FailureCount {
	for i := range *f {
		if r := &(*f)[i]; r.Failure == failure && r.Status == status && r.Check == check {
			return r
		}
	}
	*f = append(*f, FailureCount{Failure: failure, Status: status, Check: check, First: math.MaxInt64})
	return &(*f)[len(*f)-1]
}

func (r *FailureCount) count(n int64, first, last time.Duration) {
	r.Count += n
	r.First, r.Last = min(r.First, first), max(r.Last, last)
}

// example is that of a class, if something failed so.
func (f failureRows) example(failure Failure) string {
	for i := range f {
		if f[i].Failure == failure {
			return f[i].Example
		}
	}
	return ""
}
