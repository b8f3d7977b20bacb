package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What config prints as a plan gives the same values when it is read again, and
// the schema allows it.
func TestConfigPrintsAPlan(t *testing.T) {
	inFolder(t, nil)
	t.Setenv("HEADROOM_SOURCE_IP", "127.0.0.1,127.0.0.2")
	line := []string{"run", "http://a/x?y=1", "--rate", "50/1s", "-t", "1h30m", "--header", "A: \"1\"", "--header", "B: # 2", "--http2", "--body", "", "--slo", "p95<300ms,errors<1%"}
	code, plan, said := execute(t, append([]string{"config", "-o", "yaml"}, line...)...)
	if code != 0 || said != "" {
		t.Fatalf("config: exit code %d, says %s", code, said)
	}
	before, _, err := settledAs(t, line...)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("headroom.yaml", []byte(plan), 0o600); err != nil {
		t.Fatal(err)
	}
	after, _, err := settledAs(t, "run")
	if err != nil {
		t.Fatalf("%v in\n%s", err, plan)
	}
	values := func(all []string) (out []string) {
		for _, one := range all {
			if value := one[:strings.LastIndex(one, " ")]; !strings.HasPrefix(value, "host=") {
				out = append(out, value)
			}
		}
		return out
	}
	if got, want := strings.Join(values(after), "\n"), strings.Join(values(before), "\n"); got != want {
		t.Errorf("the plan\n%s\ngives\n%s\nwant\n%s", plan, got, want)
	}
	schema := compilePlanSchema(t)
	if err := validatePlan(schema, plan); err != nil {
		t.Errorf("the schema refuses\n%s\n%v", plan, err)
	}
	for _, file := range []string{planHead + "userz: 1\n", "users: 1\n", planHead + "headless: 3\n", planHead + "users: [1]\n", planHead + "header: {A: b}\n"} {
		if validatePlan(schema, file) == nil {
			t.Errorf("the schema allows\n%s", file)
		}
	}
}

func compilePlanSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	code, text, _ := execute(t, "schema", "plan")
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil || code != 0 {
		t.Fatalf("schema plan: exit code %d, %v", code, err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("plan.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("plan.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validatePlan(s *jsonschema.Schema, file string) error {
	data, err := yaml.YAMLToJSON([]byte(file))
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

func TestConfigSaysWhereValuesComeFrom(t *testing.T) {
	inFolder(t, map[string]string{"headroom.yaml": planHead + "users: 7\n"})
	t.Setenv("LOCUST_SPAWN_RATE", "3")
	code, out, said := execute(t, "config", "run", "-t", "9s")
	if code != 0 || said != "" {
		t.Fatalf("config run: exit code %d, says %s", code, said)
	}
	for _, want := range []string{"users 7 headroom.yaml:2", "spawn-rate 3 LOCUST_SPAWN_RATE", "run-time 9s flag", "timeout 2m30s default", "rate - default"} {
		found := false
		for line := range strings.Lines(out) {
			found = found || strings.Join(strings.Fields(line), " ") == want
		}
		if !found {
			t.Errorf("config run prints\n%s\nwant a line %q", out, want)
		}
	}
	var got struct{ Flags []effective }
	if _, out, _ = execute(t, "config", "-o", "json"); json.Unmarshal([]byte(out), &got) != nil || len(got.Flags) < 50 {
		t.Errorf("config -o json prints\n%s", out)
	}
}

// What is no target is none in the plan.
func TestConfigPrintsAPlanWithoutTarget(t *testing.T) {
	inFolder(t, nil)
	for _, line := range []string{"advise m.json --traffic 5..20", "tune --traffic 5..20 -- server --port {port}"} {
		code, plan, said := execute(t, append([]string{"config", "-o", "yaml"}, strings.Fields(line)...)...)
		if want := "version: headroom/v1\nkind: plan\ntraffic: 5..20  # flag\n"; code != 0 || plan != want || said != "" {
			t.Errorf("config -o yaml %s: exit code %d, says %q, prints\n%swant\n%s", line, code, said, plan, want)
		}
	}
}

func TestConfigRefuses(t *testing.T) {
	inFolder(t, nil)
	for line, want := range map[string]string{
		"config nothing":        `command: got "nothing", want one of advise,`,
		"config run --userz":    "flag: got --userz, which headroom run does not have",
		"config run -u x":       `--users: got "x", want a whole number`,
		"config -o toml":        `--output: got "toml", want text, json or yaml`,
		"config -o yaml scaler": "--output: got yaml for scaler, which reads no plan, want text or json",
		"version -o yaml":       `--output: got "yaml", want text or json`,
		"version now":           `argument: got "now", want none`,
	} {
		if code, out, said := execute(t, strings.Fields(line)...); code != exitUsage || out != "" || !strings.Contains(said, want) {
			t.Errorf("%s: exit code %d, prints %q, says %s want %q", line, code, out, said, want)
		}
	}
}

func TestVersion(t *testing.T) {
	var b build
	code, out, _ := execute(t, "version", "-o", "json")
	if err := json.Unmarshal([]byte(out), &b); err != nil || code != 0 || b.Version == "" || b.Commit == "" || !strings.HasPrefix(b.Go, "go1.") {
		t.Errorf("version -o json: exit code %d, %v, prints %s", code, err, out)
	}
	if _, out, _ := execute(t, "version"); !strings.HasPrefix(out, "headroom "+b.Version+", commit "+b.Commit) || !strings.Contains(out, b.Go) {
		t.Errorf("version prints %s", out)
	}
}
