package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"headroom": main})
}

// TestScripts runs each command as a person would: its help, a good run, and
// wrong input with the words and the exit code that it gets. A script has
// $TARGET, which names itself in its answers, `exits CODE COMMAND...`, and
// `waitfor COMMAND...`, which repeats a command until it succeeds.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "waitfor": waitFor},
		Setup: func(e *testscript.Env) error {
			target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if r.URL.Path == "/broken" {
					w.WriteHeader(http.StatusInternalServerError)
				}
				w.Write([]byte(`{"hostname":"pod-1","result":42}`))
			}))
			e.Defer(target.Close)
			for name, folder := range map[string]string{"XDG_RUNTIME_DIR": "runtime", "XDG_STATE_HOME": "state", "XDG_CONFIG_HOME": "config"} {
				e.Setenv(name, e.WorkDir+"/"+folder)
				if err := os.Mkdir(e.WorkDir+"/"+folder, 0o700); err != nil {
					return err
				}
			}
			e.Setenv("TARGET", target.URL)
			e.Setenv("LANG", "C.UTF-8")
			return nil
		},
	})
}

var problems = regexp.MustCompile(`^(headroom: .*\n){1,3}$`)

// exits runs a command and wants it to end with a code. What is wrong with a
// command line (2) is said in a line for each problem, and in nothing else.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v: %v", args[1:], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
	if said := ts.ReadFile("stderr"); got == 2 && !problems.MatchString(said) {
		ts.Fatalf("%v: says %q, want a line or a few that begin with headroom:", args[1:], said)
	}
}

// waitFor repeats a command until it succeeds; the limit of the test ends it.
func waitFor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: waitfor COMMAND...")
	}
	for ts.Exec(args[0], args[1:]...) != nil {
	}
}
