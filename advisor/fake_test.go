package advisor

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// fakeFleet is a scaler and the service behind it, in virtual time: each
// replica answers one request at a time after the service time, the others
// wait in line. It goes to the size it is told at once; under a policy with a
// metric it scales on the arrivals of the last second.
type fakeFleet struct {
	mu       sync.Mutex // guards the fields below
	service  time.Duration
	size     int
	busy     int
	line     []chan struct{}
	policy   profiles.Policy
	pinned   time.Time // until; zero: not pinned
	pins     []int     // every size pinned, 0 for an unpin
	followed []profiles.Policy
	arrivals []time.Time
	broken   error // answer to every question
	mute     bool  // there is no answer to any question
	deaf     error // answer to every order but a pin
	flapping bool  // one replica more and less every second
	stuck    bool  // replicas neither come nor go
	named    int   // answers name so many replicas in turn; 0: none
	answers  int
	claimed  string         // by whom; empty: nobody
	uses     float64        // cores, each replica at all times; 0: nothing is told of it
	cpuLimit profiles.Milli // cores of each replica; 0: none
}

func newFakeFleet(service time.Duration, p profiles.Policy) *fakeFleet {
	return &fakeFleet{service: service, size: p.Replicas.Min, policy: p}
}

func (f *fakeFleet) Status(ctx context.Context) (probe.Fleet, profiles.Control, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mute {
		f.mu.Unlock()
		<-ctx.Done()
		f.mu.Lock()
		return probe.Fleet{}, profiles.Control{}, ctx.Err()
	}
	if f.broken != nil {
		return probe.Fleet{}, profiles.Control{}, f.broken
	}
	f.expire()
	fleet := probe.Fleet{Managed: true, Wanted: f.size, Pinned: !f.pinned.IsZero()}
	shown := f.size
	if f.flapping && time.Now().Second()%2 == 1 {
		shown++
	}
	for i := range shown {
		r := probe.Replica{ID: string(rune('a' + i)), State: probe.Ready, Managed: true, StartedIn: time.Second}
		if f.uses > 0 {
			r.UsedAt = time.Now().Truncate(time.Second)
			r.CPU = fromSeconds(f.uses * r.UsedAt.Sub(time.Unix(946684800, 0)).Seconds())
		}
		fleet.Replicas = append(fleet.Replicas, r)
	}
	return fleet, profiles.Control{Policy: f.policy, CPULimit: f.cpuLimit}, nil
}

func (f *fakeFleet) Pin(_ context.Context, n int, ttl time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pins, f.pinned = append(f.pins, n), time.Now().Add(ttl)
	f.resize(n)
	return nil
}

// Claim is refused while claimed names somebody else.
func (f *fakeFleet) Claim(_ context.Context, holder string, ttl time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.claimed != "" && f.claimed != holder {
		return errors.New("claimed by " + f.claimed)
	}
	if f.claimed = holder; ttl == 0 {
		f.claimed = ""
	}
	return nil
}

func (f *fakeFleet) Unpin(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deaf != nil {
		return f.deaf
	}
	f.pins, f.pinned = append(f.pins, 0), time.Time{}
	f.resize(f.policy.Replicas.Min)
	return nil
}

func (f *fakeFleet) Follow(_ context.Context, p profiles.Policy) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deaf != nil {
		return f.deaf
	}
	f.policy, f.pinned = p, time.Time{}
	f.followed = append(f.followed, p)
	f.resize(p.Replicas.Min)
	return nil
}

// expire ends a pin whose time is over. mu is held.
func (f *fakeFleet) expire() {
	if !f.pinned.IsZero() && !time.Now().Before(f.pinned) {
		f.pinned = time.Time{}
		f.resize(f.policy.Replicas.Min)
	}
}

// resize sets the size and lets those in line go on. mu is held.
func (f *fakeFleet) resize(n int) {
	if !f.stuck {
		f.size = n
	}
	for len(f.line) > 0 && f.busy < f.size {
		close(f.line[0])
		f.line = f.line[1:]
		f.busy++
	}
}

// enter waits for a replica; the caller must leave it.
func (f *fakeFleet) enter(ctx context.Context) bool {
	f.mu.Lock()
	now := time.Now()
	f.arrivals = append(f.arrivals, now)
	for now.Sub(f.arrivals[0]) > time.Second {
		f.arrivals = f.arrivals[1:]
	}
	f.expire()
	if m := f.policy.Metrics; len(m) > 0 && f.pinned.IsZero() {
		want := int(profiles.CeilDiv(int64(len(f.arrivals))*1000, int64(m[0].Target)))
		if want = min(want, int(f.policy.Replicas.Max)); want > f.size {
			f.resize(want)
		}
	}
	if f.busy < f.size {
		f.busy++
		f.mu.Unlock()
		return true
	}
	turn := make(chan struct{})
	f.line = append(f.line, turn)
	f.mu.Unlock()
	select {
	case <-turn:
		return true
	case <-ctx.Done():
		f.mu.Lock()
		defer f.mu.Unlock()
		if i := slices.Index(f.line, turn); i >= 0 {
			f.line = slices.Delete(f.line, i, i+1)
		} else {
			f.busy-- // its turn had come just now
		}
		return false
	}
}

// told is what the scaler was told so far, its present size and policy.
func (f *fakeFleet) told() (pins []int, followed, size int, policy profiles.Policy) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.pins), len(f.followed), f.size, f.policy
}

// takes is the service time of the moment.
func (f *fakeFleet) takes() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.service
}

// leave ends the stay at a replica and returns its number, if it has one.
func (f *fakeFleet) leave() int32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.busy--
	f.resize(f.size)
	if f.named == 0 {
		return probe.Unknown
	}
	f.answers++
	return int32(f.answers % f.named)
}

// change lets something about the fleet become different.
func (f *fakeFleet) change(how func(*fakeFleet)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(f)
}

// conn is a connection to the fleet.
func (f *fakeFleet) conn(ctx context.Context, start time.Time) load.Conn {
	return &fleetConn{f, ctx, start}
}

type fleetConn struct {
	fleet *fakeFleet
	ctx   context.Context
	start time.Time
}

func (c *fleetConn) Do(s *load.Sample, _ *load.Message) error {
	s.Sent, s.Replica = time.Since(c.start), probe.Unknown
	if c.fleet.enter(c.ctx) {
		<-time.After(c.fleet.takes())
		s.Replica = c.fleet.leave()
		s.Status, s.Switched = 200, true // replicas are chosen for each request
	} else {
		s.Failure = load.Aborted
	}
	s.Done = time.Since(c.start)
	return nil
}

func (c *fleetConn) Close() {}
