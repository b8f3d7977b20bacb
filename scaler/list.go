package scaler

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"headroom/probe"
)

// Worker is a replica as EverAI lists it.
type Worker struct {
	ID      string    `json:"id"`
	PID     int       `json:"pid,omitempty"` // of its command
	Status  string    `json:"status"`        // PENDING, RUNNING, TERMINATING, TERMINATED or ERROR
	Detail  string    `json:"detailStatus"`  // IN_FLIGHT while it starts, FREE or BUSY while it runs, REMOVE while it ends
	Created time.Time `json:"createdAt"`
	Deleted time.Time `json:"deletedAt,omitzero"`
}

// Waiting is a request in the queue.
type Waiting struct {
	Index   int       `json:"queueIndex"` // 0 is next
	Created time.Time `json:"createAt"`
	Reason  string    `json:"queueReason"` // WorkerBusy, or NoWorker when there is none that could take it
}

// workers lists a fleet, in its order.
func workers(f probe.Fleet) []Worker {
	out := make([]Worker, 0, len(f.Replicas))
	for _, r := range f.Replicas {
		w := Worker{ID: r.ID, PID: r.PID, Created: r.Created, Deleted: r.Deleted}
		switch r.State {
		case probe.Starting:
			w.Status, w.Detail = "PENDING", "IN_FLIGHT"
		case probe.Ready:
			w.Status, w.Detail = "RUNNING", "FREE"
			if r.InFlight > 0 {
				w.Detail = "BUSY"
			}
		case probe.Draining:
			w.Status, w.Detail = "TERMINATING", "REMOVE"
		case probe.Failing:
			w.Status = "ERROR"
		default:
			w.Status = "TERMINATED"
		}
		out = append(out, w)
	}
	return out
}

func queue(t traffic) []Waiting {
	out := make([]Waiting, 0, len(t.waiting))
	for i, since := range t.waiting {
		out = append(out, Waiting{Index: i, Created: since, Reason: t.reason})
	}
	return out
}

// column is one of a table in EverAI's form, which is never narrower than
// what they print for an empty list.
type column struct {
	title string
	width int
}

var (
	workerColumns = []column{{"ID", 22}, {"STATUS", 8}, {"DETAIL_STATUS", 15}, {"CREATED_AT", 24}, {"DELETED_AT", 12}}
	queueColumns  = []column{{"QUEUE_INDEX", 13}, {"CREATE_AT", 24}, {"QUEUE_REASON", 14}}
)

// WriteWorkers writes workers as a table, with times in UTC.
func WriteWorkers(w io.Writer, list []Worker) error {
	rows := make([][]string, len(list))
	for i, v := range list {
		rows[i] = []string{v.ID, v.Status, v.Detail, stamp(v.Created), stamp(v.Deleted)}
	}
	return writeTable(w, workerColumns, rows)
}

// WriteQueue writes the queue as a table, with times in UTC.
func WriteQueue(w io.Writer, list []Waiting) error {
	rows := make([][]string, len(list))
	for i, v := range list {
		rows[i] = []string{strconv.Itoa(v.Index), stamp(v.Created), v.Reason}
	}
	return writeTable(w, queueColumns, rows)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05-0700")
}

func writeTable(w io.Writer, columns []column, rows [][]string) error {
	widths := make([]int, len(columns))
	titles, dashes := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		widths[i] = c.width
		for _, row := range rows {
			widths[i] = max(widths[i], len(row[i]))
		}
		titles[i], dashes[i] = c.title, strings.Repeat("-", widths[i])
	}
	var b strings.Builder
	for _, row := range append([][]string{titles, dashes}, rows...) {
		line := ""
		for i, cell := range row {
			line += fmt.Sprintf("%-*s  ", widths[i], cell)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
