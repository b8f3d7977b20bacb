package scaler

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

func TestRunBalances(t *testing.T) {
	h := hold(t)
	cfg := config(t, "serve", 2)
	cfg.Env = append(cfg.Env, h.url)
	s := start(t, cfg)

	// Two at once are worked on by both replicas, the others wait in order.
	var clients sync.WaitGroup
	var order []string
	for i := range 5 {
		clients.Go(func() { fetch(t, request(t, "GET", fmt.Sprint(s.URL(), "/hold?", i), "")) })
		if i < 2 {
			order = append(order, h.next(t))
			continue
		}
		eventually(t, "it waits", func() bool { return len(s.balancer.traffic().waiting) == i-1 })
	}
	if f := s.fleet(t); f.InFlight != 5 || f.Queue != 3 {
		t.Errorf("fleet: got %d in flight and a queue of %d, want 5 and 3", f.InFlight, f.Queue)
	}
	for range 3 {
		h.release <- struct{}{}
		order = append(order, h.next(t))
	}
	h.release <- struct{}{}
	h.release <- struct{}{}
	clients.Wait()
	var queries []string
	for _, o := range order {
		_, query, _ := strings.Cut(o, "?")
		queries = append(queries, query)
	}
	if order[0] != "replica-1?0" || order[1] != "replica-2?1" || !slices.Equal(queries, []string{"0", "1", "2", "3", "4"}) {
		t.Errorf("order: got %q, want replica-1 and replica-2 first, and 0 to 4", order)
	}

	f := s.fleet(t)
	if !f.Managed || f.Wanted != 2 || f.Count(probe.Ready) != 2 || f.Replicas[0].Served+f.Replicas[1].Served != 5 {
		t.Errorf("fleet: got %+v, want two that served five", f)
	}
	for _, r := range f.Replicas {
		if r.PID == 0 || r.StartedIn <= 0 || r.Address == "" {
			t.Errorf("replica: got %+v, want its process, its address and its start-up time", r)
		}
	}
	eventually(t, "memory and CPU time are measured", func() bool {
		for range 20 { // CPU time is counted in hundredths of a second
			hostname(t, s.URL())
		}
		r := s.fleet(t).Replicas[0]
		return r.Memory > 0 && r.CPU > 0
	})
}

func TestRunBeginsWithTheHour(t *testing.T) {
	cfg := config(t, "serve", 1)
	cfg.Policy = rpsPolicy(1, 5)
	cfg.Policy.Schedules = []profiles.Schedule{{Match: "* * * * *", Min: 2}}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.loop.size; s.pool.wanted != 2 || got != 2 {
		t.Errorf("begins with %d replicas, and the loop with %d, want 2", s.pool.wanted, got)
	}
}

func TestRunFollowsPins(t *testing.T) {
	s := start(t, config(t, "serve", 1))
	client, err := Find(s.cfg.RuntimeDir, "test")
	if err != nil {
		t.Fatal(err)
	}
	if client.URL() != s.Client().URL() {
		t.Errorf("found: got %q, want %q", client.URL(), s.Client().URL())
	}
	if _, err := FindByService(s.cfg.RuntimeDir, strings.TrimPrefix(s.URL(), "http://")); err != nil {
		t.Errorf("found by the service: %v", err)
	}
	if err := client.Pin(t.Context(), 3, time.Minute); err != nil {
		t.Fatal(err)
	}
	eventually(t, "three are ready", func() bool { return s.fleet(t).Count(probe.Ready) == 3 })
	if err := client.Unpin(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "two are gone", func() bool { return s.fleet(t).Count(probe.Gone) == 2 })
	if f := s.fleet(t); f.Replicas[0].ID != "replica-1" || f.Replicas[0].State != probe.Ready {
		t.Errorf("fleet: got %+v, want replica-1 to stay", f.Replicas)
	}
	path := filepath.Join(s.cfg.RuntimeDir, "test.json")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("runtime file: got %v, %v, want mode 0600", info, err)
	}
	s.stop()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("runtime file after the end: got error %v, want none there", err)
	}
	for _, url := range []string{s.URL(), client.URL()} {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
			conn.Close()
			t.Errorf("%s still accepts connections", url)
		}
	}
}

func TestRunStartErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() }) // after the parallel parts
	address := taken.Addr().String()
	tests := []struct {
		name string
		role string
		edit func(*Config)
		want string // regular expression
	}{
		{"exits at once", "exit", func(c *Config) {}, `^\S+ --port \{port\}: exited with status 3: no module named nothing$`},
		{"never listens", "deaf", func(c *Config) { c.StartTimeout = 300 * time.Millisecond },
			`: not ready within 300ms: nothing listens on 127\.0\.0\.1:\d+$`},
		{"never ready", "serve", func(c *Config) { c.StartTimeout, c.ReadyPath = 4*time.Second, "/missing" },
			`: not ready within 4s: GET /missing is answered 404$`},
		{"no such program", "", func(c *Config) { c.Command = []string{"no-such-program", "x"} },
			`^no-such-program x: exec: "no-such-program": executable file not found in \$PATH$`},
		{"no program", "", func(c *Config) { c.Command = []string{"/"} }, `^/: .*(is a directory|permission denied)$`},
		{"no folder for logs", "serve", func(c *Config) { c.LogDir = "/dev/null/logs" },
			`^--log-dir: got "/dev/null/logs", want a folder that can be written to: mkdir /dev/null: not a directory$`},
		{"taken address", "serve", func(c *Config) { c.Listen = address },
			`^--listen: ` + regexp.QuoteMeta(address) + ` is already in use, want a free address`},
		{"taken API address", "serve", func(c *Config) { c.API = address },
			`^--api: ` + regexp.QuoteMeta(address) + ` is already in use`},
		{"address of another machine", "serve", func(c *Config) { c.Listen = "192.0.2.1:80" },
			`^--listen: got 192\.0\.2\.1:80, want an address of this machine`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t, tt.role, 2)
			tt.edit(&cfg)
			s, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			err = s.Run(ctx)
			var failed *StartError
			if !errors.As(err, &failed) || !regexp.MustCompile(tt.want).MatchString(err.Error()) {
				t.Errorf("Run: got %T %v, want a StartError like %s", err, err, tt.want)
			}
			if tt.role == "exit" {
				slices.Sort(failed.Output) // the two streams have no common order
				if want := []string{"first line", "no module named nothing", "on stdout"}; !slices.Equal(failed.Output, want) {
					t.Errorf("output: got %q, want %q", failed.Output, want)
				}
			}
			if isClosed(s.Ready()) {
				t.Error("Ready is closed")
			}
		})
	}
}

// A supervisor that says nothing is not waited for when nobody wants the replica
// any more.
func TestStartedEndsWithItsContext(t *testing.T) {
	report, silent, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if pid, err := (&proc{report: report}).started(ctx); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("started = %d, %v; want %v", pid, err, os.ErrDeadlineExceeded)
	}
}

func TestRunRefusesALivingName(t *testing.T) {
	first := start(t, config(t, "serve", 1))
	cfg := first.cfg
	cfg.Listen, cfg.API = "127.0.0.1:0", "127.0.0.1:0"
	second, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = second.Run(t.Context())
	var failed *StartError
	if want := `--name: "test" is in use by another running scaler, want another name`; !errors.As(err, &failed) || err.Error() != want {
		t.Errorf("Run: got %T %v, want a StartError %q", err, err, want)
	}
	if _, err := Find(cfg.RuntimeDir, "test"); err != nil {
		t.Errorf("the first can not be found any more: %v", err)
	}
	if err := first.Run(t.Context()); err == nil {
		t.Error("Run for a second time: got no error")
	}
}

// What a replica prints is read however much it is, and the end is kept; in a
// file it is complete.
func TestRunReadsWhatReplicasPrint(t *testing.T) {
	cfg := config(t, "serve", 1)
	cfg.LogDir = t.TempDir() + "/logs"
	s := start(t, cfg)
	if res, body := fetch(t, request(t, "GET", s.URL()+"/print?lines=20000", "")); res.StatusCode != http.StatusOK {
		t.Fatalf("got %d %s", res.StatusCode, body)
	}
	if err := syscall.Kill(s.fleet(t).Replicas[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its last line is known", func() bool {
		f := s.fleet(t)
		return strings.HasPrefix(f.Replicas[len(f.Replicas)-1].LastError, "ended by signal 9 (killed); its last line: line 19999 xxx")
	})
	lines, ok := s.pool.logs("replica-1")
	if !ok || len(lines) != keptLines || lines[0].At.IsZero() {
		t.Errorf("logs of one that is gone: got %d, %v, want %d with their times", len(lines), ok, keptLines)
	}
	if _, ok := s.pool.logs("replica-9"); ok {
		t.Error("logs of one that never was: got some")
	}
	data, err := os.ReadFile(cfg.LogDir + "/test-replica-1.log")
	if err != nil || strings.Count(string(data), "\n") != 20000 || !strings.Contains(string(data), "a line without an end") {
		t.Errorf("log file: got %d lines, %v, want 20000 and one without an end", strings.Count(string(data), "\n"), err)
	}
}

// Requests that are under way when the scaler ends are answered.
func TestRunFinishesRequests(t *testing.T) {
	h := hold(t)
	cfg := config(t, "serve", 1)
	cfg.Env = append(cfg.Env, h.url)
	cfg.Grace = 10 * limit
	s := start(t, cfg)
	silent, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://")) // has nothing to finish
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	answered := make(chan string, 1)
	go func() {
		_, body := fetch(t, request(t, "GET", s.URL()+"/hold", ""))
		answered <- body
	}()
	h.next(t)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.stop()
	}()
	eventually(t, "nothing new is accepted", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	h.release <- struct{}{}
	if got := <-answered; got != "replica-1" {
		t.Errorf("the request under way: got %q, want the answer of replica-1", got)
	}
	<-stopped // long before the grace is over, or stop says so
}

func TestRunEndsItsGoroutines(t *testing.T) {
	s := start(t, config(t, "serve", 2))
	for range 3 {
		hostname(t, s.URL())
	}
	if err := s.Client().Pin(t.Context(), 3, time.Minute); err != nil {
		t.Fatal(err)
	}
	s.stop()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for stack := range strings.SplitSeq(string(stacks), "\n\n") {
		ours := strings.Contains(stack, "headroom/scaler.") && !strings.Contains(stack, "testing.tRunner")
		if ours && !strings.Contains(stack, "runtime.goexit1") { // else its function has returned
			t.Errorf("left:\n%s", stack)
		}
	}
}

// A request that goes on does not keep a scaler from ending.
func TestRunEndsInTime(t *testing.T) {
	h := hold(t)
	cfg := config(t, "serve", 1)
	cfg.Env = append(cfg.Env, h.url)
	cfg.Grace = 300 * time.Millisecond
	s := start(t, cfg)
	var clients sync.WaitGroup
	for range 2 { // one that is worked on, and one that waits
		clients.Go(func() {
			if res, err := http.Get(s.URL() + "/hold"); err == nil {
				res.Body.Close()
			}
		})
	}
	h.next(t)
	s.stop()
	clients.Wait()
}
