package platform

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

// policy is the running example, 5..20 at 10 requests/s, changed by edit.
func policy(edit func(*profiles.Policy)) profiles.Policy {
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: 5, Max: 20}
	p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: 10_000, Window: p.Interval}}
	if edit != nil {
		edit(&p)
	}
	return p
}

func TestExportJCloud(t *testing.T) {
	for _, c := range []struct {
		name   string
		edit   func(*profiles.Policy)
		round  bool
		want   string   // the document
		losses []string // fields
		err    string   // part of the refusal
	}{
		{name: "the running example",
			want: "# jcloud.yml\ninstance: C3\nautoscale:\n  min: 5\n  max: 20\n  metric: rps\n  target: 10\n"},
		{name: "fixed", edit: func(p *profiles.Policy) { *p = profiles.FixedPolicy(3) },
			want: "# jcloud.yml\ninstance: C3\nautoscale:\n  min: 3\n  max: 3\n"},
		{name: "timing is lost", edit: func(p *profiles.Policy) {
			p.Interval, p.Tolerance = profiles.Duration(time.Second), 50
			p.Up.Step, p.Down.Step = 2, 1
			p.Replicas.Initial = 6
		},
			want:   "# jcloud.yml\ninstance: C3\nautoscale:\n  min: 5\n  max: 20\n  metric: rps\n  target: 10\n",
			losses: []string{"interval", "metrics[0].window", "tolerance", "up", "down", "replicas.initial"}},
		{name: "schedules are lost", edit: func(p *profiles.Policy) {
			p.Schedules = []profiles.Schedule{{Start: "0 9 * * 1-5", End: "0 21 * * 1-5", Min: 8}}
		},
			want:   "# jcloud.yml\ninstance: C3\nautoscale:\n  min: 5\n  max: 20\n  metric: rps\n  target: 10\n",
			losses: []string{"schedules"}},
		{name: "a fraction", edit: func(p *profiles.Policy) { p.Metrics[0].Target = 10_500 }, err: "got 10.5, want a whole number: 10 is the nearest"},
		{name: "a fraction, rounded", edit: func(p *profiles.Policy) { p.Metrics[0].Target = 10_500 }, round: true,
			want:   "# jcloud.yml\ninstance: C3\nautoscale:\n  min: 5\n  max: 20\n  metric: rps\n  target: 10\n",
			losses: []string{"metrics[0].target"}},
		{name: "less than 1", edit: func(p *profiles.Policy) { p.Metrics[0].Target = 400 }, round: true, err: "got 0.4, want 1 or more"},
		{name: "in flight", edit: func(p *profiles.Policy) { p.Metrics[0].Kind = profiles.InFlight }, err: "without calibration.latency"},
		{name: "in flight, calibrated", edit: func(p *profiles.Policy) {
			p.Metrics[0].Kind, p.Metrics[0].Target = profiles.InFlight, 2000
			p.Calibration = &profiles.Calibration{Latency: profiles.Duration(200 * time.Millisecond)}
		}, err: "2 in flight is 10 requests/s"},
		{name: "two metrics", edit: func(p *profiles.Policy) { p.Metrics = append(p.Metrics, p.Metrics[0]) }, err: "got 2, want one"},
		{name: "unlimited", edit: func(p *profiles.Policy) { p.Replicas.Max = profiles.Unlimited }, err: "got unlimited"},
		{name: "invalid", edit: func(p *profiles.Policy) { p.Replicas.Min = 0 }, err: "replicas.min: got 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			jcloud, err := Find("jcloud")
			if err != nil {
				t.Fatal(err)
			}
			doc, err := jcloud.Export(policy(c.edit), Options{Round: c.round})
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("Export = %v, want an error with %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var fields []string
			for _, l := range doc.Losses {
				fields = append(fields, l.Field)
			}
			if diff := cmp.Diff(c.want, string(doc.Text)); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.losses, fields); diff != "" {
				t.Errorf("losses (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExportPolicyReadsBack(t *testing.T) {
	own, err := Find("policy")
	if err != nil {
		t.Fatal(err)
	}
	p := policy(nil)
	doc, err := own.Export(p, Options{})
	if err != nil || len(doc.Losses) != 0 {
		t.Fatalf("Export = %v, losses %v; want none", err, doc.Losses)
	}
	back, err := profiles.ParsePolicy(doc.Text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p, back); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestFindNamesWhatThereIs(t *testing.T) {
	if _, err := Find("heroku"); err == nil || !strings.Contains(err.Error(), `got "heroku", want one of jcloud, policy`) {
		t.Errorf("Find(heroku) = %v, want an error that lists the platforms", err)
	}
}
