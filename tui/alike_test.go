package tui

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/muesli/termenv"
	"pgregory.net/rapid"

	"headroom/advisor"
	"headroom/load"
	"headroom/probe"
)

func TestAlike(t *testing.T) {
	idle, swarming := ended(steadyState()), steadyState()
	for _, test := range []struct {
		name  string
		state advisor.State
		how   func(*advisor.State)
		want  bool
	}{
		{"the number and the time", idle, func(st *advisor.State) { st.Seq, st.At = 7, st.At.Add(time.Second) }, true},
		{"when a source answered", idle, func(st *advisor.State) { st.Fleet.Sources = []probe.Statement{{Origin: probe.FromAnswers, At: began}} }, true},
		{"when a replica was looked at", idle, func(st *advisor.State) { st.Fleet.Replicas[0].UsedAt = began }, true},
		{"the first State", advisor.State{}, func(st *advisor.State) { st.Seq = 1 }, false},
		{"the time of a run", swarming, func(st *advisor.State) { st.Load.Elapsed++ }, false},
		{"one more point", idle, func(st *advisor.State) {
			st.Points = append(st.Points[:len(st.Points):len(st.Points)], advisor.Point{})
		}, false},
		{"what a source says", idle, func(st *advisor.State) {
			st.Fleet.Sources = []probe.Statement{{Origin: probe.FromAnswers, Known: new(1)}}
		}, false},
		{"the memory of a replica", idle, func(st *advisor.State) { st.Fleet.Replicas[0].Memory++ }, false},
		{"a decision", idle, func(st *advisor.State) { st.Decision.At = st.Decision.At.Add(time.Second) }, false},
		{"a lost connection", idle, func(st *advisor.State) { st.Lost = "refused" }, false},
	} {
		before, after := test.state, test.state
		before.Fleet.Sources = []probe.Statement{{Origin: probe.FromAnswers}}
		after.Fleet.Sources = before.Fleet.Sources
		after.Fleet.Replicas = append([]probe.Replica(nil), test.state.Fleet.Replicas...)
		test.how(&after)
		if got := alike(before, after); got != test.want {
			t.Errorf("%s: alike is %v, want %v", test.name, got, test.want)
		}
	}
}

// What is not drawn anew would look the same.
func TestWhatIsNotDrawnLooksTheSame(t *testing.T) {
	s := colourStyles(termenv.ANSI256, true, false)
	rapid.Check(t, func(t *rapid.T) {
		st := anyState(t)
		st.Fleet.Sources = []probe.Statement{{Origin: probe.FromScaler, Known: new(2), At: began}, {Origin: probe.FromAnswers, Known: new(1), At: began.Add(-time.Second)}}
		m := showing(st, s, rapid.SampledFrom(allViews).Draw(t, "view"), rapid.IntRange(20, 250).Draw(t, "width"), rapid.IntRange(5, 70).Draw(t, "height"))
		if rapid.Bool().Draw(t, "frozen") {
			m.freeze()
		}
		m.View()
		next := undated(st)
		next.Seq, next.At = st.Seq, st.At.Add(time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "later")))
		if !alike(st, next) {
			t.Fatal("they are not alike")
		}
		m.take(next)
		if got, want := m.View(), m.draw(); got != want {
			t.Errorf("the screen shows\n%s\nwant\n%s", got, want)
		}
	})
}

// An idle session publishes four States a second, and its charts move on once a
// second. Whatever it does, what is on the screen is its newest State.
func TestIdleSessionIsDrawnOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session, err := advisor.NewSession(advisor.Config{
			Plan: testPlan(), SLO: mustSLO("p95<100ms"), NewConn: func(context.Context, time.Time) load.Conn { return promptConn{} },
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go session.Run(ctx)
		m := newScreen(ctx, session, Options{}, plainStyles())
		m.w, m.h = 120, 40
		states := session.States()
		follow := func(over time.Duration) (drawn, all int) {
			for end := time.Now().Add(over); time.Now().Before(end); all++ {
				m.take(<-states)
				if m.stale {
					drawn++
				}
				if got, want := m.View(), m.draw(); got != want {
					t.Fatalf("the screen shows\n%s\nwant\n%s", got, want)
				}
			}
			return drawn, all
		}
		if drawn, all := follow(20 * time.Second); all < 79 || drawn > 21 {
			t.Errorf("idle for 20s: %d of %d States were drawn, want one a second of four", drawn, all)
		}
		if err := session.Start(); err != nil {
			t.Fatal(err)
		}
		follow(20 * time.Second)
		session.Stop()
		follow(time.Second)
		if drawn, all := follow(20 * time.Second); all < 79 || drawn > 21 {
			t.Errorf("idle after a swarm for 20s: %d of %d States were drawn, want one a second of four", drawn, all)
		}
		cancel()
		<-session.Done()
	})
}

// promptConn is a connection to a target that answers at once.
type promptConn struct{}

func (promptConn) Do(s *load.Sample, _ *load.Message) error {
	time.Sleep(10 * time.Millisecond) // in virtual time
	s.Sent, s.Done, s.Status, s.Replica = s.Intended, s.Intended+10*time.Millisecond, 200, probe.Unknown
	return nil
}

func (promptConn) Close() {}
