package advisor

import (
	"fmt"
	"math"
	"time"

	"headroom/profiles"
)

// Needs are what a recommendation is made from besides the capacity of one
// replica.
type Needs struct {
	Capacity profiles.Milli   // requests per second of one replica within the SLO
	SLO      profiles.SLO     // which that capacity meets; empty in the textbook case
	Traffic  profiles.Traffic // what is to be carried
	Headroom profiles.Ratio   // share of the capacity kept free, below 100 %
	StartUp  time.Duration    // from starting a replica to its first answer; 0: not known
	Interval time.Duration    // between decisions; 0: chosen from StartUp

	// For the calibration of the policy; 0: not measured.
	Service time.Duration // mean, of one request alone
	CPU     time.Duration // per request
	Date    time.Time

	// For replicas that share this machine; without them it sets no limit.
	Host  HostUse // at the SLO capacity
	Local int     // replicas that Host speaks of; 0: they run elsewhere
}

// Value is one number of a recommendation with its working.
type Value struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
	Formula string  `json:"formula"` // with the numbers in it
	Why     string  `json:"why"`     // one sentence
}

// Recommendation is the advice: a policy, and where each of its numbers comes
// from.
type Recommendation struct {
	Policy  profiles.Policy `json:"policy"`           // for the platform: the full numbers
	Applied profiles.Policy `json:"applied"`          // for replicas on this machine: capped at what it carries
	Capped  string          `json:"capped,omitempty"` // why Applied differs; empty when it does not
	Values  []Value         `json:"values"`           // min, max, target, then timing
	Assessment
	Notes []string `json:"notes,omitempty"`
}

// Recommend derives a policy that scales on requests per second:
//
//	target = capacity x (1 - headroom)
//	min    = ceil(low / target)
//	max    = ceil(high / target)
//
// With 10 requests/s per replica, traffic of 50..200 and no headroom this is
// 5, 20 and 10. The arithmetic is exact.
func Recommend(n Needs) (Recommendation, error) {
	n.Capacity = roundDown(n.Capacity)
	target := roundDown(n.Capacity * profiles.Milli(1000-n.Headroom) / 1000)
	switch {
	case n.Headroom < 0 || n.Headroom >= 1000:
		return Recommendation{}, fmt.Errorf("--headroom: got %s, want 0%% or more and less than 100%%", n.Headroom)
	case validInterval(n.Interval) != nil:
		return Recommendation{}, validInterval(n.Interval)
	case !n.Traffic.Known():
		return Recommendation{}, fmt.Errorf("--traffic: got nothing, want LOW..HIGH in requests per second, such as 50..200")
	case target <= 0:
		return Recommendation{}, fmt.Errorf("the capacity of %s/s per replica is too small to scale on", n.Capacity)
	}
	low := int(profiles.CeilDiv(int64(n.Traffic.Low), int64(target)))
	high := int(profiles.CeilDiv(int64(n.Traffic.High), int64(target)))
	interval, intervalWhy := n.interval()
	window, windowFormula, windowWhy := n.window(interval)
	quiet := min(max(time.Minute, 2*(n.StartUp+interval)), time.Hour).Round(time.Second)

	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: low, Max: profiles.Limit(high)}
	p.Metrics = []profiles.Metric{{Kind: profiles.RPS, Target: target, Window: profiles.Duration(window)}}
	p.Interval = profiles.Duration(interval)
	p.Down.Stabilization = profiles.Duration(quiet)
	if n.Service > 0 {
		p.Calibration = &profiles.Calibration{
			Latency:       profiles.Duration(n.Service.Round(10 * time.Microsecond)),
			CPUPerRequest: profiles.Duration(n.CPU.Round(10 * time.Microsecond)),
			Measured:      n.Date.UTC().Format(time.DateOnly),
		}
	}

	r := Recommendation{Policy: p, Applied: p, Values: []Value{
		{"min", float64(low), plural(low), fmt.Sprintf("ceil(%s / %s) = %d", n.Traffic.Low, target, low),
			fmt.Sprintf("the quiet hours bring %s requests/s and one replica is given %s", n.Traffic.Low, target)},
		{"max", float64(high), plural(high), fmt.Sprintf("ceil(%s / %s) = %d", n.Traffic.High, target, high),
			fmt.Sprintf("the busy hours bring %s requests/s and one replica is given %s", n.Traffic.High, target)},
		{"target", target.Float(), "requests/s per replica", fmt.Sprintf("%s x (100%% - %s) = %s", n.Capacity, n.Headroom, target), n.targetWhy(interval, window)},
		{"interval", interval.Seconds(), "s", intervalWhy, "how often the metric is looked at"},
		{"window", window.Seconds(), "s", windowFormula, windowWhy},
		{"down after", quiet.Seconds(), "s", n.quietFormula(), "a lull shorter than this would only stop replicas that are needed again"},
	}}
	n.capAtHost(&r)
	return r, p.Validate()
}

func (n Needs) quietFormula() string {
	if n.StartUp == 0 {
		return "2 x interval, between 60 s and 1 h; the start-up time is not known"
	}
	return "2 x (start-up + interval), between 60 s and 1 h"
}

func (n Needs) targetWhy(interval, window time.Duration) string {
	holds := fmt.Sprintf("one replica carries %s/s", n.Capacity)
	if len(n.SLO) > 0 {
		holds = fmt.Sprintf("one replica holds %s up to %s/s", n.SLO, n.Capacity)
	}
	if n.Headroom == 0 {
		return holds + ", and all of it is used"
	}
	lag := interval + window/2 + n.StartUp
	parts := fmt.Sprintf("interval %s + half the window %s", seconds(interval), seconds(window/2))
	if n.StartUp == 0 {
		return fmt.Sprintf("%s; %s of it is kept free for what arrives until a new replica answers: %s (%s) and its start-up, which is not known",
			holds, n.Headroom, seconds(lag), parts)
	}
	return fmt.Sprintf("%s; %s of it is kept free for what arrives in the %s until a new replica answers (%s + start-up %s)",
		holds, n.Headroom, seconds(lag), parts, seconds(n.StartUp))
}

// validInterval says what is wrong with an interval that was given. The window
// of the metric is as long, or longer.
func validInterval(d time.Duration) error {
	if d != 0 && (d < time.Second || d > profiles.MaxWindow) {
		return fmt.Errorf("--interval: got %v, want 1s to %v", d, profiles.Duration(profiles.MaxWindow))
	}
	return nil
}

// interval is a quarter of the start-up time, between 2 s and 30 s: looking
// more often gains little while a start takes longer than that.
func (n Needs) interval() (time.Duration, string) {
	if n.Interval > 0 {
		return n.Interval, "given"
	}
	if n.StartUp == 0 {
		return 10 * time.Second, "start-up time not known: 10 s"
	}
	p := min(max(n.StartUp/4, 2*time.Second), 30*time.Second).Round(time.Second)
	return p, fmt.Sprintf("start-up %s / 4, between 2 s and 30 s", seconds(n.StartUp))
}

// window is how long a Poisson stream at the high rate must be averaged for a
// relative error of 20 % at 95 %: (1.96/0.2)² = 96 arrivals; at most a minute,
// and never less than the interval.
func (n Needs) window(interval time.Duration) (w time.Duration, formula, why string) {
	needed := time.Duration(math.Ceil(96/n.Traffic.High.Float())) * time.Second
	w = max(min(needed, time.Minute), interval)
	why = "long enough that chance moves the measured rate by at most 20 %"
	if w < needed {
		why = fmt.Sprintf("chance moves the measured rate by up to %.0f %%, but a longer one would be too slow", 196/math.Sqrt(n.Traffic.High.Float()*w.Seconds()))
	}
	return w, fmt.Sprintf("max(min(96 / %s, 60 s), interval)", n.Traffic.High), why
}

// capAtHost lowers what is applied here to what this machine carries: n
// replicas at their target, each with its share of the load and the balancing
// that goes with it, beside whatever else keeps the machine busy.
func (n Needs) capAtHost(r *Recommendation) {
	h := n.Host
	if !h.Known || h.Cores == 0 || n.Local == 0 {
		return
	}
	// At its target a replica uses so much less than at its capacity.
	target := r.Policy.Metrics[0].Target.Float() / n.Capacity.Float()
	perReplica := (h.Replicas + h.Load) / float64(n.Local) * target
	if perReplica <= 0 {
		return
	}
	others := max(0, h.Busy-h.Replicas-h.Load)
	carries := max(1, int((saturatedShare*float64(h.Cores)-others)/perReplica))
	if carries >= int(r.Policy.Replicas.Max) {
		return
	}
	r.Applied.Replicas.Max = profiles.Limit(carries)
	r.Applied.Replicas.Min = min(r.Applied.Replicas.Min, carries)
	r.Capped = fmt.Sprintf("this machine has %d cores, other programs keep %.2f of them busy and a replica at its target %.2f, its load included: it carries %d; here max is %d, exports keep %s",
		h.Cores, others, perReplica, carries, carries, r.Policy.Replicas.Max)
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

// seconds writes a duration as people say it.
func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
