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
