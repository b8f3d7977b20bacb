package advisor

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"headroom/load"
	"headroom/probe"
)

func TestNewcomer(t *testing.T) {
	// answers are of so many requests a second for 10 s, by replica 0, and by replica 1 from then on.
	answers := func(perSecond int, from time.Duration) (out []load.Sample) {
		for i := range 10 * perSecond {
			at := time.Duration(i) * time.Second / time.Duration(perSecond)
			sample := load.Sample{Done: at, Status: 200}
			if at >= from && i%2 == 1 {
				sample.Replica = 1
			}
			out = append(out, sample)
		}
		return out
	}
	for _, c := range []struct {
		name      string
		perSecond int
		from      time.Duration
		want      bool
	}{
		{"there from the beginning", 50, 0, false},
		{"it came in the first half", 50, 4 * time.Second, false},
		{"it came in the second half", 50, 8 * time.Second, true},
		{"too few answers to have seen it", 3, 8 * time.Second, false},
		{"it never came", 50, time.Minute, false},
	} {
		s := &Session{}
		if got := s.newcomer(answers(c.perSecond, c.from), 10*time.Second); got != c.want {
			t.Errorf("%s: newcomer = %v, want %v", c.name, got, c.want)
		}
		if s.newcomer(answers(c.perSecond, c.from), 10*time.Second) {
			t.Errorf("%s: it is new in a second step too", c.name)
		}
	}
}

func TestAnswered(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  int
	}{{nil, 0}, {[]string{"a", "b"}, 2}, {[]string{"a", "b", probe.Others}, 0}} {
		var replicas []load.Replica
		for _, n := range c.names {
			replicas = append(replicas, load.Replica{Name: n})
		}
		if got := answered(replicas); got != c.want {
			t.Errorf("answered(%v) = %d, want %d", c.names, got, c.want)
		}
	}
}

// A fleet that shrinks is one that grows, seen from the other end.
func TestLeaver(t *testing.T) {
	for _, c := range []struct {
		name      string
		perSecond int
		until     time.Duration // of replica 1
		share     int           // one in so many answers is of replica 1
		want      bool
	}{
		{"there to the end", 50, 10 * time.Second, 2, false},
		{"it went in the first half", 50, 4 * time.Second, 2, true},
		{"it went in the second half", 50, 8 * time.Second, 2, false},
		{"too few answers to tell", 5, 4 * time.Second, 2, false},
		{"one that a balancer which packs needed for a while", 50, 2 * time.Second, 5, false},
	} {
		var samples []load.Sample
		for i := range 10 * c.perSecond {
			sample := load.Sample{Done: time.Duration(i) * time.Second / time.Duration(c.perSecond), Status: 200}
			if sample.Done < c.until && i%c.share == 1 {
				sample.Replica = 1
			}
			samples = append(samples, sample)
		}
		if got := leaver(samples, 10*time.Second); got != c.want {
			t.Errorf("%s: leaver = %v, want %v", c.name, got, c.want)
		}
	}
}

// Once the fleet has changed in a step, it is repeated in half the time, and
// those after it last no longer either, where fewer requests say enough.
func TestStepsAreShortAgainstAReaction(t *testing.T) {
	r := &reacting{simulated: simulated{service: 10 * time.Millisecond, servers: 1, slo: mustSLO(t, "p95<100ms")}, at: 3}
	if _, err := Search(t.Context(), r, SearchOptions{SLO: r.slo, Budget: 4 * time.Minute, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	first, again := r.trials[r.at], r.trials[r.at+1]
	if again.Users != first.Users || again.Length != max(minStep, first.Length/2) {
		t.Errorf("after %+v came %+v, want it again in half the time", first, again)
	}
	for _, trial := range r.trials[r.at+1:] {
		if trial.Users > 1 && trial.Length > again.Length {
			t.Errorf("%+v, want %v or less", trial, again.Length)
		}
	}
}

// reacting is a service whose fleet changes during one of the trials.
type reacting struct {
	simulated
	at int // number of the trial
}

func (r *reacting) Run(ctx context.Context, t Trial) (Observation, error) {
	o, err := r.simulated.Run(ctx, t)
	if o.Replicas = 0; len(r.trials) == r.at+1 {
		o.Replicas = Changing
	}
	return o, err
}

// A fleet that has grown between two steps is measured anew: what one replica
// holds is not taken for what each of two does.
func TestGrownFleetIsMeasuredAnew(t *testing.T) {
	for _, c := range []struct {
		name    string
		budget  time.Duration
		at      int // number of the trial from which on there are two replicas
		refusal string
	}{
		{"it grows", 5 * time.Minute, 5, ""},
		{"it grows when little time is left", 12 * time.Second, 4, "R5"},
		{"it grows while the ladder is climbed", 5 * time.Minute, 2, ""},
		{"it stays", 5 * time.Minute, 1000, ""},
	} {
		r := &twice{simulated: simulated{service: 20 * time.Millisecond, servers: 1, slo: mustSLO(t, "p95<100ms")}, at: c.at}
		got, err := Search(t.Context(), r, SearchOptions{SLO: r.slo, Budget: c.budget, Seed: 1})
		switch {
		case err != nil:
			t.Fatal(err)
		case c.refusal != "":
			if got.Refusal == nil || got.Refusal.Code != c.refusal || !strings.Contains(got.Refusal.Why, "the fleet grew from 1 to 2 replicas") {
				t.Errorf("%s: refusal %v, want %s", c.name, got.Refusal, c.refusal)
			}
			continue
		case got.Refusal != nil:
			t.Fatalf("%s: refused: %v", c.name, got.Refusal)
		}
		want := 34.62 // M/D/1
		if r.servers == 2 {
			want = 83.2 // M/D/2
		}
		grew := c.at == 5
		if math.Abs(got.SLO.Value/want-1) > 0.15 || (got.Grown != "") != grew || grew && got.Grade < GradeC || strings.Contains(got.GradeWhy, "the fleet grew") != grew {
			t.Errorf("%s: %v at grade %s (%s), grown %q; want about %.1f/s", c.name, got.SLO, got.Grade, got.GradeWhy, got.Grown, want)
		}
		for i, o := range got.Steps {
			if old := grew && i <= c.at && o.Trial.Users != 1; o.Spoiled != old {
				t.Errorf("%s: step %d (%s) spoiled %v (%s), want %v", c.name, i, o.Trial.Name, o.Spoiled, o.Why, old)
			}
		}
	}
}

// twice is a foreign fleet of one replica, and of two from a trial on.
type twice struct {
	simulated
	at int // number of the trial
}

func (r *twice) Run(ctx context.Context, t Trial) (Observation, error) {
	if len(r.trials) == r.at {
		r.servers = 2
	}
	o, err := r.simulated.Run(ctx, t)
	o.Replicas, o.Answered = 0, r.servers
	return o, err
}

// A number of replicas that was said is believed, and doubted where fewer name
// themselves in so many answers.
func TestUnheardReplicas(t *testing.T) {
	for _, c := range []struct {
		name   string
		said   int
		steps  []Observation
		flawed string
	}{
		{"all answered", 3, []Observation{{Requests: 500, Answered: 3}}, ""},
		{"more answered", 2, []Observation{{Requests: 500, Answered: 3}}, ""},
		{"none names itself", 3, []Observation{{Requests: 500}}, ""},
		{"too few answers to have heard all", 3, []Observation{{Requests: 59, Answered: 2}}, ""},
		{"fewer answered", 3, []Observation{{Requests: 50, Answered: 1}, {Requests: 500, Failed: 100, Answered: 2}}, "3 replicas were said, and 2 named themselves in 450 answers: if there are no more, each holds 1.5 times as much"},
	} {
		got := ""
		for _, f := range unheard(c.said, c.steps) {
			got += f.why
		}
		if got != c.flawed {
			t.Errorf("%s: %q, want %q", c.name, got, c.flawed)
		}
	}
}
