package profiles

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

// goodPlan is the smallest valid plan.
func goodPlan() Plan {
	p := DefaultPlan()
	p.Target = "http://127.0.0.1:8000/load/100000"
	return p
}

func TestPlanValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Plan)
		want []string // beginnings of the lines; none: valid
	}{
		{"defaults", func(p *Plan) {}, nil},
		{"open", func(p *Plan) { p.Rate = 50 }, nil},
		{"open, users do not matter", func(p *Plan) { p.Rate, p.Users, p.SpawnRate = 50, 0, 0 }, nil},
		{"open by its shape", func(p *Plan) { p.Shape, p.Users = Constant(5), 0 }, nil},
		{"closed by its shape", func(p *Plan) { p.UserShape, p.Users, p.SpawnRate = Sine{0, 1_000_000, time.Minute}, 0, 0 }, nil},
		{"too many users in a stage", func(p *Plan) { p.UserShape = Ramp{Stages: []Stage{{To: 1e7}, {time.Second, 5}}} },
			[]string{"users: got a shape of up to 10000000, want 1000000 at most"}},
		{"unknown fate", func(p *Plan) { p.Rate, p.OnBusy = 5, "run" }, []string{`--on-busy: got "run", want wait or drop`}},
		{"closed, arrivals do not matter", func(p *Plan) { p.Arrivals, p.MaxUsers = "", 0 }, nil},
		{"zeros that mean no limit", func(p *Plan) { p.RunTime, p.Requests, p.StopGrace = 0, 0, 0 }, nil},
		{"constant wait", func(p *Plan) { p.Wait = Wait{Min: time.Second, Max: time.Second} }, nil},

		{"no target", func(p *Plan) { p.Target = "" }, []string{"target: got nothing, want a URL"}},
		{"no users", func(p *Plan) { p.Users = 0 }, []string{"--users: got 0, want 1 or more"}},
		{"negative users", func(p *Plan) { p.Users = -3 }, []string{"--users: got -3, want 1 or more"}},
		{"most users", func(p *Plan) { p.Users = 1_000_000 }, nil},
		{"too many users", func(p *Plan) { p.Users = 1_000_001 }, []string{"--users: got 1000001, want 1000000 at most"}},
		{"no spawn rate", func(p *Plan) { p.SpawnRate = 0 }, []string{"--spawn-rate: got 0, want more than 0"}},
		{"spawn rate NaN", func(p *Plan) { p.SpawnRate = math.NaN() }, []string{"--spawn-rate: got NaN"}},
		{"endless rate", func(p *Plan) { p.Rate = math.Inf(1) }, []string{"--rate: got +Inf, want more than 0"}},
		{"more than any machine sends", func(p *Plan) { p.Rate = 1e12 }, []string{"--rate: got 1e+12, want more than 0 per second, and 10000000 at most"}},
		{"a shape of more", func(p *Plan) { p.Shape = Constant(1e8) }, []string{"rate: got a shape of up to 100000000 per second, want 10000000 at most"}},
		{"negative rate", func(p *Plan) { p.Rate = -1 }, []string{"--rate: got -1, want more than 0"}},
		{"no room for arrivals", func(p *Plan) { p.Rate, p.MaxUsers = 5, 0 }, []string{"--max-users: got 0, want 1 or more"}},
		{"unknown arrivals", func(p *Plan) { p.Rate, p.Arrivals = 5, "bursty" }, []string{`--arrivals: got "bursty", want poisson or constant`}},
		{"a method with a space", func(p *Plan) { p.Method = "GET /" }, []string{`--method: got "GET /", want one such as GET or POST`}},
		{"a method of our own", func(p *Plan) { p.Method = "X-PURGE" }, nil},
		{"no timeout", func(p *Plan) { p.Timeout = 0 }, []string{"--timeout: got 0s, want more than 0"}},
		{"negative run time", func(p *Plan) { p.RunTime = -time.Second }, []string{"--run-time: got -1s, want 0 or more"}},
		{"negative requests", func(p *Plan) { p.Requests = -1 }, []string{"--requests: got -1"}},
		{"negative grace", func(p *Plan) { p.StopGrace = -1 }, []string{"--stop-timeout: got -1ns, want 0 or more"}},
		{"negative age", func(p *Plan) { p.ConnMaxAge = -1 }, []string{"--conn-max-age: got -1ns, want more than 0"}},
		{"negative requests of a connection", func(p *Plan) { p.ConnMaxRequests = -1 }, []string{"--conn-max-requests: got -1, want 1 or more"}},
		{"lifetime without keep-alive", func(p *Plan) { p.DisableKeepAlive, p.ConnMaxRequests = true, 5 }, []string{"--disable-keepalive: got it with --conn-max-age or"}},
		{"too many redirects", func(p *Plan) { p.Redirects = 51 }, []string{"--redirects: got 51, want 0..50"}},
		{"certificate without a key", func(p *Plan) { p.Cert = []byte("x") }, []string{"--cert: got one of --cert and --key, want both"}},
		{"no certificate", func(p *Plan) { p.Cert, p.Key = []byte("x"), []byte("x") }, []string{"--cert, --key: want a certificate and its key in PEM"}},
		{"no authority", func(p *Plan) { p.CACert = []byte("x") }, []string{"--cacert: got a file without a certificate"}},
		{"negative wait", func(p *Plan) { p.Wait.Min = -time.Second }, []string{"--wait: got -1s..0s"}},
		{"wait upside down", func(p *Plan) { p.Wait = Wait{Min: 2 * time.Second, Max: time.Second} }, []string{"--wait: got 2s..1s"}},
		{
			"every problem of a closed plan at once",
			func(p *Plan) {
				*p = Plan{Target: "ftp://h", Users: -1, Timeout: -1, RunTime: -1, Requests: -1, StopGrace: -1, Wait: Wait{Max: -1}}
			},
			[]string{"target: ", "--users: ", "--spawn-rate: ", "--method: ", "--timeout: ", "--run-time: ", "--requests: ", "--stop-timeout: ", "--wait: "},
		},
		{
			"every problem of an open plan at once",
			func(p *Plan) { *p = Plan{Shape: Constant(1), Rate: -1} },
			[]string{"target: ", "--max-users: ", "--arrivals: ", "--on-busy: ", "--rate: ", "--method: ", "--timeout: "},
		},
	} {
		p := goodPlan()
		c.edit(&p)
		wantLines(t, c.name, p.Validate(), c.want)
	}
}

// wantLines checks that err has one line for each of want, which are their
// beginnings, in order.
func wantLines(t *testing.T, name string, err error, want []string) {
	t.Helper()
	var lines []string
	if err != nil {
		lines = strings.Split(err.Error(), "\n")
	}
	ok := len(lines) == len(want)
	for i := range min(len(lines), len(want)) {
		ok = ok && strings.HasPrefix(lines[i], want[i])
	}
	if !ok {
		t.Errorf("%s: got\n\t%s\nwant lines that begin with\n\t%s", name, strings.Join(lines, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func TestValidateTarget(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"http://127.0.0.1:8000", ""},
		{"https://example.com/a?b=c", ""},
		{"http://[::1]:8000/", ""},
		{"HTTP://example.com", ""},
		{"", "target: got nothing, want a URL such as http://127.0.0.1:8000/path"},
		{"example.com", `target: got "example.com" with scheme "", want a URL`},
		{"localhost:8000", `target: got "localhost:8000", want http://localhost:8000 or https://localhost:8000`},
		{"127.0.0.1:8000", `target: got "127.0.0.1:8000", want http://127.0.0.1:8000 or https://127.0.0.1:8000`},
		{"localhost/x", `target: got "localhost/x", want http://localhost/x or https://localhost/x`},
		{"ws://example.com", `target: got "ws://example.com" with scheme "ws", want a URL`},
		{"http://", `target: got "http://" without a host, want a URL`},
		{"http://:8000/", `target: got "http://:8000/" without a host, want a URL`},
		{"http:///path", `target: got "http:///path" without a host, want a URL`},
		{"http://[::1", `target: got "http://[::1", want a URL`},
		{"http://h:port/", `target: got "http://h:port/", want a URL`},
		{"http://h/\n", `target: got "http://h/\n", want a URL`},
	} {
		err := ValidateTarget(c.in)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if (c.want == "") != (err == nil) || !strings.HasPrefix(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("ValidateTarget(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestPlanLoad(t *testing.T) {
	closed, rate, shape := goodPlan(), goodPlan(), goodPlan()
	rate.Rate = 12.5
	shape.Shape = climb
	if closed.Open() || !rate.Open() || !shape.Open() {
		t.Errorf("Open() = %v, %v, %v for a closed plan, a rate and a shape, want false, true, true", closed.Open(), rate.Open(), shape.Open())
	}
	if got := rate.Load().At(time.Hour); got != 12.5 {
		t.Errorf("the load of a rate of 12.5 is %v", got)
	}
	closed.Users, closed.SpawnRate = 5, 2
	for at, want := range map[time.Duration]float64{0: 1, time.Second: 3, 2 * time.Second: 5, time.Hour: 5} {
		if got := closed.Load().At(at); got != want {
			t.Errorf("the load of 5 users, 2 a second, is %v at %v, want %v", got, at, want)
		}
	}
	if got := shape.Load().At(15 * time.Second); got != 40 {
		t.Errorf("the load of a shape of 40 is %v", got)
	}
}

func TestDefaultPlan(t *testing.T) {
	p := DefaultPlan()
	if p.Method != http.MethodGet || p.Timeout != 150*time.Second || p.StopGrace != 30*time.Second || p.MaxUsers != 1000 || p.Arrivals != Poisson || p.Seed != 1 {
		t.Errorf("DefaultPlan() = %+v, want what the fields document", p)
	}
}

func TestPlanLength(t *testing.T) {
	ramp := Ramp{Stages: []Stage{{For: time.Minute, To: 10}}}
	for _, c := range []struct {
		name string
		plan Plan
		want time.Duration
	}{
		{"no end", Plan{}, 0},
		{"a run time", Plan{RunTime: time.Second}, time.Second},
		{"the end of a shape", Plan{Shape: ramp}, time.Minute},
		{"the run time before the end of the shape", Plan{Shape: ramp, RunTime: time.Second}, time.Second},
		{"the end of the shape before the run time", Plan{Shape: ramp, RunTime: time.Hour}, time.Minute},
		{"the end of a shape of users", Plan{Users: 5, SpawnRate: 1, UserShape: ramp}, time.Minute},
		{"the last second of a replay", Plan{Shape: Stamps{0, 1500 * time.Millisecond}}, 2 * time.Second},
		{"users", Plan{Users: 5, SpawnRate: 1}, 0},
		{"a shape without an end", Plan{Shape: Constant(1), RunTime: time.Hour}, time.Hour},
	} {
		if got := c.plan.Length(); got != c.want {
			t.Errorf("%s: Length() = %v, want %v", c.name, got, c.want)
		}
	}
}
