package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/charmbracelet/x/exp/golden"

	"headroom/load"
	"headroom/probe"
)

// watched is a watch of four replicas, of which one went, and one is only known
// from a list of workers.
func watched() Watch {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }
	replica := func(id string, state probe.State, share float64, first, last int, requests, failed int64) probe.Replica {
		return probe.Replica{ID: id, State: state, Answered: true, Share: share, FirstSeen: at(first), LastSeen: at(last), Requests: requests, Failed: failed,
			P50: 1500 * time.Microsecond, P95: 40 * milli, P99: 700 * milli,
			Lately: &probe.Times{Count: 20, P50: 1200 * time.Microsecond, P95: 34 * milli, P99: 560 * milli}}
	}
	change := func(second int, kind probe.ChangeKind, text string) probe.Change {
		return probe.Change{At: at(second), Kind: kind, Text: text}
	}
	gone := replica("shop-6c5b8d9fd-lm4tn", probe.Gone, 0.2, 1, 25, 50, 50)
	gone.Lately = nil // nothing for more than a minute
	return Watch{
		At: at(90), Target: "http://shop.example:8080/healthz", Rate: 2,
		Load: load.Snapshot{
			Started: noon, Total: load.Stats{Count: 180, Failed: 5, Service: quantiles(175, 4*milli)}, Lately: quantiles(110, 2*milli),
			Conns:    load.Connections{Remotes: []load.Remote{{Address: "10.0.0.7:8080"}, {Address: "10.0.0.8:8080"}, {Address: "10.0.0.9:8080"}, {Address: "10.0.0.10:8080"}, {Address: "10.0.0.11:8080"}}},
			Unnamed:  2,
			Identity: "json:hostname", Found: true, Sure: probe.Sure, Why: "3 values in 144 answers, which come back",
			Failures: []load.FailureCount{{Failure: load.Dial, Count: 5, First: 40 * time.Second, Last: 52 * time.Second, Example: "dial tcp: connect: connection refused"}},
		},
		Name: probe.Statement{Origin: probe.FromDNS, Known: new(6), Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.7"), netip.MustParseAddr("10.0.0.12")}},
		Replicas: []probe.Replica{
			replica("shop-7d4b9c6f5-x2x9k", probe.Serving, 0.51, 0, 90, 88, 0),
			replica("shop-7d4b9c6f5-q8w7z", probe.Quiet, 0.49, 58, 78, 40, 3),
			{ID: "shop-7d4b9c6f5-k4m8r", State: probe.Ready, Listed: true},
			gone,
		},
		Workers: probe.Statement{Origin: probe.FromWorkers, Known: new(4), Ready: new(3), At: at(88), Since: at(70)},
		Unseen:  probe.Unseen{Seen: 2, Total: 2, Low: 2, High: 3}, Quiet: 14, Gone: 20,
		Changes: []probe.Change{
			change(0, probe.ChangeSource, "replicas are named by json:hostname"),
			change(0, probe.ChangeMet, "shop-7d4b9c6f5-x2x9k answers"),
			change(1, probe.ChangeMet, "shop-6c5b8d9fd-lm4tn answers"),
			change(41, probe.ChangeFailing, "2 of the last 20 requests failed: connection refused"),
			change(58, probe.ChangeAppears, "shop-7d4b9c6f5-q8w7z appears"),
			change(72, probe.ChangeGone, "shop-6c5b8d9fd-lm4tn is gone: nothing since 12:00:25, in 35 answers"),
			change(86, probe.ChangeQuiet, "shop-7d4b9c6f5-q8w7z has been quiet since 12:01:18"),
		},
		Notices: []probe.Notice{{Kind: probe.NoticeForwarded, Text: "a notice of the session, which takes more than one line where the terminal is narrow"}},
	}
}

// many is a watch of so many replicas.
func many(n int) Watch {
	s := watched()
	s.Replicas = nil
	for i := range n {
		r := watched().Replicas[0]
		r.ID = fmt.Sprintf("replica-%d", i+1)
		s.Replicas = append(s.Replicas, r)
	}
	return s
}

// five is a watch of five replicas, the fourth of which just appeared.
func five() Watch {
	s := many(5)
	s.Changes = append(s.Changes, probe.Change{At: s.At, Kind: probe.ChangeAppears, Replica: "replica-4", Text: "replica-4 appears"})
	return s
}

// Whatever the size of the terminal, nothing is wider or higher, and the newest
// change stands at the end where there is any room.
func TestWatchFits(t *testing.T) {
	for width := 1; width <= 130; width += 3 {
		for height := range 45 {
			var out bytes.Buffer
			if err := WriteWatch(&out, five(), width, height); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if len(lines) > max(1, height) {
				t.Fatalf("%d lines on a screen of %dx%d:\n%s", len(lines), width, height, out.String())
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); width >= 24 && n > width {
					t.Fatalf("a line of %d columns on a screen of %dx%d:\n%s", n, width, height, out.String())
				}
			}
			if width >= 60 && height >= 7 && lines[len(lines)-1] != "12:01:30 replica-4 appears" {
				t.Fatalf("the newest change is not at the end of a screen of %dx%d:\n%s", width, height, out.String())
			}
		}
	}
}

// A source that was asked for and is in no answer is said, with what helps.
func TestWatchOfAnotherSource(t *testing.T) {
	s := Watch{Load: load.Snapshot{Identity: "header:X-Nope", Unnamed: 49, Total: load.Stats{Count: 49}}}
	var screen, summary bytes.Buffer
	if err := errors.Join(WriteWatch(&screen, s, 200, 24), WriteWatchSummary(&summary, s, 0)); err != nil {
		t.Fatal(err)
	}
	const want = "no answer names its replica by header:X-Nope: without --replica-from"
	for _, text := range []string{screen.String(), summary.String()} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

func TestWatchScreens(t *testing.T) {
	waiting := Watch{At: watched().At, Target: "http://shop.example/", Rate: 2, Down: watched().Load.Started, Problem: "connection refused",
		Load: load.Snapshot{Started: watched().Load.Started, Total: load.Stats{Count: 9, Failed: 9}}}
	for _, tt := range []struct {
		name          string
		watch         Watch
		width, height int
	}{
		{"80", watched(), 80, 40},
		{"120", watched(), 120, 40},
		{"low", many(30), 80, 23},
		{"waiting", waiting, 80, 23},
		{"narrow", watched(), 60, 23},
		{"small", five(), 80, 14},
		{"tiny", watched(), 40, 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := WriteWatch(&out, tt.watch, tt.width, tt.height); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if len(lines) > tt.height {
				t.Errorf("%d lines, want %d at most", len(lines), tt.height)
			}
			for _, line := range lines {
				if n := utf8.RuneCountInString(line); n > tt.width {
					t.Errorf("a line of %d columns, want %d at most: %s", n, tt.width, line)
				}
			}
			golden.RequireEqual(t, out.Bytes())
		})
	}
}

func TestWatchSummary(t *testing.T) {
	var out bytes.Buffer
	if err := WriteWatchSummary(&out, watched(), 80); err != nil {
		t.Fatal(err)
	}
	golden.RequireEqual(t, out.Bytes())
	out.Reset()
	if err := WriteWatchSummary(&out, watched(), 60); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 60 {
			t.Errorf("a line of %d columns, want 60 at most: %s", n, line)
		}
	}
}

func TestWatchLine(t *testing.T) {
	s := watched()
	const want = "180 requests, 5 failed, in the last minute p50 2ms, p95 6ms, p99 10ms; shop-7d4b9c6f5-x2x9k 51.0 %; shop-7d4b9c6f5-q8w7z quiet; shop-7d4b9c6f5-k4m8r ready"
	if got := WatchLine(s); got != want {
		t.Errorf("WatchLine = %q, want %q", got, want)
	}
	s.Load.InFlight, s.Load.Oldest = 3, 4*time.Second
	if got := WatchLine(s); !strings.HasPrefix(got, "180 requests, 5 failed, 3 waiting, the oldest for 4s, in the last minute") {
		t.Errorf("WatchLine of a target that hangs = %q", got)
	}
	s.Down, s.Problem, s.Replicas = s.At, "connection refused", nil
	if got := WatchLine(s); !strings.HasSuffix(got, "; every request fails since 12:01:30, now: connection refused") {
		t.Errorf("WatchLine of a target that is down = %q", got)
	}
}

func TestWatchJSON(t *testing.T) {
	var out bytes.Buffer
	s := watched()
	s.Replicas[3].P50, s.Replicas[3].P95, s.Replicas[3].P99 = 0, 0, 0
	c := probe.Change{At: s.At, Kind: probe.ChangeGone, Replica: "a", Since: s.Load.Started, Text: "a is gone"}
	for _, err := range []error{WriteWatchChange(&out, c), WriteWatchStatus(&out, s, false), WriteWatchStatus(&out, Watch{At: s.At}, true)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3:\n%s", len(lines), out.Bytes())
	}
	var indented bytes.Buffer
	for _, line := range lines {
		if err := json.Indent(&indented, line, "", " "); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		indented.WriteString("\n")
	}
	golden.RequireEqual(t, indented.Bytes())
}
