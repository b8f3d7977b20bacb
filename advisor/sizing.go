package advisor

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"headroom/profiles"
)

// Sizing is what may be said of the policy to be advised, besides the traffic.
type Sizing struct {
	Headroom profiles.Ratio    // least share of the capacity kept free, below 100 %
	Interval time.Duration     // between decisions; 0: chosen from the start-up time
	Starts   time.Duration     // that a replica takes to start; 0: as measured
	Metric   profiles.Kind     // to scale on; empty: the one that the steps speak for
	Rise     profiles.Milli    // requests/s by which the traffic may grow each second, steadily
	Doubles  time.Duration     // in which the traffic may double, on and on; 0: it does not
	Jump     profiles.Milli    // requests/s that may come on top at once
	Growth   profiles.Ratio    // by which the busy hours may exceed the traffic that is known
	CPULimit profiles.Milli    // cores that a replica has where the policy is followed; 0: as measured
	Price    float64           // of a replica-hour, in whatever money; 0: not known
	Within   *Ability          // of the platform that is to follow the policy; nil: any
	History  *History          // recorded traffic, which says of the above what is left at 0; nil: none
	Dispatch profiles.Dispatch // which replica gets the next request; empty: as the balancer of Within does, or Pack
	Schedule bool              // the advice must have hours; it takes a History
	Spare    bool              // the quiet hours must survive the loss of a replica; it raises min alone
}

// Metrics are the kinds that Sizing.Metric may ask for.
func Metrics() []profiles.Kind {
	return []profiles.Kind{profiles.RPS, profiles.InFlight, profiles.Queue, profiles.FreeWorkers, profiles.CPU, profiles.Latency}
}

// mostGrowth bounds Growth: more is another service.
const mostGrowth = profiles.Ratio(10_000)

// Validate returns all problems at once, each naming the flag that sets the
// value.
func (s Sizing) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Headroom < 0 || s.Headroom >= 1000 {
		bad("--headroom: got %s, want 0%% or more and less than 100%%", s.Headroom)
	}
	if s.Interval != 0 && (s.Interval < time.Second || s.Interval > profiles.MaxWindow) {
		bad("--interval: got %v, want 1s to %v", s.Interval, profiles.Duration(profiles.MaxWindow))
	}
	if s.Metric != "" && !slices.Contains(Metrics(), s.Metric) {
		bad("--metric: %w", profiles.OneOf(s.Metric, Metrics()))
	}
	if s.Rise < 0 {
		bad("--rise: got %s, want 0 or more requests/s each second", s.Rise)
	}
	if s.Doubles < 0 {
		bad("--doubles: got %v, want more than 0s", s.Doubles)
	}
	if s.Jump < 0 {
		bad("--jump: got %s, want 0 or more requests/s", s.Jump)
	}
	if s.Schedule && s.History == nil {
		bad("--schedule: got it without a --trace, want both: hours are taken from a recorded load")
	}
	if s.Growth < 0 || s.Growth > mostGrowth {
		bad("--growth: got %s, want 0%% to %s", s.Growth, mostGrowth)
	}
	if s.CPULimit < 0 {
		bad("--cpu-limit: got %s, want more than 0 cores", s.CPULimit)
	}
	if !(s.Price >= 0) || math.IsInf(s.Price, 0) {
		bad("--price: got %g, want 0 or more", s.Price)
	}
	return errors.Join(errs...)
}

// CheckStart returns what cannot be told without the time that a replica takes
// to start, which is not known: how much more comes until another one answers.
func (s Sizing) CheckStart() error {
	var errs []error
	for _, g := range []struct {
		flag, value string
		given       bool
	}{
		{"rise", s.Rise.String(), s.Rise > 0},
		{"doubles", profiles.Duration(s.Doubles).String(), s.Doubles > 0},
		{"jump", s.Jump.String(), s.Jump > 0},
		{"trace", "a recorded load", s.History != nil},
	} {
		if g.given {
			errs = append(errs, fmt.Errorf("--%s: got %s while the start-up time is not known, want --start-up too: it decides how much comes until a new replica answers", g.flag, g.value))
		}
	}
	return errors.Join(errs...)
}

// lag is the time from a rise of the load to the first answer of a replica
// that is started for it, at worst: half the window, by which a trailing mean
// follows a ramp, the interval, and the start-up.
func lag(window, interval, startUp time.Duration) time.Duration {
	return window/2 + interval + startUp
}

// risesIn is how many requests/s are added within a lag. Nothing rises above the
// busy hours.
func (n Needs) risesIn(lag time.Duration) profiles.Milli {
	return min(profiles.Milli(ceilProduct(1000*n.Rise, lag)), n.busiest(n.Traffic)-n.Traffic.Low)
}

// ceilProduct is the smallest whole number not below a figure times durations in
// seconds. It is exact: by floats 100 x 0.07 is more than 7.
func ceilProduct(m profiles.Milli, times ...time.Duration) int {
	product, unit := big.NewInt(int64(m)), big.NewInt(1000)
	for _, t := range times {
		product.Mul(product, big.NewInt(int64(t)))
		unit.Mul(unit, big.NewInt(int64(time.Second)))
	}
	whole, rest := product.DivMod(product, unit, new(big.Int))
	return int(whole.Int64()) + rest.Sign()
}

// reach is the share of the capacity up to which a fleet may be filled that is
// as large as the load was a lag ago, when that doubles again and again:
// 2^(-lag/doubles).
func reach(lag, doubles time.Duration) float64 {
	return math.Exp2(-lag.Seconds() / doubles.Seconds())
}

// freeWorkers is how many of the replicas that work on one request at a time
// must be free so that one in twenty requests waits at most: those that rise
// in the time lag, and those that chance adds to the a = rate x service busy
// ones within it. Requests in service are Poisson distributed, and their number
// forgets what it was as e^(-lag/service), so that the deviation of its change
// is the root of 2a(1 - e^(-lag/service)); one in twenty is 1.645 of it.
func freeWorkers(rate, rise float64, service, lag time.Duration) int {
	s := service.Seconds()
	chance := 1.645 * math.Sqrt(2*rate*s*(1-math.Exp(-lag.Seconds()/s)))
	return max(1, int(math.Ceil(rise*s*lag.Seconds()+chance)))
}

// stepFor is how many replicas must be added at once so that a fleet which
// adds none while others start keeps up with the rise.
func stepFor(rise profiles.Milli, service, cycle time.Duration) int {
	return max(1, ceilProduct(rise, service, cycle))
}

// queueLimit is how many requests may wait before another replica is started,
// when a request may wait for spare and a replica answers after lead: what n
// replicas work off in the time between. Below 0 there is none.
func queueLimit(n int, spare, lead, service time.Duration) int {
	return int(math.Floor(float64(n) * (spare - lead).Seconds() / service.Seconds()))
}

// idleFor is how long a replica may be idle: about what starting it once more
// costs.
func idleFor(interval, startUp time.Duration) time.Duration {
	return max(3*interval, idleStarts*startUp).Round(time.Second)
}

// idleStarts is how many start-ups long that is.
const idleStarts = 5

// keptBusy is how many replicas never are idle for so long where requests go to
// all of them in turn, or at random: at that rate each of n gets one every
// n/rate seconds.
func keptBusy(rate float64, idle time.Duration) int {
	return int(rate * idle.Seconds())
}

// decisionsFor is how many decisions in a row a metric that ends at a limit takes
// to follow a load that has grown so many times at once: each can ask for limit
// over target times the replicas at most. ok is false where it can ask for none.
func decisionsFor(growth, limitOverTarget float64) (n int, ok bool) {
	if limitOverTarget <= 1 {
		return 0, false
	}
	return max(0, int(math.Ceil(math.Log(growth)/math.Log(limitOverTarget)-1e-9))), true
}
