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
	CPU     float64       `json:"cpu"`            // cores used by this process, the highest mean of some seconds
	Due     int64         `json:"due,omitempty"`  // arrivals of the open model that were due
	Sent    int64         `json:"sent,omitempty"` // of them, those that were sent
	Late    int64         `json:"late"`           // arrivals that waited because all users were busy and there may be no more
	Unsent  int64         `json:"unsent"`         // arrivals that were due and were never sent for the same reason
	Dropped int64         `json:"dropped"`        // arrivals that the plan did not let wait for the same reason
	Lacked  int64         `json:"lacked"`         // requests that could not be sent for want of a local port or a file; they count as failures

	// What else is known of this process and its machine; nil where it is not.
	GC       *float64 `json:"gc,omitempty"`       // share of its CPU that collected garbage, 0..1
	Files    *float64 `json:"files,omitempty"`    // it could still open, at the fewest
	Ports    *float64 `json:"ports,omitempty"`    // for more connections to one address, at the fewest, and at least
	Pressure *float64 `json:"pressure,omitempty"` // share of the time that somebody on the machine waited for a processor, 0..1
	Steal    *float64 `json:"steal,omitempty"`    // share of the processors that the host gave to others, 0..1
}

// Achieved is the share of the planned arrivals that were sent, 0..1. There is
// none in the closed model, and before the first is due.
func (h Health) Achieved() (share float64, ok bool) {
	return float64(h.Sent) / float64(max(h.Due, 1)), h.Due > 0
}

// Thresholds of the verdict. Lag is judged against what is measured, the
// latency that the SLO speaks of or else the p95: 10 ms spoil a latency of 20
// ms and say nothing about one of 2 s.
const (
	lagStrained      = 0.05
	lagStrainedFloor = 2 * time.Millisecond
	lagLimited       = 0.25
	lagLimitedFloor  = 10 * time.Millisecond
	cpuStrained      = 0.70 // of the cores that this process may use
	cpuLimited       = 0.90
	missedStrained   = 0.02 // of the arrivals that were due, or of all requests for those that this machine lacked something for
	missedLimited    = 0.05
	enoughDue        = 100 // arrivals or requests; of fewer the one that is due just now is too large a share
	pressureNoted    = 0.10
	stealNoted       = 0.05
)

// judge sets the verdict of h on so many cores, for latencies on a scale of
// typical, after so many requests. Late arrivals alone are no fault of the generator: the target kept
// all users busy, and their waiting is part of their latency. Arrivals that
// were never sent are a load that was not offered.
func (h *Health) judge(cores float64, typical time.Duration, maxUsers int, requests int64) {
	h.Verdict, h.Reason = Sound, ""
	lag := fmt.Sprintf("requests leave %v late (p99)", h.LagP99.Round(100*time.Microsecond))
	use := h.CPU / cores
	cpu := fmt.Sprintf("the generator uses %.0f %% of its cores", use*100)
	share := func(of float64) time.Duration { return time.Duration(of * float64(typical)) }
	missed := 0.0 // by the generator: not for want of a free user
	if h.Due >= enoughDue {
		missed = float64(h.Due-h.Sent-h.Unsent-h.Dropped) / float64(h.Due)
	}
	lacked := 0.0
	if requests >= enoughDue {
		lacked = float64(h.Lacked) / float64(requests)
	}
	lack := fmt.Sprintf("%.0f %% of the requests could not be sent: this machine ran out of local ports or files", lacked*100)
	unsent := fmt.Sprintf("%.0f %% of the arrivals that were due were not sent", missed*100)
	switch {
	case h.LagP99 > max(lagLimitedFloor, share(lagLimited)):
		h.Verdict, h.Reason = Limited, lag
	case use > cpuLimited:
		h.Verdict, h.Reason = Limited, cpu
	case lacked > missedLimited:
		h.Verdict, h.Reason = Limited, lack
	case missed > missedLimited:
		h.Verdict, h.Reason = Limited, unsent
	case h.Unsent > 0:
		h.Verdict, h.Reason = Strained, fmt.Sprintf("%s due and not sent: %s busy, and --max-users allows no more",
			profiles.Plural(h.Unsent, "arrival was", "arrivals were"), profiles.Plural(maxUsers, "user was", "users were"))
	case h.Dropped > 0:
		h.Verdict, h.Reason = Strained, fmt.Sprintf("%s dropped: %s busy, and --max-users allows no more",
			profiles.Plural(h.Dropped, "arrival was", "arrivals were"), profiles.Plural(maxUsers, "user was", "users were"))
	case h.LagP99 > max(lagStrainedFloor, share(lagStrained)):
		h.Verdict, h.Reason = Strained, lag
	case use > cpuStrained:
		h.Verdict, h.Reason = Strained, cpu
	case lacked > missedStrained:
		h.Verdict, h.Reason = Strained, lack
	case missed > missedStrained:
		h.Verdict, h.Reason = Strained, unsent
	}
	if h.Verdict != Sound {
		h.Reason += h.company()
	}
}

// company is what others on the machine may have to do with a doubt.
func (h *Health) company() (text string) {
	if h.Pressure != nil && *h.Pressure > pressureNoted {
		text += fmt.Sprintf("; somebody on this machine waits for a processor %.0f %% of the time", *h.Pressure*100)
	}
	if h.Steal != nil && *h.Steal > stealNoted {
		text += fmt.Sprintf("; its host takes %.0f %% of its processors away", *h.Steal*100)
	}
	return text
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
	add("%.0f local ports left for an address", h.Ports, 1)
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
	m.seconds[m.n%cpuSpan] = (used - m.used).Seconds() / length.Seconds()
	m.n++
	m.used, m.at = used, now
	sum := 0.0
	for _, s := range m.seconds {
		sum += s
	}
	m.highest = max(m.highest, sum/float64(min(m.n, cpuSpan)))
	return true
}

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
