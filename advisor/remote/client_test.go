package remote

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
	"headroom/scaler/httpapi"
	"headroom/scaler/httpapi/wire"
)

// What is done here happens there, and is seen here.
func TestSteerFromElsewhere(t *testing.T) {
	serve(t, true, func(t *testing.T, b *bench) {
		c, detach := b.attached(t)
		defer detach()
		if !c.MayControl() {
			t.Error("started with control: the client does not know")
		}
		for _, o := range []struct {
			name string
			do   func() error
			want func(advisor.State) bool
		}{
			{"start", c.Start, func(st advisor.State) bool { return st.Phase == advisor.Swarming && st.Load.Users == 3 }},
			{"users", func() error { return c.SetUsers(7) }, func(st advisor.State) bool { return st.Plan.Users == 7 && st.Load.Users == 7 }},
			{"spawn rate", func() error { return c.SetSpawnRate(2.5) }, func(st advisor.State) bool { return st.Plan.SpawnRate == 2.5 }},
			{"traffic", func() error { return c.SetTraffic(profiles.Traffic{Low: 500, High: 20_250}) }, func(st advisor.State) bool {
				return st.Traffic == profiles.Traffic{Low: 500, High: 20_250}
			}},
			{"pause", c.TogglePause, func(st advisor.State) bool { return st.Load.Phase == load.Paused }},
			{"go on", c.TogglePause, func(st advisor.State) bool { return st.Load.Phase == load.Running }},
			{"recycle", c.Recycle, func(st advisor.State) bool { return strings.Contains(st.Events[len(st.Events)-1].Text, "replaced") }},
			{"reset", c.ResetStats, func(st advisor.State) bool { return st.Load.Total.Over < 2*time.Second }},
			{"stop", c.Stop, func(st advisor.State) bool { return st.Phase == advisor.Idle && st.Swarm != nil }},
		} {
			if err := o.do(); err != nil {
				t.Errorf("%s: %v", o.name, err)
			}
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if st := c.State(); !o.want(st) {
				t.Errorf("%s: got %s with %d of %d users, %+v", o.name, st.Phase, st.Load.Users, st.Plan.Users, st.Events)
			}
			if got, want := c.State(), b.session.State(); len(got.Points) == 0 || len(got.Points) < len(want.Points)-1 || len(got.Events) != len(want.Events) {
				t.Errorf("%s: got %d points and %d events, the session has %d and %d", o.name, len(got.Points), len(got.Events), len(want.Points), len(want.Events))
			}
		}
		for _, o := range []struct {
			name string
			do   func() error
			want string
		}{
			{"no users", func() error { return c.SetUsers(0) }, "users: got 0, want 1 to 1000000"},
			{"a rate of users", func() error { return c.SetRate(5) }, "rate: the load is a number of users, not a rate of arrivals"},
			{"pause of nothing", c.TogglePause, "there is no swarm under way"},
			{"nothing to apply", c.Apply, "there is no scaler to apply it to: export the policy instead"},
			{"two at once", func() error { return errors.Join(c.Start(), c.Start()) }, advisor.ErrBusy.Error()},
		} {
			if err := o.do(); err == nil || err.Error() != o.want {
				t.Errorf("%s: got %v, want %q", o.name, err, o.want)
			}
		}
	})
}

func TestReadOnly(t *testing.T) {
	serve(t, false, func(t *testing.T, b *bench) {
		c, detach := b.attached(t)
		defer detach()
		if c.MayControl() {
			t.Error("started without control: the client may steer")
		}
		for name, do := range map[string]func() error{
			"start": c.Start, "stop": c.Stop, "pause": c.TogglePause, "recycle": c.Recycle, "reset": c.ResetStats, "advise": c.Advise, "apply": c.Apply, "verify": c.Verify,
			"users": func() error { return c.SetUsers(7) }, "spawn rate": func() error { return c.SetSpawnRate(2) },
			"rate": func() error { return c.SetRate(2) }, "traffic": func() error { return c.SetTraffic(profiles.Traffic{Low: 1, High: 2}) },
		} {
			if err := do(); err == nil || err.Error() != errReadOnly.Error() {
				t.Errorf("%s: got %v, want %q", name, err, errReadOnly)
			}
		}
		if st := b.session.State(); st.Phase != advisor.Idle || st.Plan.Users != 3 || len(st.Events) > 0 {
			t.Errorf("after all refusals: got %+v, want nothing changed", st)
		}
	})
}

// The end of a session is no loss: its last State says so, and nothing is
// tried again.
func TestEndOfSession(t *testing.T) {
	serve(t, true, func(t *testing.T, b *bench) {
		c, detach := b.attached(t)
		defer detach()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * silence)
		b.end()
		synctest.Wait()
		if b.net.dials != 2 {
			t.Errorf("for an order and all States: %d connections, want 2", b.net.dials)
		}
		st := c.State()
		if !st.Ended || st.Lost != "" || st.Swarm == nil || st.Swarm.Total.Count == 0 {
			t.Errorf("at the end: got ended %v, lost %q, swarm %+v", st.Ended, st.Lost, st.Swarm)
		}
		if got := <-c.States(); !got.Ended {
			t.Error("the last State does not wait for its reader")
		}
	})
}

// A connection that is lost is tried again, ever more rarely; the last picture
// stays meanwhile.
func TestLostConnection(t *testing.T) {
	serve(t, true, func(t *testing.T, b *bench) {
		c, detach := b.attached(t)
		defer detach()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		points := len(c.State().Points)

		alive := b.net.w
		dead := wire.New(9000)
		dead.Close()
		b.net.plug(dead)
		c.cut()
		var waits []string
		for range 7 {
			synctest.Wait()
			st := c.State()
			if len(st.Points) != points || !strings.HasPrefix(st.Lost, "connection lost: ") {
				t.Fatalf("while it is lost: got %d points and %q, want %d and why", len(st.Points), st.Lost, points)
			}
			_, in, _ := strings.Cut(st.Lost, "trying again in ")
			waits = append(waits, in)
			d, _ := time.ParseDuration(in)
			time.Sleep(d)
		}
		if got, want := strings.Join(waits, " "), "500ms 1s 2s 4s 8s 15s 15s"; got != want {
			t.Errorf("tried again after %s, want %s", got, want)
		}
		b.net.plug(alive)
		time.Sleep(mostWait + time.Second)
		synctest.Wait()
		if st := c.State(); st.Lost != "" || len(st.Points) <= points {
			t.Errorf("back again: got %q with %d points, want more than %d", st.Lost, len(st.Points), points)
		}
	})
}

// cut breaks the stream that is being read.
func (c *Client) cut() { c.first.close() }

// A side that says nothing is not there.
func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, n := wire.New(9000), &network{}
		n.plug(w)
		quiet := httpapi.NewServer(w, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, _ := httpapi.StartStream(w)
			_ = errors.Join(s.Add("", "state", frame{State: advisor.State{Seq: 5}}), s.Send())
			<-r.Context().Done()
		}), errEnded)
		quiet.Start(func(err error) { t.Error(err) })
		c, detach := (&bench{net: n}).attached(t)
		time.Sleep(silence)
		synctest.Wait()
		if got, want := c.State().Lost, "connection lost: nothing came for 10s; trying again in 500ms"; got != want || c.State().Seq != 5 {
			t.Errorf("after 10 s: got %q in State %d, want %q", got, c.State().Seq, want)
		}
		detach()
		over, cancel := context.WithCancel(t.Context())
		cancel()
		quiet.Shutdown(over)
	})
}

// An order that nobody answers ends when whoever attached is done.
func TestOrderEndsWithItsClient(t *testing.T) {
	serve(t, true, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancelCause(t.Context())
		c, err := attach(ctx, b.net.client())
		if err != nil {
			t.Fatal(err)
		}
		deaf := wire.New(9000) // accepts nothing
		defer deaf.Close()
		b.net.plug(deaf)
		begun := time.Now()
		left := errors.New("left")
		time.AfterFunc(time.Second, func() { cancel(left) })
		if err := c.Start(); !errors.Is(err, left) || time.Since(begun) != time.Second {
			t.Errorf("Start = %v after %v, want %q after 1s", err, time.Since(begun), left)
		}
	})
}

func TestAttachRefusals(t *testing.T) {
	answer := func(code int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			io.WriteString(w, body)
		}
	}
	for _, tt := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"another token", func(w http.ResponseWriter, _ *http.Request) { httpapi.Refuse(w, 401, "authorization: want the token") }, "run at http://127.0.0.1:9000: authorization: want the token"},
		{"something else", answer(404, "no"), "http://127.0.0.1:9000: no API of a run"},
		{"no stream", answer(200, "hello"), "the other side has ended it"},
		{"nonsense", answer(200, "data: {\n\n"), "unexpected end of JSON input"},
		{"a State that goes on from none", answer(200, `data: {"state":{},"kept":{"points":3}}`+"\n\n"), "a State that goes on from one that was not sent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, n := wire.New(9000), &network{}
				n.plug(w)
				s := httpapi.NewServer(w, tt.answer, errEnded)
				s.Start(func(err error) { t.Error(err) })
				if _, err := attach(t.Context(), n.client()); err == nil || err.Error() != tt.want {
					t.Errorf("attach: got %v, want %q", err, tt.want)
				}
				s.Shutdown(t.Context())
			})
		})
	}
}
