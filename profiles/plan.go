package profiles

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Arrivals says how the arrivals of the open model are spread in time.
type Arrivals string

// The arrival processes of the open model.
const (
	// Poisson arrivals are independent of each other, as those of many
	// strangers are. It is what an SLO should be judged under.
	Poisson Arrivals = "poisson"
	// Even arrivals keep an equal distance; they hide queueing.
	Even Arrivals = "constant"
)

// PoissonSource is the source of the exponential distances between the points
// of a Poisson process of rate 1, from which arrivals follow. A load and a
// simulation of it that have the seed in common have the arrivals in common.
func PoissonSource(seed uint64) *rand.PCG { return rand.NewPCG(seed, 0x6172726976616c73) }

// OnBusy says what becomes of an arrival of the open model that finds every
// user busy where there may be no more.
type OnBusy string

// What becomes of arrivals without a free user. They are counted either way.
const (
	// Queued means that they wait; that is part of their latency.
	Queued OnBusy = "wait"
	// Dropped means that they are not sent.
	Dropped OnBusy = "drop"
)

// Plan is one run: what is requested, and how much of it.
//
// With Rate (or Shape) it is an open model: arrivals come whatever the
// answers do. Otherwise it is a closed model of Users (or UserShape) that each
// wait for their answer.
type Plan struct {
	Target  string      // absolute http or https URL
	Method  string      // default GET
	Header  http.Header // sent with each request
	Body    []byte
	Timeout time.Duration // per request, from the send; default 150 s

	// Scenario is sent instead of Method and Body, its paths below that of
	// Target. Header goes with it where it says nothing else. nil: one request.
	Scenario *Scenario

	Secrets *Secrets // what must not be shown of all this; nil: the usual ones, by their names

	Users     int           // closed model, 1 to MostUsers
	UserShape Shape         // closed model: users over time, instead of Users and SpawnRate; its whole part is meant
	SpawnRate float64       // users started per second; default 1
	Wait      Wait          // closed model: think time
	Rate      float64       // open model: arrivals per second, up to MostRate
	Shape     Shape         // open model: rate over time, instead of Rate
	Arrivals  Arrivals      // open model; default Poisson
	MaxUsers  int           // open model: most requests under way at once; default 1000
	OnBusy    OnBusy        // open model; default Queued
	Seed      uint64        // of everything random; default 1
	RunTime   time.Duration // 0: until stopped
	Requests  int           // 0: no limit
	StopGrace time.Duration // how long answers may still come after the end; default 30 s

	Connections
}

// MostUsers bounds the users of a plan: more are a slip of the keyboard.
const MostUsers = 1_000_000

// MostRate bounds the arrivals of a plan, per second: no generator sends more,
// and those that wait to be sent are kept.
const MostRate = 10_000_000

// DefaultPlan holds the values used where nothing else is said.
func DefaultPlan() Plan {
	return Plan{
		Method:    http.MethodGet,
		Timeout:   150 * time.Second,
		Users:     1,
		SpawnRate: 1,
		Arrivals:  Poisson,
		MaxUsers:  1000,
		OnBusy:    Queued,
		Seed:      1,
		StopGrace: 30 * time.Second,
	}
}

// Open reports whether the plan is an open model.
func (p Plan) Open() bool { return p.Rate > 0 || p.Shape != nil }

// Length is how long the plan sends: its RunTime, or until its shape ends; 0
// when nothing but Requests or a hand ends it.
func (p Plan) Length() time.Duration {
	length := p.RunTime
	if end, ok := LengthOf(p.Load()); ok && (length == 0 || end < length) {
		length = end
	}
	return length
}

// Load is what is planned over time: arrivals per second of an open plan,
// users of a closed one.
func (p Plan) Load() Shape {
	switch {
	case p.Shape != nil:
		return p.Shape
	case p.Rate > 0:
		return Constant(p.Rate)
	case p.UserShape != nil:
		return p.UserShape
	default:
		return NewCourse(Constant(0)).Spawn(0, p.Users, p.SpawnRate)
	}
}

// PeakUsers is how many users there may be at once before a hand changes the
// load: all that an open plan allows, and of a closed one no more than its
// length, its spawn rate and its requests let begin.
func (p Plan) PeakUsers() int {
	most := p.Users
	switch {
	case p.Open():
		return p.MaxUsers
	case p.UserShape != nil:
		most = int(peak(p.UserShape))
	case p.RunTime > 0:
		most = int(min(float64(most), math.Ceil(p.SpawnRate*p.RunTime.Seconds())))
	}
	if p.Requests > 0 {
		most = min(most, p.Requests)
	}
	return most
}

// TaskNames are the names of the scenario's requests; there are none without
// a scenario.
func (p Plan) TaskNames() []string {
	if p.Scenario == nil {
		return nil
	}
	return p.Scenario.Rows
}

// Process is how the arrivals of an open plan are spread: as Arrivals says,
// except that single arrivals are replayed as they were.
func (p Plan) Process() Arrivals {
	if _, ok := p.Shape.(Stamps); ok {
		return Even
	}
	return p.Arrivals
}

// Validate returns all problems of the plan at once, each naming the flag
// that sets the value, and changes nothing.
func (p Plan) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if err := ValidateTarget(p.Target); err != nil {
		errs = append(errs, err)
	}
	if p.Open() {
		if p.MaxUsers < 1 {
			bad("--max-users: got %d, want 1 or more", p.MaxUsers)
		}
		if p.Arrivals != Poisson && p.Arrivals != Even {
			bad("--arrivals: got %q, want %s or %s", p.Arrivals, Poisson, Even)
		}
		if p.OnBusy != Queued && p.OnBusy != Dropped {
			bad("--on-busy: got %q, want %s or %s", p.OnBusy, Queued, Dropped)
		}
	} else if p.UserShape != nil {
		if most := peak(p.UserShape); most > MostUsers {
			bad("users: got a shape of up to %.0f, want %d at most", most, MostUsers)
		}
	} else {
		if p.Users < 1 {
			bad("--users: got %d, want 1 or more", p.Users)
		}
		if p.Users > MostUsers {
			bad("--users: got %d, want %d at most", p.Users, MostUsers)
		}
		if !(p.SpawnRate > 0) {
			bad("--spawn-rate: got %v, want more than 0 users per second", p.SpawnRate)
		}
	}
	if !(p.Rate >= 0) || p.Rate > MostRate {
		bad("--rate: got %v, want more than 0 per second, and %d at most", p.Rate, MostRate)
	}
	if most := peak(p.Shape); most > MostRate {
		bad("rate: got a shape of up to %.0f per second, want %d at most", most, MostRate)
	}
	if !isToken(p.Method) {
		bad("--method: got %q, want one such as GET or POST", p.Method)
	}
	if p.Timeout <= 0 {
		bad("--timeout: got %v, want more than 0", p.Timeout)
	}
	if p.RunTime < 0 {
		bad("--run-time: got %v, want 0 or more", p.RunTime)
	}
	if p.Requests < 0 {
		bad("--requests: got %d, want 1 or more", p.Requests)
	}
	if p.StopGrace < 0 {
		bad("--stop-timeout: got %v, want 0 or more", p.StopGrace)
	}
	if p.Wait.Min < 0 || p.Wait.Max < p.Wait.Min {
		bad("--wait: got %v..%v, want 0 or more, the lower first", p.Wait.Min, p.Wait.Max)
	}
	if u, err := url.Parse(p.Target); p.Scenario != nil && err == nil && (u.RawQuery != "" || u.Fragment != "") {
		bad("target: got %q with a scenario, want a URL without a query: the tasks have their own", p.Target)
	}
	p.Connections.validate(bad)
	return errors.Join(errs...)
}

// peak is the highest load of a shape that users can follow.
func peak(s Shape) float64 {
	switch s := s.(type) {
	case Constant:
		return float64(s)
	case Ramp:
		most := s.From
		for _, stage := range s.Stages {
			most = max(most, stage.To)
		}
		return most
	case Sine:
		return s.High
	}
	return 0
}

// ValidateTarget says whether s is a URL that can be loaded.
func ValidateTarget(s string) error {
	const want = "want a URL such as http://127.0.0.1:8000/path"
	if s == "" {
		return fmt.Errorf("target: got nothing, %s", want)
	}
	if !strings.Contains(s, "://") {
		if u, err := url.Parse("http://" + s); err == nil && (u.Port() != "" || u.Hostname() == "localhost") {
			return fmt.Errorf("target: got %q, want http://%s or https://%s", s, s, s)
		}
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return fmt.Errorf("target: got %q, %s", s, want)
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("target: got %q with scheme %q, %s", s, u.Scheme, want)
	case u.Hostname() == "":
		return fmt.Errorf("target: got %q without a host, %s", s, want)
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("target: got %q with port %s, want a port 1..65535", s, p)
		}
	}
	return nil
}

// isToken reports whether s can stand as a method in a request line (RFC
// 9110, section 5.6.2).
func isToken(s string) bool {
	for _, c := range s {
		if c > '~' || c <= ' ' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) {
			return false
		}
	}
	return s != ""
}
