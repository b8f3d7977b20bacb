package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The pages in docs/reference are those of the program.
func TestReferenceIsFresh(t *testing.T) {
	a := newApp(t)
	pages, err := referencePages(newRoot(a.streams, a.signals), "markdown")
	if err != nil {
		t.Fatal(err)
	}
	const folder, mend = "../../docs/reference", "rm docs/reference/*.md && go run ./cmd/headroom docs markdown docs/reference"
	files, err := filepath.Glob(folder + "/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(pages)), files); diff != "" {
		t.Fatalf("docs/reference has other pages; %s makes them (-want +got):\n%s", mend, diff)
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("docs/reference/%s is stale; %s makes it (-want +got):\n%s", name, mend, diff)
		}
	}
}

// A page is the same on every machine and on every day, and every link in it
// leads to another one.
func TestReferencePages(t *testing.T) {
	t.Setenv("HOME", "/home/somebody")
	for _, format := range []string{"markdown", "man"} {
		dir := filepath.Join(t.TempDir(), format)
		if code, out, said := execute(t, "docs", format, dir); code != 0 || out+said != "" {
			t.Fatalf("docs %s: exit code %d, prints %s%s", format, code, out, said)
		}
		files, _ := filepath.Glob(dir + "/*")
		if len(files) < 20 {
			t.Errorf("docs %s writes %v", format, files)
		}
		for _, file := range files {
			text := read(t, file)
			if bad := regexp.MustCompile(`/home/somebody|/tmp/|Auto generated|Jan 0001`).FindString(text); bad != "" {
				t.Errorf("%s has %q in it", file, bad)
			}
			for _, link := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(text, -1) {
				if _, err := os.Stat(filepath.Join(dir, link[1])); err != nil {
					t.Errorf("%s: %v", file, err)
				}
			}
		}
	}
	for line, want := range map[string]string{
		"docs":                    "arguments: got \"\", want markdown, man or completion, and a folder",
		"docs html x":             "arguments: got \"html x\", want markdown, man or completion, and a folder",
		"docs man /dev/null/here": "/dev/null/here: mkdir /dev/null: not a directory",
	} {
		if code, _, said := execute(t, strings.Fields(line)...); code != exitUsage || said != "headroom: "+want+"\n" {
			t.Errorf("%s: exit code %d, says %s want %s", line, code, said, want)
		}
	}
}

func TestCompletion(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	for line, want := range map[string]string{
		"run --arrivals ":      "poisson constant :4",
		"simulate --dispatch ": "pack least-connections round-robin random :4",
		"schema ":              "plan policy scenario :4",
		"config --output ":     "text json yaml :4",
		"workers --output ":    "table wide json :4",
		"workers --name ":      ":4",
		"run --users ":         ":4",
		"run --html ":          ":0",
		"run ":                 ":4",
		"run --replica-from ":  "json: header: cookie: text: addr :6",
	} {
		words := append([]string{"__complete"}, strings.Split(line, " ")...)
		if code, out, _ := execute(t, words...); code != 0 || strings.Join(strings.Fields(out), " ") != want {
			t.Errorf("%s: exit code %d, offers %q, want %q", line, code, out, want)
		}
	}
	dir := t.TempDir()
	if code, out, said := execute(t, "docs", "completion", dir); code != 0 || out+said != "" {
		t.Fatalf("docs completion: exit code %d, prints %s%s", code, out, said)
	}
	for shell, file := range map[string]string{"bash": "headroom.bash", "zsh": "_headroom", "fish": "headroom.fish", "powershell": "headroom.ps1"} {
		code, out, _ := execute(t, "completion", shell)
		if code != 0 || !strings.Contains(out, "headroom") {
			t.Errorf("completion %s: exit code %d, prints %d bytes", shell, code, len(out))
		}
		if diff := cmp.Diff(out, read(t, filepath.Join(dir, file))); diff != "" {
			t.Errorf("completion %s is not what docs writes (-printed +written):\n%s", shell, diff)
		}
	}
}

// The tables of the completion name flags and commands that there are.
func TestCompletionKnowsTheFlags(t *testing.T) {
	a := newApp(t)
	known := map[string]bool{}
	for _, cmd := range newRoot(a.streams, a.signals).Commands() {
		known[cmd.Name()] = true
		for _, e := range effectiveFlags(cmd.Flags(), settled{}) {
			known[e.Flag], known[cmd.Name()+" "+e.Flag] = true, true
		}
	}
	for name := range flagValues {
		if !known[name] {
			t.Errorf("no command has the flag %s", name)
		}
	}
	for name := range argumentValues {
		if !known[name] {
			t.Errorf("there is no command %s", name)
		}
	}
}
