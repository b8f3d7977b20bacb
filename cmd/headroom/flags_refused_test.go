package main

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Every flag that is more than text refuses what it cannot be, in one line that
// says what it was given and what it wants, and with the exit code of that.
func TestFlagsRefuse(t *testing.T) {
	golden, err := filepath.Abs("testdata/flags.golden")
	if err != nil {
		t.Fatal(err)
	}
	inFolder(t, nil)
	a := newApp(t)
	commands := map[string][]string{} // that say a line
	for _, cmd := range newRoot(a.streams, a.signals).Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if kind := f.Value.Type(); kind == "string" || kind == "stringArray" {
				return
			}
			line := cmd.Name() + " --" + f.Name + "=?"
			code, out, said := execute(t, cmd.Name(), "--"+f.Name+"=?")
			said, ok := strings.CutPrefix(said, "headroom: --"+f.Name+": ")
			if code != exitUsage || out != "" || !ok || strings.Count(said, "\n") != 1 {
				t.Errorf("%s: exit code %d, prints %q, says %q, want %d and a line about the flag", line, code, out, said, exitUsage)
			}
			said = "--" + f.Name + ": " + said
			commands[said] = append(commands[said], cmd.Name())
		})
	}
	var got strings.Builder
	for _, said := range slices.Sorted(maps.Keys(commands)) {
		got.WriteString(said + "    " + strings.Join(commands[said], ", ") + "\n")
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, golden), got.String()); diff != "" {
		t.Errorf("what the flags say of %q (-want +got; -update writes it):\n%s", "?", diff)
	}
}

// What is not known is answered with the nearest that is.
func TestUnknownNamesGetTheNearest(t *testing.T) {
	inFolder(t, nil)
	for _, c := range []struct{ line, want string }{
		{"capcity", "command: got \"capcity\", want one of "},
		{"capcity", ": did you mean capacity?"},
		{"help capcity", ": did you mean capacity?"},
		{"config capcity", ": did you mean capacity?"},
		{"completion bsh", "shell: got \"bsh\", want one of bash, fish, powershell, zsh: did you mean bash?"},
		{"run --rat 5", "flag: got --rat, which headroom run does not have: did you mean --rate?"},
		{"run --nonsense", "flag: got --nonsense, which headroom run does not have: see headroom run --help"},
		{"run --metric in_fligth", "--metric: got \"in_fligth\", want one of rps, in_flight, queue, free_workers, cpu, latency: did you mean in_flight?"},
		{"advise x --traffic 5..20 --for knativ", "--for: got \"knativ\", want one of "},
		{"advise x --traffic 5..20 --for knativ", ": did you mean knative?"},
		{"report x --format htm", ": did you mean html?"},
	} {
		code, _, said := execute(t, strings.Fields(c.line)...)
		if code != exitUsage || !strings.Contains(said, c.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit code %d, says %q, want %d and one line with %q", c.line, code, said, exitUsage, c.want)
		}
	}
}

// A name of a file that is empty is one that a script forgot, whatever flag it is.
func TestNoFileIsRefused(t *testing.T) {
	inFolder(t, nil)
	a := newApp(t)
	refused := 0
	for _, cmd := range newRoot(a.streams, a.signals).Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if kind, _ := pflag.UnquoteUsage(f); kind != "FILE" && kind != "PREFIX" {
				return
			}
			refused++
			args := map[string]string{"capacity": "", "run": "", "tune": "", "demo": "", "check": "a b", "scaler": "-- a"}
			words, known := args[cmd.Name()]
			if !known {
				words = "a"
			}
			line := append([]string{cmd.Name(), "--" + f.Name + "="}, strings.Fields(words)...)
			code, out, said := execute(t, line...)
			if want := "headroom: --" + f.Name + ": got nothing, want "; code != exitUsage || out != "" || !strings.HasPrefix(said, want) || strings.Count(said, "\n") != 1 {
				t.Errorf("%q: exit code %d, prints %q, says %q, want %d and one line that begins %q", line, code, out, said, exitUsage, want)
			}
		})
	}
	if refused < 20 {
		t.Errorf("%d flags take a file, want those of all commands", refused)
	}
}
