package profiles

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDeciderRefusesAnInvalidPolicy(t *testing.T) {
	p := rpsPolicy()
	p.Replicas.Min, p.Tolerance = 0, 2000
	d, err := p.Decider()
	if d != nil {
		t.Errorf("Decider() of an invalid policy = %v, want none", d)
	}
	wantLines(t, "Decider()", err, []string{"replicas.min: ", "tolerance: "})
}

func TestDecisionString(t *testing.T) {
	for _, c := range []struct {
		d    Decision
		want string
	}{
		{Decision{Current: 1, Raw: 3, Desired: 3, Reason: AboveTarget, Kind: RPS, Total: 28400, Target: 10000},
			"1 -> 3: rps 28.4 with a target of 10 per replica asks for 3"},
		{Decision{Current: 5, Raw: 2, Desired: 4, Reason: BelowTarget, LimitedBy: StepLimit, Kind: InFlight, Total: 3500, Target: 2000},
			"5 -> 4: in_flight 3.5 with a target of 2 per replica asks for 2, limited by the step"},
		{Decision{Current: 5, Raw: 5, Desired: 5, Reason: AtTarget, Kind: RPS, Total: 52000, Target: 10000},
			"stays at 5: rps 52.0 is within tolerance of 5 x 10"},
		{Decision{Current: 5, Raw: 9, Desired: 8, Reason: AboveTarget, LimitedBy: MaxLimit, Kind: RPS, Total: 90000, Target: 10000},
			"5 -> 8: rps 90.0 with a target of 10 per replica asks for 9, limited by max"},
		{Decision{Current: 5, Raw: 1, Desired: 3, Reason: BelowTarget, LimitedBy: MinLimit, Kind: RPS, Total: 0, Target: 10000},
			"5 -> 3: rps 0.0 with a target of 10 per replica asks for 1, limited by min"},
		{Decision{Current: 5, Raw: 1, Desired: 5, Reason: BelowTarget, LimitedBy: DownStabilized, Kind: RPS, Total: 1000, Target: 10000},
			"stays at 5: rps 1.0 with a target of 10 per replica asks for 1, held by the highest demand of the stabilization time"},
		{Decision{Current: 5, Raw: 7, Desired: 5, Reason: AboveTarget, LimitedBy: UpStabilized, Kind: RPS, Total: 70000, Target: 10000},
			"stays at 5: rps 70.0 with a target of 10 per replica asks for 7, held back by the lowest demand of the stabilization time"},
		{Decision{Current: 4, Desired: 4, Reason: FixedSize}, "stays at 4: the size is fixed"},
		{Decision{Current: 4, Desired: 4, Reason: NoData}, "stays at 4: no metric could be read"},
		{Decision{Current: 4, Desired: 4, Reason: MetricFailed}, "stays at 4: a metric could not be read, so nothing is taken away"},
		{Decision{Current: 4, Desired: 5, Reason: UnderMin}, "4 -> 5: below min"},
		{Decision{Current: 40, Desired: 20, Reason: OverMax}, "40 -> 20: above max"},
		{Decision{Current: 4, Desired: 1, Reason: Pinned}, "4 -> 1: pinned"},
	} {
		if got := c.d.String(); got != c.want {
			t.Errorf("%+v.String() = %q, want %q", c.d, got, c.want)
		}
	}
}

func TestDecisionJSON(t *testing.T) {
	want := newDecider(t, rpsPolicy()).Decide(monday, Metrics{Replicas: 1, Readings: readings(28.4)})
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"at":"2026-03-02T00:00:00Z","current":1,"raw":3,"desired":3,"reason":"above_target","metric":"rps","total":28.4,"target":10,"valid":true,"trail":[` +
		`{"stage":"metrics","replicas":1,"reason":"measured"},{"stage":"raw","replicas":3,"reason":"above_target"},` +
		`{"stage":"tolerance","replicas":3,"reason":"unchanged"},{"stage":"step","replicas":3,"reason":"unchanged"},` +
		`{"stage":"bounds","replicas":3,"reason":"unchanged"},{"stage":"stabilisation","replicas":3,"reason":"unchanged"},` +
		`{"stage":"act","replicas":3,"reason":"added"}]}`
	if string(data) != text {
		t.Errorf("JSON of a decision is\n%s\nwant\n%s", data, text)
	}
	var got Decision
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON of a decision: -want +got\n%s", diff)
	}
}

// busyPolicy uses every stage of the pipeline.
func busyPolicy() Policy {
	p := rpsPolicy()
	p.Metrics = append(p.Metrics, Metric{Kind: InFlight, Target: 2000, Window: Duration(30 * time.Second), Trend: &Trend{Within: Duration(20 * second), Ahead: true}})
	p.Metrics[0].Panic = &Panic{Window: Duration(3 * second), Threshold: 2000}
	p.Tolerance = 100
	p.Up = Behavior{Step: 4, Factor: 2000, Stabilization: Duration(30 * second)}
	p.Down = Behavior{Step: 4, Factor: 500, Stabilization: Duration(300 * second), Order: Newest}
	p.Schedules = []Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Min: 2}, {Match: "* 0-12 * * *", Set: Settings{{"up.step", "3"}}}}
	return p
}

// busy is one decision a second under a wandering load.
func busy(d Decider, m Metrics) func() {
	now := monday
	return func() {
		now = now.Add(time.Second)
		m.Readings[0].Total = Milli(now.Unix() % 700 * 1000)
		m.Replicas = d.Decide(now, m).Desired
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	d := newDecider(t, busyPolicy())
	step := busy(d, Metrics{Replicas: 5, Readings: readings(0, 4), InFlight: tenSeconds(9, 8, 7, 6, 5, 4, 3)})
	for range 1000 { // fill the windows
		step()
	}
	if got := testing.AllocsPerRun(2000, step); got != 0 {
		t.Errorf("Decide allocates %v times, want 0", got)
	}
	if got := len(d.(*decider).recent); got > 301 {
		t.Errorf("after 3000 decisions of a second each, %d are remembered, want those of the last 300 s", got)
	}
}

func BenchmarkDecide(b *testing.B) {
	step := busy(newDecider(b, busyPolicy()), Metrics{Replicas: 5, Readings: readings(0, 4), InFlight: tenSeconds(9, 8, 7, 6, 5, 4, 3)})
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

// A fleet of 200 idle replicas, decided about by all that looks at single ones
// and at the past.
func BenchmarkDecide200(b *testing.B) {
	p := busyPolicy()
	p.Replicas.Max = 300
	p.Metrics = append(p.Metrics, Metric{Kind: FreeWorkers, Target: 5000, Window: Duration(second)}, Metric{Kind: Queue, Target: 2000, Window: Duration(second)})
	m := Metrics{Replicas: 200, Ready: 200, Readings: readings(0, 4, 200, 0), Idle: make([]time.Duration, 200)}
	for i := range m.Idle {
		m.Idle[i] = time.Duration(i) * second
	}
	for i := range 600 {
		m.InFlight = append(m.InFlight, Sample{monday.Add(time.Duration(i) * second), float64(i % 50)})
	}
	step := busy(newDecider(b, p), m)
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}
