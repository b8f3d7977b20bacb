package scaler

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"headroom/profiles"
)

// column is one of a table in EverAI's form, which is never narrower than
// what they print for an empty list.
type column struct {
	title string
	width int
}

// The columns that EverAI has, and those of the wide tables after them.
var (
	workerColumns = []column{{"ID", 22}, {"STATUS", 8}, {"DETAIL_STATUS", 15}, {"CREATED_AT", 24}, {"DELETED_AT", 12}}
	workerWide    = titled("PID", "ADDRESS", "UPTIME", "STARTED_IN", "IN_FLIGHT", "STUCK", "REQUEST_AGE", "SERVED", "RESTARTS", "CPU", "MEMORY", "LAST_ERROR")
	queueColumns  = []column{{"QUEUE_INDEX", 13}, {"CREATE_AT", 24}, {"QUEUE_REASON", 14}}
	queueWide     = titled("WAITED")
)

// titled are columns no wider than their titles.
func titled(titles ...string) []column {
	out := make([]column, len(titles))
	for i, title := range titles {
		out[i] = column{title, len(title)}
	}
	return out
}

// WriteWorkers writes workers as EverAI prints them, with times in UTC.
func WriteWorkers(w io.Writer, list []Worker) error {
	return writeTable(w, workerColumns, each(list, Worker.cells))
}

// WriteWorkersWide adds what else is known of them at now. CPU is the CPU time
// used so far; a cell without an answer is empty.
func WriteWorkersWide(w io.Writer, list []Worker, now time.Time) error {
	return writeTable(w, append(workerColumns[:len(workerColumns):len(workerColumns)], workerWide...), each(list, func(v Worker) []string {
		return append(v.cells(), v.wideCells(now)...)
	}))
}

// WriteQueue writes the queue as EverAI prints it, with times in UTC.
func WriteQueue(w io.Writer, list []Waiting) error {
	return writeTable(w, queueColumns, each(list, Waiting.cells))
}

// WriteQueueWide adds how long each request has waited at now.
func WriteQueueWide(w io.Writer, list []Waiting, now time.Time) error {
	return writeTable(w, append(queueColumns[:len(queueColumns):len(queueColumns)], queueWide...), each(list, func(v Waiting) []string {
		return append(v.cells(), age(v.Created, now))
	}))
}

func each[T any](list []T, cells func(T) []string) [][]string {
	rows := make([][]string, len(list))
	for i, v := range list {
		rows[i] = cells(v)
	}
	return rows
}

func (v Worker) cells() []string {
	return []string{v.ID, v.Status, v.Detail, stamp(v.Created), stamp(v.Deleted)}
}

func (v Worker) wideCells(now time.Time) []string {
	end := now
	if !v.Deleted.IsZero() {
		end = v.Deleted
	}
	memory := ""
	if v.Memory > 0 {
		memory = profiles.FormatSize(v.Memory)
	}
	return []string{
		number(v.PID), v.Address, age(v.Created, end), seconds(v.StartedIn),
		strconv.Itoa(v.InFlight), strconv.Itoa(v.Stuck), age(v.Since, now),
		strconv.FormatInt(v.Served, 10), strconv.Itoa(v.Restarts), seconds(v.CPU), memory, v.trouble(now),
	}
}

// trouble is the last error, and when it is tried again.
func (v Worker) trouble(now time.Time) string {
	if !v.Retry.After(now) {
		return v.LastError
	}
	return v.LastError + "; again in " + age(now, v.Retry)
}

func (v Waiting) cells() []string {
	return []string{strconv.Itoa(v.Index), stamp(v.Created), v.Reason}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05-0700")
}

// age is the time from since to now, as coarse as is read at a glance.
func age(since, now time.Time) string {
	if since.IsZero() {
		return ""
	}
	d := max(0, now.Sub(since))
	unit := 100 * time.Millisecond
	if d >= time.Minute {
		unit = time.Second
	}
	return profiles.Duration(d.Truncate(unit)).String()
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func seconds(s float64) string {
	if s == 0 {
		return ""
	}
	return strconv.FormatFloat(s, 'f', 2, 64) + "s"
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
