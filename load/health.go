package load

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/process"

	"headroom/profiles"
)

// Verdict says whether the figures of a run can be believed.
type Verdict string

// The verdicts on the generator. Limited means that the generator, not the
// target, shaped the figures: nothing may be concluded from them.
const (
	Sound    Verdict = "sound"
	Strained Verdict = "strained"
	Limited  Verdict = "limited"
)

// Health is what the generator says of itself.
type Health struct {
	Verdict Verdict       `json:"verdict"`
	Reason  string        `json:"reason,omitempty"`
	LagP50  time.Duration `json:"lagP50"` // intended to actual send
	LagP99  time.Duration `json:"lagP99"`

	Hiccup  time.Duration `json:"hiccup"`         // how late something ran that waits for nothing (p99 over time)
	CPU     float64       `json:"cpu"`            // cores used by this process, the highest mean of some seconds
	Due     int64         `json:"due,omitempty"`  // arrivals of the open model that were due
	Sent    int64         `json:"sent,omitempty"` // of them, those that were sent
	Late    int64         `json:"late"`           // arrivals that waited because all users were busy and there may be no more
	Unsent  int64         `json:"unsent"`         // arrivals that were due and were never sent for the same reason
	Dropped int64         `json:"dropped"`        // arrivals that the plan did not let wait for the same reason
	Missed  int64         `json:"missed"`         // beats of users that pace their requests, which passed because an answer was slow
	Local   int64         `json:"local"`          // requests that failed on this machine, for want of descriptors or ports

	// What else is known of this process and its machine; nil where it is not.
	GC       *float64 `json:"gc,omitempty"`       // share of its CPU that collected garbage, 0..1
	Files    *float64 `json:"files,omitempty"`    // it could still open, at the fewest
	Ports    *float64 `json:"ports,omitempty"`    // for more connections to one address: no fewer, at any time
	Pressure *float64 `json:"pressure,omitempty"` // share of the time that somebody on the machine waited for a processor, 0..1
	Steal    *float64 `json:"steal,omitempty"`    // share of the processors that the host gave to others, 0..1
}

// Achieved is the share of the planned arrivals that were sent, 0..1. There is
// none in the closed model, and before the first is due.
func (h Health) Achieved() (share float64, ok bool) {
	return float64(h.Sent) / float64(max(h.Due, 1)), h.Due > 0
}

// Thresholds of the verdict. Lag is judged against what is measured: 10 ms spoil
// a latency of 20 ms and say nothing about one of 2 s. It limits where it is so
// long at the quantile that the SLO speaks of, or else at p95, as is then a
// figure that somebody relies on; at p99 it strains.
const (
	lagStrained      = 0.05
	lagStrainedFloor = 2 * time.Millisecond
	lagLimited       = 0.25
	lagLimitedFloor  = 10 * time.Millisecond
	hiccupFloor      = 25 * time.Millisecond // processes that take turns on a busy machine wait so long, and no request need do
	cpuStrained      = 0.70                  // of the cores that this process may use
	cpuLimited       = 0.90
	missedStrained   = 0.02 // of the arrivals that were due
	missedLimited    = 0.05
	localLimited     = 0.05 // of the connections that were tried
	cpuNeeds         = 0.05 // of the cores, from which on the use says what more requests would need
	enoughDue        = 100  // arrivals; of fewer the one that is due just now is too large a share
	pressureNoted    = 0.10
	stealNoted       = 0.05
)

// grounds are what a verdict rests on besides the Health.
type grounds struct {
	cores    float64       // that this process may use
	used     float64       // of them, the mean over the load
	typical  time.Duration // latency that lag is judged against
	lag      time.Duration // at the quantile at which it is
	hiccup   time.Duration // likewise
	maxUsers int
	opened   int64  // connections
	local    string // why requests failed on this machine, for example
}

// judge sets the verdict of h. Arrivals that waited, were dropped or were not
// sent for want of a free user are no fault of the generator: the target kept
// all users busy. But a generator that stood still, or would need more
// processors than it has, kept them busy itself.
func (h *Health) judge(g grounds) {
	h.Verdict, h.Reason = Sound, ""
	lag := fmt.Sprintf("requests leave %v late (p99)", h.LagP99.Round(100*time.Microsecond))
	hiccup := fmt.Sprintf("the generator itself runs %v late (p99)", h.Hiccup.Round(100*time.Microsecond))
	use := h.CPU / g.cores
	cpu := fmt.Sprintf("the generator uses %.0f %% of its cores", use*100)
	late := func(floor time.Duration, share float64) time.Duration {
		return max(floor, time.Duration(share*float64(g.typical)))
	}
	missed, achieved := 0.0, 1.0 // missed by the generator: not for want of a free user
	if h.Due >= enoughDue {
		missed = float64(h.Due-h.Sent-h.Unsent-h.Dropped) / float64(h.Due)
		achieved, _ = h.Achieved()
	}
	unsent := fmt.Sprintf("%.0f %% of the arrivals that were due were not sent", missed*100)
	local := fmt.Sprintf("%s on this machine: %s", profiles.Plural(h.Local, "request failed", "requests failed"), g.local)
	busy := fmt.Sprintf("%s busy, and --max-users allows no more", profiles.Plural(g.maxUsers, "user was", "users were"))
	switch {
	case g.hiccup > late(hiccupFloor, lagLimited):
		h.Verdict, h.Reason = Limited, hiccup
	case g.lag > late(lagLimitedFloor, lagLimited):
		h.Verdict, h.Reason = Limited, lag
	case use > cpuLimited:
		h.Verdict, h.Reason = Limited, cpu
	case float64(h.Local) > localLimited*float64(h.Local+g.opened):
		h.Verdict, h.Reason = Limited, local
	case missed > missedLimited:
		h.Verdict, h.Reason = Limited, unsent
	case achieved < 1-missedLimited && g.used > cpuNeeds*g.cores && g.used > cpuLimited*g.cores*achieved:
		h.Verdict, h.Reason = Limited, fmt.Sprintf("%.0f %% of the arrivals that were due were sent, and for all of them the generator would need %.1f cores of %.0f",
			achieved*100, g.used/achieved, g.cores)
	case h.Local > 0:
		h.Verdict, h.Reason = Strained, local
	case h.Unsent > 0:
		h.Verdict, h.Reason = Strained, fmt.Sprintf("%s due and not sent: %s", profiles.Plural(h.Unsent, "arrival was", "arrivals were"), busy)
	case h.Dropped > 0:
		h.Verdict, h.Reason = Strained, fmt.Sprintf("%s dropped: %s", profiles.Plural(h.Dropped, "arrival was", "arrivals were"), busy)
	case h.LagP99 > late(lagStrainedFloor, lagStrained):
		h.Verdict, h.Reason = Strained, lag
	case h.Hiccup > late(hiccupFloor, lagLimited):
		h.Verdict, h.Reason = Strained, hiccup
	case use > cpuStrained:
		h.Verdict, h.Reason = Strained, cpu
	case missed > missedStrained:
		h.Verdict, h.Reason = Strained, unsent
	}
	if h.Verdict != Sound {
		if company := h.Company(); company != "" {
			h.Reason += "; " + company
		}
	}
}

// Company is what others on the machine may have to do with what was measured;
// "" for nothing worth a word.
func (h Health) Company() string {
	var others []string
	if h.Pressure != nil && *h.Pressure > pressureNoted {
		others = append(others, fmt.Sprintf("somebody on this machine waits for a processor %.0f %% of the time", *h.Pressure*100))
	}
	if h.Steal != nil && *h.Steal > stealNoted {
		others = append(others, fmt.Sprintf("its host takes %.0f %% of its processors away", *h.Steal*100))
	}
	return strings.Join(others, "; ")
}

// Resources is what is known of this process and its machine, in words; "" for
// nothing.
func (h Health) Resources() string {
	var known []string
	add := func(format string, v *float64, scale float64) {
		if v != nil {
			known = append(known, fmt.Sprintf(format, *v*scale))
		}
	}
	add("%.1f %% of its CPU collects garbage", h.GC, 100)
	add("%.0f file descriptors left", h.Files, 1)
	add("at least %.0f local ports left for an address", h.Ports, 1)
	add("CPU pressure %.0f %%", h.Pressure, 100)
	add("steal %.0f %%", h.Steal, 100)
	return strings.Join(known, ", ")
}

// cpuSpan is how many seconds the use of the processor is averaged over: one
// second of collecting garbage is no limit.
const cpuSpan = 5

// cpuMeter measures how many cores this process uses.
type cpuMeter struct {
	at      time.Time
	used    time.Duration
	seconds [cpuSpan]float64 // ring of the last readings
	n       int              // readings so far
	highest float64          // highest mean over the ring
	sum     float64          // of all readings
}

func newCPUMeter(now time.Time) *cpuMeter { return &cpuMeter{at: now, used: ProcessCPU()} }

// read takes a reading when a second has passed since the last one, and
// reports whether it did.
func (m *cpuMeter) read(now time.Time) bool {
	length := now.Sub(m.at)
	if length < time.Second-tick/2 {
		return false
	}
	used := ProcessCPU()
	cores := (used - m.used).Seconds() / length.Seconds()
	m.seconds[m.n%cpuSpan] = cores
	m.sum += cores
	m.n++
	m.used, m.at = used, now
	sum := 0.0
	for _, s := range m.seconds {
		sum += s
	}
	m.highest = max(m.highest, sum/float64(min(m.n, cpuSpan)))
	return true
}

// mean is how many cores were used over all readings; 0 before the first.
func (m *cpuMeter) mean() float64 { return m.sum / float64(max(m.n, 1)) }

// ProcessCPU is the CPU time that this process has used so far; 0 where the
// system does not tell.
func ProcessCPU() time.Duration {
	p, err := process.NewProcess(int32(os.Getpid()))
	if err != nil {
		return 0
	}
	t, err := p.Times()
	if err != nil {
		return 0
	}
	return time.Duration((t.User + t.System) * float64(time.Second))
}
