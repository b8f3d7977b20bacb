package advisor

import (
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

func TestHostSaturated(t *testing.T) {
	for _, c := range []struct {
		name string
		use  HostUse
		want bool
	}{
		{"not known", HostUse{Cores: 2, Busy: 2}, false},
		{"idle", HostUse{Known: true, Cores: 2, Busy: 0.2}, false},
		{"just below", HostUse{Known: true, Cores: 2, Busy: 1.89}, false},
		{"all cores busy", HostUse{Known: true, Cores: 2, Busy: 1.9}, true},
		{"by the replicas alone", HostUse{Known: true, Cores: 2, Busy: 1, Replicas: 1.95}, true},
	} {
		if got := c.use.Saturated(); got != c.want {
			t.Errorf("%s: Saturated() = %v, want %v", c.name, got, c.want)
		}
	}
}

func TestHostUse(t *testing.T) {
	begin := time.Unix(0, 0)
	before := hostReading{at: begin, busy: 100, load: 5 * time.Second, replicas: 50 * time.Second, known: true}
	after := hostReading{at: begin.Add(10 * time.Second), busy: 115, load: 6 * time.Second, replicas: 58 * time.Second, known: true}
	want := HostUse{Known: true, Cores: runtime.NumCPU(), Busy: 1.5, Replicas: 0.8, Load: 0.1}
	if got := after.since(before); got.Known != want.Known || got.Cores != want.Cores || math.Abs(got.Busy-want.Busy) > 1e-9 ||
		math.Abs(got.Replicas-want.Replicas) > 1e-9 || math.Abs(got.Load-want.Load) > 1e-9 {
		t.Errorf("since = %+v, want %+v", got, want)
	}
	// A replica that went takes its time with it.
	restarted := after
	restarted.replicas = time.Second
	if got := restarted.since(before); got.Replicas != 0 || !got.Known {
		t.Errorf("after a replica went: %+v, want 0 cores for the replicas", got)
	}
	unknown := after
	unknown.known = false
	for name, got := range map[string]HostUse{
		"at the same moment": before.since(before), "to an unknown one": unknown.since(before), "from an unknown one": after.since(unknown),
	} {
		if got != (HostUse{}) {
			t.Errorf("%s: %+v, want nothing", name, got)
		}
	}
}

func TestReadHost(t *testing.T) {
	fleet := probe.Fleet{Replicas: []probe.Replica{{CPU: 3 * time.Second}, {CPU: 4 * time.Second}}}
	r := readHost(t.Context(), time.Unix(7, 0), fleet)
	if r.replicas != 7*time.Second || r.known && r.busy <= 0 || !r.at.Equal(time.Unix(7, 0)) {
		t.Errorf("readHost = %+v, want 7 s of the replicas", r)
	}
}

// A machine that saturates before the service does makes what was measured a
// lower bound; that is said with the advice.
func TestHostLimit(t *testing.T) {
	for _, c := range []struct {
		name string
		busy float64
		own  float64 // of the replicas
		want bool
		says string
	}{
		{"free cores", 1.2, 0.8, false, ""},
		{"no free cores", 2, 1.8, true, "this machine, not the service"},
		{"others have them", 2, 0.8, true, "other programs kept 1.10 of the 2 cores"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &simulated{service: 20 * time.Millisecond, servers: 1, slo: mustSLO(t, "p95<100ms"),
				host: HostUse{Known: true, Cores: 2, Busy: c.busy, Replicas: c.own, Load: 0.1}}
			got, err := Search(t.Context(), s, SearchOptions{SLO: s.slo, Budget: time.Minute})
			if err != nil || got.Refusal != nil || got.HostLimited != c.want {
				t.Fatalf("Search = %v, refusal %v, host limited %v; want %v", err, got.Refusal, got.HostLimited, c.want)
			}
			if got.Host != s.host || got.CPU <= 0 {
				t.Errorf("host %+v and %v a request at the capacity, want %+v", got.Host, got.CPU, s.host)
			}
			advice, err := Measurement{SLO: s.slo.String(), Capacity: got, Local: true}.Advise(traffic(10, 400), Sizing{Headroom: 200})
			if err != nil {
				t.Fatal(err)
			}
			if said := strings.Join(advice.Notes, "\n"); (said != "") != c.want || !strings.Contains(said, c.says) {
				t.Errorf("notes %q, want %q", advice.Notes, c.says)
			}
			if advice.Capped == "" || advice.Applied.Replicas.Max >= advice.Policy.Replicas.Max {
				t.Errorf("applied max %s of %s (%q), want it capped at what 2 cores carry", advice.Applied.Replicas.Max, advice.Policy.Replicas.Max, advice.Capped)
			}
		})
	}
}

// What several replicas got together on this machine says more of it than what
// one of them used.
func TestMeasuredReplicasSayWhatTheHostCarries(t *testing.T) {
	for _, c := range []struct {
		name string
		busy float64
		two  *Scaling // nil: only one was measured
		want profiles.Limit
		says string
	}{
		{"one alone, beside busy programs", 1.9, nil, 1, "other programs keep 1.00 of them busy"},
		{"two that scaled, beside busy programs", 1.9, &Scaling{Replicas: 2, Saturation: 103}, 2, "2 replicas on it got 103 requests/s together and a replica is given 40"},
		{"one alone, beside nothing", 0.9, nil, 2, "a replica at its target 0.72"},
		{"two that scaled, beside nothing", 0.9, &Scaling{Replicas: 2, Saturation: 85}, 2, "a replica at its target 0.72"},
		{"two that the machine held back", 0.9, &Scaling{Replicas: 2, Saturation: 70, HostLimited: true}, 1, "2 replicas on it got 70.0 requests/s"},
	} {
		if c.two != nil {
			c.two.Efficiency = Interval{Value: 1, Low: 1, High: 1}
		}
		capacity := &Capacity{Replicas: 1, SLO: Interval{Value: 50, Low: 49, High: 51}, Saturation: Interval{Value: 50, Low: 50, High: 50}, Scaling: c.two}
		r, err := Recommend(Needs{
			Sizing: Sizing{Headroom: 200}, Capacity: 50_000, Evidence: capacity, Traffic: traffic(100, 400),
			Host: HostUse{Known: true, Cores: 2, Busy: c.busy, Replicas: 0.8, Load: 0.1}, Local: 1,
		})
		if err != nil || r.Applied.Replicas.Max != c.want || !strings.Contains(r.Capped, c.says) || r.Policy.Replicas.Max != 10 {
			t.Errorf("%s: max %s here of %s (%q), %v; want %s with %q", c.name, r.Applied.Replicas.Max, r.Policy.Replicas.Max, r.Capped, err, c.want, c.says)
		}
	}
}

// The scaler looks once a second, and what is heard at the ends of a step is up
// to a second old.
func TestCoresBetween(t *testing.T) {
	begin := time.Unix(1000, 0)
	at := func(s float64) time.Time { return begin.Add(fromSeconds(s)) }
	// Looks at 0.3 s past each second; half a core is used from 0 to 4 s.
	heard := func(times ...float64) (out []usageReading) {
		for _, s := range times {
			look := math.Floor(s-0.3) + 0.3
			out = append(out, usageReading{heard: at(s), taken: at(look + 3600), spent: fromSeconds(0.5 * min(4, max(0, look)))}) // by another clock
		}
		return out
	}
	for _, c := range []struct {
		name     string
		readings []usageReading
		until    float64
		want     float64
		ok       bool
	}{
		{"none", nil, 4, 0, false},
		{"a step of four seconds", heard(0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4), 4, 0.5, true},
		{"what comes after it does not count", heard(0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8), 4, 0.5, true},
		{"a single look", heard(0, 0.5, 1), 1, 0, false},
		{"a scaler that looks no more", heard(0, 0.1, 0.2), 4, 0, false},
	} {
		got, ok := coresBetween(c.readings, at(c.until))
		if ok != c.ok || math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: coresBetween = %.3f, %v; want %.3f, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}
