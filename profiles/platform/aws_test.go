package platform

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"headroom/profiles"
)

// awsTemplate is a target of 2 to 20 with policies, each "metric target out in"
// and more settings.
func awsTemplate(actions string, policies ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Resources:\n  T: {Type: %s, Properties: {ServiceNamespace: ecs, MinCapacity: 2, MaxCapacity: 20%s}}\n", awsTargetType, actions)
	for i, p := range policies {
		fmt.Fprintf(&b, "  P%d: {Type: %s, Properties: {ScalingTargetId: !Ref T, TargetTrackingScalingPolicyConfiguration: {%s}}}\n", i, awsPolicyType, p)
	}
	return b.String()
}

const (
	awsRequestsAt600 = "TargetValue: 600, ScaleOutCooldown: 60, ScaleInCooldown: 300, PredefinedMetricSpecification: {PredefinedMetricType: ALBRequestCountPerTarget, ResourceLabel: a}"
	awsCPUAt70       = "TargetValue: 70, ScaleOutCooldown: 60, ScaleInCooldown: 300, PredefinedMetricSpecification: {PredefinedMetricType: ECSServiceAverageCPUUtilization}"
)

// Target tracking in short: out capacity x metric/target
// rounded up, the highest of all policies; in only when all agree. Totals are
// requests/s and percent over all replicas.
func TestAWSDecide(t *testing.T) {
	both := awsTemplate("", awsRequestsAt600, awsCPUAt70)
	for _, v := range []struct {
		name   string
		text   string
		m      profiles.Metrics
		want   int
		reason profiles.Reason
		valid  bool
	}{
		{"600 a minute are 10 a second", awsTemplate("", awsRequestsAt600), fleetWith(10, 10, 100), 10, awsHold, true},
		{"a little more", awsTemplate("", awsRequestsAt600), fleetWith(10, 10, 100.001), 11, awsOut, true},
		{"half as much again", awsTemplate("", awsRequestsAt600), fleetWith(10, 10, 150), 15, awsOut, true},
		{"half", awsTemplate("", awsRequestsAt600), fleetWith(10, 10, 50), 5, awsIn, true},
		{"a little less is still ten", awsTemplate("", awsRequestsAt600), fleetWith(10, 10, 95), 10, awsHold, true},
		{"nothing", awsTemplate("", awsRequestsAt600), fleetWith(10, 10, 0), 2, awsIn, true},
		{"the highest goes out", both, fleetWith(10, 10, 120, 1050), 15, awsOut, true},
		{"one below does not hold the other", both, fleetWith(10, 10, 10, 1050), 15, awsOut, true},
		{"both below go to the higher", both, fleetWith(10, 10, 30, 350), 5, awsIn, true},
		{"one at its target holds both", both, fleetWith(10, 10, 10, 700), 10, awsHold, true},
		{"without data none agrees", both, profiles.Metrics{Replicas: 10, Ready: 10, Readings: []profiles.Reading{{Total: 10_000, Valid: true}, {}}}, 10, awsDisagree, true},
		{"without data the other goes out", both, profiles.Metrics{Replicas: 10, Ready: 10, Readings: []profiles.Reading{{Total: 150_000, Valid: true}, {}}}, 15, awsOut, true},
		{"without any data", both, profiles.Metrics{Replicas: 10, Ready: 10}, 10, awsNoData, false},
		{"none is ready", both, fleetWith(10, 0, 100, 700), 10, awsNoData, false},
		{"one that does not scale in has no say", awsTemplate("", awsRequestsAt600, "DisableScaleIn: true, "+awsCPUAt70), fleetWith(10, 10, 30, 700), 3, awsIn, true},
		{"none may scale in", awsTemplate("", "DisableScaleIn: true, "+awsCPUAt70), fleetWith(10, 10, 7), 10, awsDisableIn, true},
		{"not above max", awsTemplate("", awsRequestsAt600), fleetWith(10, 10, 900), 20, awsOut, true},
		{"above max at once", both, fleetWith(25, 25, 250, 1750), 20, awsAbove, true},
		{"below min at once", both, fleetWith(1, 1, 10, 70), 2, awsBelow, true},
		{"a customised metric", awsTemplate("", "TargetValue: 100, CustomizedMetricSpecification: {MetricName: Backlog}"), fleetWith(4, 4, 600), 6, awsOut, true},
	} {
		t.Run(v.name, func(t *testing.T) {
			got := deciderOf(t, aws, v.text).Decide(someDay(0, 0), v.m)
			if got.Desired != v.want || got.Reason != v.reason || got.Valid != v.valid {
				t.Errorf("got %d (%s, valid %v), want %d (%s, %v)", got.Desired, got.Reason, got.Valid, v.want, v.reason, v.valid)
			}
		})
	}
}

// A pause after each change, which only a larger scale-out, or a scale-out
// after a scale-in, breaks.
func TestAWSCooldowns(t *testing.T) {
	d := deciderOf(t, aws, awsTemplate("", awsRequestsAt600))
	start := someDay(0, 0)
	for _, step := range []struct {
		seconds    int
		cur, ready int
		total      float64
		want       int
		limit      profiles.Reason
	}{
		{0, 4, 4, 60, 6, ""},
		{30, 6, 4, 60, 6, awsOutCools}, // 4 x 15/10 is what was ordered
		{40, 6, 4, 100, 10, ""},        // a larger one
		{90, 10, 6, 100, 10, awsOutCools},
		{100, 10, 10, 130, 13, ""}, // the cooldown of the last one is over
		{200, 13, 13, 50, 5, ""},   // in, at once
		{210, 5, 5, 20, 5, awsInCools},
		{220, 5, 5, 60, 6, ""}, // out, during the pause
		{290, 6, 6, 20, 2, ""}, // which ended it
	} {
		got := d.Decide(start.Add(time.Duration(step.seconds)*time.Second), fleetWith(step.cur, step.ready, step.total))
		if got.Desired != step.want || got.LimitedBy != step.limit {
			t.Fatalf("at %d s, %d of %d ready, total %v = %d (%s), want %d (%s)", step.seconds, step.ready, step.cur, step.total, got.Desired, got.LimitedBy, step.want, step.limit)
		}
	}
}

// A scheduled action sets bounds at an instant, which stay until the next one;
// what was last before the start counts too.
func TestAWSScheduledActions(t *testing.T) {
	actions := `, ScheduledActions: [
    {ScheduledActionName: up, Schedule: cron(0 9 ? * MON-FRI *), Timezone: Europe/Berlin, ScalableTargetAction: {MinCapacity: 8}},
    {ScheduledActionName: down, Schedule: cron(0 21 ? * MON-FRI *), Timezone: Europe/Berlin, ScalableTargetAction: {MinCapacity: 2}},
    {ScheduledActionName: first, Schedule: cron(0 0 1 * ? *), ScalableTargetAction: {MaxCapacity: 15}}]`
	text := awsTemplate(actions, awsRequestsAt600)
	d := deciderOf(t, aws, text)
	for _, step := range []struct {
		at   time.Time
		cur  int
		want int
	}{
		{someDay(7, 59), 2, 2}, // before nine in Berlin
		{someDay(8, 0), 2, 8},
		{someDay(19, 59), 8, 8},
		{someDay(20, 0), 8, 2},
		{someDay(20, 10), 20, 15},              // since the first of the month
		{someDay(8, 0).AddDate(0, 0, 5), 2, 2}, // a Saturday
		{someDay(8, 0).AddDate(0, 0, 7), 2, 8}, // a Monday
	} {
		if got := d.Decide(step.at, fleetWith(step.cur, step.cur, 0)); got.Desired != step.want {
			t.Errorf("at %s with %d = %d (%s), want %d", step.at, step.cur, got.Desired, got.Reason, step.want)
		}
	}
	if got := deciderOf(t, aws, text).Decide(someDay(12, 0), fleetWith(3, 3, 0)); got.Desired != 8 {
		t.Errorf("begun at noon = %d, want 8 as since nine", got.Desired)
	}
}

func TestAWSCron(t *testing.T) {
	for _, v := range []struct{ five, aws, back string }{
		{"0 9 * * 1-5", "cron(0 9 ? * MON-FRI *)", "0 9 * * 1-5"},
		{"0 9 * * *", "cron(0 9 * * ? *)", "0 9 * * *"},
		{"*/15 0-8 1,15 * *", "cron(*/15 0-8 1,15 * ? *)", "*/15 0-8 1,15 * *"},
		{"30 6 * 1-3 0", "cron(30 6 ? 1-3 SUN *)", "30 6 * 1-3 0"},
		{"30 6 * jan 6", "cron(30 6 ? JAN SAT *)", "30 6 * JAN 6"},
		{"0 9 * * mon-fri,0", "cron(0 9 ? * MON-FRI,SUN *)", "0 9 * * 1-5,0"},
		{"0 9 * * */2", "cron(0 9 ? * SUN,TUE,THU,SAT *)", "0 9 * * 0,2,4,6"},
		{"0 9 * * 1-5/2", "cron(0 9 ? * MON,WED,FRI *)", "0 9 * * 1,3,5"},
		{"0 9 * * 4/2", "cron(0 9 ? * THU,SAT *)", "0 9 * * 4,6"},
		{"0 9 ? * 1", "cron(0 9 ? * MON *)", "0 9 * * 1"},
	} {
		got, err := toAWSCron(v.five)
		if err != nil || got != v.aws {
			t.Errorf("toAWSCron(%s) = %s, %v, want %s", v.five, got, err, v.aws)
		}
		if got, err := fromAWSCron(v.aws); err != nil || got != v.back {
			t.Errorf("fromAWSCron(%s) = %s, %v, want %s", v.aws, got, err, v.back)
		}
	}
	if got, err := toAWSCron("0 9 1 * 1"); err == nil {
		t.Errorf("toAWSCron(the first or a Monday) = %s, want an error", got)
	}
	if got, err := fromAWSCron("cron(0 9 ? * 2-6 *)"); err != nil || got != "0 9 * * 1-5" {
		t.Errorf("days by their numbers from 1 for Sunday = %s, %v, want 0 9 * * 1-5", got, err)
	}
	for _, s := range []string{"", "0 9 * * 1", "cron(0 9 * * *)", "cron(0 9 * * MON *)", "cron(0 9 ? * ? *)", "cron(0 9 ? * MON 2026)", "cron(0 9 L * ? *)", "cron(0 9 ? * MON#1 *)", "cron(0 9 ? * 0 *)", "rate(1 hour)", "at(2026-01-01T00:00:00)", "cron(0 9 ? * MON *"} {
		if got, err := fromAWSCron(s); err == nil {
			t.Errorf("fromAWSCron(%s) = %s, want an error", s, got)
		}
	}
}

// An expression that AWS can say stands for the same moments there.
func TestAWSCronKeepsTheMoments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		field := func(label string, of ...string) string { return rapid.SampledFrom(of).Draw(t, label) }
		five := strings.Join([]string{
			field("minute", "0", "*/20", "5,50"), field("hour", "*", "9", "8-20/4"), field("day", "*", "?", "1", "*/10"),
			field("month", "*", "1-6", "MAR"), field("week", "*", "?", "0", "1-5", "*/3", "TUE,6", "2-6/2", "sat"),
		}, " ")
		text, err := toAWSCron(five)
		if err != nil {
			return
		}
		back, err := fromAWSCron(text)
		if err != nil {
			t.Fatalf("%s: %s: %v", five, text, err)
		}
		was, _ := profiles.ParseCron(five)
		is, _ := profiles.ParseCron(back)
		now := someDay(0, 0)
		for range 50 {
			if was.Next(now) != is.Next(now) {
				t.Fatalf("%s: %s: %s: after %s comes %s, not %s", five, text, back, now, is.Next(now), was.Next(now))
			}
			now = was.Next(now)
		}
	})
}

func TestAWSChangesOnlyWhatDiffers(t *testing.T) {
	for _, v := range []struct {
		name, file string
		edit       func(*profiles.Policy)
		want       []string
	}{
		{"values", "example.yaml", func(p *profiles.Policy) {
			p.Replicas.Max, p.Metrics[0].Target, p.Up.Stabilization = 30, 12_500, 0
		}, []string{
			`-  T: {Type: AWS::ApplicationAutoScaling::ScalableTarget, Properties: {MinCapacity: 5, MaxCapacity: 20, ServiceNamespace: ecs, ScalableDimension: ecs:service:DesiredCount, ResourceId: service/prod/web}}`,
			`-        TargetValue: 600`, `-        ScaleOutCooldown: 60`,
			`+  T: {Type: AWS::ApplicationAutoScaling::ScalableTarget, Properties: {MinCapacity: 5, MaxCapacity: 30, ServiceNamespace: ecs, ScalableDimension: ecs:service:DesiredCount, ResourceId: service/prod/web}}`,
			`+        TargetValue: 750`, `+        ScaleOutCooldown: 0`,
		}},
		{"a target among functions", "service.yaml", func(p *profiles.Policy) { p.Metrics[1].Target = 20_000 }, []string{
			`-        TargetValue: 1000`, `+        TargetValue: 1200`,
		}},
		{"a bound, and the action that returns to it", "service.yaml", func(p *profiles.Policy) { p.Replicas.Min = 3 }, []string{
			`-      MinCapacity: '2'`, `-          ScalableTargetAction: {MinCapacity: 2, MaxCapacity: 10}`,
			`+      MinCapacity: 3`, `+          ScalableTargetAction: {MinCapacity: 3, MaxCapacity: 10}`,
		}},
		{"other hours", "service.yaml", func(p *profiles.Policy) { p.Schedules[0].Min = 7 }, []string{
			`-        - ScheduledActionName: morning # before the shop opens`,
			`-          Schedule: cron(30 8 ? * MON-FRI *)`, `-          ScalableTargetAction: {MinCapacity: 6, MaxCapacity: 12}`,
			`-        - ScheduledActionName: evening`,
			`-          Schedule: cron(0 20 ? * MON-FRI *)`, `-          ScalableTargetAction: {MinCapacity: 2, MaxCapacity: 10}`,
			`+        - ScheduledActionName: hours-1-start`, `+          Schedule: "cron(30 8 ? * MON-FRI *)"`, `+          ScalableTargetAction:`,
			`+            MinCapacity: 7`, `+            MaxCapacity: 12`,
			`+        - ScheduledActionName: hours-1-end`, `+          Schedule: "cron(0 20 ? * MON-FRI *)"`, `+          ScalableTargetAction:`,
			`+            MinCapacity: 2`, `+            MaxCapacity: 10`,
		}},
		{"fewer metrics", "service.yaml", func(p *profiles.Policy) { p.Metrics = p.Metrics[:2] }, []string{
			`-  Backlog:`, `-      PolicyName: backlog`, `-        TargetValue: 100`,
			`-        CustomizedMetricSpecification: {MetricName: BacklogPerTask, Namespace: Shop, Statistic: Average}`,
		}},
		{"another metric", "zero.json", func(p *profiles.Policy) { p.Metrics[0].Kind, p.Metrics[0].Unit = profiles.CPU, "" }, []string{
			`-          "TargetValue": 75, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageMemoryUtilization"}`,
			`+          "TargetValue": 75, "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}`,
		}},
	} {
		t.Run(v.name, func(t *testing.T) {
			lines, doc := linesChanged(t, aws, v.file, v.edit)
			if diff := cmp.Diff(v.want, lines); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, doc.Text)
			}
		})
	}
}

func TestAWSRefuses(t *testing.T) {
	hours := func(s profiles.Schedule) func(*profiles.Policy) {
		return func(p *profiles.Policy) { p.Schedules = []profiles.Schedule{s} }
	}
	for _, v := range []struct {
		name string
		edit func(*profiles.Policy)
		want string
	}{
		{"cores", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.CPU, Unit: "cores", Target: 500, Window: p.Interval}
		}, "metrics[0].unit: got cores, want %"},
		{"MiB", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.Memory, Target: 512_000, Window: p.Interval}
		}, "metrics[0].unit: got MiB, want %"},
		{"the whole fleet", func(p *profiles.Policy) { p.Metrics[0].Scope = profiles.WholeFleet }, "metrics[0].scope: got fleet, want replica"},
		{"a custom metric", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.Custom, Name: "jobs", Target: 1000, Window: p.Interval}
		}, "metrics[0].kind: got custom, want rps, cpu or memory: a customised metric needs"},
		{"a part of a second", func(p *profiles.Policy) { p.Down.Stabilization = profiles.Duration(1500 * time.Millisecond) }, "down.stabilization: got 1.5s, want whole seconds"},
		{"two kinds of days", hours(profiles.Schedule{Start: "0 9 1 * 1", End: "0 21 * * *", Min: 8}), `schedules[0].start: got "0 9 1 * 1", want a day of the month or of the week`},
		{"a floor above max", hours(profiles.Schedule{Start: "0 9 * * *", End: "0 21 * * *", Min: 30}), "schedules[0].min: got 30, want replicas.max (20) or less"},
		{"a ceiling below min", hours(profiles.Schedule{Start: "0 9 * * *", End: "0 21 * * *", Max: 3}), "schedules[0].max: got 3, want replicas.min (5) or more"},
	} {
		t.Run(v.name, func(t *testing.T) {
			if _, err := aws.Export(running(v.edit), Options{}); err == nil || !strings.Contains(err.Error(), v.want) {
				t.Errorf("Export = %v, want %q", err, v.want)
			}
		})
	}
}

func TestAWSNeverAllocates(t *testing.T) {
	text := string(importedFile(t, aws, "service.yaml"))
	neverAllocates(t, deciderOf(t, aws, text), fleetWith(5, 5, 250, 90, 300))
}

func BenchmarkDecideAWS(b *testing.B) {
	benchmarkSteps(b, deciderOf(b, aws, awsTemplate("", awsRequestsAt600, awsCPUAt70)), fleetWith(5, 5, 55, 300))
}
