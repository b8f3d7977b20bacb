package scaler

import (
	"fmt"
	"io"
	"slices"
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
	workerWide    = titled("PID", "ADDRESS", "UPTIME", "STARTED_IN", "IN_FLIGHT", "STUCK", "REQUEST_AGE", "SERVED", "RESTARTS", "CPU_TIME", "MEMORY", "LAST_ERROR")
	queueColumns  = []column{{"QUEUE_INDEX", 13}, {"CREATE_AT", 24}, {"QUEUE_REASON", 14}}
	queueWide     = titled("WAITED")
)

// leastFirst are the columns that a narrow terminal can do without, from the
// least important one on: who asks for the wide table wants to see what each
// worker does, and what is wrong.
var leastFirst = []string{"CREATED_AT", "DELETED_AT", "ADDRESS", "STARTED_IN", "PID", "RESTARTS", "SERVED", "CPU_TIME", "MEMORY", "REQUEST_AGE", "STUCK", "UPTIME"}

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

// WriteWorkersWide adds what else is known of them at now. CPU_TIME is what they
// have used so far; a cell without an answer is empty. Where the table is wider
// than width, which 0 never is, it leaves out what matters least.
func WriteWorkersWide(w io.Writer, list []Worker, now time.Time, width int) error {
	columns := append(workerColumns[:len(workerColumns):len(workerColumns)], workerWide...)
	rows := each(list, func(v Worker) []string { return append(v.cells(), v.wideCells(now)...) })
	if width > 0 {
		columns, rows = fit(columns, rows, width)
	}
	return writeTable(w, columns, rows)
}

// fit leaves columns out until a table has that width, or only those are left
// that it cannot do without. A table that is too wide as EverAI has it gives up
// their widths first.
func fit(columns []column, rows [][]string, width int) ([]column, [][]string) {
	tooWide := func() bool {
		total := -2 // none behind the last one
		for _, n := range widths(columns, rows) {
			total += n + 2
		}
		return total > width
	}
	if tooWide() {
		columns = slices.Clone(columns)
		for i := range columns {
			columns[i].width = len(columns[i].title)
		}
	}
	for _, title := range leastFirst {
		if !tooWide() {
			break
		}
		i := slices.IndexFunc(columns, func(c column) bool { return c.title == title })
		columns = slices.Delete(columns, i, i+1)
		rows = each(rows, func(row []string) []string { return slices.Delete(row, i, i+1) })
	}
	return columns, rows
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
	deleted := v.Deleted
	if v.waits() {
		deleted = time.Time{} // its place is still there
	}
	return []string{v.ID, v.Status, v.Detail, stamp(v.Created), stamp(deleted)}
}

// waits reports whether it has ended, and another one will take its place.
func (v Worker) waits() bool { return !v.Retry.IsZero() }

func (v Worker) wideCells(now time.Time) []string {
	end := now
	if !v.Deleted.IsZero() {
		end = v.Deleted
	}
	address, uptime := v.Address, age(v.Created, end)
	if v.waits() {
		address, uptime = "", ""
	}
	memory := ""
	if v.Memory > 0 {
		memory = profiles.FormatSize(v.Memory)
	}
	return []string{
		number(v.PID), address, uptime, seconds(v.StartedIn),
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

// widths are those of columns with their cells.
func widths(columns []column, rows [][]string) []int {
	out := make([]int, len(columns))
	for i, c := range columns {
		out[i] = c.width
		for _, row := range rows {
			out[i] = max(out[i], len(row[i]))
		}
	}
	return out
}

func writeTable(w io.Writer, columns []column, rows [][]string) error {
	widths := widths(columns, rows)
	titles, dashes := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
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
