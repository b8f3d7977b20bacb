package platform

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"headroom/profiles"
)

// The section that KEDA hands on to the HPA is one that Kubernetes knows, and
// all metadata are strings.
func TestKEDAHandsOnWhatKubernetesKnows(t *testing.T) {
	for _, pl := range []Platform{keda, kedaHTTP} {
		for _, c := range cases {
			doc, err := pl.Export(running(c.edit), c.options)
			if err != nil {
				continue
			}
			t.Run(pl.Name+"/"+c.name, func(t *testing.T) {
				var o struct {
					APIVersion, Kind string
					Metadata         map[string]any
					Spec             struct {
						ScaleTargetRef                                                    map[string]string
						PollingInterval, CooldownPeriod, MinReplicaCount, MaxReplicaCount *int32
						Advanced                                                          struct {
							HorizontalPodAutoscalerConfig struct {
								Behavior autoscalingv2.HorizontalPodAutoscalerBehavior
							}
						}
						Triggers []struct {
							Type, Name, MetricType string
							Metadata               map[string]string
						}
					}
				}
				strictly(t, doc.Text, "keda.sh", "ScaledObject", &o)
				if len(o.Spec.Triggers) == 0 {
					t.Error("got no triggers, want one at least")
				}
				names := map[string]bool{}
				for _, trigger := range o.Spec.Triggers {
					if names[trigger.Name] && trigger.Name != "" {
						t.Errorf("two triggers are called %s", trigger.Name)
					}
					names[trigger.Name] = true
				}
			})
		}
	}
}

func TestKEDARoundTrips(t *testing.T)     { roundTrips(t, keda) }
func TestKEDAHTTPRoundTrips(t *testing.T) { roundTrips(t, kedaHTTP) }

func TestKEDAOntoAnyDocument(t *testing.T)     { onto(t, keda) }
func TestKEDAHTTPOntoAnyDocument(t *testing.T) { onto(t, kedaHTTP) }

// Vector V3 of the reference (TestCronParseMetadata), each by itself.
func TestKEDACronProblems(t *testing.T) {
	good := kedaMetadata{Timezone: "UTC", Start: "0 9 * * *", End: "0 17 * * *", Desired: 10}
	for _, c := range []struct {
		name string
		edit func(*kedaMetadata)
		want string // key
	}{
		{"V3 good", func(*kedaMetadata) {}, ""},
		{"V3 start is end", func(m *kedaMetadata) { m.Start, m.End = "30 * * * *", "30 * * * *" }, "end"},
		{"V3 no desiredReplicas", func(m *kedaMetadata) { m.Desired = 0 }, "desiredReplicas"},
		{"V3 no timezone", func(m *kedaMetadata) { m.Timezone = "" }, "timezone"},
		{"V3 -30", func(m *kedaMetadata) { m.Start = "-30 * * * *" }, "start"},
		{"V3 -50", func(m *kedaMetadata) { m.End = "-50 * * * *" }, "end"},
		{"V3 hour -3", func(m *kedaMetadata) { m.Start = "* -3 * * *" }, "start"},
		{"six fields", func(m *kedaMetadata) { m.Start = "0 0 9 * * *" }, "start"},
		{"a zone in front", func(m *kedaMetadata) { m.Start = "TZ=UTC" }, "start"},
	} {
		t.Run(c.name, func(t *testing.T) {
			trigger := kedaTrigger{Type: "cron", Metadata: good}
			c.edit(&trigger.Metadata)
			var got problems
			trigger.check("t", &got)
			switch {
			case c.want == "" && len(got) > 0:
				t.Errorf("check = %v, want none", got)
			case c.want != "" && (len(got) != 1 || got[0].Key != "t.metadata."+c.want):
				t.Errorf("check = %v, want one about %s", got, c.want)
			}
		})
	}
}

// A rate of requests is recognised by its query, other queries by the name of
// the trigger, and the rest are custom metrics.
func TestKEDAReadsQueries(t *testing.T) {
	for _, c := range []struct {
		name, query string
		kind        profiles.Kind
		window      string
	}{
		{"", `sum(rate(http_requests_total{app="web"}[1m]))`, profiles.RPS, "1m"},
		{"", `sum( irate( istio_requests_total [30s] ) )`, profiles.RPS, "30s"},
		{"", `sum(rate(http_request_duration_seconds_count[5m]))`, profiles.RPS, "5m"},
		{"", `sum(rate(nginx_ingress_controller_requests[2m]))`, profiles.RPS, "2m"},
		{"", `sum(rate(http_request_duration_seconds_sum[5m]))`, profiles.Custom, "5m"}, // seconds, not requests
		{"", `sum(increase(http_requests_total[1m]))`, profiles.Custom, "1m"},           // a minute, not a second
		{"", `avg(rate(http_requests_total[1m]))`, profiles.Custom, "1m"},               // one of many
		{"", `sum(rate(http_requests_total[1m])) * 60`, profiles.Custom, "1m"},
		{"rps", `sum(app:requests:rate)`, profiles.RPS, "15s"},
		{"in_flight_2", `sum(inflight)`, profiles.InFlight, "15s"},
		{"queue", `sum(waiting)`, profiles.Queue, "15s"},
		{"rpsish", `sum(waiting)`, profiles.Custom, "15s"},
		{"", `sum(rate(http_requests_total[1h]))`, profiles.RPS, "10m"}, // no longer
	} {
		t.Run(c.name+c.query, func(t *testing.T) {
			threshold := profiles.Milli(10_000)
			trigger := kedaTrigger{Type: "prometheus", Name: c.name, Metadata: kedaMetadata{Query: c.query, Threshold: &threshold}}
			m, _, ok := trigger.metric(profiles.Duration(15 * time.Second))
			if !ok || m.Kind != c.kind || m.Window.String() != c.window || !m.PerReplica() {
				t.Errorf("metric = %+v, %v, want %s over %s", m, ok, c.kind, c.window)
			}
		})
	}
}

// A change touches what it is about and nothing else.
func TestKEDAEditsInPlace(t *testing.T) {
	for _, c := range []struct {
		name string
		pl   Platform
		file string
		edit func(*profiles.Policy)
		want string
	}{
		{"target", keda, "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 12_500 }, "-threshold: \"10\"\n+threshold: \"12.5\""},
		{"window", keda, "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Window = profiles.Duration(90 * time.Second) },
			"-query: sum(rate(http_requests_total{app=\"web\"}[1m]))   # TOTAL rps\n+query: \"sum(rate(http_requests_total{app=\\\"web\\\"}[1m30s]))\"   # TOTAL rps"},
		{"hours", keda, "everything.yaml", func(p *profiles.Policy) { p.Schedules[0].Min, p.Schedules[0].End = 10, "0 22 * * 1-5" },
			"-end: 0 21 * * 1-5\n-desiredReplicas: \"8\"\n+end: \"0 22 * * 1-5\"\n+desiredReplicas: \"10\""},
		{"no hours", keda, "everything.yaml", func(p *profiles.Policy) { p.Schedules = nil },
			"-timezone: Europe/Berlin\n-start: 0 9 * * 1-5\n-end: 0 21 * * 1-5\n-desiredReplicas: \"8\"\n-- type: cron\n-metadata:"},
		{"a metric among others", keda, "everything.yaml", func(p *profiles.Policy) { p.Metrics[2].Target = 640_000 }, "-value: 512Mi\n+value: \"640Mi\""},
		{"cpu", keda, "everything.yaml", func(p *profiles.Policy) { p.Metrics[1].Target = 75_000 }, "-value: \"70\"\n+value: \"75\""},
		{"a custom query", keda, "everything.yaml", func(p *profiles.Policy) { p.Metrics[4].Query = "max(gpu)" }, "-query: avg(gpu_cache_usage_perc)\n+query: \"max(gpu)\""},
		{"no zero", keda, "everything.yaml", func(p *profiles.Policy) { p.Replicas.Idle, p.ToZero = nil, nil }, "-idleReplicaCount: 0"},
		{"after", keda, "everything.yaml", func(p *profiles.Policy) { p.ToZero.After = profiles.DefaultToZero }, "-cooldownPeriod: 600\n+cooldownPeriod: 300"},
		{"fallback", keda, "everything.yaml", func(p *profiles.Policy) { p.OnMetricError = 9 }, "-replicas: 6\n+replicas: 9"},
		{"no fallback", keda, "everything.yaml", func(p *profiles.Policy) { p.OnMetricError = profiles.Hold }, "-fallback:\n-failureThreshold: 5\n-replicas: 6"},
		{"another fallback", keda, "paused.yaml", func(p *profiles.Policy) { p.OnMetricError = 7 },
			"-fallback: {failureThreshold: 3, replicas: 6, behavior: currentReplicasIfHigher}\n+fallback: {failureThreshold: 3, replicas: 7}"},
		{"down", keda, "everything.yaml", func(p *profiles.Policy) { p.Down.Step = 2 },
			"+policies:\n+- type: Pods\n+value: 2\n+periodSeconds: 15"},
		{"only hours, more of them", keda, "cron-only.yaml", func(p *profiles.Policy) { p.Schedules[0].Min = 15 },
			"-maxReplicaCount: 10\n-metadata: {timezone: Asia/Kolkata, start: 0 8 * * *, end: 0 20 * * *, desiredReplicas: \"5\"}\n" +
				"+maxReplicaCount: 15\n+metadata: {timezone: Asia/Kolkata, start: 0 8 * * *, end: 0 20 * * *, desiredReplicas: \"15\"}"},
		{"fewer metrics", keda, "paused.yaml", func(p *profiles.Policy) { p.Metrics = p.Metrics[:1] },
			"-- type: prometheus\n-name: lag\n-metadata: {serverAddress: \"http://prometheus:9090\", query: \"sum(app:lag)\", threshold: \"10\"}"},

		{"rate", kedaHTTP, "example.yaml", func(p *profiles.Policy) { p.Metrics[0].Target, p.Replicas.Max = 12_000, 30 },
			"-scalingMetric: {requestRate: {targetValue: 10, window: 1m, granularity: 1s}}\n-maxReplicaCount: 20\n+scalingMetric: {requestRate: {targetValue: 12, window: 1m, granularity: 1s}}\n+maxReplicaCount: 30"},
		{"one of both", kedaHTTP, "both.yaml", func(p *profiles.Policy) { p.Metrics[1].Target = 6000 }, "-targetValue: 4   # one GPU\n+targetValue: 6   # one GPU"},
		{"the window of both", kedaHTTP, "both.yaml", func(p *profiles.Policy) { p.Metrics[2].Window = profiles.Duration(2 * time.Minute) }, "+window: \"2m\""},
		{"without one of both", kedaHTTP, "both.yaml", func(p *profiles.Policy) { p.Metrics = p.Metrics[:2] }, "-targetValue: 4   # one GPU\n-requestRate:\n-targetValue: 25\n+targetValue: 4"},
		{"old rate", kedaHTTP, "old.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 25_000 }, "-targetValue: 20\n+targetValue: 25"},
		{"old to in flight", kedaHTTP, "old.yaml", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.InFlight, Target: 5000, Window: profiles.Duration(30 * time.Second)}
		}, "-requestRate:\n-granularity: 1s\n-targetValue: 20\n-window: 2m\n+concurrency:\n+targetValue: 5"},
		{"old pending", kedaHTTP, "old-pending.yaml", func(p *profiles.Policy) { p.Metrics[0].Target = 40_000 },
			"-targetPendingRequests: 30   # deprecated\n+targetPendingRequests: 40   # deprecated"},
		{"old pending to a rate", kedaHTTP, "old-pending.yaml", func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.RPS, Target: 5000, Window: profiles.Duration(time.Minute)}
		}, "-targetPendingRequests: 30   # deprecated\n+scalingMetric:\n+requestRate:\n+targetValue: 5\n+window: \"1m\""},
		{"old defaults", kedaHTTP, "old-defaults.yaml", func(p *profiles.Policy) {
			p.Metrics[0].Target, p.Replicas.Max, p.ToZero.After = 40_000, 9, profiles.Duration(time.Minute)
		},
			"+replicas:\n+max: 9\n+scaledownPeriod: 60\n+scalingMetric:\n+concurrency:\n+targetValue: 40"},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc, got := changedLines(t, c.pl, c.file, c.edit)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if len(doc.Losses) != 0 {
				t.Errorf("losses %v, want none", doc.Losses)
			}
		})
	}
}

// The interval is that of waking up; the HPA keeps its own.
func TestKEDAInterval(t *testing.T) {
	doc, lines := changedLines(t, keda, "example.yaml", func(p *profiles.Policy) { p.Interval = profiles.Duration(20 * time.Second) })
	if want := "-pollingInterval: 15\n+pollingInterval: 20"; lines != want {
		t.Errorf("changed %q, want %q", lines, want)
	}
	want := "interval 20s becomes 15s: pollingInterval is for waking up; between 1 and max the HPA that KEDA makes looks every 15s by default"
	if len(doc.Losses) != 1 || doc.Losses[0].String() != want || doc.Losses[0].Severe {
		t.Errorf("losses %v, want %q", doc.Losses, want)
	}
}

// A route counts requests, so that it cannot have hours alone.
func TestKEDAHTTPRefusesHoursAlone(t *testing.T) {
	p := profiles.FixedPolicy(5)
	p.Schedules = []profiles.Schedule{{Start: "0 9 * * *", End: "0 17 * * *", Min: 8}}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	const want = "keda-http: metrics: got none of rps or in_flight, want one: the add-on counts requests"
	if _, err := kedaHTTP.Export(p, Options{}); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("Export = %v, want %q", err, want)
	}
}

// Options change the query and the server of a document that is there.
func TestKEDATakesOptionsOverADocument(t *testing.T) {
	p, text := importFile(t, keda, "example.yaml")
	doc, err := keda.Export(p, Options{Prometheus: "http://prom:9090", Query: "sum(rate(shop_requests_total[1m]))"})
	if err != nil {
		t.Fatal(err)
	}
	want := "-serverAddress: http://prometheus.monitoring:9090\n-query: sum(rate(http_requests_total{app=\"web\"}[1m]))   # TOTAL rps\n" +
		"+serverAddress: \"http://prom:9090\"\n+query: \"sum(rate(shop_requests_total[1m]))\"   # TOTAL rps"
	if diff := cmp.Diff(want, lineDiff(text, string(doc.Text))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What KEDA cannot say is refused with what it can.
func TestKEDARefuses(t *testing.T) {
	toZero := &profiles.ToZero{After: profiles.DefaultToZero}
	day := profiles.Schedule{Start: "0 9 * * *", End: "0 17 * * *"}
	two := 2
	for _, c := range []struct {
		name string
		pl   Platform
		edit func(*profiles.Policy)
		want string
	}{
		{"an idle size", keda, func(p *profiles.Policy) { p.Replicas.Idle, p.ToZero = &two, toZero }, "replicas.idle: got 2, want 0 or none"},
		{"a ceiling", keda, func(p *profiles.Policy) { day.Max = 8; p.Schedules = []profiles.Schedule{day} }, "schedules[0]: got a max and no min"},
		{"a lower floor", keda, func(p *profiles.Policy) { day.Min, day.Max = 3, 0; p.Schedules = []profiles.Schedule{day} }, "schedules[0].min: got 3, want replicas.min (5) or more"},
		{"a floor above max", keda, func(p *profiles.Policy) { day.Min, day.Max = 30, 0; p.Schedules = []profiles.Schedule{day} }, "schedules[0].min: got 30, want replicas.max (20) or less"},
		{"half a second", keda, func(p *profiles.Policy) { p.Interval = profiles.Duration(1500 * time.Millisecond) }, "interval: got 1.5s, want whole seconds"},
		{"a window too fine", keda, func(p *profiles.Policy) { p.Metrics[0].Window = profiles.Duration(60_000_500_000) }, "metrics[0].window: got 1m0.0005s, want whole milliseconds"},
		{"no query", keda, func(p *profiles.Policy) {
			p.Metrics[0] = profiles.Metric{Kind: profiles.Custom, Name: "tokens", Target: 1000, Window: p.Interval}
		}, "metrics[0].query: got none, want the PromQL that yields tokens"},
		{"two rates", kedaHTTP, func(p *profiles.Policy) { p.Metrics = append(p.Metrics, p.Metrics[0]) }, "metrics[1].kind: got a second rps, want one"},
		{"a rate of the fleet", kedaHTTP, func(p *profiles.Policy) { p.Metrics[0].Scope = profiles.WholeFleet }, "metrics[0].scope: got fleet, want replica"},
		{"nothing counted", kedaHTTP, func(p *profiles.Policy) { p.Metrics[0].Kind = profiles.CPU }, "metrics: got none of rps or in_flight"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.pl.Export(running(c.edit), Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Export = %v, want %q", err, c.want)
			}
		})
	}
	t.Run("a higher minimum than the hours'", func(t *testing.T) {
		p, _ := importFile(t, keda, "everything.yaml")
		p.Replicas.Min = 10
		if _, err := keda.Export(p, Options{}); err == nil || !strings.Contains(err.Error(), "schedules[0].min: got 8, want replicas.min (10) or more") {
			t.Errorf("Export = %v, want a refusal", err)
		}
	})
	t.Run("two metrics in an HTTPScaledObject", func(t *testing.T) {
		p, _ := importFile(t, kedaHTTP, "old.yaml")
		p.Metrics = append(p.Metrics, profiles.Metric{Kind: profiles.InFlight, Target: 5000, Window: p.Interval})
		if _, err := kedaHTTP.Export(p, Options{}); err == nil || !strings.Contains(err.Error(), "metrics: got rps and in_flight, want one of them") {
			t.Errorf("Export = %v, want a refusal", err)
		}
	})
}

// What a policy has beyond the defaults comes back from the document.
func TestKEDASaysMore(t *testing.T) {
	minute := profiles.Duration(time.Minute)
	p := running(func(p *profiles.Policy) {
		p.Interval, p.Metrics[0].Window = hpaSync, minute
		zero := 0
		p.Replicas.Idle, p.ToZero = &zero, &profiles.ToZero{After: profiles.Duration(10 * time.Minute)}
		p.OnMetricError = 7
		p.Metrics = append(p.Metrics,
			profiles.Metric{Kind: profiles.Queue, Target: 3000, Scope: profiles.PerReplica, Window: minute},
			profiles.Metric{Kind: profiles.Custom, Name: "tokens", Query: "avg(cache)", Target: 800, Scope: profiles.WholeFleet, Window: p.Interval},
			profiles.Metric{Kind: profiles.RPS, Target: 50_500, Window: profiles.Duration(61500 * time.Millisecond)},
			profiles.Metric{Kind: profiles.Latency, Target: 300_000, Window: minute},
			profiles.Metric{Kind: profiles.Memory, Target: 512_500, Window: p.Interval},
			profiles.Metric{Kind: profiles.CPU, Unit: "cores", Target: 1500, Window: p.Interval})
		p.Schedules = []profiles.Schedule{{Start: "0 9 * * *", End: "0 17 * * *", Min: 8, Max: 12}}
	})
	doc, err := keda.Export(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := "schedules[0] 0 9 * * * to 0 17 * * * UTC, min 8, max 12 becomes 0 9 * * * to 0 17 * * * UTC, min 8: a cron trigger is a floor, with no ceiling"
	if len(doc.Losses) != 1 || doc.Losses[0].String() != want || !doc.Losses[0].Severe {
		t.Errorf("losses %v, want %q", doc.Losses, want)
	}
	for _, want := range []string{"name: rps_2", `value: "512.5Mi"`, `value: "1500m"`, "[61500ms]", "failureThreshold: 3", "idleReplicaCount: 0", "cooldownPeriod: 600"} {
		if !strings.Contains(string(doc.Text), want) {
			t.Errorf("got no %s in\n%s", want, doc.Text)
		}
	}
	if doc, err = kedaHTTP.Export(p, Options{}); err == nil || !strings.Contains(err.Error(), "metrics[3].kind: got a second rps") {
		t.Errorf("keda-http: Export = %v, %v", doc, err)
	}
}

// A route has its metrics side by side, which is no loss, nor does it mix up
// what is.
func TestKEDAHTTPMovesMetrics(t *testing.T) {
	p := running(func(p *profiles.Policy) {
		p.Interval = hpaSync
		p.Metrics = append(p.Metrics,
			profiles.Metric{Kind: profiles.CPU, Target: 70_000, Window: p.Interval},
			profiles.Metric{Kind: profiles.InFlight, Target: 2500, Window: p.Interval})
	})
	doc, err := kedaHTTP.Export(p, Options{Round: true})
	if err != nil {
		t.Fatal(err)
	}
	want := "metrics[1].target 2.5 requests per replica becomes 2 requests per replica: the platform has only whole numbers; rounded down, it starts replicas a little earlier"
	if len(doc.Losses) != 1 || doc.Losses[0].String() != want {
		t.Errorf("losses %v, want %q", doc.Losses, want)
	}
	if _, err := kedaHTTP.Export(p, Options{}); err == nil || !strings.Contains(err.Error(), "metrics[2].target: got 2.5") {
		t.Errorf("Export = %v, want the metric by its place in the policy", err)
	}
}
