package load

import (
	"net"
	"runtime"
	"testing"
	"time"

	"headroom/profiles"
)

// heap is how much memory is reachable.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A target that answers for a second and never again keeps its users, whatever
// arrives: no goroutine comes after them, and of memory what a due time takes.
func TestAFrozenTargetMakesNothingGrow(t *testing.T) {
	const users, perSecond, seconds = 50, 1000, 20
	for _, c := range []struct {
		name    string
		edit    func(*profiles.Plan)
		arrival float64 // bytes that one more in the queue may take
	}{
		{"Poisson", nil, 10},
		{"constant", func(p *profiles.Plan) { p.Arrivals = profiles.Even }, 0},
		{"dropped", func(p *profiles.Plan) { p.OnBusy = profiles.Dropped }, 10},
		{"closed", func(p *profiles.Plan) { p.Rate, p.Users, p.SpawnRate = 0, users, 100 }, 0},
	} {
		plan := openPlan(perSecond, profiles.Poisson, 35*time.Second)
		plan.MaxUsers, plan.StopGrace = users, time.Second
		if c.edit != nil {
			c.edit(&plan)
		}
		o := fake(10*time.Millisecond, func(c *fakeConn) { c.freezeFrom, c.freezeTo = time.Second, time.Hour })
		o.Keep = 0
		run(t, plan, o, func(e *Engine) {
			sleep(10*time.Second + tick/2)
			goroutines, before := runtime.NumGoroutine(), heap()
			sleep(seconds * time.Second)
			if n := runtime.NumGoroutine(); n > goroutines || n > users+20 {
				t.Errorf("%s: %d goroutines in the end, %d at first; want those of %d users", c.name, n, goroutines, users)
			}
			history := seconds * 512.0
			if grown, most := float64(heap()-before), 128e3+history+c.arrival*perSecond*seconds; grown > most {
				t.Errorf("%s: %.0f kB more after %d s, want %.0f at most", c.name, grown/1e3, seconds, most/1e3)
			}
			if s := e.Snapshot(); s.InFlight != users {
				t.Errorf("%s: %d in flight, want all %d users", c.name, s.InFlight, users)
			}
		})
	}
}

// The same in real time, on sockets: it also takes no CPU.
func TestAFrozenServerTakesNoCPU(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	plan := openPlan(5000, profiles.Poisson, 0)
	plan.Target, plan.MaxUsers, plan.StopGrace = listen(t, func(net.Conn) { <-end }), 64, 0
	e, err := New(plan, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan Result)
	go func() {
		r, err := e.Run(t.Context())
		if err != nil {
			t.Error(err)
		}
		ended <- r
	}()
	waiting := func(arrivals int64) time.Time {
		for e.Snapshot().Health.Unsent < arrivals && t.Context().Err() == nil {
			sleep(tick / 4)
		}
		return time.Now()
	}
	from, goroutines, cpu := waiting(2000), runtime.NumGoroutine(), ProcessCPU()
	to := waiting(7000)
	used := (ProcessCPU() - cpu).Seconds() / to.Sub(from).Seconds()
	if used > 0.5 {
		t.Errorf("%.2f cores while nothing can be sent, want next to none", used)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d a second before", n, goroutines)
	}
	e.Stop()
	if r := <-ended; r.Total.Aborted != 64 {
		t.Errorf("%d requests were cut off, want those of 64 users", r.Total.Aborted)
	}
}
