package platform

import (
	"strings"
	"testing"

	"headroom/profiles"
)

// A key that a platform does not know is said wherever it stands, with the one
// that is meant.
func TestUnknownKeysAreTold(t *testing.T) {
	const ignored = ": unknown to the platform, and ignored by it"
	insert := func(pl Platform, file, before, line string) string {
		text := string(importedFile(t, pl, file))
		if !strings.Contains(text, before) {
			t.Fatalf("%s of %s has no %q", file, pl.Name, before)
		}
		return strings.Replace(text, before, line+before, 1)
	}
	for _, v := range []struct {
		pl    Platform
		text  string
		field string
		meant string
	}{
		{knative, string(knativeWith("        autoscaling.knative.dev/min-scales: '3'\n")), "autoscaling.knative.dev/min-scales", "min-scale"},
		{knative, string(knativeWith("        autoscaling.knative.dev/colour: red\n")), "autoscaling.knative.dev/colour", ""},
		{kserve, insert(kserve, "model.yaml", "model:\n", "maxReplica: 3\n    "), "predictor.maxReplica", "maxReplicas"},
		{rayServe, rayConfig("max_replica: 5"), "autoscaling_config.max_replica", "max_replicas"},
		{cortex, "- name: a\n  kind: RealtimeAPI\n  autoscaling:\n    min_replica: 2\n", "autoscaling.min_replica", "min_replicas"},
		{everai, insert(everai, "manifest.yaml", "min_workers: '5'", "minworkers: '1', "), "arguments.minworkers", "min_workers"},
		{everai, "name: a\ndata: {min_free_workers: '1', max_worker: '9', colour: red}\n", "data.max_worker", "max_workers"},
		{nomad, "scaling \"a\" {\n  max = 1\n  mim = 2\n}\n", "scaling.mim", "min"},
		{nomad, "scaling \"a\" {\n  max = 1\n  policy {\n    cool_down = \"1m\"\n  }\n}\n", "scaling.policy.cool_down", "cooldown"},
		{fly, "[http_service]\n[http_service.concurrency]\nsoftlimit = 5\n", "concurrency.softlimit", "soft_limit"},
	} {
		t.Run(v.pl.Name+" "+v.field, func(t *testing.T) {
			want := ignored
			if v.meant != "" {
				want += ": " + v.meant + " may be meant"
			}
			_, losses, err := v.pl.Import([]byte(v.text))
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, l := range losses {
				if strings.Contains(l.Reason, "unknown to the platform") {
					found++
					if l.Field != v.field || ": "+l.Reason != want || !l.Severe {
						t.Errorf("got %+v, want %s%s", l, v.field, want)
					}
				}
			}
			if found != 1 {
				t.Errorf("got %v, want one unknown key", losses)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	known := []string{"min_replicas", "max_replicas", "polling_interval", "metrics"}
	for name, want := range map[string]string{
		"min": "min_replicas", "max": "max_replicas", "maxReplicas": "max_replicas", "max_replica": "max_replicas",
		"metric": "metrics", "colour": "", "": "", "replicas": "",
	} {
		if got := nearest(name, known); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

// A refusal of a converted target says what the policy has.
func TestConvertedTargetsAreTraced(t *testing.T) {
	p := running(func(p *profiles.Policy) {
		p.Metrics[0].Target = 7500
		p.Calibration = &profiles.Calibration{Latency: profiles.Duration(130e6)}
	})
	const want = "metrics[0].target: got 7.5 rps, which is 0.975 in_flight at the calibrated latency of 130ms, want 1 or more: the platform has only whole numbers"
	if _, err := fly.Export(p, Options{}); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Export = %v, want %s", err, want)
	}
}

func TestKnativeSaysWhatItActsAt(t *testing.T) {
	_, losses, err := knative.Import(knativeWith("        autoscaling.knative.dev/metric: rps\n        autoscaling.knative.dev/target: '10'\n"))
	want := Loss{Field: "metrics[0].target", From: "10", To: "7", Reason: "Knative acts at 70 % of a target: 10 is 7"}
	if err != nil || len(losses) != 1 || losses[0] != want {
		t.Errorf("Import = %v, %v, want %v", losses, err, want)
	}
}

// Hours need a manifest, as a ConfigMap has none.
func TestEverAIHoursMakeAManifest(t *testing.T) {
	doc, err := everai.Export(running(func(p *profiles.Policy) {
		p.Metrics[0].Kind, p.Metrics[0].Target = profiles.FreeWorkers, 1000
		p.Schedules = []profiles.Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: "Europe/Berlin", Min: 8}}
	}), Options{Name: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"kind: App", "name: shop", "time-match", "timezone: Europe/Berlin"} {
		if !strings.Contains(string(doc.Text), want) {
			t.Errorf("want %q in\n%s", want, doc.Text)
		}
	}
	for _, l := range doc.Losses {
		if strings.HasPrefix(l.Field, "schedules") {
			t.Errorf("got the loss %v, want none of the hours", l)
		}
	}
	if len(doc.Notes) == 0 || !strings.Contains(doc.Notes[0], "a ConfigMap holds no decorators") {
		t.Errorf("notes %q, want why it is a manifest", doc.Notes)
	}
}

func TestNomadRefusesOnce(t *testing.T) {
	hours := profiles.Schedule{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Timezone: "Europe/Berlin", Min: 2}
	for _, v := range []struct {
		name string
		p    profiles.Policy
		want string
	}{
		{"hours of a fixed size", func() profiles.Policy {
			p := profiles.FixedPolicy(3)
			p.Schedules = []profiles.Schedule{hours}
			return p
		}(),
			"nomad: schedules[0].timezone: got Europe/Berlin, want UTC: Nomad knows no other"},
		{"custom without a query", running(func(p *profiles.Policy) {
			p.Metrics[0].Kind, p.Metrics[0].Name = profiles.Custom, "jobs"
		}), "nomad: metrics[0].query: got none, want one that yields the metric"},
	} {
		if _, err := nomad.Export(v.p, Options{}); err == nil || err.Error() != v.want {
			t.Errorf("%s: Export = %v, want %s", v.name, err, v.want)
		}
	}
}
