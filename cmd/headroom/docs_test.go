package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// docs are README.md and the pages of docs/ that people write, by their paths.
func docs(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/deploy/*.md", ".github/*.md"} {
		files, err := filepath.Glob("../../" + pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, file := range files {
			out[strings.TrimPrefix(filepath.ToSlash(file), "../../")] = read(t, file)
		}
	}
	return out
}

// example is a command in a block of code.
type example struct {
	env   []string // NAME=VALUE before it
	args  []string
	into  string   // file that gets what it prints
	shown []string // lines below it that it is said to print
}

var (
	fenced     = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")
	indented   = regexp.MustCompile(`(?m)^    (.*\n)`)
	commanding = regexp.MustCompile(`^(?:\$ )?((?:[A-Z_]+=\S+ )*)headroom ([a-z].*)$`)
)

// examples are the commands in the blocks of a page; runs are made to end soon.
func examples(page string) (out []example) {
	text := ""
	for _, block := range fenced.FindAllStringSubmatch(page, -1) {
		text += block[2] + "\n\n"
	}
	for _, line := range indented.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		text += line[1]
	}
	showing := false
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		line = strings.TrimRight(line, "\n")
		found := commanding.FindStringSubmatch(line)
		switch {
		case found != nil:
			showing = strings.HasPrefix(line, "$ ")
			text := found[2]
			if strings.HasPrefix(text, "run ") {
				for _, s := range smaller {
					text = s.what.ReplaceAllString(text, s.by)
				}
			}
			e := example{env: strings.Fields(found[1]), args: words(text)}
			end := slices.IndexFunc(e.args, func(w string) bool { return strings.ContainsAny(w[:1], "#>|&") })
			if end >= 0 {
				if e.args[end] == ">" {
					e.into = e.args[end+1]
				}
				e.args = e.args[:end]
			}
			out = append(out, e)
		case line == "":
			showing = false
		case showing && line != "…":
			last := &out[len(out)-1]
			last.shown = append(last.shown, line)
		}
	}
	return out
}

// offline are the commands that need nothing but files.
var offline = []string{"advise", "check", "completion", "config", "docs", "export", "import", "schema", "simulate", "version"}

// Every command in a block works: it is run where it needs files or a target
// alone, else its flags are read. What a page shows below a command is printed
// by it: each line, in this order.
func TestDocsExamples(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"hostname": "a", "workers": []}`))
	}))
	t.Cleanup(server.Close)
	here := strings.NewReplacer("http://127.0.0.1:8000", server.URL, "https://shop.example.com", server.URL,
		"https://api.example.com", server.URL, "127.0.0.1:9000", "127.0.0.1:0", "/usr/local/", "")
	tried := 0
	for path, page := range docs(t) {
		commands := examples(here.Replace(page))
		tried += len(commands)
		t.Run(path, func(t *testing.T) {
			inExampleFolder(t, page)
			for _, e := range commands {
				for _, pair := range e.env {
					name, value, _ := strings.Cut(pair, "=")
					t.Setenv(name, value)
				}
				e.try(t)
			}
		})
	}
	if tried < 50 {
		t.Errorf("%d examples, want those of all pages", tried)
	}
}

// try runs a command, or reads its flags.
func (e example) try(t *testing.T) {
	t.Helper()
	line := "headroom " + strings.Join(e.args, " ")
	allowed := []int{0}
	compared := slices.Contains(e.args, "--baseline") // which wants a run of 5 s or more
	switch {
	case e.args[0] == "run" && !compared: // a machine that is busy makes it inconclusive, or miss its SLO
		e.args, allowed = append(e.args, "-n", "5"), []int{0, exitInconclusive, exitNotMet}
	case e.args[0] == "simulate":
		e.args = append(e.args, "-t", "1m")
		allowed = []int{0, exitNotMet}
	case !slices.Contains(offline, e.args[0]), slices.Contains(e.args, "--search"):
		e.parse(t)
		return
	}
	code, out, said := execute(t, e.args...)
	if !slices.Contains(allowed, code) {
		t.Errorf("%s: exit code %d, want one of %v, says %s", line, code, allowed, said)
	}
	if filepath.IsLocal(e.into) {
		if err := os.WriteFile(e.into, []byte(out), 0o600); err != nil {
			t.Error(err)
		}
	}
	rest := out
	for _, want := range e.shown {
		_, after, ok := strings.Cut(rest, want)
		if !ok {
			t.Errorf("%s prints\n%s\nwant in it, in order, %q", line, out, want)
			return
		}
		rest = after
	}
}

// parse reads the flags of a command.
func (e example) parse(t *testing.T) {
	t.Helper()
	cmd, rest, err := newRoot(newApp(t).streams, nil).Find(e.args)
	if err == nil {
		err = cmd.ParseFlags(rest)
	}
	if err != nil {
		t.Errorf("headroom %s: %v", strings.Join(e.args, " "), err)
	}
}

// The examples in the help of a command have flags that there are.
func TestHelpExamples(t *testing.T) {
	for _, cmd := range newRoot(newApp(t).streams, nil).Commands() {
		found := examples("```\n" + strings.ReplaceAll(cmd.Example, "  headroom", "headroom") + "\n```\n")
		if want := strings.Count(cmd.Example, "\n  headroom") + min(1, len(cmd.Example)); len(found) != want {
			t.Errorf("%s: %d examples, want %d", cmd.Name(), len(found), want)
		}
		for _, e := range found {
			e.parse(t)
		}
	}
}

// inExampleFolder has the files that the examples of a page name.
func inExampleFolder(t *testing.T, page string) {
	t.Helper()
	var logged strings.Builder
	var rates []string
	for minute := range 60 {
		rates = append(rates, fmt.Sprintf(`[%d, "%d"]`, 60*minute, 10+minute%7))
		for range 3 + minute%4 {
			fmt.Fprintf(&logged, "127.0.0.1 - - [21/Nov/2026:12:%02d:01 +0000] \"GET / HTTP/1.1\" 200 2\n", minute)
		}
	}
	files := map[string]string{
		"measurement.json": read(t, "../../examples/measurement.json"),
		"policy.yaml":      "version: headroom/v1\nkind: policy\nreplicas: {min: 1, max: 4}\nmetrics: [{kind: rps, target: 50}]\n",
		"token":            strings.Repeat("t", 32),
		"headers.txt":      "X-Tenant: blue\n",
		"access.log":       logged.String(),
		"prometheus.json": `{"status": "success", "data": {"resultType": "matrix", "result":
			[{"metric": {}, "values": [` + strings.Join(rates, ", ") + `]}]}}`,
	}
	for _, block := range fenced.FindAllStringSubmatch(page, -1) {
		if strings.Contains(block[2], "kind: plan") {
			files["headroom.yaml"] = block[2]
		}
	}
	ours, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	inFolder(t, files)
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	t.Setenv("TOKEN", "secret")
	t.Setenv("EVERAI_TOKEN", "secret")
	if err := errors.Join(os.CopyFS("examples", os.DirFS(ours)), os.Mkdir("deploy", 0o700)); err != nil {
		t.Fatal(err)
	}
	if code, _, said := execute(t, "export", "policy.yaml", "--to", "hpa", "--write", "deploy/hpa.yaml"); code != 0 {
		t.Fatalf("deploy/hpa.yaml: exit code %d, says %s", code, said)
	}
}

// Files of ours that a page shows are read.
func TestDocsFiles(t *testing.T) {
	commands := map[string][]string{
		"policy":   {"export", "shown.yaml", "--to", "policy"},
		"scenario": {"run", "http://127.0.0.1:8000", "--scenario", "shown.yaml", "--list"},
		"plan":     {"config", "run", "--config", "shown.yaml"},
	}
	kind := regexp.MustCompile(`(?m)^kind: (\w+)`)
	seen := map[string]bool{}
	for path, page := range docs(t) {
		for _, block := range fenced.FindAllStringSubmatch(page, -1) {
			found := kind.FindStringSubmatch(block[2])
			if block[1] != "yaml" || found == nil || commands[found[1]] == nil {
				continue
			}
			t.Run(path+" "+found[1], func(t *testing.T) {
				inFolder(t, map[string]string{"shown.yaml": block[2], "people.csv": "email\na@b.example\n"})
				if code, _, said := execute(t, commands[found[1]]...); code != 0 {
					t.Errorf("%s: exit code %d, says %s of\n%s", path, code, said, block[2])
				}
			})
			seen[found[1]] = true
		}
	}
	if len(seen) != len(commands) {
		t.Errorf("the pages show %v, want one of each of %v", seen, commands)
	}
}

// Flags and commands that the text names are there.
func TestDocsNameFlags(t *testing.T) {
	a := newApp(t)
	root := newRoot(a.streams, a.signals)
	flags := map[string]bool{"--help": true}
	for _, cmd := range root.Commands() {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { flags["--"+f.Name] = true })
	}
	code := regexp.MustCompile("`(headroom [a-z][^`]*|--[a-z][^`]*)`")
	flag := regexp.MustCompile(`(?:^|[ (\[])(--[a-z][a-z0-9-]*)`)
	for path, page := range docs(t) {
		if path == "docs/migrate.md" {
			continue // it names those of others, and has a test of its own
		}
		for _, span := range code.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
			known := flags
			if name, ok := strings.CutPrefix(span[1], "headroom "); ok {
				name, _, _ = strings.Cut(name, " ")
				cmd, _, err := root.Find([]string{name})
				if err != nil {
					t.Errorf("%s: %s: %v", path, span[0], err)
					continue
				}
				known = map[string]bool{"--help": true}
				cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { known["--"+f.Name] = true })
			}
			for _, found := range flag.FindAllStringSubmatch(span[1], -1) {
				if !known[found[1]] {
					t.Errorf("%s: %s: there is no %s", path, span[0], found[1])
				}
			}
		}
	}
}

// Links within the repository lead somewhere, to a heading too.
func TestDocsLinks(t *testing.T) {
	pages := docs(t)
	headings := map[string]map[string]bool{} // by page, as GitHub names them
	heading, other := regexp.MustCompile(`(?m)^#+ (.*)$`), regexp.MustCompile(`[^\w\- ]`)
	for path, page := range pages {
		headings[path] = map[string]bool{}
		for _, h := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
			headings[path][strings.ReplaceAll(other.ReplaceAllString(strings.ToLower(h[1]), ""), " ", "-")] = true
		}
	}
	for path, page := range pages {
		for _, link := range regexp.MustCompile(`\]\(([^)]*)\)`).FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
			to, anchor, anchored := strings.Cut(link[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			file := path
			if to != "" {
				file = filepath.ToSlash(filepath.Join(filepath.Dir(path), to))
			}
			if _, err := os.Stat(filepath.Join("../..", file)); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			if anchored && !headings[file][anchor] {
				t.Errorf("%s: %s has no heading %s", path, file, anchor)
			}
		}
	}
}
