package advisor

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// HostUse is how busy this machine was during a step. It matters where the
// replicas run here: they then compete with each other and with the load.
type HostUse struct {
	Known    bool    `json:"known"`
	Cores    int     `json:"cores"`    // the machine has
	Busy     float64 `json:"busy"`     // cores in use, by everything
	Replicas float64 `json:"replicas"` // cores in use by the replicas; 0 where no scaler tells
	Load     float64 `json:"load"`     // cores in use by this process: the load, and a scaler within it
}

// saturatedShare is the share of the cores from which on the machine, and not
// the service, decides what is measured.
const saturatedShare = 0.95

// Saturated reports whether the machine was at its limit.
func (h HostUse) Saturated() bool {
	full := saturatedShare * float64(h.Cores)
	return h.Known && (h.Busy >= full || h.Replicas >= full)
}

// others is how many cores other programs kept busy, and whether these were more
// than the load and the replicas took. Where no scaler tells what the replicas
// use, those are among the others, if they run here.
func (h HostUse) others() (cores float64, most bool) {
	cores = max(0, h.Busy-h.Replicas-h.Load)
	return cores, cores > h.Replicas+h.Load
}

// crowd names the others.
func (h HostUse) crowd() string {
	if h.Replicas == 0 {
		return "all but the load, with the target if it runs here,"
	}
	return "other programs"
}

// limit says what a saturated machine means for what was measured: whose doing
// it was decides what can be done about it.
func (h HostUse) limit() string {
	if others, most := h.others(); most {
		return fmt.Sprintf("%s kept %.2f of the %d cores of this machine busy: measure again while it is quiet, a replica may carry more", h.crowd(), others, h.Cores)
	}
	return fmt.Sprintf("this machine, not the service, was what saturated (%d cores): on a machine of its own a replica may carry more", h.Cores)
}

// hostReading is a state of the counters that HostUse is the difference of.
type hostReading struct {
	at       time.Time
	busy     float64 // seconds, all cores
	load     time.Duration
	replicas time.Duration
	known    bool
}

func readHost(ctx context.Context, now time.Time, fleet probe.Fleet) hostReading {
	r := hostReading{at: now, load: load.ProcessCPU()}
	if t, err := cpu.TimesWithContext(ctx, false); err == nil && len(t) == 1 {
		r.busy, r.known = t[0].User+t[0].Nice+t[0].System+t[0].Irq+t[0].Softirq+t[0].Steal, true
	}
	r.replicas = spentBy(fleet)
	return r
}

// since is the use between two readings.
func (r hostReading) since(before hostReading) HostUse {
	length := r.at.Sub(before.at).Seconds()
	if !r.known || !before.known || length <= 0 {
		return HostUse{}
	}
	return HostUse{
		Known: true, Cores: runtime.NumCPU(),
		Busy:     max(0, (r.busy-before.busy)/length),
		Replicas: max(0, (r.replicas-before.replicas).Seconds()/length),
		Load:     max(0, (r.load-before.load).Seconds()/length),
	}
}

// usageReading is what the replicas had used by some moment, as the scaler said
// it: it looks only now and then.
type usageReading struct {
	heard time.Time // by our clock
	taken time.Time // by the scaler's
	spent time.Duration
}

func readUsage(now time.Time, fleet probe.Fleet) (r usageReading, ok bool) {
	if len(fleet.Replicas) == 0 || fleet.Replicas[0].UsedAt.IsZero() {
		return r, false
	}
	return usageReading{now, fleet.Replicas[0].UsedAt, spentBy(fleet)}, true
}

func spentBy(fleet probe.Fleet) (spent time.Duration) {
	for _, replica := range fleet.Replicas {
		spent += replica.CPU
	}
	return spent
}

// enoughUsage is how far apart two readings are that say what replicas use.
const enoughUsage = 900 * time.Millisecond

// coresBetween is what the replicas used from one moment to another, between the
// first and the last look that the scaler took within. The difference of what
// is heard at the two moments would be off by as much as the looks are apart,
// which is a step of a ladder. Readings come in their order; the first was heard
// before the time in question. ok is false where the time is too short.
func coresBetween(readings []usageReading, until time.Time) (cores float64, ok bool) {
	if len(readings) == 0 {
		return 0, false
	}
	var first, last usageReading
	for _, r := range readings {
		switch {
		case r.heard.After(until) || !r.taken.After(readings[0].taken):
		case first.taken.IsZero():
			first, last = r, r
		default:
			last = r
		}
	}
	span := last.taken.Sub(first.taken)
	if span < enoughUsage {
		return 0, false
	}
	return max(0, (last.spent-first.spent).Seconds()/span.Seconds()), true
}

// capAtHost lowers what is applied here to what this machine carries: n
// replicas at their target, each with its share of the load and the balancing
// that goes with it, beside whatever else keeps the machine busy. Where several
// replicas were measured, what they got together is no guess, and wins.
func (n Needs) capAtHost(target profiles.Milli, r *Recommendation) {
	h := n.Host
	if !h.Known || h.Cores == 0 || n.Local == 0 {
		return
	}
	// At its target a replica uses so much less than at its capacity.
	perReplica := (h.Replicas + h.Load) / float64(n.Local) * target.Float() / n.alone()
	if perReplica <= 0 {
		return
	}
	others, _ := h.others()
	carries := max(1, int((saturatedShare*float64(h.Cores)-others)/perReplica))
	why := fmt.Sprintf("other programs keep %.2f of them busy and a replica at its target %.2f, its load included", others, perReplica)
	if together := n.measuredHere(); together != nil {
		if measured := max(1, int(together.Saturation/target.Float())); together.HostLimited || measured > carries {
			carries = measured
			why = fmt.Sprintf("%d replicas on it got %s requests/s together and a replica is given %s", together.Replicas, profiles.FormatRate(together.Saturation), target)
		}
	}
	if carries >= int(r.Policy.Replicas.Max) {
		return
	}
	r.Applied.Replicas.Max = profiles.Limit(carries)
	r.Applied.Replicas.Min = min(r.Applied.Replicas.Min, carries)
	r.Applied.Schedules = slices.Clone(r.Policy.Schedules)
	for i := range r.Applied.Schedules {
		r.Applied.Schedules[i].Min = min(r.Applied.Schedules[i].Min, carries)
	}
	r.Capped = fmt.Sprintf("this machine has %d cores, %s: it carries %d; here max is %d, exports keep %s", h.Cores, why, carries, carries, r.Policy.Replicas.Max)
}

// measuredHere is what several replicas on this machine got together; nil where
// that was not measured.
func (n Needs) measuredHere() *Scaling {
	if n.Evidence == nil {
		return nil
	}
	return n.Evidence.Scaling
}
