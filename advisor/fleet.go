package advisor

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// fleetLimit is how long replicas may take to come and go before a job gives
// up.
const fleetLimit = 2 * time.Minute

// scalerPatience is how long the scaler may take to accept an order.
const scalerPatience = 10 * time.Second

// runner performs the trials of a search with the load engine.
type runner struct{ s *Session }

var _ Runner = runner{}

func (r runner) Run(ctx context.Context, t Trial) (Observation, error) {
	s := r.s
	plan := t.plan(s.config.Plan, s.config.SLO)
	if s.config.Scaler != nil {
		if t.Replicas > 0 {
			if err := s.pin(ctx, t.Replicas); err != nil {
				return Observation{}, err
			}
		}
		if err := s.hold(ctx, max(1, t.Replicas), plan.RunTime+plan.StopGrace); err != nil {
			return Observation{}, err
		}
	}
	s.updateSearch(func(search *SearchState) { search.Now = t })
	began := time.Now()
	before := s.readHost(ctx)
	watch := s.watchFleet()
	result, err := s.perform(ctx, plan, maxSamples)
	seen := watch()
	if err != nil {
		return Observation{}, err
	}
	if err := ctx.Err(); err != nil {
		return Observation{}, err
	}
	ended := t.Length
	if t.Requests > 0 {
		ended = min(ended, result.Elapsed)
	}
	o := Observe(t, result.Samples, ended, s.config.SLO, plan.TaskNames())
	o.Health = result.Health
	o.Host = s.readHost(ctx).since(before)
	if cores, ok := coresBetween(seen.usage, began.Add(ended)); ok {
		o.Host.Replicas = cores
	}
	o.Took = time.Since(began)
	o.Answered, o.Full = answered(result.Replicas), result.Full
	least, most := seen.up()
	o.Replicas = least
	if least != most || s.config.Scaler == nil && s.fleetChanged(result.Samples, ended) {
		o.Replicas = Changing
	}
	return o, nil
}

// idleLook is long enough to hear of two looks of a scaler at what its replicas
// use: they are a second apart, and heard of up to half a second later, twice.
const idleLook = 3500 * time.Millisecond

// idle is the CPU that the fleet uses without any load, in cores; nil where no
// scaler tells.
func (s *Session) idle(ctx context.Context) *float64 {
	if _, tells := readUsage(time.Now(), s.reported()); !tells {
		return nil
	}
	watch := s.watchFleet()
	select {
	case <-ctx.Done():
	case <-time.After(idleLook):
	}
	if cores, ok := coresBetween(watch().usage, time.Now()); ok {
		return &cores
	}
	return nil
}

// readHost reads the machine's counters, with what the scaler says of its
// replicas at this moment.
func (s *Session) readHost(ctx context.Context) hostReading {
	if s.config.Scaler != nil {
		s.askScaler(ctx)
	}
	return readHost(ctx, time.Now(), s.reported())
}

// maxSamples bounds the memory of one step.
const maxSamples = 1 << 20

// plan is the load of a trial against the target of base.
func (t Trial) plan(base profiles.Plan, slo profiles.SLO) profiles.Plan {
	p := base
	p.Users, p.Wait, p.Rate, p.Requests = t.Users, profiles.Wait{}, t.Rate, t.Requests
	p.Scenario = base.Scenario.WithoutWaits()
	p.Shape, p.UserShape, p.OnBusy = nil, nil, profiles.Queued
	p.SpawnRate = 1000
	p.Arrivals, p.Seed, p.RunTime = cmp.Or(t.Arrivals, profiles.Poisson), t.Seed, t.Length
	// An answer that comes much later than the SLO allows is over it, however
	// late; waiting for it would only eat up the budget.
	longest := 0.0
	for _, objective := range slo.Percentiles() {
		longest = max(longest, objective.Limit)
	}
	p.StopGrace = min(base.Timeout, 2*time.Second+3*time.Duration(longest*float64(time.Second)))
	return p
}

// reported is the fleet as the scaler last told it.
func (s *Session) reported() probe.Fleet {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fleet
}

func (s *Session) policy() profiles.Policy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Policy
}

// startUps are the times that replicas took from their start to being ready.
func (s *Session) startUps() []time.Duration {
	var out []time.Duration
	for _, r := range s.reported().Replicas {
		if r.StartedIn > 0 {
			out = append(out, r.StartedIn)
		}
	}
	return out
}

// fleetSeen is what was seen of the fleet for a while. The zero value is that of
// a target without a scaler.
type fleetSeen struct {
	levels []FleetLevel
	began  time.Time // that levels count from
	usage  []usageReading
}

// up is the fewest and the most replicas that were up; 0 where nothing was seen.
func (f fleetSeen) up() (least, most int) {
	for i, l := range f.levels {
		if i == 0 {
			least = l.Up
		}
		least, most = min(least, l.Up), max(most, l.Up)
	}
	return least, most
}

func (f *fleetSeen) see(now time.Time, fleet probe.Fleet) {
	level := levelOf(now.Sub(f.began), fleet)
	if n := len(f.levels); n == 0 || f.levels[n-1].Up != level.Up || f.levels[n-1].Exist != level.Exist {
		f.levels = append(f.levels, level)
	}
	if r, ok := readUsage(now, fleet); ok {
		f.usage = append(f.usage, r)
	}
}

// watchFleet follows the fleet; the function it returns ends that and gives
// what was seen.
func (s *Session) watchFleet() (end func() fleetSeen) {
	if s.config.Scaler == nil {
		return func() fleetSeen { return fleetSeen{} }
	}
	seen := fleetSeen{began: time.Now()}
	seen.see(seen.began, s.reported())
	stop, ended := make(chan struct{}), make(chan struct{})
	s.jobs.Go(func() {
		defer close(ended)
		ticker := time.NewTicker(statusEvery)
		defer ticker.Stop()
		for {
			select {
			case now := <-ticker.C:
				seen.see(now, s.reported())
			case <-stop:
				return
			}
		}
	})
	return func() fleetSeen {
		close(stop)
		<-ended
		return seen
	}
}

// A pin outlives what it is for by pinSlack: a measurement that dies must not
// leave a fleet small. The scaler takes none longer than maxPin.
const (
	pinSlack = time.Minute
	maxPin   = time.Hour
)

// hold pins the fleet at n for what takes so long.
func (s *Session) hold(ctx context.Context, n int, length time.Duration) error {
	if err := s.config.Scaler.Pin(ctx, n, min(length+pinSlack, maxPin)); err != nil {
		return fmt.Errorf("pin the scaler: %w", err)
	}
	s.setHolding(true)
	return nil
}

func (s *Session) setHolding(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.holding = is
}

// pin holds the fleet at n and waits until it is there and has come to rest.
func (s *Session) pin(ctx context.Context, n int) error {
	if err := s.hold(ctx, n, fleetLimit); err != nil {
		return err
	}
	return s.awaitFleet(ctx, fmt.Sprintf("%d %s up", n, plural(n)), func(up, moving int) bool { return up == n && moving == 0 })
}

func (s *Session) unpin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, scalerPatience)
	defer cancel()
	if err := s.config.Scaler.Unpin(ctx); err != nil {
		return fmt.Errorf("the scaler is still pinned: %w", err)
	}
	s.setHolding(false)
	return nil
}

func (s *Session) follow(ctx context.Context, p profiles.Policy) error {
	ctx, cancel := context.WithTimeout(ctx, scalerPatience)
	defer cancel()
	if err := s.config.Scaler.Follow(ctx, p); err != nil {
		return fmt.Errorf("hand the policy to the scaler: %w", err)
	}
	s.setHolding(false)
	return nil
}

// awaitFleet asks the scaler until the fleet is as wanted.
func (s *Session) awaitFleet(ctx context.Context, what string, reached func(up, moving int) bool) error {
	late := time.NewTimer(fleetLimit)
	defer late.Stop()
	ticker := time.NewTicker(statusEvery / 2)
	defer ticker.Stop()
	for {
		fleet, err := s.askScaler(ctx)
		if err == nil && reached(fleet.Up(), fleet.Count(probe.Starting, probe.Suspect, probe.Draining, probe.Failing)) {
			return nil
		}
		select {
		case <-ticker.C:
		case <-late.C:
			seen := describeFleet(s.reported())
			if err != nil {
				seen += ", and now: " + err.Error()
			}
			return fmt.Errorf("the scaler did not get to %s within %s: last seen were %s", what, fleetLimit, seen)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func describeFleet(f probe.Fleet) string {
	text := fmt.Sprintf("%d of %d %s up", f.Up(), f.Wanted, plural(f.Wanted))
	for _, state := range []probe.State{probe.Starting, probe.Suspect, probe.Draining, probe.Failing} {
		if n := f.Count(state); n > 0 {
			text += fmt.Sprintf(", %d %s", n, state)
		}
	}
	return text
}
