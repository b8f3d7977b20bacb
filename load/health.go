package load

import (
	"fmt"
	"os"
	"time"

	"github.com/shirou/gopsutil/v4/process"
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
	LagP50  time.Duration `json:"lagP50"` // intended to actual send, where a user was free
	LagP99  time.Duration `json:"lagP99"`
	CPU     float64       `json:"cpu"`  // cores used by this process, lately
	Late    int64         `json:"late"` // arrivals that found no free user and waited for one
}

// Thresholds of the verdict. Lag is judged against what is measured: 5 ms
// spoil a latency of 10 ms and say nothing about one of 2 s.
const (
	lagStrained = 5 * time.Millisecond  // or a tenth of the median service time, if that is more
	lagLimited  = 20 * time.Millisecond // or a half of it
	cpuStrained = 0.70                  // of the cores of the machine
	cpuLimited  = 0.90
)

// judge sets the verdict of h on a machine with so many cores, for a median
// service time of typical (0 without answers). Late arrivals are no fault of
// the generator: the target kept all users busy, and their waiting is part of
// their latency.
func (h *Health) judge(cores float64, typical time.Duration) {
	h.Verdict, h.Reason = Sound, ""
	lag := fmt.Sprintf("requests leave %v late (p99)", h.LagP99.Round(100*time.Microsecond))
	use := h.CPU / cores
	cpu := fmt.Sprintf("the generator uses %.0f %% of the machine", use*100)
	switch {
	case h.LagP99 > max(lagLimited, typical/2):
		h.Verdict, h.Reason = Limited, lag
	case use > cpuLimited:
		h.Verdict, h.Reason = Limited, cpu
	case h.LagP99 > max(lagStrained, typical/10):
		h.Verdict, h.Reason = Strained, lag
	case use > cpuStrained:
		h.Verdict, h.Reason = Strained, cpu
	}
}

// cpuMeter measures how many cores this process uses.
type cpuMeter struct {
	process *process.Process // nil where the system does not tell
	at      time.Time
	used    float64 // seconds
	cores   float64
}

func newCPUMeter(now time.Time) *cpuMeter {
	p, _ := process.NewProcess(int32(os.Getpid()))
	m := &cpuMeter{process: p, at: now}
	m.used, _ = m.total()
	return m
}

func (m *cpuMeter) total() (float64, bool) {
	if m.process == nil {
		return 0, false
	}
	t, err := m.process.Times()
	if err != nil {
		return 0, false
	}
	return t.User + t.System, true
}

// read returns the use over the last second or more.
func (m *cpuMeter) read(now time.Time) float64 {
	if length := now.Sub(m.at); length >= time.Second {
		if used, ok := m.total(); ok {
			m.cores = (used - m.used) / length.Seconds()
			m.used, m.at = used, now
		}
	}
	return m.cores
}
