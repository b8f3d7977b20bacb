package profiles

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Only the stages that were reached are in the trail, in their order.
func TestTrail(t *testing.T) {
	long := Duration(time.Minute)
	for _, c := range []struct {
		name string
		edit func(*Policy)
		m    Metrics
		want string // stage=replicas:reason
	}{
		{"all that there is", func(p *Policy) {
			p.Metrics[0].Panic = &Panic{Duration(second), 2000}
			p.Metrics = append(p.Metrics, Metric{Kind: InFlight, Target: 1000, Window: long, Trend: &Trend{Within: long}})
			p.Up.Step, p.Replicas.Max, p.Up.Stabilization = 4, 7, long
		}, Metrics{Replicas: 5, Readings: readings(10, 20)},
			"metrics=5:measured raw=20:above_target tolerance=20:unchanged trend=20:unchanged panic=20:unchanged step=9:step_limit bounds=7:max stabilisation=5:up_stabilized act=5:unchanged"},
		{"near enough", func(p *Policy) { p.Tolerance = 100 }, Metrics{Replicas: 10, Readings: readings(105)},
			"metrics=10:measured raw=11:above_target tolerance=10:at_target step=10:unchanged bounds=10:unchanged stabilisation=10:unchanged act=10:unchanged"},
		{"idle", func(p *Policy) { p.Metrics[0] = Metric{Kind: FreeWorkers, Target: 1000, Window: long} },
			Metrics{Replicas: 5, Ready: 5, Readings: readings(4), Idle: []time.Duration{second, second, second, 2 * time.Minute}},
			"metrics=5:measured raw=2:below_target tolerance=2:unchanged step=2:unchanged bounds=2:unchanged stabilisation=2:unchanged cooldown=4:not_idle act=4:removed"},
		{"starting", func(p *Policy) { p.Metrics[0] = Metric{Kind: FreeWorkers, Target: 1000, Window: long} }, Metrics{Replicas: 5, Ready: 4, Readings: readings(0)},
			"metrics=5:measured raw=6:above_target tolerance=5:starting step=5:unchanged bounds=5:unchanged stabilisation=5:unchanged act=5:unchanged"},
		{"no data", nil, Metrics{Replicas: 5, Readings: readings(lost)}, "metrics=5:no_data act=5:unchanged"},
		{"below min", func(p *Policy) { p.Replicas.Min = 3 }, Metrics{Replicas: 2}, "bounds=3:under_min act=3:added"},
		{"at rest", func(p *Policy) { p.Replicas.Min, p.ToZero = 0, &ToZero{long} }, Metrics{Waiting: 1, Readings: readings(0)}, "rest=1:activated act=1:added"},
	} {
		p := rpsPolicy()
		if c.edit != nil {
			c.edit(&p)
		}
		d := newDecider(t, p).Decide(monday, c.m)
		var got []string
		for stage, step := range d.Trail {
			if step.Reason != "" {
				got = append(got, DecisionStage(stage).String()+"="+Milli(step.Replicas*1000).String()+":"+string(step.Reason))
			}
		}
		if want := strings.Fields(c.want); !slices.Equal(got, want) {
			t.Errorf("%s: the trail of %v is\n%s\nwant\n%s", c.name, d, strings.Join(got, " "), c.want)
		}
	}
}

// A trail ends with what is done, and survives JSON.
func TestTrailProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawDecidable(t)
		d, err := p.Decider()
		if err != nil {
			t.Fatal(err)
		}
		cur := p.Initial()
		for i := range 5 {
			m := Metrics{Replicas: cur}
			for range p.Metrics {
				m.Readings = append(m.Readings, Reading{Total: Milli(rapid.IntRange(0, 1e6).Draw(t, "total")), Valid: rapid.Bool().Draw(t, "valid")})
			}
			want := d.Decide(monday.Add(time.Duration(i)*time.Minute), m)
			if act := want.Trail[StageAct]; act.Replicas != want.Desired || act.Reason == "" {
				t.Fatalf("%+v ends with %+v, want the size that it wants", want, act)
			}
			data, err := json.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			var got Decision
			if err := json.Unmarshal(data, &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s: -want +got\n%s", data, diff)
			}
			cur = want.Desired
		}
	})
	var trail Trail
	err := json.Unmarshal([]byte(`[{"stage":"luck","replicas":1,"reason":"at_target"}]`), &trail)
	wantLines(t, "an unknown stage", err, []string{`stage: got "luck", want one of`})
}
