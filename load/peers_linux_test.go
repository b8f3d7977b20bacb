package load

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// peer is a load generator and how to read what it did.
type peer struct {
	name     string
	command  []string
	count    *regexp.Regexp // of requests; nil: the JSON of headroom
	perSec   *regexp.Regexp
	measured []exertion
}

// exertion is one run of a peer.
type exertion struct {
	rate float64       // requests per second
	cpu  time.Duration // per request
	rss  int64         // bytes
	lag  time.Duration // p99 of headroom's
	gone int64         // arrivals of headroom's that were due and not sent
}

// BenchmarkPeers compares headroom with other generators on this machine, with
// statistics, replica identity and health on:
//
//	go test -run '^$' -bench Peers ./load
//
// The rounds are interleaved and the ratios are taken within a round, because
// machines are shared. The server has the first processor and the generators
// have the second. It needs nginx and wrk, and takes ab and hey along (Debian
// packages nginx-light, wrk, apache2-utils, hey).
func BenchmarkPeers(b *testing.B) {
	url := startNginx(b)
	headroom := buildHeadroom(b)
	const rounds, length = 5, "8s" // so long that starting the program weighs little
	wrk := peer{name: "wrk", command: []string{"wrk", "-t1", "-c64", "-d" + length, url},
		count: regexp.MustCompile(`(\d+) requests in`), perSec: regexp.MustCompile(`Requests/sec: +([\d.]+)`)}
	ab := peer{name: "ab", command: []string{"ab", "-q", "-k", "-c64", "-t8", "-n100000000", url},
		count: regexp.MustCompile(`Complete requests: +(\d+)`), perSec: regexp.MustCompile(`Requests per second: +([\d.]+)`)}
	hey := peer{name: "hey", command: []string{"hey", "-c", "64", "-z", length, url},
		count: regexp.MustCompile(`\[200\]\s+(\d+) responses`), perSec: regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)}
	closed := []peer{wrk, {name: "headroom", command: []string{headroom, "run", url, "-u", "64", "-r", "1000000", "-t", length, "--json"}}, ab, hey}
	b.Run("Closed", func(b *testing.B) { compare(b, closed, rounds) })

	hey.command = []string{"hey", "-c", "64", "-q", "78", "-z", "10s", url}
	open := []peer{hey, {name: "headroom", command: []string{headroom, "run", url, "--rate", "4992", "--max-users", "64", "-t", "10s", "--json"}}}
	b.Run("Open", func(b *testing.B) { compare(b, open, rounds) })

	slow := []peer{{name: "headroom", command: []string{headroom, "run", url, "--rate", "100", "-t", length, "--json"}}}
	b.Run("Slow100", func(b *testing.B) { compare(b, slow, rounds) })

	idle := []peer{{name: "headroom", command: []string{headroom, "run", url, "-u", "10000", "-r", "2000", "--wait", "pacing:5s", "-t", "15s", "--json"}}}
	b.Run("Idle10000", func(b *testing.B) {
		compare(b, idle, 1)
		b.ReportMetric(float64(idle[0].measured[0].rss)/10_000/1024, "KiB/user")
	})
}

// compare runs the peers in turn and prints medians, and ratios to the first
// of them that is there.
func compare(b *testing.B, peers []peer, rounds int) {
	peers = slices.DeleteFunc(peers, func(p peer) bool {
		_, err := exec.LookPath(p.command[0])
		if err != nil {
			b.Logf("%s: not found, left out", p.command[0])
		}
		return err != nil
	})
	for round := range rounds {
		for i := range peers {
			p := &peers[(i+round)%len(peers)]
			p.measured = append(p.measured, p.run(b))
		}
	}
	var table strings.Builder
	base := peers[0].measured
	for _, p := range peers {
		ratio := func(of func(exertion) float64) float64 {
			return median(rounds, func(i int) float64 { return of(p.measured[i]) / of(base[i]) })
		}
		rate := func(e exertion) float64 { return e.rate }
		cpu := func(e exertion) float64 { return float64(e.cpu) / 1e3 }
		of := func(f func(exertion) float64) float64 {
			return median(rounds, func(i int) float64 { return f(p.measured[i]) })
		}
		used := of(func(e exertion) float64 { return e.rate * e.cpu.Seconds() })
		fmt.Fprintf(&table, "\n%-9s %8.0f/s  x %.2f   %6.2f µs CPU per request  x %.2f   %3.0f %% of a core   %4.0f MB", p.name,
			of(rate), ratio(rate), of(cpu), ratio(cpu), used*100, of(func(e exertion) float64 { return float64(e.rss) / 1e6 }))
		if p.count == nil {
			lag := of(func(e exertion) float64 { return e.lag.Seconds() * 1e3 })
			gone := 0.0
			for _, e := range p.measured {
				gone += float64(e.gone)
			}
			fmt.Fprintf(&table, "   lag p99 %.2f ms, %.0f arrivals not sent", lag, gone)
			b.ReportMetric(used, "cores")
			b.ReportMetric(lag, "ms-lag-p99")
			b.ReportMetric(gone, "unsent")
		}
		if p.name == "headroom" && len(peers) > 1 {
			b.ReportMetric(ratio(cpu), "cpu/"+peers[0].name)
			b.ReportMetric(ratio(rate), "rate/"+peers[0].name)
		}
	}
	b.Logf("%d rounds, medians, ratios to %s:%s", rounds, peers[0].name, table.String())
}

func median(n int, of func(int) float64) float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = of(i)
	}
	slices.SortFunc(all, cmp.Compare[float64])
	return all[n/2]
}

// run lets the peer do its work once.
func (p *peer) run(b *testing.B) exertion {
	b.Helper()
	cmd := pinned(1, p.command...)
	var out, errors bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errors
	if err := cmd.Run(); cmd.ProcessState == nil || out.Len() == 0 {
		b.Fatalf("%v: %v\n%s", p.command, err, errors.String()) // a code of its own is no failure: headroom says that it was the limit
	}
	var e exertion
	var count float64
	if p.count == nil {
		var r struct{ Result Snapshot }
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			b.Fatal(err)
		}
		if r.Result.Total.Failed > 0 {
			b.Fatalf("%v: failures %+v", p.command, r.Result.Failures)
		}
		count, e.rate, e.lag = float64(r.Result.Total.Count), r.Result.Total.Rate(), r.Result.Health.LagP99
		e.gone = r.Result.Health.Due - r.Result.Health.Sent
	} else {
		count, e.rate = number(b, p.count, out.Bytes()), number(b, p.perSec, out.Bytes())
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	e.rss = used.Maxrss << 10
	e.cpu = time.Duration(float64(cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()) / count)
	return e
}

func number(b *testing.B, at *regexp.Regexp, out []byte) float64 {
	b.Helper()
	found := at.FindSubmatch(out)
	if found == nil {
		b.Fatalf("no %v in:\n%s", at, out)
	}
	n, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// pinned is a command on one processor, where there is more than one.
func pinned(cpu int, command ...string) *exec.Cmd {
	if _, err := exec.LookPath("taskset"); err == nil && runtime.NumCPU() > 1 {
		command = append([]string{"taskset", "-c", strconv.Itoa(cpu)}, command...)
	}
	return exec.Command(command[0], command[1:]...)
}

func buildHeadroom(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "headroom")
	if out, err := exec.Command("go", "build", "-o", path, "headroom/cmd/headroom").CombinedOutput(); err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

const nginxConfig = `daemon off; master_process off; error_log stderr crit; pid %[1]s/pid; worker_rlimit_nofile 20000;
events { worker_connections 15000; }
http {
	access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
	client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
	server { listen 127.0.0.1:%[2]d backlog=4096; location / { default_type application/json; return 200 '{"hostname":"pod-1","result":42}'; }
		location /timed { default_type application/json; add_header Server-Timing "queue;dur=1.5, app;dur=12.5"; return 200 '{"hostname":"pod-1","result":42}'; } }
}
`

// startNginx serves a small JSON answer and returns its URL.
func startNginx(b *testing.B) string {
	b.Helper()
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		b.Skip("nginx: not found, and nothing can be compared without it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	dir := b.TempDir()
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, nginxConfig, dir, port), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := pinned(0, nginx, "-p", dir, "-c", config)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for limit := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if nc, err := net.Dial("tcp", address); err == nil {
			nc.Close()
			return "http://" + address + "/"
		} else if time.Now().After(limit) {
			b.Fatal(err)
		}
	}
}
