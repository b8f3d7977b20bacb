package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shown is a command in a page of docs/, with lines that it is said to print.
var shown = regexp.MustCompile("(?m)^\\$ headroom (.*)\n((?:[^`$].*\n)*)")

// What a page shows was printed by the command above it: each line, in this
// order, others left out.
func TestDocsShowWhatIsPrinted(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	for _, page := range []string{"docs/advise.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		commands := shown.FindAllStringSubmatch(string(text), -1)
		if len(commands) == 0 {
			t.Errorf("%s shows no command", page)
		}
		for _, c := range commands {
			code, out, said := execute(t, strings.Fields(c[1])...)
			if code != 0 {
				t.Errorf("%s: headroom %s: exit code %d, says %s", page, c[1], code, said)
			}
			rest := out
			for line := range strings.Lines(c[2]) {
				_, after, ok := strings.Cut(rest, strings.TrimSuffix(line, "\n"))
				if !ok {
					t.Errorf("%s: headroom %s prints\n%s\nwant in it, in order, %q", page, c[1], out, line)
					break
				}
				rest = after
			}
		}
	}
}
