package scaler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"headroom/probe"
)

// A replica that is killed costs the request that it worked on, nothing else.
func TestRunSurvivesKilledReplica(t *testing.T) {
	h := hold(t)
	cfg := config(t, "serve", 2)
	cfg.Env = append(cfg.Env, h.url)
	s := start(t, cfg)

	type result struct {
		code int
		body string
	}
	results := make(chan result, 8)
	send := func(path string) {
		res, body := fetch(t, request(t, "GET", s.URL()+path, ""))
		results <- result{res.StatusCode, body}
	}
	var clients sync.WaitGroup
	clients.Go(func() { send("/hold") })
	h.next(t)
	for range 5 {
		clients.Go(func() { send("/") })
	}
	victim := s.fleet(t).Replicas[0]
	if err := syscall.Kill(victim.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	clients.Wait()
	close(results)
	broken := 0
	for r := range results {
		if r.code == http.StatusOK {
			continue
		}
		broken++
		if r.code != http.StatusBadGateway || !strings.HasPrefix(r.body, "replica-1 did not answer") {
			t.Errorf("got %d %q, want 502 that names replica-1", r.code, r.body)
		}
	}
	if broken != 1 {
		t.Errorf("%d requests were lost, want the one of the killed replica", broken)
	}
	eventually(t, "another replica took its place", func() bool {
		f := s.fleet(t)
		return f.Count(probe.Ready) == 2 && f.Replicas[0].ID == "replica-2" && f.Replicas[1].ID == "replica-3"
	})
	gone := s.fleet(t).Replicas[2]
	if gone.ID != "replica-1" || !strings.HasPrefix(gone.LastError, "ended by signal 9 (killed)") {
		t.Errorf("the killed one: got %+v, want why it ended", gone)
	}
	hostname(t, s.URL())
}

// Whatever a replica starts ends with the scaler.
func TestRunLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t, "serve", 2)
	cfg.Env = append(cfg.Env, childrenVar+"="+dir)
	s, ends := startWatched(t, cfg)
	pids := children(t, dir)
	if len(pids) != 6 {
		t.Fatalf("children: got %v, want six", pids)
	}
	s.stop()
	for _, pid := range pids {
		if living(pid) {
			t.Errorf("process %d, which a replica started, is left", pid)
		}
	}
	for _, end := range ends() {
		if !strings.HasPrefix(end, "ended by signal 15 (terminated)") {
			t.Errorf("a replica %s, though SIGTERM was enough", end)
		}
	}
}

// A command that starts others and ends takes them along; the replica is
// replaced.
func TestRunEndsWhatACommandLeaves(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t, "serve", 1)
	cfg.Env = append(cfg.Env, childrenVar+"="+dir)
	cfg.Command = []string{"sh", "-c", `"$0" & server=$!; setsid sleep 1000 & wait $server`, os.Args[0]}
	s := start(t, cfg)
	pids := children(t, dir)
	before := s.fleet(t).Replicas[0]
	if err := syscall.Kill(before.PID, syscall.SIGKILL); err != nil { // the shell
		t.Fatal(err)
	}
	eventually(t, "it was replaced", func() bool {
		f := s.fleet(t)
		return f.Count(probe.Ready) == 1 && f.Replicas[0].ID == "replica-2"
	})
	for _, pid := range pids {
		if living(pid) {
			t.Errorf("process %d, which the first replica started, is left", pid)
		}
	}
}

func TestRunKillsTheStubborn(t *testing.T) {
	cfg := config(t, "stubborn", 1)
	cfg.Grace = 200 * time.Millisecond
	s, ends := startWatched(t, cfg)
	pid := s.fleet(t).Replicas[0].PID
	began := time.Now()
	s.stop()
	if living(pid) {
		t.Error("a replica that ignores SIGTERM is left")
	}
	if took := time.Since(began); took < cfg.Grace {
		t.Errorf("the end took %s, want the grace of %s", took, cfg.Grace)
	}
	for _, end := range ends() {
		if !strings.HasPrefix(end, "ended by signal 9 (killed)") {
			t.Errorf("the replica %s, want it killed by its supervisor", end)
		}
	}
}

// startWatched starts a scaler, and tells after its end how each replica ended.
func startWatched(t *testing.T, cfg Config) (s *running, ends func() []string) {
	t.Helper()
	made, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all []*instance
	launch := made.pool.launch
	made.pool.launch = func(ctx context.Context, id string) (*instance, error) {
		in, err := launch(ctx, id)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, in)
		}
		return in, err
	}
	return serve(t, made), func() (out []string) {
		mu.Lock()
		defer mu.Unlock()
		for _, in := range all {
			out = append(out, fmt.Sprint(context.Cause(in.life)))
		}
		if len(out) == 0 {
			t.Error("no replica was started")
		}
		return out
	}
}

// One that ignores SIGTERM costs the grace when it must go, and nobody else
// anything.
func TestRunScalesTheStubbornDown(t *testing.T) {
	cfg := config(t, "stubborn", 2)
	cfg.Grace = 300 * time.Millisecond
	s := start(t, cfg)
	pid := s.fleet(t).Replicas[1].PID
	began := time.Now()
	if err := s.Client().Pin(t.Context(), 1, time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := hostname(t, s.URL()); got != "replica-1" {
		t.Errorf("meanwhile: served by %s, want replica-1", got)
	}
	eventually(t, "it is gone", func() bool { return s.fleet(t).Count(probe.Gone) == 1 })
	if took := time.Since(began); took < cfg.Grace || living(pid) {
		t.Errorf("gone after %s, and living %v, want it killed after a grace of %s", took, living(pid), cfg.Grace)
	}
}

// otherScaler runs a scaler of two replicas in another process, which notes
// the processes that its replicas start in dir.
func otherScaler(t *testing.T, m, role, dir string) (cmd *exec.Cmd, url string) {
	t.Helper()
	cmd = exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVar+"=scaler", replicasVar+"="+role, m, dirVar+"="+dir+"/run", childrenVar+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd, firstLine(t, stdout)
}

// A scaler that is killed cannot do anything any more; its supervisors do.
func TestKilledScalerLeavesNothing(t *testing.T) {
	for role, processes := range map[string]int{
		"serve":   11, // the scaler, and twice a supervisor, a replica and its child, session and daemon
		"prefork": 9,  // the scaler, and twice a supervisor, a replica and its two workers
	} {
		t.Run(role, func(t *testing.T) { killScaler(t, role, processes) })
	}
}

func killScaler(t *testing.T, role string, processes int) {
	m, dir := mark(t), t.TempDir()
	cmd, url := otherScaler(t, m, role, dir)
	hostname(t, url)
	if _, err := Find(dir+"/run", "default"); err != nil {
		t.Errorf("while it runs: %v", err)
	}
	// A process that is yet to become another one counts as what it is still.
	eventually(t, fmt.Sprintf("there are %d processes", processes), func() bool { return len(marked(m)) == processes })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	eventually(t, "no process is left", func() bool { return len(marked(m)) == 0 })
	if _, err := Find(dir+"/run", "default"); !errors.Is(err, ErrNotFound) {
		t.Errorf("after its end: got error %v, want ErrNotFound", err)
	}
	if _, err := os.Stat(dir + "/run/default.json"); !os.IsNotExist(err) {
		t.Errorf("its runtime file: got error %v, want it removed", err)
	}
}

// Where the supervisors are killed too, the kernel ends the commands.
func TestKilledWithItsSupervisors(t *testing.T) {
	m, dir := mark(t), t.TempDir()
	cmd, _ := otherScaler(t, m, "serve", dir)
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil { // so that it cannot help
		t.Fatal(err)
	}
	var supervisors, replicas, others []int
	eventually(t, "there are two supervisors and two replicas, each with three others", func() bool {
		supervisors, replicas, others = nil, nil, nil
		for pid, command := range marked(m) {
			switch {
			case strings.Contains(command, supervisorArg):
				supervisors = append(supervisors, pid)
			case strings.HasPrefix(command, "sleep"): // it may have been a replica, or a shell, just before
				others = append(others, pid)
			case pid != cmd.Process.Pid:
				replicas = append(replicas, pid)
			}
		}
		return len(supervisors) == 2 && len(replicas) == 2 && len(others) == 6
	})
	for _, pid := range append(supervisors, others...) { // the others would be left
		syscall.Kill(pid, syscall.SIGKILL)
	}
	eventually(t, "the replicas are gone", func() bool { return !living(replicas[0]) && !living(replicas[1]) })
}

func TestKilledSupervisorIsReplaced(t *testing.T) {
	dir := t.TempDir()
	cfg := config(t, "serve", 1)
	cfg.Env = append(cfg.Env, childrenVar+"="+dir)
	s := start(t, cfg)
	pids := append(children(t, dir), s.fleet(t).Replicas[0].PID)
	var root int
	for _, pid := range s.pool.roots() {
		root = pid
	}
	if err := syscall.Kill(root, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it was replaced", func() bool {
		f := s.fleet(t)
		return f.Count(probe.Ready) == 1 && f.Replicas[0].ID == "replica-2"
	})
	for _, pid := range pids {
		if living(pid) {
			t.Errorf("process %d of the killed supervisor is left", pid)
		}
	}
	hostname(t, s.URL())
}

// A replica that is stopped keeps its port and says nothing. It gets no
// requests until it answers again.
func TestRunSuspectsTheStopped(t *testing.T) {
	cfg := config(t, "serve", 2)
	cfg.ReadyPath, cfg.LiveInterval = "/", 20*time.Millisecond
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	asking := newReadiness(cfg.ReadyPath)
	asking.client.Timeout = 100 * time.Millisecond
	s.pool.live = asking.live
	r := serve(t, s)
	first := r.fleet(t).Replicas[0]
	if err := syscall.Kill(first.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is a suspect", func() bool { return r.fleet(t).Replicas[0].State == probe.Suspect })
	if got := r.fleet(t).Replicas[0].LastError; got != "idle, but no answer to GET /" {
		t.Errorf("why: got %q, want that it does not answer", got)
	}
	for range 3 {
		if got := hostname(t, r.URL()); got != "replica-2" {
			t.Errorf("served by %s, want replica-2", got)
		}
	}
	if err := syscall.Kill(first.PID, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is ready", func() bool {
		now := r.fleet(t).Replicas[0]
		return now.State == probe.Ready && now.ID == first.ID && now.StartedIn == first.StartedIn && now.LastError == ""
	})
}
