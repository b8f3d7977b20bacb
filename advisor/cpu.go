package advisor

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"headroom/advisor/model"
	"headroom/profiles"
)

// oneCore is what a replica is taken to have where nothing is known of it.
const oneCore = profiles.Milli(1000)

// cpuLimit is the CPU that one replica can use, in cores: no more than its scaler
// lets it. Where requests compute and the machine had no more to give, that is
// what it used at most; else one where it never used more, as a process that
// computes on one thread; as much as it used at most where a request does nothing
// but compute; else all of the machine.
func (c *Capacity) cpuLimit(line model.Line) float64 {
	most, cores := 0.0, 1
	for _, o := range c.Steps {
		if o.Trial.Replicas > 0 {
			continue // another fleet
		}
		most, cores = max(most, o.Host.Replicas/float64(max(1, c.Replicas))), max(cores, o.Host.Cores)
	}
	can := float64(cores)
	switch {
	case c.HostLimited && most > 0 && line.Slope >= crowded*c.Service.Seconds():
		can = most
	case most <= 1.1:
		can = 1
	case line.Slope >= computing*c.Service.Seconds():
		can = most
	}
	if c.CPULimit > 0 {
		can = min(can, c.CPULimit.Float())
	}
	return can
}

// cpuUnit is how a target of CPU is told for a replica that uses so many cores at
// most: in percent of so many, or in cores where of is 0. A platform gets cores
// if it takes them, as they hold whatever a replica requests. Where no platform
// is named, percent is preferred, since some take nothing else.
func (n Needs) cpuUnit(most float64) (of profiles.Milli, why string) {
	switch measured := n.Evidence.CPULimit; {
	case n.Within != nil && n.Within.Cores:
		return 0, n.Within.Name + " takes cores, which hold whatever a replica requests"
	case n.CPULimit > 0:
		return n.CPULimit, fmt.Sprintf("percent of the %s that a replica has there, as was said", coresText(n.CPULimit))
	case measured > 0:
		return measured, fmt.Sprintf("percent of the %s that its scaler let a replica use", coresText(measured))
	case n.Within != nil:
		return oneCore, fmt.Sprintf("%s takes percent of what a replica has there: 1 core, as --cpu-limit says nothing else", n.Within.Name)
	case most > 1:
		return 0, "cores, as a replica uses more than one"
	}
	return oneCore, "platforms that count in percent of the request want the same number where a replica requests 1 core, else --cpu-limit"
}

// coresText writes "1 core" or "0.5 cores".
func coresText(m profiles.Milli) string {
	if m == oneCore {
		return "1 core"
	}
	return m.String() + " cores"
}

// cpu is what a replica uses at the rate of target. One that needs more than it
// has is refused.
func (s sized) cpu(rate Value) (v Value, unit string, err error) {
	steps, _ := s.Evidence.signalsOf(profiles.CPU, s.Managed)
	line, _ := model.FitLine(steps.load, steps.value)
	limit, needs := s.Evidence.cpuLimit(line), line.At(s.target.Float())
	of, why := s.cpuUnit(max(limit, needs))
	has := cmp.Or(s.CPULimit, of)
	if has > 0 {
		if needs > has.Float() {
			return v, "", refuseCPU(needs, has)
		}
		limit = min(limit, has.Float())
	}
	factor, name := 1.0, "cores per replica"
	switch of {
	case 0:
		unit = "cores"
	case oneCore:
		factor, name = 100, "% of one core per replica"
	default:
		factor, name = 100/of.Float(), fmt.Sprintf("%% of %s per replica", coresText(of))
	}
	level := func(x float64) float64 { return threeDigits(line.At(x) * factor) }
	v = rate
	v.Value, v.Unit = level(rate.Value), name
	v.Low, v.High = level(rate.Low), level(rate.High)
	v.Formula = fmt.Sprintf("%s; (%.3f + %.4f x %s) cores = %s %s", rate.Formula, math.Round(line.Base*1000)/1000+0, line.Slope, s.target, profiles.MilliOf(v.Value), strings.Fields(name)[0])
	if n, ok := decisionsFor(s.Traffic.High.Float()/s.Traffic.Low.Float(), limit*factor/v.Value); ok && n > 1 {
		v.Why += fmt.Sprintf("; as CPU ends at its limit, from the quiet to the busy hours it takes %d decisions", n)
	}
	v.Inputs = append(v.Inputs,
		fmt.Sprintf("CPU of each step: %.3f cores without load, %.4f core seconds a request (R² %.3f)", line.Base, line.Slope, line.R2), why)
	return v, unit, nil
}

// cpuNote says what speaks against the capacity where a replica will have less
// CPU than it took.
func (n Needs) cpuNote() string {
	takes := n.CPU.Seconds() * n.alone()
	if n.CPULimit == 0 || takes <= n.CPULimit.Float() {
		return ""
	}
	return fmt.Sprintf("with %s a replica holds less than was measured, when it used %.2f cores at its capacity: measure it with as much as it will have", coresText(n.CPULimit), takes)
}

func limitText(limit profiles.Milli) string {
	if limit == 0 {
		return "no known CPU limit"
	}
	return "a CPU limit of " + coresText(limit)
}

// replicaCPU is what the scaler last said that a replica may use, in cores; 0: no
// limit. A measurement is continued with as much as before.
func (s *Session) replicaCPU() (profiles.Milli, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if before := s.config.Continue; before != nil && before.Capacity.CPULimit != s.cpuLimit {
		return 0, fmt.Errorf("--continue: got a measurement under %s, want %s", limitText(before.Capacity.CPULimit), limitText(s.cpuLimit))
	}
	return s.cpuLimit, nil
}
