package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/profiles"
)

// tuned is the result of a tune whose policy jcloud cannot say in full.
func tuned(t *testing.T, verdict advisor.TuneVerdict) advisor.TuneResult {
	t.Helper()
	traffic, err := profiles.ParseTraffic("50..200")
	if err != nil {
		t.Fatal(err)
	}
	advice, err := advisor.Recommend(advisor.Needs{Capacity: 10500, Traffic: traffic})
	if err != nil {
		t.Fatal(err)
	}
	return advisor.TuneResult{Advice: &advice, Verdict: verdict, Why: "as it is"}
}

// The report comes whatever becomes of the exports, one that cannot be written
// takes no other with it, and each says what is lost and what is doubtful.
func TestWriteTune(t *testing.T) {
	for _, c := range []struct {
		verdict advisor.TuneVerdict
		doubt   string
	}{
		{advisor.Held, ""},
		{advisor.AdviceOnly, ""},
		{advisor.NotHeld, "written, although the advice did not hold"},
		{advisor.Inconclusive, "written, although the proof of the advice was inconclusive"},
	} {
		a := newApp(t)
		good, bad := filepath.Join(t.TempDir(), "jcloud.yml"), filepath.Join(t.TempDir(), "none", "policy.yaml")
		err := a.writeTune(tuned(t, c.verdict), tuneOptions{exports: []string{"policy=" + bad, "jcloud=" + good}})
		var known *exit
		if !errors.As(err, &known) || known.code != exitUsage || err.Error() != "write "+bad+": no such file or directory" {
			t.Errorf("%s: writeTune = %v, want a usage error that names %s", c.verdict, err, bad)
		}
		if out := read(t, a.out.Name()); !strings.Contains(out, "recommendation") || !strings.HasSuffix(out, string(c.verdict)+": as it is\n") {
			t.Errorf("%s: the report is\n%s", c.verdict, out)
		}
		if text := read(t, good); !strings.Contains(text, "metric: rps") {
			t.Errorf("%s: the other export is\n%s", c.verdict, text)
		}
		said := read(t, a.err.Name())
		if !strings.Contains(said, good+": lost: ") || strings.Contains(said, bad) {
			t.Errorf("%s: says %q, want the losses of %s", c.verdict, said, good)
		}
		if doubts := strings.Count(said, "written, although"); doubts > 1 || (doubts == 1) != (c.doubt != "") || !strings.Contains(said, c.doubt) {
			t.Errorf("%s: says %q, want %q once", c.verdict, said, c.doubt)
		}
	}
}

// What cannot work is refused before a replica starts.
func TestTuneValidatesFirst(t *testing.T) {
	for _, c := range []struct {
		name, flags, want string
	}{
		{"no objective", "", `--slo: got nothing, want at least one latency percentile such as p95<300ms`},
		{"a short budget", "--slo p95<1s --budget 1s", "--budget: got 1s, want 10s or more"},
		{"a short replay", "--slo p95<1s --verify 1s", "--verify: got 1s, want 5s or more"},
		{"a bad header", "--slo p95<1s --header x", `--header: got a line that is no header, want NAME: VALUE`},
		{"no such body", "--slo p95<1s --body @/none", "--body: open /none: no such file or directory"},
		{"a bad path", "--slo p95<1s --path x", `--path: got "x", want a path such as /load/100000`},
		{"no requests at once", "--slo p95<1s --concurrency -1", `--concurrency: got "-1", want a whole number of 1 or more`},
		{"an unknown platform", "--slo p95<1s --export x=y", `--export: got "x", want one of policy, `},
		{"replicas", "--slo p95<1s --replicas 2", `--replicas: got "2" with a command, want it only with a TARGET`},
	} {
		t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
		started := filepath.Join(t.TempDir(), "started")
		args := append([]string{"tune", "--traffic", "1..2"}, strings.Fields(c.flags)...)
		code, out, said := execute(t, append(args, "--", "touch", started)...)
		if code != exitUsage || out != "" || !strings.HasPrefix(said, "headroom: "+c.want) || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit code %d, prints %q, says %q; want 2 and %q", c.name, code, out, said, c.want)
		}
		if _, err := os.Stat(started); err == nil {
			t.Errorf("%s: a replica was started", c.name)
		}
	}
}

func TestTuneRefusesFlagsOfACommand(t *testing.T) {
	for flag, value := range map[string]string{
		"--path": "/x", "--concurrency": "2", "--ready-path": "/healthz", "--max-queue": "5", "--start-timeout": "5s",
	} {
		want := "headroom: " + flag + `: got "` + value + `" with a TARGET, want it only with a command after --` + "\n"
		if code, _, said := execute(t, "tune", "http://127.0.0.1:1/", "--traffic", "1..2", "--slo", "p95<1s", flag, value); code != exitUsage || said != want {
			t.Errorf("%s: exit code %d, says %q; want 2 and %q", flag, code, said, want)
		}
	}
}

// A refusal of the advice ends a tune as one of the measurement does: with the
// steps, its code, and exit code 3; in JSON too.
func TestTuneIsRefused(t *testing.T) {
	m, err := readMeasurement(measurementFile(t, true, 10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	everai, err := abilityOf("everai")
	if err != nil {
		t.Fatal(err)
	}
	traffic := profiles.Traffic{Low: 10_000, High: 40_000}
	for _, c := range []struct {
		code   string
		sizing advisor.Sizing
	}{
		{"R8", advisor.Sizing{Metric: profiles.Latency}},
		{"R8", advisor.Sizing{Metric: profiles.RPS, Within: everai}},
		{"R9", advisor.Sizing{Doubles: time.Second}},
		{"R14", advisor.Sizing{Metric: profiles.CPU, CPULimit: 100}},
		{"R11", advisor.Sizing{Metric: profiles.FreeWorkers, Dispatch: profiles.RoundRobin}},
	} {
		code, r := c.code, advisor.TuneResult{Measurement: m}
		_, refused := m.Advise(traffic, c.sizing)
		if !errors.As(refused, &r.Refusal) {
			t.Fatalf("Advise = %v, want %s", refused, code)
		}
		for _, json := range []bool{false, true} {
			a := newApp(t)
			err := a.concludeTune(r, refused, tuneOptions{json: json})
			var known *exit
			out, want := read(t, a.out.Name()), []string{"no advice (" + code + "): ", "step ", "10.0/s"}
			if json {
				want = []string{`"code": "` + code + `"`, `"steps"`}
			}
			if !errors.As(err, &known) || known.code != exitInconclusive {
				t.Errorf("%s: concludeTune = %v, want exit code 3", code, err)
			}
			for _, text := range want {
				if !strings.Contains(out, text) {
					t.Errorf("%s, json %v: prints\n%s\nwant %q", code, json, out, text)
				}
			}
		}
	}
}
