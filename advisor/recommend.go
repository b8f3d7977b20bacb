package advisor

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"headroom/profiles"
)

// Needs are what a recommendation is made from.
type Needs struct {
	Sizing
	Capacity profiles.Milli   // requests per second of one replica within the SLO
	Evidence *Capacity        // that it comes from; nil: it was said, not measured
	SLO      profiles.SLO     // which that capacity meets; empty in the textbook case
	Traffic  profiles.Traffic // what is to be carried
	StartUp  time.Duration    // from starting a replica to its first answer, the longest; 0: not known
	Fastest  time.Duration    // the shortest; 0: as StartUp
	Managed  bool             // a scaler told what its replicas use

	whole      bool          // what a replica is given is a whole rate
	bursts     float64       // index of dispersion of the recorded arrivals over a window; 0: as of a Poisson stream
	burstsOver time.Duration // that window; 0: there is none

	// For the calibration of the policy; 0: not measured.
	Service time.Duration // mean, of one request alone
	CPU     time.Duration // per request
	Date    time.Time

	// For replicas that share this machine; without them it sets no limit.
	Host  HostUse // at the SLO capacity
	Local int     // replicas that Host speaks of; 0: they run elsewhere
}

// Value is one number of a recommendation with its working. Low and High are
// what it would be at the ends of the interval of the capacity.
type Value struct {
	Name     string      `json:"name"`
	Value    float64     `json:"value"`
	Low      float64     `json:"low"`
	High     float64     `json:"high"`
	Unit     string      `json:"unit"`
	Formula  string      `json:"formula"`          // with the numbers in it
	Inputs   []string    `json:"inputs,omitempty"` // where those numbers come from
	Why      string      `json:"why"`              // one sentence
	Rejected []Rejection `json:"rejected,omitempty"`
}

// Rejection is what a value might have been, and why it is not.
type Rejection struct {
	Option string `json:"option"`
	Why    string `json:"why"`
}

// Recommendation is the advice: a policy, and where each of its numbers comes
// from.
type Recommendation struct {
	Policy      profiles.Policy `json:"policy"`                // for the platform: the full numbers
	Applied     profiles.Policy `json:"applied"`               // for replicas on this machine: capped at what it carries
	Capped      string          `json:"capped,omitempty"`      // why Applied differs; empty when it does not
	Values      []Value         `json:"values"`                // min, max, target, then timing
	Traffic     []Value         `json:"traffic,omitempty"`     // what was taken from a recorded load
	Chosen      string          `json:"chosen"`                // why it scales on the metric that it does
	Metrics     []MetricScore   `json:"metrics,omitempty"`     // what speaks for and against each; none where nothing was measured
	Restriction *Restriction    `json:"restriction,omitempty"` // what the platform costs; nil: none was named
	Assessment
	Notes []string `json:"notes,omitempty"`
}

// Recommend derives a policy:
//
//	kept   = max(headroom, what rises until a new replica answers / (min x capacity))
//	target = capacity x (1 - kept)
//	min    = max(ceil(low / target), ceil((low + what comes at once) / capacity))
//	max    = ceil(high / (capacity x (1 - headroom)))
//
// Where the traffic rises steadily, min and target are one choice: see balance.
// What is kept for a rise is no part of max: nothing rises above high.
//
// With 10 requests/s per replica, traffic of 50..200 and no headroom this is
// 5, 20 and 10. The arithmetic is exact. Where the metric is not the rate,
// target stands for the level that it has at that rate. A *Refusal is the error
// where no policy of the kind can hold.
func Recommend(n Needs) (Recommendation, error) {
	n.Capacity = roundDown(n.Capacity)
	if err := n.validate(); err != nil {
		return Recommendation{}, err
	}
	n.bursts, n.burstsOver = n.dispersion()
	scores, chosen, t, err := n.settle()
	if err != nil {
		return Recommendation{}, err
	}
	n.whole = chosen.kind == profiles.RPS && n.Within.rounds(profiles.RPS)
	learned, more, err := n.learn(t)
	if err != nil {
		return Recommendation{}, err
	}
	s := sized{Needs: n, timing: t}
	if err := s.keep(more); err != nil {
		return Recommendation{}, err
	}
	p := profiles.DefaultPolicy()
	low := s.least()
	high, heldBack := s.capScaling(s.most())
	p.Interval = profiles.Duration(t.interval)
	p.Down.Stabilization = profiles.Duration(t.quiet)
	if n.Service > 0 {
		p.Calibration = &profiles.Calibration{
			Latency:       profiles.Duration(n.Service.Round(10 * time.Microsecond)),
			CPUPerRequest: profiles.Duration(n.CPU.Round(10 * time.Microsecond)),
			Measured:      n.Date.UTC().Format(time.DateOnly),
		}
	}
	if chosen.kind == profiles.FreeWorkers {
		low, high = s.raiseByFree(low, high)
	}
	p.Replicas = profiles.Bounds{Min: int(low.Value), Max: profiles.Limit(high.Value)}
	values, err := s.scale(&p, chosen)
	if err != nil {
		return Recommendation{}, err
	}
	hours, unscheduled := s.schedule(&p)
	if unscheduled != "" {
		if n.Schedule {
			return Recommendation{}, refuseSchedule(unscheduled)
		}
		unscheduled = fmt.Sprintf("no schedule (%s): %s", noSchedule, unscheduled)
	}
	kept, hidden := s.bind(&p, slices.Concat(values, s.timingValues()))
	r := Recommendation{Policy: p, Applied: p, Chosen: chosen.why, Metrics: scores, Traffic: learned}
	r.Values = slices.Concat([]Value{low, high}, kept, hours, s.costs(p))
	if v, ok := s.pooling(p); ok {
		r.Values = append(r.Values, v)
	}
	for _, note := range []string{chosen.note, n.memoryNote(r.Metrics), n.cpuNote(), heldBack, unscheduled, hidden} {
		if note != "" {
			r.Notes = append(r.Notes, note)
		}
	}
	n.capAtHost(s.target, &r)
	return r, p.Validate()
}

func (n Needs) validate() error {
	errs := []error{n.Sizing.Validate()}
	if !n.Traffic.Known() {
		errs = append(errs, fmt.Errorf("--traffic: got nothing, want LOW..HIGH in requests per second, such as 50..200"))
	}
	if n.Capacity <= 0 {
		errs = append(errs, fmt.Errorf("the capacity of %s/s per replica is too small to scale on", n.Capacity))
	}
	if n.StartUp == 0 {
		errs = append(errs, n.Sizing.CheckStart())
	}
	return errors.Join(errs...)
}

// timing are the times of a policy of a metric.
type timing struct {
	kind                         profiles.Kind
	interval, window, quiet, lag time.Duration
}

func (n Needs) timing(kind profiles.Kind) timing {
	t := timing{kind: kind}
	t.interval = n.Within.interval(kind, n.decideEvery())
	t.window = n.Within.window(kind, t.interval, n.averageOver(t.interval))
	t.quiet = min(max(time.Minute, 2*(n.StartUp+t.interval)), time.Hour).Round(time.Second)
	t.lag = lag(t.window, t.interval, n.StartUp)
	return t
}

// The interval is between these.
const (
	shortestInterval = 2 * time.Second
	longestInterval  = 30 * time.Second
	unknownInterval  = 10 * time.Second // where the start-up time is not known
)

// decideEvery is the interval: a quarter of the start-up time: looking more often gains little
// while a start takes longer than that.
func (n Needs) decideEvery() time.Duration {
	switch {
	case n.Interval > 0:
		return n.Interval
	case n.StartUp == 0:
		return unknownInterval
	}
	return min(max(n.StartUp/4, shortestInterval), longestInterval).Round(time.Second)
}

// enoughArrivals move the measured rate of a Poisson stream by at most 20 % at
// 95 %: (1.96/0.2)². Those that come in bursts take as many more as their variance
// is larger.
const enoughArrivals = 96

// averageOver is the window: how long the stream at the high rate must be averaged to have
// enough arrivals; at most a minute, and never less than the interval.
func (n Needs) averageOver(interval time.Duration) time.Duration {
	return max(min(n.neededWindow(), time.Minute), interval)
}

func (n Needs) neededWindow() time.Duration {
	return time.Duration(math.Ceil(enoughArrivals*n.burstiness()/n.Traffic.High.Float())) * time.Second
}

// burstiness is the variance of the arrivals in a window over that of a Poisson
// stream, 1 or more.
func (n Needs) burstiness() float64 { return max(1, n.bursts) }

// dispersion is that of the recorded arrivals over the window which a Poisson
// stream would take, if they were recorded as closely.
func (n Needs) dispersion() (index float64, over time.Duration) {
	if n.History == nil {
		return 0, 0
	}
	n.bursts = 0
	return n.History.dispersion(min(n.neededWindow(), time.Minute))
}

// reserve is the share of the capacity that is kept free.
type reserve struct {
	share    profiles.Ratio
	why      string // ends a sentence that begins with the share
	rejected []Rejection
}

// leastReach is the share of the capacity that must be left when what rises
// within the lag is kept free.
const leastReach = 0.3

// keep sets what is kept free, the largest of the reserves: they are not planned
// for together. more are those that a recorded load asks for.
func (s *sized) keep(more []reserve) error {
	all := append([]reserve{{share: s.Headroom, why: s.headroomWhy(s.timing)}}, more...)
	if s.Doubles > 0 {
		left := reach(s.lag, s.Doubles)
		if left < leastReach {
			return refuseLag(s.Needs, s.timing, fmt.Sprintf("double every %s", seconds(s.Doubles)))
		}
		share := profiles.Ratio(math.Ceil((1 - left) * 1000))
		all = append(all, reserve{share: share, why: fmt.Sprintf("%s of it is kept free: the traffic may double every %s, and a new replica answers after %s (%s)",
			share, seconds(s.Doubles), seconds(s.lag), s.lagParts(s.timing))})
	}
	s.scaleFree = largest(all).share
	if rise := s.risesIn(s.lag); rise > 0 {
		s.balances = s.Needs.balances(s.Capacity, rise, s.scaleFree)
		if b := s.balances.best; b.share > 0 {
			all = append(all, reserve{share: b.share, why: fmt.Sprintf("%s of it is kept free: %s requests/s may come on top in the %s until a new replica answers (%s), of the %s that %d carry",
				b.share, rise, seconds(s.lag), s.lagParts(s.timing), s.Capacity*profiles.Milli(b.least), b.least)})
		}
	}
	s.kept = largest(all)
	if growth := all[1:]; len(growth) > 0 {
		s.grows = largest(growth).share
	}
	for _, r := range all {
		if r.share != s.kept.share {
			s.kept.rejected = append(s.kept.rejected, Rejection{r.share.String() + " kept free", "less than " + s.kept.share.String() + "; they are not added up: what each is for is not planned to happen together"})
		}
	}
	if s.Capacity*profiles.Milli(1000-s.kept.share)/1000 <= 0 {
		return fmt.Errorf("the capacity of %s/s per replica is too small to scale on", s.Capacity)
	}
	s.target = s.eachGets(s.Capacity, s.kept.share)
	return nil
}

// largest is the first of the largest reserves.
func largest(all []reserve) reserve {
	return slices.MaxFunc(all, func(a, b reserve) int { return cmp.Compare(a.share, b.share) })
}

func plural(replicas int) string {
	if replicas == 1 {
		return "replica"
	}
	return "replicas"
}

// roundDown keeps three significant digits: a target of 16.432 claims a
// precision that no measurement has.
func roundDown(m profiles.Milli) profiles.Milli {
	unit := profiles.Milli(1)
	for m/unit >= 1000 {
		unit *= 10
	}
	return m / unit * unit
}

// seconds writes a duration as people say it, below 100 s with a digit behind the
// point, so that what is added up on the screen comes out: "3.0 s", "14.5 s",
// "10 s", "120 s".
func seconds(d time.Duration) string {
	tenths := d.Round(100 * time.Millisecond)
	if tenths < 10*time.Second || tenths < 100*time.Second && tenths%time.Second != 0 {
		return fmt.Sprintf("%.1f s", tenths.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
