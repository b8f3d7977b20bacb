package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"headroom/load"
)

// The columns as Locust documents them.
const (
	locustShares         = "50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%"
	locustStatsHead      = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,Max Response Time,Average Content Size,Requests/s,Failures/s," + locustShares
	locustHistoryHead    = "Timestamp,User Count,Type,Name,Requests/s,Failures/s," + locustShares + ",Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,Total Min Response Time,Total Max Response Time,Total Average Content Size"
	locustFailuresHead   = "Method,Name,Error,Occurrences,First Seen,Last Seen"
	locustExceptionsHead = "Count,Message,Traceback,Nodes"
)

// locustTable reads one of the files as a program that knows Locust's would.
func locustTable(t *testing.T, head string, write func(io.Writer, Run) error, r Run) []map[string]string {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out, r); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("read %d rows: %v", len(rows), err)
	}
	if got := strings.Join(rows[0], ","); got != head {
		t.Fatalf("columns %s, want %s", got, head)
	}
	var table []map[string]string
	for _, row := range rows[1:] {
		named := map[string]string{}
		for i, column := range rows[0] {
			named[column] = row[i]
		}
		table = append(table, named)
	}
	return table
}

// number reads a cell; ok is false where there is no figure.
func number(t *testing.T, row map[string]string, column string) (v float64, ok bool) {
	t.Helper()
	if row[column] == "N/A" {
		return 0, false
	}
	v, err := strconv.ParseFloat(row[column], 64)
	if err != nil {
		t.Errorf("%s: got %q, want a number or N/A", column, row[column])
	}
	return v, true
}

// checkShares says whether the percentiles of a row are whole, all there or
// all not, and rise.
func checkShares(t *testing.T, row map[string]string, want bool) {
	t.Helper()
	last := 0.0
	for _, share := range strings.Split(locustShares, ",") {
		v, ok := number(t, row, share)
		if ok != want || v < last && ok || v != float64(int(v)) {
			t.Errorf("%s of %q: got %s after %v, want data %v, whole and rising", share, row["Name"], row[share], last, want)
		}
		last = v
	}
}

// severalTasks is a run of two requests, of which one never succeeded.
func severalTasks(t *testing.T) Run {
	r := saved(t)
	failing := load.Stats{Name: "chat", Over: r.Result.Loaded, Count: 4, Failed: 4}
	r.Result.Requests = append(r.Result.Requests, failing)
	r.Result.Total.Name, r.Result.Total.Count = "all", r.Result.Total.Count+4
	r.Result.Failures[0].Requests = []load.RequestCount{{Name: r.Result.Requests[0].Name, Count: 6}, {Name: "chat", Count: 4}}
	r.Result.Failures = append(r.Result.Failures, load.FailureCount{Failure: load.Check, Check: "chat: check json ok", Example: "chat: check json ok: got 2", Count: 1})
	r.Methods = map[string]string{r.Result.Requests[0].Name: "GET", "chat": "POST"}
	return r
}

func TestLocustStats(t *testing.T) {
	rows := locustTable(t, locustStatsHead, WriteLocustStats, severalTasks(t))
	if len(rows) != 3 {
		t.Fatalf("%d rows, want 3", len(rows))
	}
	for i, want := range []struct {
		method, name, count, failures string
		data                          bool
	}{
		{"GET", "/load/100000", "1234", "12", true},
		{"POST", "chat", "4", "4", false},
		{"", "Aggregated", "1238", "12", true},
	} {
		row := rows[i]
		if row["Type"] != want.method || row["Name"] != want.name || row["Request Count"] != want.count || row["Failure Count"] != want.failures {
			t.Errorf("row %d: %v, want %+v", i, row, want)
		}
		checkShares(t, row, want.data)
		least, ok := number(t, row, "Min Response Time")
		most, _ := number(t, row, "Max Response Time")
		mean, _ := number(t, row, "Average Response Time")
		if ok != want.data || least > mean || mean > most {
			t.Errorf("%s: least %v, average %v, most %v", want.name, least, mean, most)
		}
	}
}

func TestLocustHistory(t *testing.T) {
	r := saved(t)
	rows := locustTable(t, locustHistoryHead, writeLocustHistory, r)
	if len(rows) != len(r.Result.Points) {
		t.Fatalf("%d rows, want one a second", len(rows))
	}
	for i, row := range rows {
		if at, _ := number(t, row, "Timestamp"); int64(at) != r.Result.Started.Unix()+int64(i)+1 || row["Name"] != "Aggregated" || row["Type"] != "" {
			t.Errorf("row %d: %v", i, row)
		}
		checkShares(t, row, i != 3)
		if n, _ := number(t, row, "Total Request Count"); i != 3 && int(n) != 41*(i+1) {
			t.Errorf("row %d: %v requests in total", i, n)
		}
	}
}

func TestLocustFailures(t *testing.T) {
	one := locustTable(t, locustFailuresHead, writeLocustFailures, saved(t))
	several := locustTable(t, locustFailuresHead, writeLocustFailures, severalTasks(t))
	if got := one[0]; len(one) != 2 || got["Method"] != "GET" || got["Name"] != "/load/100000" || got["Error"] != "status: 502 Bad Gateway" || got["Occurrences"] != "10" || got["First Seen"] != "2026-01-02T03:04:08Z" || got["Last Seen"] != "2026-01-02T03:04:14Z" {
		t.Errorf("failures %v", one)
	}
	if len(several) != 4 || several[3]["Name"] != "chat" || several[3]["Method"] != "POST" || several[0]["Occurrences"] != "6" || several[1]["Method"] != "POST" || several[1]["Name"] != "chat" || several[1]["Occurrences"] != "4" {
		t.Errorf("failures of several requests %v", several)
	}
	if rows := locustTable(t, locustExceptionsHead, LocustFiles[3].Write, saved(t)); len(rows) != 0 {
		t.Errorf("exceptions %v, want none", rows)
	}
}

func TestLocustJSON(t *testing.T) {
	var entries []map[string]any
	if err := json.Unmarshal([]byte(write(t, "locust-json", saved(t))), &entries); err != nil {
		t.Fatal(err)
	}
	e := entries[0]
	for _, key := range strings.Fields("name method last_request_timestamp start_time num_requests num_none_requests num_failures total_response_time max_response_time min_response_time total_content_length response_times num_reqs_per_sec num_fail_per_sec") {
		if _, ok := e[key]; !ok {
			t.Errorf("no %s in %v", key, e)
		}
	}
	times := 0.0
	for _, n := range e["response_times"].(map[string]any) {
		times += n.(float64)
	}
	if want := e["num_requests"].(float64) - e["num_none_requests"].(float64); times != want {
		t.Errorf("%v response times of %v requests that have one", times, want)
	}
}

func TestLocustRounded(t *testing.T) {
	for millis, want := range map[float64]string{0.2: "0", 5.4: "5", 99.4: "99", 147: "150", 3432: "3400", 58760: "59000"} {
		if got := locustRounded(millis); got != want {
			t.Errorf("locustRounded(%v) = %s, want %s", fmt.Sprint(millis), got, want)
		}
	}
}
