package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

func TestWatchRefuses(t *testing.T) {
	const target = "http://127.0.0.1:1/"
	for _, tt := range []struct {
		args []string
		says string
	}{
		{nil, "arguments: got 0, want one: the URL to watch"},
		{[]string{"127.0.0.1:8000"}, `target: got "127.0.0.1:8000", want http://127.0.0.1:8000 or`},
		{[]string{"ftp://x/"}, `target: got "ftp://x/" with scheme "ftp"`},
		{[]string{target, "--rate", "0"}, `--rate: got "0", want a rate above 0`},
		{[]string{target, "--rate", "1000/s"}, "--rate: got 1000/s, want 50/s at most: a load is what headroom run is for"},
		{[]string{target, "-t", "0"}, `--run-time: got "0", want a duration of more than 0`},
		{[]string{target, "--exit-code-on-error", "256"}, "--exit-code-on-error: got 256, want 0 to 125"},
		{[]string{target, "--users", "5"}, "flag: got --users, which headroom watch does not have"},
		{[]string{target, "--workers-url", "workers"}, `--workers-url: got "workers", want a URL such as`},
		{[]string{target, "--workers-header", "A: b"}, "--workers-header: got it without --workers-url, want both"},
		{[]string{target, "--workers-url", target, "--workers-header", "Authorization: hidden"}, "--workers-header: got Authorization with a value in plain text"},
		{[]string{target, "--header", "x"}, `--header: got a line that is no header, want NAME: VALUE`},
	} {
		code, out, err := execute(t, append([]string{"watch"}, tt.args...)...)
		if code != exitUsage || out != "" || !strings.HasPrefix(err, "headroom: "+tt.says) || strings.Count(err, "\n") != 1 {
			t.Errorf("watch %v: exit %d, %q, %q; want %d and one line: %s", tt.args, code, out, err, exitUsage, tt.says)
		}
	}
}

// two answers as two replicas in turn, and fails for so many requests first.
func two(t *testing.T, failing int64) *httptest.Server {
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i := n.Add(1)
		if i <= failing {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		fmt.Fprintf(w, `{"hostname":"pod-%d"}`, i%2)
	}))
	t.Cleanup(s.Close)
	return s
}

func TestWatchWithoutATerminal(t *testing.T) {
	code, out, err := execute(t, "watch", two(t, 0).URL, "--rate", "50", "-t", "350ms")
	if code != 0 || err != "" {
		t.Errorf("watch: exit %d, %q, want 0 and silence", code, err)
	}
	for _, want := range []string{" pod-0 answers\n", " pod-1 answers\n", "\nreplica  state ", "\npod-0    serving ", "replicas named by json:hostname"} {
		if !strings.Contains(out, want) {
			t.Errorf("watch prints no %q, in\n%s", want, out)
		}
	}
}

// A list of workers has a line of its own, and a field in the JSON.
func TestWatchWithAListOfWorkers(t *testing.T) {
	list := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"items":[{"id":"pod-0"},{"id":"pod-1"},{"id":"pod-2","status":"PENDING"}]}`)
	}))
	defer list.Close()
	args := []string{"watch", two(t, 0).URL, "--rate", "50", "-t", "350ms", "--workers-url", list.URL}
	code, out, _ := execute(t, args...)
	if want := "\nworkers list: 2 running of 3\n"; code != 0 || !strings.Contains(out, want) {
		t.Errorf("watch: exit %d, want 0 and %q in\n%s", code, want, out)
	}
	if !strings.Contains(out, "\npod-2    starting  –") {
		t.Errorf("watch: want a row of the worker that starts in\n%s", out)
	}
	_, out, _ = execute(t, append(args, "--json")...)
	if want := `"workers":{"source":"workers","known":3,"ready":2,`; !strings.Contains(out, want) {
		t.Errorf("watch --json: want %s in\n%s", want, out)
	}
}

func TestWatchExitCode(t *testing.T) {
	for _, tt := range []struct {
		name    string
		failing int64
		args    []string
		want    int
	}{
		{"some fail, which is what one watches for", 1, nil, 0},
		{"some fail, which is to be told", 1, []string{"--exit-code-on-error", "7"}, 7},
		{"all fail", 1000, nil, exitFailures},
	} {
		code, out, _ := execute(t, append([]string{"watch", two(t, tt.failing).URL, "--rate", "50", "-t", "300ms"}, tt.args...)...)
		if code != tt.want {
			t.Errorf("%s: exit %d, want %d:\n%s", tt.name, code, tt.want, out)
		}
	}
}

func TestWatchAsJSON(t *testing.T) {
	_, out, _ := execute(t, "watch", two(t, 0).URL, "--rate", "50", "-t", "350ms", "--json")
	var types []string
	for line := range strings.Lines(out) {
		var record struct {
			Type     string
			Requests int
			Replicas []struct{ ID string }
		}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		types = append(types, record.Type)
		if record.Type == "end" && (record.Requests == 0 || len(record.Replicas) != 2) {
			t.Errorf("the end is %s, want requests and two replicas", line)
		}
	}
	if slices.Index(types, "change") < 0 || slices.Index(types, "status") < 0 || types[len(types)-1] != "end" {
		t.Errorf("records %v, want changes, states and an end", types)
	}
}

// output keeps what a watch shows.
type output struct {
	pictures []report.Watch
	told     []string
}

func (o *output) show(w report.Watch, fresh []probe.Change) error {
	o.pictures = append(o.pictures, w)
	for _, c := range fresh {
		o.told = append(o.told, c.Text)
	}
	return nil
}

func (o *output) end(report.Watch) error { return nil }

func TestWatcherShowsStates(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	out := &output{}
	w := &watcher{plan: profiles.Plan{Target: "http://x/", Rate: 2}, out: out}
	notice := advisor.Event{N: 1, Kind: advisor.NoticeEvent, Text: "a notice"}
	other := advisor.Event{N: 2, Kind: "replica", Text: "a answers"}
	failures := []load.FailureCount{
		{Failure: load.Timeout, Last: 2 * time.Second, Example: "no complete answer within 10s"},
		{Failure: load.Dial, Last: 3 * time.Second, Example: "dial tcp: connect: connection refused"},
	}
	for _, s := range []advisor.State{
		{At: noon}, // before the first request
		{At: noon.Add(3 * time.Second), Load: load.Snapshot{Started: noon, Total: load.Stats{Count: 2, Failed: 2}, Failures: failures}, Events: []advisor.Event{notice}},
		{At: noon.Add(4 * time.Second), Load: load.Snapshot{Started: noon, Total: load.Stats{Count: 3, Failed: 2}, Failures: failures}, Events: []advisor.Event{notice, other}},
	} {
		if err := w.show(s); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"every request fails: connection refused", "a notice", "requests succeed, after 4s"}; !slices.Equal(out.told, want) {
		t.Errorf("told %q, want %q", out.told, want)
	}
	if n := len(out.pictures[0].Notices); n != 0 {
		t.Errorf("%d notices, want none", n)
	}
	w.chosen = true
	if err := w.show(advisor.State{At: noon, Load: load.Snapshot{Started: noon}}); err != nil {
		t.Fatal(err)
	}
	if n := out.pictures[len(out.pictures)-1].Notices; len(n) != 1 || n[0].Kind != probe.NoticeChosen {
		t.Errorf("notices %v where a scaler chooses, want that", n)
	}
	out.pictures = out.pictures[:len(out.pictures)-1]
	if n := len(out.pictures); n != 2 || len(out.pictures[n-1].Changes) != 3 {
		t.Errorf("%d pictures, want 2, the last one with 3 changes: %+v", n, out.pictures)
	}
}

// Off a terminal there is a line a change, and one of the state every half
// minute.
func TestWatchLines(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	var out strings.Builder
	o := &watchLines{out: &out, pace: pace{every: watchLineEvery}}
	for second := range 61 {
		w := report.Watch{At: noon.Add(time.Duration(second) * time.Second)}
		var fresh []probe.Change
		if second == 5 {
			fresh = []probe.Change{{At: w.At, Text: "a appears"}}
		}
		if err := o.show(w, fresh); err != nil {
			t.Fatal(err)
		}
	}
	const want = "12:00:05 a appears\n12:00:30 0 requests, 0 failed\n12:01:00 0 requests, 0 failed\n"
	if out.String() != want {
		t.Errorf("show writes %q, want %q", out.String(), want)
	}
}

// A State that comes a bit late does not make the next line late.
func TestPaceKeepsUp(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	p, n := pace{every: time.Second}, 0
	for at := time.Duration(0); at < 15*time.Second; at += 260 * time.Millisecond {
		if p.due(noon.Add(at)) {
			n++
		}
	}
	if n != 15 {
		t.Errorf("%d were due in 15 s, want 15", n)
	}
}

// On a terminal a picture is drawn once a second, and at once where something
// changed; at the end the summary takes its place.
func TestWatchScreen(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	var out strings.Builder
	width := 80
	o := &watchScreen{pace: pace{every: watchScreenEvery}, screen: &screen{out: &out, size: func() (int, int) { return width, 24 }}}
	for _, step := range []struct {
		name  string
		at    time.Duration
		width int
		fresh []probe.Change
		drawn bool
	}{
		{"the first", 0, 80, nil, true},
		{"soon after it", 250 * time.Millisecond, 80, nil, false},
		{"with a change", 500 * time.Millisecond, 80, []probe.Change{{}}, true},
		{"of another size", 750 * time.Millisecond, 100, nil, true},
		{"a second after the first", 1050 * time.Millisecond, 100, nil, true},
		{"no second after that was due", 1950 * time.Millisecond, 100, nil, false},
		{"two seconds after the first", 2010 * time.Millisecond, 100, nil, true},
	} {
		out.Reset()
		width = step.width
		if err := o.show(report.Watch{At: noon.Add(step.at), Target: "http://x/"}, step.fresh); err != nil {
			t.Fatal(err)
		}
		if drawn := strings.Contains(out.String(), "http://x/"); drawn != step.drawn {
			t.Errorf("%s: drawn is %v, want %v", step.name, drawn, step.drawn)
		}
	}
	out.Reset()
	if err := o.end(report.Watch{Target: "http://x/"}); err != nil || !strings.HasPrefix(out.String(), "\x1b[2A\r\x1b[Jhttp://x/") {
		t.Errorf("end writes %q, %v, want the summary instead of the two lines", out.String(), err)
	}
}
