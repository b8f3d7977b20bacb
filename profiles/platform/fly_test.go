package platform

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
	"pgregory.net/rapid"

	"headroom/profiles"
)

// Numbers of the documentation's kind: five machines of which two are at their limit have two too many.
func TestFlyExcess(t *testing.T) {
	for _, v := range []struct{ running, full, want int }{{5, 2, 2}, {3, 2, 0}, {4, 3, 0}, {4, 2, 1}, {1, 0, 0}, {2, 0, 1}, {2, 2, -1}, {0, 0, -1}} {
		if got := flyExcess(v.running, v.full); got != v.want {
			t.Errorf("flyExcess(%d running, %d full) = %d, want %d", v.running, v.full, got, v.want)
		}
	}
	for _, v := range []struct {
		total   profiles.Milli
		soft, n int
		want    int
	}{{0, 10, 3, 0}, {9_999, 10, 3, 0}, {10_000, 10, 3, 1}, {29_999, 10, 3, 2}, {500_000, 10, 3, 3}, {5_000, 10, 0, 0}} {
		if got := flyFull(v.total, v.soft, v.n); got != v.want {
			t.Errorf("flyFull(%s requests, limit %d, %d machines) = %d, want %d", v.total, v.soft, v.n, got, v.want)
		}
	}
}

// flyFile is a fly.toml with up to ten machines.
func flyFile(service string) string {
	return "# fly scale count 10\napp = \"web\"\n[http_service]\n" + service + "\n"
}

const flyPlain = "auto_stop_machines = \"stop\"\nmin_machines_running = 2\nconcurrency = { type = \"requests\", soft_limit = 10 }"

// Machines start at once, one for each request that finds all full, and stop
// one by one.
func TestFlyDecide(t *testing.T) {
	d := deciderOf(t, fly, flyFile(flyPlain))
	start := someDay(0, 0)
	for _, step := range []struct {
		minutes float64
		cur     int
		total   float64
		want    int
		reason  profiles.Reason
		limit   profiles.Reason
	}{
		{0, 1, 0, 2, flyUnder, ""},
		{1, 2, 19, 2, flyKeep, ""},
		{1.5, 2, 20, 3, flyStart, ""},
		{2, 3, 75, 8, flyStart, ""},
		{3, 8, 500, 10, flyStart, flyMost},
		{4, 10, 500, 10, flyStart, flyMost},
		{4.5, 10, 31, 10, flyStop, flyWaits},
		{5, 10, 31, 9, flyStop, ""}, // five minutes after the first look
		{6, 9, 31, 9, flyStop, flyWaits},
		{10, 9, 31, 8, flyStop, ""},
		{15, 8, 0, 7, flyStop, ""},
		{20, 2, 0, 2, flyStop, flyMin},
		{21, 11, 0, 10, flyOver, ""},
	} {
		got := d.Decide(start.Add(time.Duration(step.minutes*float64(time.Minute))), fleetWith(step.cur, step.cur, step.total))
		if got.Desired != step.want || got.Reason != step.reason || got.LimitedBy != step.limit {
			t.Fatalf("at %v min, %d machines, %v requests = %d (%s, %s), want %d (%s, %s)",
				step.minutes, step.cur, step.total, got.Desired, got.Reason, got.LimitedBy, step.want, step.reason, step.limit)
		}
	}
}

func TestFlyEdges(t *testing.T) {
	zero := strings.Replace(flyPlain, "running = 2", "running = 0", 1)
	for _, v := range []struct {
		name   string
		file   string
		m      profiles.Metrics
		want   int
		reason profiles.Reason
		valid  bool
	}{
		{"from zero", flyFile(zero), fleetWith(0, 0, 1), 1, flyWake, true},
		{"from zero for many", flyFile(zero), fleetWith(0, 0, 35), 4, flyWake, true},
		{"at zero", flyFile(zero), fleetWith(0, 0, 0), 0, flyKeep, true},
		{"the last one without traffic", flyFile(zero), fleetWith(1, 1, 0), 0, flySleep, true},
		{"the last one with traffic", flyFile(zero), fleetWith(1, 1, 1), 1, flyKeep, true},
		{"no data", flyFile(zero), profiles.Metrics{Replicas: 4, Ready: 4}, 4, profiles.NoData, false},
		{"never started", flyFile(flyPlain + "\nauto_start_machines = false"), fleetWith(2, 2, 99), 2, flyStart, true},
		{"always all of them", flyFile(strings.Replace(flyPlain, `"stop"`, `"off"`, 1)), fleetWith(7, 7, 0), 10, profiles.UnderMin, true},
		{"never stopped", strings.Replace(flyFile(strings.Replace(flyPlain, `"stop"`, `"off"`, 1)), "# fly scale count 10\n", "", 1), fleetWith(7, 7, 0), 7, flyStop, true},
		{"no limit that is known", strings.Replace(flyFile(flyPlain), "# fly scale count 10\n", "", 1), fleetWith(7, 7, 700), 71, flyStart, true},
	} {
		t.Run(v.name, func(t *testing.T) {
			d := deciderOf(t, fly, v.file)
			d.Decide(someDay(0, 0), fleetWith(v.m.Replicas, v.m.Ready, 15*float64(v.m.Replicas)))
			got := d.Decide(someDay(0, 30), v.m)
			if got.Desired != v.want || got.Reason != v.reason || got.Valid != v.valid {
				t.Errorf("got %d (%s, valid %v), want %d (%s, %v)", got.Desired, got.Reason, got.Valid, v.want, v.reason, v.valid)
			}
		})
	}
}

// The number of machines that start and that stop agree, so that a steady load
// is a steady fleet.
func TestFlySettles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &flyDecider{s: flySettings{stop: "stop", start: true, soft: rapid.IntRange(1, 50).Draw(t, "soft"), machines: 20}}
		total := float64(rapid.IntRange(0, 1000).Draw(t, "total"))
		n, now := rapid.IntRange(0, 20).Draw(t, "machines"), someDay(0, 0)
		for range 30 {
			now = now.Add(flyCheck)
			n = d.Decide(now, fleetWith(n, n, total)).Desired
		}
		for range 5 {
			now = now.Add(flyCheck)
			if got := d.Decide(now, fleetWith(n, n, total)).Desired; got != n {
				t.Fatalf("%v requests: %d machines become %d", total, n, got)
			}
		}
		if want := min(20, int(total)/d.s.soft+1); n != want && !(total == 0 && n == 0) {
			t.Fatalf("%v requests with a limit of %d settle at %d machines, want %d", total, d.s.soft, n, want)
		}
	})
}

func TestFlyChangesOnlyWhatDiffers(t *testing.T) {
	for _, v := range []struct {
		name, file string
		edit       func(*profiles.Policy)
		want       []string
	}{
		{"values", "example.toml", func(p *profiles.Policy) { p.Replicas.Min, p.Replicas.Max, p.Metrics[0].Target = 6, 30, 3000 }, []string{
			`-  min_machines_running = 5         # plus: fly scale count 20`, `-    soft_limit = 2                 # 10 rps × 0.2 s`,
			`+  min_machines_running = 6         # plus: fly scale count 30`, `+    soft_limit = 3                 # 10 rps × 0.2 s`,
		}},
		{"a table that was not there", "defaults.toml", func(p *profiles.Policy) { p.Replicas.Max, p.Metrics[0].Target = 8, 5000 }, []string{
			`+  # the most machines that may run, once created: fly scale count 8`,
			`+  [http_service.concurrency]`, `+    soft_limit = 5`, `+    type = "requests"`,
		}},
		{"what was off", "services.toml", func(p *profiles.Policy) { p.Metrics[0].Target = 120_000 }, []string{
			`-  auto_start_machines = false`, `-    type = "connections"`, `-    soft_limit = 100`,
			`+  auto_start_machines = true`, `+    type = "requests"`, `+    soft_limit = 120`,
		}},
		{"what was fixed", "off.toml", func(p *profiles.Policy) {
			base := p.Platforms
			*p = running(func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, 2000 })
			p.Platforms = base
		}, []string{
			`-# fly scale count 4`, `-http_service = { internal_port = 8080, concurrency = { type = "requests" } }`,
			`+# fly scale count 20`, `+http_service = { internal_port = 8080, concurrency = { type = "requests", soft_limit = 2 }, auto_stop_machines = "stop", min_machines_running = 5 }`,
		}},
		{"nothing stops any more", "example.toml", func(p *profiles.Policy) {
			base := p.Platforms
			*p = profiles.FixedPolicy(20)
			p.Platforms = base
		}, []string{`-  auto_stop_machines = "stop"`, `+  auto_stop_machines = "off"`}},
	} {
		t.Run(v.name, func(t *testing.T) {
			lines, doc := linesChanged(t, fly, v.file, v.edit)
			if diff := cmp.Diff(v.want, lines); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, doc.Text)
			}
		})
	}
}

func TestFlyBrokenFiles(t *testing.T) {
	for text, want := range map[string]string{
		"app = \"web\"\n[http_service\n":    "fly: line 2: got no valid TOML: ",
		"app = \"web\"\napp = \"shop\"\n":   "fly: line 2: got no valid TOML: ",
		"[http_service]\nsoft_limit = 1_\n": "fly: line 2: got no valid TOML: ",
	} {
		if _, _, err := fly.Import([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Import(%q) = %v, want %s... on one line", text, err, want)
		}
	}
}

func TestFlyRefuses(t *testing.T) {
	inFlight := func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, 2000 }
	for _, v := range []struct {
		name string
		base string
		edit func(*profiles.Policy)
		want string
	}{
		{"a fraction", "", func(p *profiles.Policy) { inFlight(p); p.Metrics[0].Target = 2500 }, "metrics[0].target: got 2.5, want a whole number: 2 is the nearest"},
		{"more than a machine takes", flyFile("concurrency = { soft_limit = 1, hard_limit = 1 }"), inFlight, "metrics[0].target: got 2, but hard_limit is 1"},
		{"the whole fleet", "", func(p *profiles.Policy) { inFlight(p); p.Metrics[0].Scope = profiles.WholeFleet }, "metrics[0].scope: got fleet, want replica"},
		{"no limit where there is one", flyFile(flyPlain), func(p *profiles.Policy) { inFlight(p); p.Replicas.Max = profiles.Unlimited }, "replicas.max: got unlimited, want the number of machines that exist, 10"},
		{"idle", "", func(p *profiles.Policy) {
			inFlight(p)
			idle := 1
			p.Replicas.Idle, p.ToZero = &idle, &profiles.ToZero{After: profiles.DefaultToZero}
		}, "replicas.idle: got 1"},
	} {
		t.Run(v.name, func(t *testing.T) {
			o := Options{}
			if v.base != "" {
				o.Base = []byte(v.base)
			}
			if _, err := fly.Export(running(v.edit), o); err == nil || !strings.Contains(err.Error(), v.want) {
				t.Errorf("Export = %v, want %q", err, v.want)
			}
		})
	}
}

// The number of machines finds a place in any layout, and is found there.
func TestFlyCountIsFoundAgain(t *testing.T) {
	for _, base := range []string{
		"[http_service]\n  internal_port = 8080\n",
		"[http_service]",
		"http_service = { internal_port = 8080 }\n",
		"http_service.internal_port = 8080\n",
		"[[services]]\n  internal_port = 8080\n  min_machines_running = 1 # at least\n[[services.ports]]\nport = 80\n",
		"[http_service.concurrency] # no more\ntype = \"requests\"\n",
	} {
		p := running(func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, 2000 })
		doc, err := fly.Export(p, Options{Base: []byte(base)})
		if err != nil {
			t.Errorf("%q: %v", base, err)
			continue
		}
		if r := doc.Effective.Replicas; r.Min != 5 || r.Max != 20 {
			t.Errorf("%q: got %d to %s, want 5 to 20\n%s", base, r.Min, r.Max, doc.Text)
		}
	}
}

// Wherever a key stands, or would have to stand, setting it sets it and no
// other.
func TestTOMLChangesNothingElse(t *testing.T) {
	layouts := []string{
		"[http_service]\n  internal_port = 8080\n\n  [http_service.concurrency]\n    soft_limit = 20 # few\n",
		"[http_service] # the service\n  internal_port = 8080\n  list = [\n    1, # one\n    2,\n  ]\n\n[vm]\nmemory = \"1gb\"",
		"http_service = { internal_port = 8080, concurrency = { soft_limit = 20 } }\nafter = 1\n",
		"http_service = {}\n",
		"http_service = { concurrency = {} }\n[x]\ny = 1\n",
		"http_service.internal_port = 8080\nafter = 1\n",
		"http_service.concurrency.soft_limit = 20\nafter = 1\n[x]\ny = 1\n",
		"[http_service]\nconcurrency.soft_limit = 20\n[x]\ny = 1\n",
		"[http_service.concurrency]\nsoft_limit = 20\n[http_service.other]\na = 1\n",
		"[http_service.other]\na = 1\n",
		"a = 1\n[http_service]\n",
		"a = 1\r\n[http_service]\r\nauto_stop_machines = 'off'\r\n[x]\r\ny = 1\r\n",
		"text = \"\"\"\n[http_service]\nsoft_limit = 1\n\"\"\"\n[http_service]\nmin_machines_running = 1",
		"[[http_service.checks]]\npath = \"/\"\n[[http_service.checks]]\npath = \"/b\"\n",
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(layouts).Draw(t, "text")
		f, err := parseTOML([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if err := toml.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		table := func(name string) map[string]any {
			parent := want
			for _, key := range strings.Split(name, ".") {
				child, ok := parent[key].(map[string]any)
				if !ok {
					child = map[string]any{}
					parent[key] = child
				}
				parent = child
			}
			return parent
		}
		name := rapid.SampledFrom([]string{"http_service", "http_service.concurrency"}).Draw(t, "table")
		keys := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"min_machines_running", "soft_limit", "type"}), 1, 2, func(s string) string { return s }).Draw(t, "keys")
		var of []assignment
		for _, key := range keys {
			of = append(of, assignment{key, "7"})
			table(name)[key] = int64(7)
		}
		changed := splice([]byte(text), f.set(name, of...))
		var got map[string]any
		if err := toml.Unmarshal(changed, &got); err != nil {
			t.Fatalf("%v\n%s", err, changed)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-want +got)\n%s\n%s", diff, changed)
		}
	})
}

func TestFlyNeverAllocates(t *testing.T) {
	neverAllocates(t, deciderOf(t, fly, flyFile(flyPlain)), fleetWith(5, 5, 25))
}

func BenchmarkDecideFly(b *testing.B) {
	benchmarkSteps(b, deciderOf(b, fly, flyFile(flyPlain)), fleetWith(5, 5, 25))
}
