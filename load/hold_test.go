package load

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/probe"
	"headroom/profiles"
)

// outcomes is a target that ends every request after 1 ms as told for its
// time.
type outcomes struct {
	start time.Time
	of    func(at time.Duration) (Failure, int16)
}

func (c *outcomes) Do(s *Sample, _ *Message) error {
	s.Sent = time.Since(c.start)
	sleep(time.Millisecond)
	s.Done, s.Replica = time.Since(c.start), probe.Unknown
	if s.Failure, s.Status = c.of(s.Sent); s.Failure != None {
		return errors.New("told so")
	}
	return nil
}

func (c *outcomes) Close() {}

func ending(of func(time.Duration) (Failure, int16)) Options {
	return Options{Keep: 1 << 20, NewConn: func(_ context.Context, start time.Time) Conn { return &outcomes{start, of} }}
}

func always(f Failure, status int16) Options {
	return ending(func(time.Duration) (Failure, int16) { return f, status })
}

// Users of the closed model hold back where nothing listens. Arrivals come as
// they come, and answers that are failures are answers.
func TestUsersHoldBackFromAServiceOutOfReach(t *testing.T) {
	for _, f := range []Failure{Dial, DNS, TLS, Local} {
		r := run(t, closedPlan(4, 1000, 10*time.Second), always(f, 0), nil)
		// each after 0, 0.1, 0.3, 0.7 and 1.5 s, and every 0.5 to 1 s from then on
		if n := r.Total.Count; n < 4*13 || n > 4*25 {
			t.Errorf("%s: 4 users tried %d times in 10 s, want 52 to 100", f, n)
		}
	}
	for _, c := range []struct {
		name    string
		plan    profiles.Plan
		options Options
		want    float64
	}{
		{"arrivals", openPlan(50, profiles.Even, 4*time.Second), always(Dial, 0), 200},
		{"errors", closedPlan(1, 1000, 4*time.Second), always(Status, 503), 4000},
		{"resets", closedPlan(1, 1000, 4*time.Second), always(Reset, 0), 4000},
	} {
		r := run(t, c.plan, c.options, nil)
		within(t, c.name, float64(r.Total.Count), c.want, 10)
	}
}

// Users whose login is refused hold back too, also where its second request is.
func TestUsersHoldBackFromAFailedStart(t *testing.T) {
	plan := closedPlan(1, 1000, 10*time.Second)
	plan.Scenario = scenario(t, "on_start: [{name: page, get: /}, {name: login, post: /}]\ntasks: [{get: /x}]\nwait: 1ms\n")
	turn := 0
	o := ending(func(time.Duration) (Failure, int16) {
		if turn++; turn%2 == 1 {
			return None, 200
		}
		return Status, 404
	})
	r := run(t, plan, o, nil)
	if n := r.Requests[1].Count; n < 13 || n > 25 || r.Requests[2].Count != 0 {
		t.Errorf("a user tried to log in %d times in 10 s, want 13 to 25; and sent %d tasks, want none", n, r.Requests[2].Count)
	}
}

func TestHoldingBackEndsWithAnAnswer(t *testing.T) {
	o := ending(func(at time.Duration) (Failure, int16) {
		if at < 5*time.Second || at > 6*time.Second && at < 6010*time.Millisecond {
			return Dial, 0
		}
		return Status, 500
	})
	r := run(t, closedPlan(1, 1000, 7*time.Second), o, nil)
	var back, again time.Duration // the first answers after the two failures to reach it
	for _, s := range r.Samples {
		if s.Status != 0 && back == 0 {
			back = s.Sent
		}
		if s.Status != 0 && s.Sent > 6010*time.Millisecond && again == 0 {
			again = s.Sent
		}
	}
	if back < 5*time.Second || back > 6*time.Second {
		t.Errorf("it was reached again after %v, want within a second", back)
	}
	if again == 0 || again > 6150*time.Millisecond {
		t.Errorf("after a short failure it was reached after %v, want a first wait again", again)
	}
}

func TestAnswersAreCountedByStatus(t *testing.T) {
	o := ending(func(at time.Duration) (Failure, int16) {
		switch {
		case at < time.Second:
			return Status, 503
		case at < 2*time.Second:
			return None, 301
		}
		return None, 200
	})
	r := run(t, openPlan(10, profiles.Even, 2950*time.Millisecond), o, nil)
	if diff := cmp.Diff([]StatusCount{{200, 10}, {301, 10}, {503, 10}}, r.Statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}
