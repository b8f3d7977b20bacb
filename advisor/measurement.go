package advisor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"headroom/profiles"
)

// Measurement is the evidence that advice rests on, as it is saved.
type Measurement struct {
	Version  string          `json:"version"`
	Kind     string          `json:"kind"` // "measurement"
	Target   string          `json:"target"`
	SLO      string          `json:"slo"`
	Tasks    []string        `json:"tasks,omitempty"` // of the scenario; none without one
	Date     time.Time       `json:"date"`
	Machine  Machine         `json:"machine"`
	Local    bool            `json:"local"`   // the replicas ran on this machine, under a scaler
	StartUp  []time.Duration `json:"startUp"` // of each replica that was started, nanoseconds
	Capacity Capacity        `json:"capacity"`
	Baseline *Comparison     `json:"baseline,omitempty"` // with an earlier measurement, if one was given
}

// Machine is where the load came from, and the replicas too if they are
// local.
type Machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Cores int    `json:"cores"`
}

// String writes "2 cores, linux, amd64".
func (m Machine) String() string {
	return profiles.Plural(m.Cores, "core", "cores") + ", " + m.OS + ", " + m.Arch
}

// ThisMachine is the one that this program runs on.
func ThisMachine() Machine {
	return Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU()}
}

// Advise is the recommendation that follows from the measurement, for the
// traffic. A measurement that was refused gives its refusal as the error.
func (m Measurement) Advise(traffic profiles.Traffic, sizing Sizing) (Recommendation, error) {
	if m.Capacity.Refusal != nil {
		return Recommendation{}, m.Capacity.Refusal
	}
	slo, err := profiles.ParseSLO(m.SLO)
	if err != nil {
		return Recommendation{}, err
	}
	c := m.Capacity
	n := Needs{
		Sizing: sizing, Capacity: c.PerReplica(), Evidence: &c, SLO: slo, Traffic: traffic, Managed: m.Local,
		Service: c.Service, CPU: c.CPU, Date: m.Date, Host: c.Host,
	}
	if m.Local {
		n.Local = max(1, c.Replicas)
	}
	n.StartUp = m.startTime(sizing)
	flaws := []flaw{{GradeC, "the start-up time was said, not measured", underScaler}}
	if sizing.Starts == 0 {
		flaws = startFlaws(m.StartUp)
		if len(m.StartUp) > 0 {
			n.Fastest = slices.Min(m.StartUp)
		}
	}
	r, err := Recommend(n)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		return r, m.refuseWithin(n, refusal)
	}
	if err != nil {
		return r, err
	}
	m.restrict(n, &r)
	r.Assessment = c.Assessment.with(append(flaws, n.traceFlaws(r.Policy)...))
	if c.HostLimited {
		r.Notes = append(r.Notes, c.Host.limit())
	}
	return r, nil
}

// startTime is the start-up time that advice from a measurement counts on: the
// longest of it, unless one was said; 0: not known.
func (m Measurement) startTime(sizing Sizing) time.Duration {
	if sizing.Starts > 0 || len(m.StartUp) == 0 {
		return sizing.Starts
	}
	return slices.Max(m.StartUp)
}

// enoughForMore is the budget from which on a second number of replicas is
// measured as well, and what one uses without load.
const enoughForMore = time.Minute

// measure finds the capacity of one replica and advises a policy; the advice is
// nil when no traffic is known. The scaler is pinned meanwhile. A *Refusal is
// an error here, and in the measurement if it is one of the capacity.
func (s *Session) measure(ctx context.Context) (m Measurement, advice *Recommendation, err error) {
	options := SearchOptions{SLO: s.config.SLO, Budget: s.config.Budget, Seed: s.config.Plan.Seed, Arrivals: s.config.Arrivals}
	if s.config.Continue != nil {
		options.Prior = &s.config.Continue.Capacity
		options.Seed += uint64(len(options.Prior.Steps)) // other arrivals than those of before
	}
	if err := options.Validate(); err != nil {
		return m, nil, err
	}
	limit, err := s.replicaCPU()
	if err != nil {
		return m, nil, err
	}
	s.update(func(st *State) { st.Search = &SearchState{Budget: options.Budget, Left: options.Budget} })
	s.note("measure", "measuring for %s: what does one replica hold under %s?", options.Budget, options.SLO)
	var idle *float64
	if s.config.Scaler != nil {
		more := options.Budget >= enoughForMore
		if more {
			options.Second = 2
		}
		if err := s.checkPin(ctx); err != nil {
			return m, nil, err
		}
		// Also after a pin that failed: it may have been made all the same.
		defer func() { err = errors.Join(err, s.unpin(context.WithoutCancel(ctx))) }()
		if err := s.pin(ctx, 1); err != nil {
			return m, nil, err
		}
		if more {
			idle = s.idle(ctx)
		}
	}
	options.Progress = func(steps []Observation, left time.Duration) {
		last := steps[len(steps)-1]
		s.note("measure", "%s: %s/s, p95 %s: %s (%s); %s left", last.Trial.Name, profiles.FormatRate(last.Rate), latency(last.P95), last.Finding(), last.Remark(), max(0, left).Round(time.Second))
		s.updateSearch(func(search *SearchState) { search.Steps, search.Left = steps[:len(steps):len(steps)], left })
	}
	options.Warn = func(text string) { s.note("measure", "%s", text) }
	capacity, err := Search(ctx, runner{s}, options)
	s.updateSearch(func(search *SearchState) { search.Now = Trial{} })
	if err != nil && (!capacity.Interrupted || len(capacity.Steps) == 0) {
		return m, nil, err
	}
	if capacity.Replicas == 0 {
		capacity.Replicas = s.countReplicas(capacity.Steps)
		if capacity.Refusal == nil {
			capacity.Assessment = capacity.Assessment.with(unheard(capacity.Replicas, capacity.Steps))
		}
	}
	if capacity.CPULimit = limit; idle != nil {
		capacity.Idle = idle
	}
	m = Measurement{
		Version: profiles.Version, Kind: "measurement", Target: s.config.Plan.ShownTarget(), SLO: options.SLO.String(), Tasks: s.config.Plan.TaskNames(),
		Date: time.Now().UTC(), Machine: ThisMachine(), Local: s.config.Scaler != nil, StartUp: s.startUps(), Capacity: capacity,
	}
	if s.config.Continue != nil {
		m.StartUp = append(slices.Clone(s.config.Continue.StartUp), m.StartUp...)
	}
	s.updateSearch(func(search *SearchState) { search.Capacity = &capacity })
	s.keepMeasurement(m)
	if err != nil {
		return m, nil, err
	}
	advice, err = s.advise(m)
	return m, advice, err
}

// keepMeasurement makes it the latest one; what was left of an interrupted one is
// better than none, but not than a whole one.
func (s *Session) keepMeasurement(m Measurement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !m.Capacity.Interrupted || s.measured.Kind == "" {
		s.measured = m
	}
}

// countReplicas is how many replicas were measured at a target without a
// scaler: as many as were said, or as named themselves where that were more.
func (s *Session) countReplicas(steps []Observation) int {
	said, answered := max(1, s.config.Replicas), 0
	for _, o := range steps {
		answered = max(answered, o.Answered)
	}
	if answered > said {
		s.note("measure", "%d replicas answered, not %d: the capacity is what all of them hold together", answered, said)
	}
	return max(said, answered)
}

// unheard is what speaks against a number of replicas that was said: of those that
// name themselves fewer answered, though so many answers would have named each.
func unheard(said int, steps []Observation) []flaw {
	answered, heard := 0, 0
	for _, o := range steps {
		answered = max(answered, o.Answered)
		if !o.Spoiled {
			heard += o.Requests - o.Failed
		}
	}
	if answered == 0 || answered >= said || heard < enoughToSee*said {
		return nil
	}
	return []flaw{{GradeC, fmt.Sprintf("%d replicas were said, and %d named themselves in %d answers: if there are no more, each holds %.2g times as much",
		said, answered, heard, float64(said)/float64(answered)), "the right --replicas"}}
}

// describePolicy writes "min 2, max 5, target 8.8/s per replica".
func describePolicy(p profiles.Policy) string {
	m := p.Metrics[0]
	unit := map[profiles.Kind]string{
		profiles.RPS: "/s per replica", profiles.InFlight: " in flight per replica", profiles.Queue: " waiting",
		profiles.FreeWorkers: " free", profiles.CPU: " % CPU per replica",
	}[m.Kind]
	if m.In("cores") {
		unit = " cores per replica"
	}
	return fmt.Sprintf("min %d, max %s, target %s%s", p.Replicas.Min, p.Replicas.Max, m.Target, unit)
}

// updateSearch changes a copy of the search in view.
func (s *Session) updateSearch(change func(*SearchState)) {
	s.update(func(st *State) {
		next := *st.Search
		change(&next)
		st.Search = &next
	})
}

// advise puts the recommendation that follows from a measurement in view. An
// earlier one that is in force stays in view until there is another.
func (s *Session) advise(m Measurement) (*Recommendation, error) {
	traffic := s.traffic()
	if m.Capacity.Refusal == nil && !traffic.Known() {
		s.note("advice", "%d %s: %s under the SLO; what policy follows depends on the traffic, which is not known",
			m.Capacity.Replicas, plural(m.Capacity.Replicas), m.Capacity.SLO)
		return nil, nil
	}
	advice, err := m.Advise(traffic, s.config.Sizing)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		s.note("advice", "refused: %v", refusal)
		s.update(func(st *State) {
			st.Refusal = refusal
			if !st.Applied {
				st.Advice = nil
			}
		})
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	if advice.Capped != "" {
		s.note("advice", "%s", advice.Capped)
	}
	s.note("advice", "%s (grade %s)", describePolicy(advice.Policy), advice.Grade)
	s.update(func(st *State) {
		if st.Applied { // what it led to is what the next one is compared with
			st.Before = st.After
		}
		st.Advice, st.Refusal, st.Applied, st.After = &advice, nil, false, nil
	})
	return &advice, nil
}
