package main

import (
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"headroom/advisor/remote"
	"headroom/profiles"
	"headroom/scaler/httpapi"
)

const testToken = "0123456789abcdef0123456789abcdef"

func TestRemoteFlags(t *testing.T) {
	good, short, blank := file(t, "token", testToken+"\n"), file(t, "token", "secret"), file(t, "token", strings.Repeat("a b", 20))
	for _, c := range []struct {
		name string
		r    remoteFlags
		want string // the error; empty: none
	}{
		{"not at all", remoteFlags{}, ""},
		{"loopback", remoteFlags{api: "127.0.0.1:0"}, ""},
		{"localhost with a token", remoteFlags{api: "localhost:9000", tokenFile: good, control: true}, ""},
		{"elsewhere with a token", remoteFlags{api: "0.0.0.0:9000", tokenFile: good}, ""},
		{"elsewhere without", remoteFlags{api: "0.0.0.0:9000"}, `--api: got "0.0.0.0:9000", which other machines reach, want a loopback address, or --api-token-file`},
		{"every interface", remoteFlags{api: ":9000"}, `--api: got ":9000", which other machines reach`},
		{"no address", remoteFlags{api: "9000"}, `--api: got "9000", want HOST:PORT such as 127.0.0.1:9000`},
		{"a token without an API", remoteFlags{tokenFile: good}, "--api-token-file: got " + good + " without --api, want both"},
		{"control without an API", remoteFlags{control: true}, "--control: got it without --api, want both"},
		{"a short token", remoteFlags{api: "127.0.0.1:0", tokenFile: short}, "--api-token-file: got 6 characters in " + short + ", want 32 or more"},
		{"a token with blanks", remoteFlags{api: "127.0.0.1:0", tokenFile: blank}, "--api-token-file: got 60 characters in " + blank + ", want 32 or more, ASCII and without blanks"},
		{"no file", remoteFlags{api: "127.0.0.1:0", tokenFile: "/nowhere/token"}, "--api-token-file: open /nowhere/token: no such file or directory"},
	} {
		err := c.r.check()
		if c.want == "" && (err != nil || len(c.r.token) < leastToken && c.r.api != "") || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%s: check() = %v with a token of %d, want %q", c.name, err, len(c.r.token), c.want)
		}
		if c.r.tokenFile == good && c.want == "" && c.r.token != testToken {
			t.Errorf("%s: got token %q, want that of the file", c.name, c.r.token)
		}
	}
}

func servicePlan() profiles.Plan {
	p := profiles.DefaultPlan()
	p.Target = "http://service/"
	return p
}

// runtimeFolder is one of the test's own.
func runtimeFolder(t *testing.T) string {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv(tokenVariable, "")
	if err := httpapi.MakeDir(httpapi.DefaultDir()); err != nil {
		t.Fatal(err)
	}
	return httpapi.DefaultDir()
}

func TestFindAPI(t *testing.T) {
	dir := runtimeFolder(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	api := l.Addr().String()
	_, port, _ := net.SplitHostPort(api)
	find := func(given, file string) string {
		url, token, err := findAPI(given, file)
		if err != nil {
			return err.Error()
		}
		return url + " " + token
	}
	if got, want := find("", ""), "run: got nothing, and nothing with an API runs here: want a URL such as http://127.0.0.1:9000, or a run with --api"; got != want {
		t.Errorf("nothing runs: got %q, want %q", got, want)
	}
	write := func(kind httpapi.Kind, name string) {
		t.Helper()
		if err := (httpapi.Entry{Kind: kind, Name: name, PID: os.Getpid(), API: api, Token: "of-" + name}).Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	write(httpapi.Run, "run-7")
	if got, want := find("", ""), "http://"+api+" of-run-7"; got != want {
		t.Errorf("the only one: got %q, want %q", got, want)
	}
	write(httpapi.Scaler, "web")
	given := file(t, "token", testToken)
	for _, c := range []struct{ name, given, file, variable, want string }{
		{"by name", "web", "", "", "http://" + api + " of-web"},
		{"which of two", "", "", "", "run: got nothing, want a URL or one of run-7, web"},
		{"another name", "run-8", "", "", `run: got "run-8", want a URL or one of run-7, web`},
		{"by address", "localhost:" + port, "", "", "http://localhost:" + port + " of-run-7"},
		{"with a file", "http://load.internal:9000", given, "", "http://load.internal:9000 " + testToken},
		{"with a variable", "https://load.internal", "", "of-the-variable", "https://load.internal of-the-variable"},
		{"the file before the variable", "http://load.internal:9000", given, "of-the-variable", "http://load.internal:9000 " + testToken},
		{"without a token", "http://load.internal:9000", "", "", "run: got http://load.internal:9000, whose token is not known here: want --token-file, or the token in " + tokenVariable},
		{"no URL", "ftp://load.internal:9000", "", "", `run: got "ftp://load.internal:9000", want a URL such as http://127.0.0.1:8001`},
		{"no file", "http://load.internal:9000", "/nowhere/token", "", "--token-file: open /nowhere/token: no such file or directory"},
	} {
		t.Setenv(tokenVariable, c.variable)
		if got := find(c.given, c.file); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// A session that is served can be attached to until it has ended, and leaves
// no file behind.
func TestAttachToServedSession(t *testing.T) {
	dir := runtimeFolder(t)
	a := newApp(t)
	s := sessionOfSeconds(t, servicePlan())
	r := remoteFlags{api: "127.0.0.1:0"}
	if err := r.check(); err != nil {
		t.Fatal(err)
	}
	end, err := a.startServed(s, r)
	if err != nil {
		t.Fatal(err)
	}
	if said := read(t, a.err.Name()); !strings.Contains(said, "read-only: --control lets it be steered") || strings.Contains(said, r.token) {
		t.Errorf("says %q, want the address and who may, and no token", said)
	}
	url, token, err := findAPI("", "")
	if err != nil || token != r.token {
		t.Fatalf("findAPI = %q, %v, want the session", url, err)
	}
	c, err := remote.Attach(t.Context(), url, token)
	if err != nil {
		t.Fatal(err)
	}
	var ending sync.WaitGroup
	ending.Go(end)
	if err := newApp(t).attachRun(t.Context(), c); err != nil || !c.State().Ended {
		t.Errorf("attachRun = %v with ended %v, want the end", err, c.State().Ended)
	}
	ending.Wait()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the end leaves %v, %v, want nothing", left, err)
	}
}

func TestStartServedWherePortIsTaken(t *testing.T) {
	dir := runtimeFolder(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = newApp(t).startServed(sessionOfSeconds(t, servicePlan()), remoteFlags{api: l.Addr().String(), token: testToken})
	if want := "--api: " + l.Addr().String() + " is already in use, want a free address (port 0 takes any)"; err == nil || err.Error() != want {
		t.Errorf("startServed = %v, want %q", err, want)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v, want nothing", left, err)
	}
}

// What is stopped without a result is none, unless an interrupt did it, which
// says so itself.
func TestStoppedFromElsewhere(t *testing.T) {
	a := newApp(t)
	if code := exitCode(a.err, a.signals, errStopped); code != exitInconclusive || read(t, a.err.Name()) != "headroom: stopped before there was a result\n" {
		t.Errorf("from elsewhere: exit code %d, says %q", code, read(t, a.err.Name()))
	}
	b := newApp(t)
	b.signals.interrupt()
	if code := exitCode(b.err, b.signals, errStopped); code != exitInterrupted || read(t, b.err.Name()) != "headroom: interrupted\n" {
		t.Errorf("by an interrupt: exit code %d, says %q", code, read(t, b.err.Name()))
	}
}
