package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inFolder works in a folder of its own with these files, and without any
// configuration of the user.
func inFolder(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(t.TempDir(), "none"))
	for name, text := range files {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// settledAs are the flags of a command line that are no defaults, as
// NAME=VALUE FROM.
func settledAs(t *testing.T, line ...string) ([]string, settled, error) {
	t.Helper()
	a := newApp(t)
	cmd, rest, err := newRoot(a.streams, a.signals).Find(line)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Fatal(err)
	}
	s, err := settle(cmd, cmd.Flags().Args())
	var out []string
	for _, e := range effectiveFlags(cmd.Flags(), s) {
		if e.From != "default" {
			out = append(out, e.Flag+"="+strings.Join(e.Values, "|")+" "+e.From)
		}
	}
	return out, s, err
}

const planHead = "version: headroom/v1\n"

func TestSettle(t *testing.T) {
	design := planHead + "target: http://a/\nusers: 50\nspawn-rate: 5\nrun-time: 5m\nstages: [\"30s:10\", \"5m:200\"]\nslo: p95<300ms,errors<1%\ntraffic: 50..200\n"
	for _, c := range []struct {
		name  string
		files map[string]string
		env   []string
		line  string
		want  []string
	}{
		{"a plan in the working folder", map[string]string{"headroom.yaml": design}, nil, "run", []string{
			"users=50 headroom.yaml:3", "run-time=5m headroom.yaml:5", "stage=30s:10|5m:200 headroom.yaml:6", "host=http://a/ headroom.yaml:2",
			"slo=p95<300ms,errors<1% headroom.yaml:7", "traffic=50..200 headroom.yaml:8"}},
		{"what a command has", map[string]string{"headroom.yaml": design}, nil, "capacity", []string{
			"host=http://a/ headroom.yaml:2", "slo=p95<300ms,errors<1% headroom.yaml:7"}},
		{"the argument, and another load", map[string]string{"headroom.yaml": design}, nil, "run http://b/ --rate 9", []string{
			"run-time=5m headroom.yaml:5", "rate=9 flag", "slo=p95<300ms,errors<1% headroom.yaml:7", "traffic=50..200 headroom.yaml:8"}},
		{"each level", map[string]string{"headroom.yaml": planHead + "users: 1\nspawn-rate: 1\nrun-time: 1s\nstop-timeout: 1s\n"},
			[]string{"LOCUST_USERS=2", "LOCUST_SPAWN_RATE=2", "LOCUST_RUN_TIME=2s", "HEADROOM_USERS=3", "HEADROOM_SPAWN_RATE=3"}, "run -u 4",
			[]string{"users=4 flag", "spawn-rate=3 HEADROOM_SPAWN_RATE", "run-time=2s LOCUST_RUN_TIME", "stop-timeout=1s headroom.yaml:5"}},
		{"users instead of a rate", map[string]string{"headroom.yaml": planHead + "rate: 50\narrivals: constant\nwait: 1s\n"}, nil, "run -u 4",
			[]string{"users=4 flag", "wait=1s headroom.yaml:4"}},
		{"another rate, arriving alike", map[string]string{"headroom.yaml": planHead + "rate: 50\narrivals: constant\n"}, nil, "run --rate 9",
			[]string{"rate=9 flag", "arrivals=constant headroom.yaml:3"}},
		{"a list by a variable", nil, []string{"HEADROOM_HEADER=A: 1\nB: 2"}, "run", []string{"header=A: 1|B: 2 HEADROOM_HEADER"}},
		{"a list is replaced as a whole", map[string]string{"headroom.yaml": planHead + "header: [\"A: 1\", \"B: 2\"]\n"}, nil, "run --header C:3",
			[]string{"header=C:3 flag"}},
		{"a scenario instead of a body", map[string]string{"headroom.yaml": planHead + "body: x\nmethod: POST\n"}, nil, "run --scenario s.yaml",
			[]string{"scenario=s.yaml flag"}},
		{"variables of other commands", nil, []string{"HEADROOM_CONCURRENCY=4", "HEADROOM_USERS=3"}, "scaler -- x", []string{"concurrency=4 HEADROOM_CONCURRENCY"}},
		{"an empty variable", nil, []string{"HEADROOM_USERS="}, "run", nil},
		{"a command has no target", map[string]string{"headroom.yaml": planHead + "target: http://a/\n"}, nil, "tune -- x", nil},
		{"no file is read without --config", map[string]string{"headroom.yaml": "]"}, nil, "version", nil},
		{"the file that is named", map[string]string{"headroom.yaml": planHead + "users: 1\n", "b.yaml": planHead + "users: 2\n"}, nil, "run --config b.yaml",
			[]string{"config=b.yaml flag", "users=2 b.yaml:2"}},
		{"the file of a variable", map[string]string{"b.yaml": planHead + "users: 2\n"}, []string{"HEADROOM_CONFIG=b.yaml"}, "run",
			[]string{"config=b.yaml HEADROOM_CONFIG", "users=2 b.yaml:2"}},
		{"a recorded traffic instead of a range", map[string]string{"headroom.yaml": planHead + "traffic: 5..20\nprice: 0.35/h\n"}, nil, "advise m.json --trace day.csv",
			[]string{"trace=day.csv flag", "price=0.35/h headroom.yaml:3"}},
		{"a range instead of a recorded traffic", map[string]string{"headroom.yaml": planHead + "trace: day.csv\ntrace-column: 2\ntimezone: Asia/Tokyo\n"}, nil, "tune -- x",
			[]string{"trace=day.csv headroom.yaml:2", "trace-column=2 headroom.yaml:3", "timezone=Asia/Tokyo headroom.yaml:4"}},
		{"and for advise", map[string]string{"headroom.yaml": planHead + "trace: day.csv\ntrace-column: 2\ntimezone: Asia/Tokyo\n"}, nil, "advise m.json --traffic 5..20",
			[]string{"traffic=5..20 flag"}},
		{"a run has both", map[string]string{"headroom.yaml": planHead + "traffic: 5..20\n"}, nil, "run --trace day.csv",
			[]string{"trace=day.csv flag", "traffic=5..20 headroom.yaml:2"}},
		{"Locust's file", map[string]string{"locust.conf": "# a load\n[runtime]\nusers = 5\nheadless\n--spawn-rate: 2 ; fast\nhost \"http://a/\"\n"}, nil, "run", []string{
			"users=5 locust.conf:3", "spawn-rate=2 locust.conf:5", "host=http://a/ locust.conf:6", "headless=true locust.conf:4"}},
		{"ours before Locust's", map[string]string{"locust.conf": "users = 5\n", "headroom.yaml": planHead + "users: 1\n"}, nil, "run", []string{"users=1 headroom.yaml:2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inFolder(t, c.files)
			for _, e := range c.env {
				name, value, _ := strings.Cut(e, "=")
				t.Setenv(name, value)
			}
			got, _, err := settledAs(t, strings.Fields(c.line)...)
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("settle(%s): %v (-want +got):\n%s", c.line, err, diff)
			}
		})
	}
}

// The file in docs/config.md is one.
func TestSettleTheExample(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, "../../docs/config.md"), "```yaml\n")
	file, _, _ := strings.Cut(rest, "```")
	inFolder(t, map[string]string{"headroom.yaml": file})
	if got, s, err := settledAs(t, "run"); err != nil || len(got) != 7 || len(s.notes) > 0 {
		t.Errorf("settle: %v, takes %q, notes %q of\n%s", err, got, s.notes, file)
	}
}

func TestSettleOfTheUsersFolder(t *testing.T) {
	inFolder(t, nil)
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	t.Setenv("HOME", dir)
	folder, err := os.UserConfigDir()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "headroom", "headroom.yaml")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(planHead+"users: 8\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, _, err := settledAs(t, "run")
	if diff := cmp.Diff([]string{"users=8 " + path + ":2"}, got); diff != "" || err != nil {
		t.Errorf("settle: %v (-want +got):\n%s", err, diff)
	}
}

func TestSettleRefuses(t *testing.T) {
	for _, c := range []struct {
		name, file, text string
		env              string
		want             string
	}{
		{"all problems of a plan at once", "headroom.yaml", "userz: 3\nusers: [1, 2]\nheader: {A: b}\nslo: {a: b}\ntarget: a\nhost: b\n", "",
			`headroom.yaml:1: userz: unknown key, want target, stages or the long name of a flag, as headroom run --help lists them
headroom.yaml:2: users: got a list, want a single value
headroom.yaml:3: header: got keys with values, want a list
headroom.yaml:4: slo: got a list or keys with values, want a single value
headroom.yaml:6: host: got it and target, want one
headroom.yaml: version: got "", want "headroom/v1"`},
		{"bad values", "headroom.yaml", planHead + "users: x\nheadless: maybe\nseed: y\n", "",
			`headroom.yaml:2: users: got "x", want a whole number of 1 or more, such as 500 or 10k
headroom.yaml:3: headless: got "maybe", want true or false
headroom.yaml:4: seed: got "y", want a number`},
		{"another kind", "headroom.yaml", planHead + "kind: policy\n", "", `headroom.yaml:2: kind: got "policy", want "plan"`},
		{"an empty file", "headroom.yaml", "\n", "", "headroom.yaml: the file is empty"},
		{"two documents", "headroom.yaml", planHead + "---\na: b\n", "", "headroom.yaml: got several documents, want one"},
		{"no YAML", "headroom.yaml", "a: [\n", "", "headroom.yaml:1: "},
		{"a variable", "", "", "HEADROOM_USERS=x", `HEADROOM_USERS: got "x", want a whole number of 1 or more, such as 500 or 10k`},
		{"Locust's variable", "", "", "LOCUST_HEADLESS=maybe", `LOCUST_HEADLESS: got "maybe", want true or false`},
		{"a file that is not there", "", "", "HEADROOM_CONFIG=none.yaml", "--config: open none.yaml: no such file or directory"},
		{"no key of Locust", "locust.conf", "users = 1\nuserz = 2\n= 3\n", "", "locust.conf:2: userz: unknown key, want one of Locust's\nlocust.conf:3: got \"= 3\", want KEY = VALUE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inFolder(t, nil)
			if c.file != "" {
				inFolder(t, map[string]string{c.file: c.text})
			}
			if name, value, ok := strings.Cut(c.env, "="); ok {
				t.Setenv(name, value)
			}
			if _, _, err := settledAs(t, "run"); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("settle:\n%v\nwant\n%s", err, c.want)
			}
			if code, _, _ := execute(t, "run", "http://127.0.0.1:1/"); code != exitUsage {
				t.Errorf("run: exit code %d, want %d", code, exitUsage)
			}
		})
	}
}

// A variable that no command reads is said in a line, whichever command runs.
func TestStrayVariables(t *testing.T) {
	inFolder(t, nil)
	for name, value := range map[string]string{"HEADROOM_USRES": "5", "HEADROOM_RATES": "9", "HEADROOM_SLOW": "", "HEADROOM_USERS": "3",
		"HEADROOM_CONCURRENCY": "4", "HEADROOM_TOKEN": "x", "HEADROOM_REPLICA": "a/1"} {
		t.Setenv(name, value)
	}
	const want = "HEADROOM_RATES, HEADROOM_USRES: not used: no flag of any command has that name\n"
	for _, line := range []string{"version", "config run", "schema plan"} {
		if code, _, said := execute(t, strings.Fields(line)...); code != 0 || said != want {
			t.Errorf("%s: exit code %d, says %q, want %q", line, code, said, want)
		}
	}
}

// What is Locust's and not ours is said, not ignored.
func TestSettleNotesWhatLocustHas(t *testing.T) {
	inFolder(t, map[string]string{"locust.conf": "locustfile = a.py\nmaster\nusers = 3\n"})
	t.Setenv("LOCUST_TAGS", "slow")
	_, s, err := settledAs(t, "run")
	want := []string{
		"LOCUST_TAGS: not used: what users do is in a --scenario",
		"locust.conf:1: locustfile is not used: what users do is in a --scenario",
		"locust.conf:2: master is not used: one process makes the load",
	}
	if diff := cmp.Diff(want, s.notes); diff != "" || err != nil {
		t.Errorf("settle: %v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"settings: --users from locust.conf"}, s.summary()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}
