package platform

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

// The vectors of scaling.md, section 8.
func TestNomadVectors(t *testing.T) {
	for _, v := range []struct {
		name           string
		count          int
		metric, target float64
		want           int
	}{
		{"N1", 2, 13, 13, 2},
		{"N2", 2, 26, 13, 4},
		{"N3", 0, 20, 10, 2},
		{"N4", 1, 9, 10, 1},
		{"N5", 0, 1, 10, 1},
		{"N6", 5, 0, 0, 0},
	} {
		t.Run(v.name, func(t *testing.T) {
			if _, got := nomadCount(v.count, v.metric, v.target, nomadThreshold); got != v.want {
				t.Errorf("nomadCount(%d, %v, %v) = %d, want %d", v.count, v.metric, v.target, got, v.want)
			}
			// The same through a whole policy, from an average to a total.
			d := deciderOf(t, nomad, nomadPolicy(0, 100, fmt.Sprintf(`target = %v`, v.target)))
			total := v.metric * float64(max(1, v.count))
			if got := d.Decide(someDay(0, 0), fleetWith(v.count, v.count, total)); got.Desired != v.want {
				t.Errorf("Decide = %+v, want %d", got, v.want)
			}
		})
	}
}

// nomadPolicy is a policy file with one check.
func nomadPolicy(low, high int, strategy string) string {
	return fmt.Sprintf(`scaling "web" {
  min = %d
  max = %d
  policy {
    check "rps" {
      source = "prometheus"
      query  = "avg(rate(requests[1m]))"
      strategy "target-value" {
        %s
      }
    }
  }
}
`, low, high, strategy)
}

// Edges, derived from calculateDirection and Run of the plugin: the threshold
// is inclusive, and a count that stays has no direction.
func TestNomadTargetValue(t *testing.T) {
	for _, v := range []struct {
		name              string
		count             int
		metric, target    float64
		threshold         float64
		direction, result int
	}{
		{"at the upper edge", 100, 101, 100, 0.01, 0, 100},
		{"beyond the upper edge", 100, 101.1, 100, 0.01, 1, 102},
		{"at the lower edge", 100, 99, 100, 0.01, 0, 100},
		{"beyond the lower edge", 100, 98.9, 100, 0.01, -1, 99},
		{"less, but not one less", 2, 9, 10, 0.01, 0, 2},
		{"nothing left", 5, 0, 10, 0.01, -1, 0},
		{"nothing from zero", 0, 0, 10, 0.01, 0, 0},
		{"a queue of builds", 0, 3, 0, 0.01, 1, 3},
		{"25 x 1.12 is 28.000000000000004", 25, 56, 50, 0.01, 1, 29},
		{"a threshold of zero", 10, 10, 10, 0, 0, 10},
	} {
		t.Run(v.name, func(t *testing.T) {
			direction, got := nomadCount(v.count, v.metric, v.target, v.threshold)
			if direction != v.direction || got != v.result {
				t.Errorf("nomadCount(%d, %v, %v, %v) = %d, %d, want %d, %d", v.count, v.metric, v.target, v.threshold, direction, got, v.direction, v.result)
			}
		})
	}
}

// After an action nothing happens until its cooldown is over.
func TestNomadCooldown(t *testing.T) {
	d := deciderOf(t, nomad, strings.Replace(nomadPolicy(1, 20, "target = 10"), "policy {", "policy {\n    cooldown = \"5m\"\n    cooldown_on_scale_up = \"1m\"", 1))
	start := someDay(0, 0)
	for _, step := range []struct {
		seconds int
		cur     int
		total   float64
		want    int
		limit   profiles.Reason
	}{
		{0, 4, 60, 6, ""},
		{10, 6, 100, 6, nomadCooling},
		{60, 6, 100, 6, nomadCooling}, // just ending
		{61, 6, 100, 10, ""},
		{70, 10, 20, 10, nomadCooling},
		{130, 10, 20, 2, ""},
		{200, 2, 500, 2, nomadCooling}, // neither up nor down
		{431, 2, 500, 20, nomadCapped},
	} {
		got := d.Decide(start.Add(time.Duration(step.seconds)*time.Second), fleetWith(step.cur, step.cur, step.total))
		if got.Desired != step.want || got.LimitedBy != step.limit {
			t.Fatalf("at %d s, %d replicas, total %v = %d (%s), want %d (%s)", step.seconds, step.cur, step.total, got.Desired, got.LimitedBy, step.want, step.limit)
		}
	}
}

// Several checks: up before none before down, and the higher count.
func TestNomadSafestCheckWins(t *testing.T) {
	check := func(name, more string, target int) string {
		return fmt.Sprintf("check %q {\n source = \"prometheus\"\n query = \"avg(rate(x[1m]))\"\n %s\n strategy \"target-value\" {\n target = %d\n }\n}\n", name, more, target)
	}
	for _, v := range []struct {
		name   string
		checks string
		totals []float64 // of 10 replicas
		want   int
		reason profiles.Reason
	}{
		{"up and down", check("a", "", 10) + check("b", "", 10), []float64{50, 120}, 12, nomadUp},
		{"up and up", check("a", "", 10) + check("b", "", 10), []float64{150, 120}, 15, nomadUp},
		{"none and down", check("a", "", 10) + check("b", "", 10), []float64{100, 50}, 10, nomadNone},
		{"down and down", check("a", "", 10) + check("b", "", 10), []float64{70, 50}, 7, nomadDown},
		{"none in a group does not count", check("a", `group = "g"`, 10) + check("b", `group = "g"`, 10), []float64{100, 50}, 5, nomadDown},
		{"none of a whole group does", check("a", `group = "g"`, 10) + check("b", `group = "g"`, 10) + check("c", "", 10), []float64{100, 100, 50}, 10, nomadNone},
		{"outside of its hours", check("a", "schedule {\n start = \"0 9 * * *\"\n duration = \"8h\"\n}", 10) + check("b", "", 10), []float64{150, 80}, 8, nomadDown},
		{"a floor for now", check("a", "", 10) + "check \"f\" {\n schedule {\n start = \"0 0 * * *\"\n end = \"0 6 * * *\"\n}\n strategy \"fixed-value\" { value = 14 }\n}\n", []float64{50}, 14, nomadFixed},
		{"a floor that is low enough", check("a", "", 10) + "check \"f\" {\n strategy \"fixed-value\" { value = 7 }\n}\n", []float64{50}, 7, nomadFixed},
		{"a floor for later", check("a", "", 10) + "check \"f\" {\n schedule {\n start = \"0 9 * * *\"\n end = \"0 21 * * *\"\n}\n strategy \"fixed-value\" { value = 14 }\n}\n", []float64{50}, 5, nomadDown},
	} {
		t.Run(v.name, func(t *testing.T) {
			d := deciderOf(t, nomad, "scaling \"web\" {\n min = 1\n max = 20\n policy {\n"+v.checks+"}\n}\n")
			got := d.Decide(someDay(3, 0), fleetWith(10, 10, v.totals...))
			if got.Desired != v.want || got.Reason != v.reason {
				t.Errorf("got %d (%s), want %d (%s)", got.Desired, got.Reason, v.want, v.reason)
			}
		})
	}
}

func TestNomadEdges(t *testing.T) {
	plain := nomadPolicy(2, 10, "target = 10\n max_scale_up = 2\n max_scale_down = 1")
	for _, v := range []struct {
		name   string
		text   string
		m      profiles.Metrics
		want   int
		reason profiles.Reason
		valid  bool
	}{
		{"below min", plain, fleetWith(1, 1, 100), 2, nomadBelow, true},
		{"above max", plain, fleetWith(12, 12, 10), 10, nomadAbove, true},
		{"no reading", plain, profiles.Metrics{Replicas: 4, Ready: 4}, 4, nomadNoData, false},
		{"none runs yet", plain, fleetWith(4, 0, 0), 4, nomadNoData, false},
		{"an average of those that run", plain, fleetWith(4, 2, 20), 4, nomadNone, true},
		{"steps up", plain, fleetWith(4, 4, 400), 6, nomadUp, true},
		{"steps down", plain, fleetWith(4, 4, 4), 3, nomadDown, true},
		{"not below min", plain, fleetWith(2, 2, 0), 2, nomadDown, true},
		{"not enabled", strings.Replace(plain, "min =", "enabled = false\n  min =", 1), fleetWith(4, 4, 400), 4, nomadDisabled, true},
		{"ignored for want of data", strings.Replace(plain, "query ", "on_error = \"ignore\"\n      query ", 1), profiles.Metrics{Replicas: 4, Ready: 4}, 4, nomadNoData, false},
		{"outside of the policy's hours", strings.Replace(plain, "policy {", "policy {\n schedule {\n start = \"0 9 * * *\"\n end = \"0 17 * * *\"\n}\n", 1), fleetWith(4, 4, 400), 4, nomadOutside, true},
		{"from zero by a total", nomadPolicy(0, 10, "target = 10"), fleetWith(0, 0, 25), 3, nomadUp, true},
	} {
		t.Run(v.name, func(t *testing.T) {
			got := deciderOf(t, nomad, v.text).Decide(someDay(3, 0), v.m)
			if got.Desired != v.want || got.Reason != v.reason || got.Valid != v.valid {
				t.Errorf("got %d (%s, valid %v), want %d (%s, %v)", got.Desired, got.Reason, got.Valid, v.want, v.reason, v.valid)
			}
		})
	}
}

func TestNomadHours(t *testing.T) {
	hours := func(schedule string) *nomadHours {
		s, err := parseNomad([]byte(strings.Replace(nomadPolicy(1, 2, "target = 1"), "policy {", "policy {\n schedule {\n"+schedule+"\n}\n", 1)))
		if err != nil {
			t.Fatal(err)
		}
		return s.hours
	}
	day, lasts := hours("start = \"0 14 * * *\"\n end = \"0 15 * * *\""), hours("start = \"0 22 * * *\"\n duration = \"3h\"")
	for _, v := range []struct {
		hour, minute int
		day, lasts   bool
	}{{13, 59, false, false}, {14, 0, true, false}, {14, 59, true, false}, {15, 0, false, false}, {22, 0, false, true}, {0, 59, false, true}, {1, 0, false, false}} {
		now := someDay(v.hour, v.minute)
		if got := day.active(now); got != v.day {
			t.Errorf("14 to 15 at %d:%02d = %v, want %v", v.hour, v.minute, got, v.day)
		}
		if got := lasts.active(now); got != v.lasts {
			t.Errorf("3 h from 22 at %d:%02d = %v, want %v", v.hour, v.minute, got, v.lasts)
		}
	}
}

func TestNomadRanges(t *testing.T) {
	for query, want := range map[string]time.Duration{
		"avg(rate(x[1m]))":                       time.Minute,
		"avg(rate(x{a=\"b\"}[1m30s]))":           90 * time.Second,
		"avg(rate(x[1500ms]))":                   1500 * time.Millisecond,
		"avg(x)":                                 0,
		"avg(rate(x[1m])) / avg(rate(y[1m]))":    time.Minute,
		"avg(rate(x[1m])) / avg(rate(y[5m]))":    0,
		"avg(max_over_time(rate(x[1m])[5m:1m]))": 0, // two that differ
		"avg(rate(x[1h:5m]))":                    time.Hour,
		"avg(rate(x[99999999y]))":                0,
	} {
		if got := rangeOf(query); got != want {
			t.Errorf("rangeOf(%s) = %s, want %s", query, got, want)
		}
	}
}

// Only the values that differ change, wherever they stand.
func TestNomadChangesOnlyWhatDiffers(t *testing.T) {
	for _, v := range []struct {
		name, file string
		edit       func(*profiles.Policy)
		want       []string
	}{
		{"values", "example.nomad.hcl", func(p *profiles.Policy) {
			p.Replicas.Min, p.Metrics[0].Target, p.Interval = 6, 12_500, profiles.Duration(15*time.Second)
		}, []string{
			`-    count = 5`, `-      min = 5`, `-        evaluation_interval = "10s"`, `-          strategy "target-value" { target = 10 }`,
			`+    count = 6`, `+      min = 6`, `+        evaluation_interval = "15s"`, `+          strategy "target-value" { target = 12.5 }`,
		}},
		{"more in a block on one line", "example.nomad.hcl", func(p *profiles.Policy) { p.Tolerance, p.Up.Step = 50, 4 }, []string{
			`-          strategy "target-value" { target = 10 }`,
			`+          strategy "target-value" {`, `+            target = 10`, `+            threshold = 0.05`, `+            max_scale_up = 4`, `+          }`,
		}},
		{"a cooldown that another one followed", "example.nomad.hcl", func(p *profiles.Policy) { p.Down.Stabilization = profiles.Duration(2 * time.Minute) }, []string{
			`-        cooldown            = "1m"`, `+        cooldown            = "2m"`, `+        cooldown_on_scale_up = "1m"`,
		}},
		{"one check less, one limit less", "cpu-and-more.nomad.hcl", func(p *profiles.Policy) { p.Metrics, p.Down.Step = p.Metrics[:2], 0 }, []string{
			`-            max_scale_down = 1`, `-        check "in_flight" {`, `-          query  = <<EOT`,
			`-avg(avg_over_time(http_requests_in_flight{job="shop"}[1m30s]))`, `-EOT`, `-            target    = 2.5`, `-            threshold = 0.05`,
		}},
		{"other hours", "cpu-and-more.nomad.hcl", func(p *profiles.Policy) {
			p.Schedules[0].Min = 5
		}, []string{
			`-        check "nights" {`, `-          strategy "fixed-value" { value = 4 }`,
			`+        check "hours" {`, `+          strategy "fixed-value" {`, `+            value = 5`,
		}},
		{"another metric in the place of one", "example.nomad.hcl", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.CPU, Unit: "cores", Target: 500, Window: profiles.Duration(2 * time.Minute)}
		}, []string{
			`-        check "rps" {`, `-          source       = "prometheus"`,
			`-          query        = "avg(sum by (instance) (rate(http_requests_total{job='web'}[1m])))" # per-replica AVERAGE`,
			`-          query_window = "1m"`, `-          strategy "target-value" { target = 10 }`,
			`+        check "cpu" {`, `+          source = "prometheus"`, `+          query  = "avg(rate(process_cpu_seconds_total{job='web'}[2m]))"`,
			`+          strategy "target-value" {`, `+            target    = 0.5`, `+            threshold = 0.01`, `+          }`,
		}},
		{"one more check", "policy-file.hcl", func(p *profiles.Policy) {
			p.Metrics = append(p.Metrics, profiles.Metric{Kind: profiles.CPU, Target: 70_000, Window: p.Interval})
		}, []string{
			`+    check "cpu" {`, `+      source = "nomad-apm"`, `+      query  = "avg_cpu-allocated"`, `+      strategy "target-value" {`, `+        target    = 70`, `+        threshold = 0.01`, `+      }`,
		}},
	} {
		t.Run(v.name, func(t *testing.T) {
			lines, doc := linesChanged(t, nomad, v.file, v.edit)
			if diff := cmp.Diff(v.want, lines); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, doc.Text)
			}
		})
	}
}

// What a document has of its own stays, and what it lacks comes.
func TestNomadBases(t *testing.T) {
	for _, v := range []struct {
		name, base string
		options    Options
		edit       func(*profiles.Policy)
		want       []string
	}{
		{"scaling without a policy block", "job \"web\" {\n  group \"web\" {\n    scaling {\n      max = 3\n      min = 3\n    }\n  }\n}\n", Options{}, nil,
			[]string{"      max = 20\n      min = 5\n\n      policy {\n        evaluation_interval", `check "rps" {`}},
		{"a query from the options", nomadPolicy(1, 5, "target = 10 # ours"), Options{Query: "avg(x[5m])"}, nil,
			[]string{`query  = "avg(x[5m])"`, "target = 10 # ours", "threshold = 0.1"}},
		{"a check of another strategy by the same name", strings.Replace(nomadPolicy(1, 5, "delta = 1"), "target-value", "threshold", 1), Options{}, nil,
			[]string{`check "rps" {`, "delta = 1", `check "rps_2" {`}},
		{"memory in MiB", "job \"web\" {\n  group \"web\" {\n  }\n}\n", Options{Name: "shop"}, func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.Memory, Target: 512_000, Window: p.Interval}
		}, []string{`check "memory" {`, `avg(avg_over_time(process_resident_memory_bytes{job='shop'}[1m])) / 1048576`, "target    = 512"}},
		{"a policy file has no count", nomadPolicy(1, 5, "target = 10"), Options{}, func(p *profiles.Policy) { p.Replicas.Initial = 7 }, []string{"min = 5"}},
	} {
		t.Run(v.name, func(t *testing.T) {
			v.options.Base = []byte(v.base)
			doc, err := nomad.Export(running(v.edit), v.options)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range v.want {
				if !strings.Contains(string(doc.Text), want) {
					t.Errorf("want %q in\n%s", want, doc.Text)
				}
			}
		})
	}
}

// What of a document a policy cannot say, beside the golden files.
func TestNomadLosses(t *testing.T) {
	for _, v := range []struct{ strategy, source, want string }{
		{"target = 10.00001", `"prometheus"`, "metrics[0].target 10.00001 becomes 10: a policy has three decimals"},
		{"target = 10\n threshold = 0.0005", `"prometheus"`, "tolerance 0.0005 becomes 0.1%: a policy has tenths of a percent, up to 100%"},
		{"target = 10", `"nomad-apm"`, "of Nomad's own metrics a policy has avg_cpu and avg_memory only: read as a custom one"},
		{"target = 10", "var.source", "up.stabilization: for 5m after it has added replicas Nomad does nothing at all"},
	} {
		_, losses, err := nomad.Import([]byte(strings.Replace(nomadPolicy(1, 5, v.strategy), `"prometheus"`, v.source, 1)))
		if text := fmt.Sprint(losses); err != nil || !strings.Contains(text, v.want) {
			t.Errorf("%s from %s: losses %s, %v, want %q", v.strategy, v.source, text, err, v.want)
		}
	}
	for _, v := range []struct{ was, is, want string }{
		{"min = 1", "min = [1]", "scaling.min: got tuple, want a whole number"},
		{"max = 5", "max = null", "scaling.max: got nothing, want a whole number of 1 or more"},
		{"max = 5", "max = var.max", "scaling.max: got an expression, want a whole number written out"},
		{"max = 5", "enabled = 3\n max = 5", `scaling.enabled: got "3", want true or false`},
		{"max = 5", "max = 0", `scaling.max: got "0", want a whole number of 1 or more`},
		{"min = 1", "min = 9", "scaling.max: got 5, want min (9) or more"},
	} {
		if _, _, err := nomad.Import([]byte(strings.Replace(nomadPolicy(1, 5, "target = 10"), v.was, v.is, 1))); err == nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: Import = %v, want %s", v.is, err, v.want)
		}
	}
}

func TestNomadBrokenFiles(t *testing.T) {
	for text, want := range map[string]string{
		"job \"web\" {\n  group \"web\" {\n": "nomad: line 2: got no valid HCL: Unclosed configuration block",
		"job \"web\" {\n}\n":                 "nomad: job.group: got none, want one, or a scaling block",
		"app = \"web\"\n":                    "nomad: job.group: got none, want one, or a scaling block",
		"job \"web\" {\n  group \"web\" {\n    count = 0\n  }\n}\n": "nomad: line 2: group.count: got 0 without a scaling block, want 1 or more",
	} {
		if _, _, err := nomad.Import([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Import(%q) = %v, want %s", text, err, want)
		}
	}
}

// A group without a scaling block gets one, and one with a policy that scales
// loses its checks for a fixed size.
func TestNomadScalingComesAndGoes(t *testing.T) {
	_, doc := linesChanged(t, nomad, "fixed.nomad.hcl", func(p *profiles.Policy) {
		base := p.Platforms
		*p = running(nil)
		p.Platforms = base
	})
	if text := string(doc.Text); !strings.Contains(text, "count = 5\n") || !strings.Contains(text, "    scaling {\n      min = 5\n      max = 20\n") || !strings.Contains(text, `task "web" { driver = "docker" }`) {
		t.Errorf("a scaling block that was not there:\n%s", text)
	}
	_, doc = linesChanged(t, nomad, "example.nomad.hcl", func(p *profiles.Policy) {
		base := p.Platforms
		*p = profiles.FixedPolicy(3)
		p.Platforms = base
	})
	if text := string(doc.Text); strings.Contains(text, "check") || !strings.Contains(text, "min = 3\n") || !strings.Contains(text, "max = 3\n") || !strings.Contains(text, "count = 3\n") {
		t.Errorf("a fixed size:\n%s", text)
	}
	if len(doc.Losses) > 0 {
		t.Errorf("a fixed size has losses %v, want none", doc.Losses)
	}
}

func TestNomadRefusesTotals(t *testing.T) {
	for _, v := range []struct {
		name    string
		edit    func(*profiles.Policy)
		options Options
		want    string
	}{
		{"a query in the options", nil, Options{Query: "sum(rate(x[1m]))"}, "--query: got sum(rate(x[1m])), want the average of the replicas"},
		{"a query of its own", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.Custom, Name: "jobs", Query: "sum(jobs)", Target: 1000, Window: p.Interval}
		}, Options{}, "metrics[0].query: got sum(jobs), want the average"},
		{"no query", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.Custom, Name: "jobs", Target: 1000, Window: p.Interval}
		}, Options{}, "metrics[0].query: got none"},
		{"a scope", func(p *profiles.Policy) { p.Metrics[0].Scope = profiles.WholeFleet }, Options{}, "metrics[0].scope: got fleet, want replica"},
		{"a floor above max", func(p *profiles.Policy) {
			p.Schedules = []profiles.Schedule{{Start: "0 9 * * *", End: "0 17 * * *", Min: 30}}
		}, Options{}, "schedules[0].min: got 30, want replicas.max (20) or less"},
		{"a name twice", func(p *profiles.Policy) {
			m := profiles.Metric{Kind: profiles.Custom, Name: "jobs", Query: "avg(jobs)", Target: 1000, Window: p.Interval}
			p.Metrics = []profiles.Metric{m, m}
		}, Options{}, `metrics[1].name: got "jobs", want a name that no other check has`},
		{"a number without data", func(p *profiles.Policy) { p.OnMetricError = 5 }, Options{}, "onMetricError: got 5, want hold"},
	} {
		t.Run(v.name, func(t *testing.T) {
			if _, err := nomad.Export(running(v.edit), v.options); err == nil || !strings.Contains(err.Error(), v.want) {
				t.Errorf("Export = %v, want %q", err, v.want)
			}
		})
	}
	doc, err := nomad.Export(running(nil), Options{Name: "shop", Image: "shop:2", Query: `avg(rate(requests{app="shop"}[2m]))`, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc.Text), `query  = "avg(rate(requests{app=\"shop\"}[2m]))"`) {
		t.Errorf("a query with quotes:\n%s", doc.Text)
	}
	if len(doc.Losses) != 1 || doc.Losses[0].String() != "metrics[0].window 30s becomes 2m: the query of the check says so" {
		t.Errorf("losses = %v, want the window of the query", doc.Losses)
	}
}

func TestNomadNeverAllocates(t *testing.T) {
	text := string(importedFile(t, nomad, "cpu-and-more.nomad.hcl"))
	neverAllocates(t, deciderOf(t, nomad, text), fleetWith(5, 5, 250, 300, 12))
}

func BenchmarkDecideNomad(b *testing.B) {
	benchmarkSteps(b, deciderOf(b, nomad, nomadPolicy(1, 20, "target = 10")), fleetWith(5, 5, 55))
}
