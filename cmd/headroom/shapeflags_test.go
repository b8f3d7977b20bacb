package main

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	"pgregory.net/rapid"

	"headroom/profiles"
)

// planOf is the plan of run with these flags.
func planOf(args ...string) (profiles.Plan, error) {
	l, f := newLoadFlags(), pflag.NewFlagSet("run", pflag.ContinueOnError)
	l.workload(f)
	l.request(f)
	if err := f.Parse(args); err != nil {
		return profiles.Plan{}, &exit{exitUsage, err}
	}
	return l.finish("http://127.0.0.1:1/")
}

func writeTrace(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestShapeFlags(t *testing.T) {
	second := time.Second
	stamps := writeTrace(t, "10\n10.5\n70\n")
	users := newFile(t, "run.json", `{"kind": "run", "result": {"stages": ["0s:1", "1s:9", "0s:0", "125ms:0"]}}`)
	rates := newFile(t, "run.json", `{"kind": "run", "result": {"stages": ["0s:5/s", "2s:5/s"]}}`)
	counts := writeTrace(t, "at,n\n2026-01-02 03:04:00,120\n2026-01-02 03:05:00,60\n")
	for _, c := range []struct {
		args  string
		open  bool
		shape profiles.Shape
	}{
		{"--stage 30s:10", false, profiles.Ramp{From: 1, Stages: []profiles.Stage{{For: 30 * second, To: 10}}}},
		{"-u 5 --stage 30s:10", false, profiles.Ramp{From: 5, Stages: []profiles.Stage{{For: 30 * second, To: 10}}}},
		{"--stage 30s:10/s", true, profiles.Ramp{Stages: []profiles.Stage{{For: 30 * second, To: 10}}}},
		{"--rate 5 --stage 30s:10", true, profiles.Ramp{From: 5, Stages: []profiles.Stage{{For: 30 * second, To: 10}}}},
		{"--step 2s:3 --stage 1s:9 --step 4s:0 --stage 0s:2", false, profiles.Ramp{From: 1, Stages: []profiles.Stage{
			{To: 3}, {For: 2 * second, To: 3}, {For: second, To: 9}, {}, {For: 4 * second}, {To: 2}}}},
		{"--shape sine:1..9,period=1m --wait 1s", false, profiles.Sine{Low: 1, High: 9, Period: time.Minute}},
		{"--shape spike:1..9/s,after=1m,for=5s --arrivals constant", true, profiles.Spike(1, 9, time.Minute, 5*second)},
		{"--trace " + stamps + " --max-users 7", true, profiles.Stamps{0, second / 2, 60 * second}},
		{"--trace " + stamps + " --compress 60x", true, profiles.Stamps{0, second / 120, second}},
		{"--trace " + counts + " --trace-column n --compress 60x --arrivals poisson", true, profiles.NewCounts([]time.Duration{second, 2 * second}, []float64{120, 60})},
		{"--trace " + stamps + " --trace-interval 1m", true, profiles.NewCounts([]time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute}, []float64{10, 10.5, 70})},
		{"--replay " + users, false, profiles.Ramp{From: 1, Stages: []profiles.Stage{{To: 1}, {For: second, To: 9}, {}, {For: second / 8}}}},
		{"--replay " + rates + " --seed 3", true, profiles.Ramp{Stages: []profiles.Stage{{To: 5}, {For: 2 * second, To: 5}}}},
		{"-u 5", false, nil},
		{"--rate 5 --on-busy drop", true, nil},
	} {
		p, err := planOf(strings.Fields(c.args)...)
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		got := p.UserShape
		if c.open {
			got = p.Shape
		}
		if diff := cmp.Diff(c.shape, got, cmp.AllowUnexported(profiles.Counts{})); diff != "" || p.Open() != c.open {
			t.Errorf("%s: open %v, want %v; shape (-want +got):\n%s", c.args, p.Open(), c.open, diff)
		}
	}
}

// A trace is replayed as it was recorded, unless something else was said.
func TestArrivalsOfATrace(t *testing.T) {
	stamps, counts := writeTrace(t, "10\n10.5\n70\n"), writeTrace(t, "10\n20\n5\n")
	for args, want := range map[string]profiles.Arrivals{
		"--trace " + stamps:                                             profiles.Even,
		"--trace " + counts + " --trace-interval 1s":                    profiles.Even,
		"--trace " + counts + " --trace-interval 1s --arrivals poisson": profiles.Poisson,
		"--rate 5":              profiles.Poisson,
		"--rate 5 --stage 1s:5": profiles.Poisson,
	} {
		if p, err := planOf(strings.Fields(args)...); err != nil || p.Process() != want {
			t.Errorf("%s: arrivals %s, %v, want %s", args, p.Process(), err, want)
		}
	}
}

func TestShapeFlagsRefuse(t *testing.T) {
	stamps := writeTrace(t, "10\n10.5\n70\n")
	bad := writeTrace(t, "10\nx\n9\n")
	run := newFile(t, "run.json", `{"kind": "run", "result": {"stages": ["0s:1", "1s:9"]}}`)
	calm := newFile(t, "run.json", `{"kind": "run", "result": {}}`)
	odd := newFile(t, "run.json", `{"kind": "run", "result": {"stages": ["x"]}}`)
	for args, want := range map[string]string{
		"--stage 10":    `got "10", want a time and a load, such as 30s:10 or 30s:10/s`,
		"--stage 0s:10": "--stage: got stages without a time",
		"--stage 3s:10 --step 2s:10/s --stage 1s:5":     "stages: got --stage 3s:10, which is users, and --step 2s:10/s, which is a rate, want one",
		"--step 5s:10/s --step 2s:10":                   "stages: got --step 2s:10, which is users, and --step 5s:10/s",
		"--stage 30s:2000k":                             "users: got a shape of up to 2000000, want 1000000 at most",
		"--shape saw:1..2":                              `got "saw:1..2", want sine:LOW..HIGH,period=5m or spike:`,
		"--compress 60x":                                "--compress: got 60x without --trace, want both or neither",
		"--compress 0 --trace x":                        `got "0", want a factor`,
		"--trace /no/such":                              "--trace: open /no/such: no such file",
		"--trace " + bad:                                "--trace: " + bad + ": line 2: got \"x\", want a time in seconds, such as 12.5\n--trace: " + bad + ": line 3: it is before line 1",
		"--on-busy drop":                                "--on-busy: got drop without a rate, want both or neither",
		"--rate 5 --on-busy later":                      `got "later", want wait or drop`,
		"--wait throughput:0":                           `got "throughput:0", want a time such as 1s, 1s..3s, pacing:5s`,
		"--rate 5 --trace " + stamps:                    "--rate: got 5 and --trace, want one",
		"--stage 1s:5 --trace " + stamps:                "--stage: got it and --trace, want one",
		"--step 1s:5 --shape sine:1..2,period=1s":       "--step: got it and --shape, want one",
		"-u 5 --shape sine:1..2,period=1s":              "--users: got 5 and --shape, want one",
		"-u 5 --stage 1s:5/s":                           "--users: got 5 and a rate, want one",
		"-r 5 --stage 1s:5":                             "--spawn-rate: got 5 and a shape, want one",
		"--wait 1s --trace " + stamps:                   "--wait: got 1s and a rate, want one",
		"--arrivals poisson --trace " + stamps:          "--arrivals: got poisson and a --trace of single arrivals, want one",
		"--arrivals poisson --stage 1s:5":               "--arrivals: got poisson without a rate, want both or neither",
		"--replay /no/such":                             "--replay: open /no/such: no such file",
		"--replay " + stamps:                            "--replay: got " + stamps + ", want a run that --save wrote",
		"--replay " + calm:                              "a run that nobody steered: its own flags repeat it",
		"--replay " + odd:                               `run.json: got "x", want a time and a load`,
		"--rate 5 --replay " + run:                      "--rate: got 5 and --replay, want one",
		"-u 5 --replay " + run:                          "--users: got 5 and --replay, want one",
		"--step 1s:1 --replay " + run:                   "--step: got it and --replay, want one",
		"-r 5 --replay " + run:                          "--spawn-rate: got 5 and a shape, want one",
		"--trace-column 2 --trace-interval 1s --rate 5": "--trace-column: got 2 without --trace",
	} {
		_, err := planOf(strings.Fields(args)...)
		var known *exit
		if err == nil || !errors.As(err, &known) || known.code != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want a usage error with %q", args, err, want)
		}
	}
}

// What the summary prints of a run that was steered, given as flags, and what
// --save keeps of it, given to --replay, are the load as it was.
func TestASteeredRunIsRepeated(t *testing.T) {
	path := newFile(t, "run.json", "")
	rapid.Check(t, func(t *rapid.T) {
		open := rapid.Bool().Draw(t, "open")
		course, at := profiles.NewCourse(profiles.Constant(rapid.IntRange(1, 90).Draw(t, "first"))), time.Duration(0)
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			at += time.Duration(rapid.Int64Range(1, int64(5*time.Second)).Draw(t, "after"))
			switch load := rapid.IntRange(1, 90).Draw(t, "load"); rapid.SampledFrom([]string{"change", "spawn", "pause"}).Draw(t, "how") {
			case "change":
				course = course.Change(at, profiles.Constant(load))
			case "spawn":
				course = course.Spawn(at, load, rapid.Float64Range(0.1, 50).Draw(t, "rate"))
			default:
				course = course.Hold(at, time.Duration(load)*time.Millisecond)
			}
		}
		end := at + time.Duration(rapid.Int64Range(int64(time.Second), int64(5*time.Second)).Draw(t, "rest"))
		stages := profiles.FormatStages(course.Stages(end), open)
		saved, err := json.Marshal(map[string]any{"kind": "run", "result": map[string]any{"stages": stages}})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, saved, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{strings.Fields(strings.Join(profiles.StageFlags(stages), " ")), {"--replay", path}} {
			p, err := planOf(args...)
			if err != nil || p.Open() != open {
				t.Fatalf("%q: open %v, %v; want open %v", args, p.Open(), err, open)
			}
			if length := p.Length(); (length - end).Abs() > 20*time.Millisecond {
				t.Errorf("%q lasts %v, want %v", args, length, end)
			}
			if got, want := p.Load().Area(end), course.Area(end); math.Abs(got-want) > 2 {
				t.Errorf("%q: an area of %v, want %v", args, got, want)
			}
		}
	})
}
