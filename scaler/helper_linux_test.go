package scaler

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// The test binary runs itself: as a supervisor, as the replica of a test, and
// as a program with a scaler that a test can kill.
const (
	roleVar     = "SCALER_TEST_ROLE"     // what to be
	markVar     = "SCALER_TEST_MARK"     // tells the processes of one test from others
	callVar     = "SCALER_TEST_CALL"     // URL that /hold asks before it answers
	childrenVar = "SCALER_TEST_CHILDREN" // folder where a replica notes the processes that it starts
	dirVar      = "SCALER_TEST_DIR"      // runtime folder of the program with a scaler
	replicasVar = "SCALER_TEST_REPLICAS" // role of the replicas of that program
)

func TestMain(m *testing.M) {
	if IsSupervisor(os.Args) {
		os.Exit(Supervise(os.Args))
	}
	switch os.Getenv(roleVar) {
	case "":
		os.Exit(m.Run())
	case "exit":
		fmt.Println("on stdout")
		fmt.Fprintln(os.Stderr, "first line\n\x1b[31mno module named nothing\x1b[0m")
		os.Exit(3)
	case "deaf":
		select {}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		serveReplica()
	case "serve":
		serveReplica()
	case "prefork":
		runPrefork()
	case "prefork worker":
		servePreforked()
	case "scaler":
		runScaler()
	}
}

// serveReplica is the HTTP server of a replica.
func serveReplica() {
	id := os.Getenv("HOSTNAME")
	if dir := os.Getenv(childrenVar); dir != "" {
		startChild(dir, id, false)
		startChild(dir, id, true)
		startDaemon(dir, id)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"hostname": id, "pid": os.Getpid(), "port": os.Getenv("PORT")})
	})
	http.HandleFunc("/missing", http.NotFound)
	http.HandleFunc("/echo", echo)
	http.HandleFunc("/events", events)
	http.HandleFunc("/upgrade", upgrade)
	http.HandleFunc("/hold", func(w http.ResponseWriter, r *http.Request) {
		res, err := http.Get(os.Getenv(callVar) + "/" + id + "?" + r.URL.RawQuery)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		res.Body.Close()
		io.WriteString(w, id)
	})
	http.HandleFunc("/print", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("lines"))
		for i := range n {
			fmt.Fprintf(os.Stderr, "line %d %s\n", i, strings.Repeat("x", 100))
		}
		os.Stdout.WriteString("a line without an end")
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
	os.Exit(1)
}

// startChild starts a process that outlives its parent if nobody ends it, in a
// session of its own or not, and notes its number.
func startChild(dir, id string, session bool) {
	cmd := exec.Command("sleep", "1000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	if err := cmd.Start(); err != nil {
		panic(err)
	}
	name := fmt.Sprintf("%s-%v", id, session)
	if err := os.WriteFile(filepath.Join(dir, name), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
		panic(err)
	}
}

// startDaemon starts a process of a session of its own whose parent has ended.
func startDaemon(dir, id string) {
	cmd := exec.Command("sh", "-c", `sleep 1000 & echo -n $! >"$0"`, filepath.Join(dir, id+"-daemon"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Run(); err != nil {
		panic(err)
	}
}

// runPrefork is a server as gunicorn or "uvicorn --workers 2" are: it opens the
// port and has two processes of its own answer on it.
func runPrefork() {
	l, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		panic(err)
	}
	shared, err := l.(*net.TCPListener).File()
	if err != nil {
		panic(err)
	}
	var workers [2]*exec.Cmd
	for i := range workers {
		workers[i] = exec.Command(os.Args[0])
		workers[i].Env = append(os.Environ(), roleVar+"=prefork worker")
		workers[i].ExtraFiles = []*os.File{shared}
		if err := workers[i].Start(); err != nil {
			panic(err)
		}
	}
	for _, w := range workers {
		w.Wait()
	}
	os.Exit(1)
}

func servePreforked() {
	l, err := net.FileListener(os.NewFile(3, "shared"))
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{"hostname": os.Getenv("HOSTNAME")})
	})
	panic(http.Serve(l, nil))
}

// runScaler is a program with a scaler of two replicas. It prints its address
// when they are ready, and ends at the end of its input.
func runScaler() {
	s, err := New(Config{
		Command: []string{os.Args[0]}, Env: []string{roleVar + "=" + os.Getenv(replicasVar)}, Policy: profiles.FixedPolicy(2),
		Listen: "127.0.0.1:0", API: "127.0.0.1:0", RuntimeDir: os.Getenv(dirVar),
	})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-s.Ready()
		fmt.Println(s.URL())
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	if err := s.Run(ctx); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// mark gives the processes of this test an environment by which they are
// found wherever they went, and checks at its end that none is left.
func mark(t *testing.T) string {
	t.Helper()
	m := fmt.Sprintf("%s=%s-%d", markVar, t.Name(), os.Getpid())
	t.Cleanup(func() {
		if left := marked(m); len(left) > 0 {
			t.Errorf("processes left: %v", left)
			for pid := range left {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
	return m
}

// marked lists the living processes with a mark, and what they are.
func marked(m string) map[int]string {
	out := map[int]string{}
	paths, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range paths {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		environ, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(environ, []byte(m+"\x00")) {
			continue
		}
		command, _ := os.ReadFile(filepath.Dir(path) + "/cmdline")
		out[pid] = strings.ReplaceAll(string(command), "\x00", " ")
	}
	return out
}

// living reports whether a process runs; a zombie does not.
func living(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	return len(fields) > 0 && string(fields[0]) != "Z" && string(fields[0]) != "X"
}

// children reads the numbers that startChild noted.
func children(t *testing.T, dir string) (pids []int) {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, "*"))
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if pid, err := strconv.Atoi(string(data)); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// firstLine reads a line of a program's output.
func firstLine(t *testing.T, r io.Reader) string {
	t.Helper()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("read the first line: %v", err)
	}
	return strings.TrimSpace(line)
}

// config runs the test binary as n replicas of a role.
func config(t *testing.T, role string, n int) Config {
	t.Helper()
	return Config{
		Name:       "test",
		Command:    []string{os.Args[0], "--port", "{port}"},
		Env:        []string{roleVar + "=" + role, mark(t)},
		Listen:     "127.0.0.1:0",
		API:        "127.0.0.1:0",
		Policy:     profiles.FixedPolicy(n),
		RuntimeDir: t.TempDir() + "/run",
		Timeout:    limit,
	}
}

// running is a scaler that a test runs.
type running struct {
	*Scaler
	stop func() // ends it, and returns when Run has
}

// start runs a scaler until the end of the test, and returns when it is ready.
func start(t *testing.T, cfg Config) *running {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, s)
}

// serve does it for a scaler that a test has changed.
func serve(t *testing.T, s *Scaler) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("Run: got %v, want nil", err)
				}
			case <-time.After(limit):
				t.Errorf("Run has not returned within %s", limit)
			}
		})
	}
	t.Cleanup(stop)
	select {
	case <-s.Ready():
	case err := <-done:
		done <- nil
		t.Fatalf("Run: %v", err)
	case <-time.After(limit):
		t.Fatalf("not ready within %s", limit)
	}
	return &running{s, stop}
}

func (s *running) fleet(t *testing.T) probe.Fleet {
	t.Helper()
	f, _, err := s.Client().Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// holder answers the replicas of a test that ask whether they may go on.
type holder struct {
	url     string
	arrived chan string   // ID and query of each request
	release chan struct{} // lets one go on
}

func hold(t *testing.T) *holder {
	t.Helper()
	h := &holder{arrived: make(chan string, 100), release: make(chan struct{}, 100)}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.arrived <- strings.TrimPrefix(r.URL.RequestURI(), "/")
		select {
		case <-h.release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	h.url = callVar + "=" + s.URL
	return h
}

func (h *holder) next(t *testing.T) string {
	t.Helper()
	select {
	case id := <-h.arrived:
		return id
	case <-time.After(limit):
		t.Fatalf("no request has arrived within %s", limit)
		return ""
	}
}

// hostname asks the service who it is.
func hostname(t *testing.T, url string) string {
	t.Helper()
	res, body := fetch(t, request(t, "GET", url, ""))
	var answer struct{ Hostname, Port string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: got %d %s", url, res.StatusCode, body)
	}
	if got := res.Header.Get("X-Served-By"); got != answer.Hostname {
		t.Errorf("got X-Served-By %q from %q", got, answer.Hostname)
	}
	return answer.Hostname
}
