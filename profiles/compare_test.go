package profiles

import (
	"slices"
	"testing"
	"time"
)

func TestCompare(t *testing.T) {
	a := FixedPolicy(1)
	if got := Changes(a, a); len(got) != 0 {
		t.Errorf("Changes(a, a) = %v, want none", got)
	}
	idle := 0
	b := a
	b.Replicas = Bounds{Min: 2, Max: 9, Idle: &idle}
	b.ToZero = &ToZero{After: Duration(time.Minute)}
	b.Metrics = []Metric{
		{Kind: RPS, Target: 10_500, Window: Duration(5 * time.Second)},
		{Kind: CPU, Target: 500, Unit: "cores", Window: Duration(time.Minute)},
		{Kind: Queue, Target: 2000, Window: Duration(time.Minute), Aggregation: Highest},
	}
	b.Interval = Duration(time.Second)
	b.Up.Step, b.Up.Factor = 3, 2000
	b.Schedules = []Schedule{{Start: "0 9 * * *", End: "0 21 * * *", Min: 4}}
	b.OnMetricError = 6
	want := []Change{
		{"replicas.min", "1", "2"}, {"replicas.max", "1", "9"}, {"replicas.idle", "none", "0"}, {"toZero.after", "none", "1m"},
		{"metrics[0].kind", "none", "rps"}, {"metrics[0].target", "none", "10.5/s per replica"}, {"metrics[0].window", "none", "5s"},
		{"metrics[1].kind", "none", "cpu"}, {"metrics[1].target", "none", "0.5 cores per replica"}, {"metrics[1].window", "none", "1m"},
		{"metrics[2].kind", "none", "queue"}, {"metrics[2].target", "none", "2 requests"}, {"metrics[2].window", "none", "1m"}, {"metrics[2].aggregation", "none", "highest"},
		{"interval", "30s", "1s"}, {"up.step", "unlimited", "3"}, {"up.factor", "unlimited", "2"},
		{"schedules[0]", "none", "0 9 * * * to 0 21 * * * UTC, min 4"}, {"onMetricError", "hold", "6"},
	}
	if got := Changes(a, b); !slices.Equal(got, want) {
		t.Errorf("Changes =\n%v, want\n%v", got, want)
	}
}

func TestSummary(t *testing.T) {
	p := rpsPolicy()
	for _, c := range []struct {
		edit func(*Policy)
		want string
	}{
		{func(*Policy) {}, "1 to 100 replicas at rps 10/s per replica"},
		{func(p *Policy) { *p = FixedPolicy(1) }, "1 replica"},
		{func(p *Policy) {
			p.Replicas.Max = Unlimited
			p.Metrics = append(p.Metrics, Metric{Kind: Custom, Name: "tokens", Target: 5000})
			p.Schedules = []Schedule{{Start: "0 9 * * *", End: "0 21 * * *", Min: 4}}
		}, "1 to unlimited replicas at rps 10/s per replica, tokens 5 per replica; 0 9 * * * to 0 21 * * * UTC, min 4"},
	} {
		q := p
		c.edit(&q)
		if got := q.Summary(); got != c.want {
			t.Errorf("Summary() = %q, want %q", got, c.want)
		}
	}
}
