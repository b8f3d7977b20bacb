package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/profiles"
)

// policyFile writes the running example as a policy file, changed by replacing
// one text in it.
func policyFile(t *testing.T, old, new string) string {
	t.Helper()
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 5, Max: 20}
	p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: 10_000, Window: p.Interval}}
	text, err := p.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return newFile(t, "policy.yaml", strings.Replace(string(text), old, new, 1))
}

func newFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const deployed = `# deployed by hand
instance: C3   # large enough
timeout: 120
autoscale:
  min: 1   # at night
  max: 20
  metric: rps
  target: 10
`

func TestExportWritesIntoAFile(t *testing.T) {
	policy, file := policyFile(t, "", ""), newFile(t, "jcloud.yml", deployed)

	code, out, _ := execute(t, "export", policy, "--to", "jcloud", "--diff", file)
	if code != 0 || !strings.Contains(out, "-  min: 1   # at night\n+  min: 5   # at night\n") || strings.Count(out, "\n+") != 2 || read(t, file) != deployed {
		t.Errorf("--diff: exit code %d, prints\n%s", code, out)
	}
	if code, _, said := execute(t, "export", policy, "--to", "jcloud", "--write", file); code != 0 {
		t.Errorf("--write: exit code %d, says %s", code, said)
	}
	if got, want := read(t, file), strings.Replace(deployed, "min: 1 ", "min: 5 ", 1); got != want {
		t.Errorf("--write: the file is\n%s, want\n%s", got, want)
	}
	if code, _, said := execute(t, "export", policy, "--to", "jcloud", "--write", file); code != 0 || !strings.Contains(said, "says so already") {
		t.Errorf("--write again: exit code %d, says %s", code, said)
	}
	fresh := filepath.Join(t.TempDir(), "new.yml")
	if code, _, said := execute(t, "export", policy, "--to", "jcloud", "--write", fresh); code != 0 || !strings.Contains(read(t, fresh), "min: 5") {
		t.Errorf("--write to a new file: exit code %d, says %s", code, said)
	}
}

func TestExportRefuses(t *testing.T) {
	policy := policyFile(t, "", "")
	for _, c := range []struct {
		name, flags, want string
	}{
		{"no platform", "", "--to: got nothing, want one of policy, "},
		{"a name with a blank", "--to hpa --name a_b", `--name: got "a_b", want letters, digits and dashes`},
		{"no address", "--to keda --prometheus prom:9090", `--prometheus: got "prom:9090", want a URL`},
		{"an unknown platform", "--to heroku", `--to: got "heroku", want one of policy, `},
		{"two ways at once", "--to jcloud --write a --diff b", "--write: got a and --diff b, want one of the two"},
		{"placeholders", "--to knative --strict", "knative: --name, --image: got nothing, and --strict wants no placeholders"},
		{"a folder", "--to jcloud --write /", "read /: is a directory"},
	} {
		code, out, said := execute(t, append([]string{"export", policy}, strings.Fields(c.flags)...)...)
		if code != exitUsage || out != "" || !strings.HasPrefix(said, "headroom: "+c.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit code %d, prints %q, says %q; want 2 and %q", c.name, code, out, said, c.want)
		}
	}
}

func TestImport(t *testing.T) {
	file := newFile(t, "jcloud.yml", deployed)
	code, out, said := execute(t, "import", file)
	if code != 0 || said != "jcloud keeps 1 to 20 replicas at rps 10/s per replica\n" {
		t.Fatalf("import: exit code %d, says %s", code, said)
	}
	p, err := profiles.ParsePolicy([]byte(out))
	if err != nil || p.Replicas.Min != 1 || p.Metrics[0].Target != 10_000 || p.Platforms["jcloud"] != deployed {
		t.Errorf("import: %v, %+v", err, p)
	}
	// What it keeps comes back.
	again := newFile(t, "policy.yaml", out)
	if code, out, _ := execute(t, "export", again, "--to", "jcloud"); code != 0 || out != deployed {
		t.Errorf("exported again: exit code %d, prints\n%s", code, out)
	}
	for _, c := range []struct{ name, text, want string }{
		{"nobody's file", "a: 1\n", "the file is none of policy, "},
		{"no YAML", "a: [\n", "as YAML it is broken: line 1: "},
		{"a bad value", "autoscale: {min: -1}\n", "jcloud: line 1: autoscale.min: got -1, want 0 or more"},
	} {
		if code, _, said := execute(t, "import", newFile(t, "x", c.text)); code != exitUsage || !strings.Contains(said, c.want) {
			t.Errorf("%s: exit code %d, says %q, want 2 and %q", c.name, code, said, c.want)
		}
	}
	if code, _, said := execute(t, "export", file, "--to", "hpa"); code != exitUsage || !strings.Contains(said, "got a document of jcloud, want a policy file: headroom import makes one of it") {
		t.Errorf("export of a platform's file: exit code %d, says %q", code, said)
	}
	if code, _, said := execute(t, "import", file, "--from", "heroku"); code != exitUsage || !strings.Contains(said, `got "heroku", want one of`) {
		t.Errorf("--from heroku: exit code %d, says %q", code, said)
	}
}

func TestCheck(t *testing.T) {
	file := newFile(t, "jcloud.yml", deployed)
	for _, c := range []struct {
		name     string
		old, new string // of the policy
		code     int
		want     string
	}{
		{"another min", "", "", exitDrift, "replicas.min  1 -> 5\n"},
		{"the same", "min: 5", "min: 1", 0, "says what"},
		{"what the platform cannot say is no drift", "min: 5\n  max: 20", "min: 1\n  max: 20\n  initial: 3", 0, "says what"},
		{"another target", "target: 10", "target: 12", exitDrift, "metrics[0].target  10/s per replica -> 12/s per replica\n"},
		{"what cannot be said at all", "target: 10", "target: 10.5", exitUsage, ""},
	} {
		code, out, said := execute(t, "check", policyFile(t, c.old, c.new), file)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%s: exit code %d, prints\n%ssays %s; want %d and %q", c.name, code, out, said, c.code, c.want)
		}
	}
}

func TestSchema(t *testing.T) {
	if code, out, _ := execute(t, "schema", "policy"); code != 0 || out != string(profiles.PolicySchema) {
		t.Errorf("schema policy: exit code %d, prints %d bytes", code, len(out))
	}
	if code, _, said := execute(t, "schema", "run"); code != exitUsage || !strings.Contains(said, `got "run", want plan, policy or scenario`) {
		t.Errorf("schema run: exit code %d, says %q", code, said)
	}
}

// The README has the table that the program prints.
func TestReadmeHasThePlatforms(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), platformTable()) {
		t.Errorf("README.md lacks this table:\n%s", platformTable())
	}
}
