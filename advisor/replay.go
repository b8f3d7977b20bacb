package advisor

import (
	"fmt"
	"math"
	"time"

	"headroom/profiles"
)

// ReplayPlan is the load that before and after are compared under: the course
// of the traffic in a time of length, as the sizing says that it may rise and
// jump - by default up for 40 % of the time, at its high rate for 40 %, down for
// 20 % - or the plan itself for so long when no traffic is known. Where the time
// is too short for the rise it ends below the high rate: a steeper one is not
// what the advice is for.
func ReplayPlan(p profiles.Plan, traffic profiles.Traffic, sizing Sizing, length time.Duration) profiles.Plan {
	p.Requests, p.RunTime = 0, length
	if !traffic.Known() {
		return p
	}
	p.RunTime = 0
	p.Rate, p.Arrivals, p.UserShape, p.OnBusy = 0, profiles.Poisson, nil, profiles.Queued
	part, _ := sizing.reachable(traffic, length)
	p.Shape = sizing.Course(part, length)
	return p
}

// tried says what a replay tried of the traffic that the advice is for, a
// sentence each.
func tried(replay profiles.Plan, traffic profiles.Traffic, sizing Sizing) (out []string) {
	rise := steepest(replay)
	if rise == 0 {
		return nil
	}
	length := replay.Length()
	said := sizing.slope(traffic)
	text := fmt.Sprintf("the load rose by %s requests/s each second at most", profiles.FormatRate(rise))
	if jump := sizing.Jump; jump > 0 {
		text += fmt.Sprintf(", after %s had come at once", jump)
	}
	if said == 0 {
		text += ": for traffic that rises more steeply give advice --rise"
	}
	out = append(out, text)
	if far, whole := short(replay, traffic, sizing); far != "" {
		minutes := time.Duration(math.Ceil(whole.Minutes())) * time.Minute
		out = append(out, fmt.Sprintf("it did not come to more than %s, which take longer to reach at that rise: --verify %s would do", far, profiles.Duration(minutes)))
	}
	if h := sizing.History; h != nil {
		_, rose := h.greatestRise()
		out = append(out, fmt.Sprintf("the trace lasts for %s and rose by %s requests/s each second at most: the replay has its range, up and down within %s, and not its course",
			profiles.Duration(h.length.Round(time.Second)), profiles.FormatRate(rose), profiles.Duration(length)))
	}
	return out
}

// short says how far a replay came that ends below the high rate, and how long one
// is that comes to it; empty where it does, or plans no rate.
func short(replay profiles.Plan, traffic profiles.Traffic, sizing Sizing) (far string, whole time.Duration) {
	if !replay.Open() {
		return "", 0
	}
	part, whole := sizing.reachable(traffic, replay.Length())
	if part == traffic {
		return "", whole
	}
	return fmt.Sprintf("%s of the %s requests/s", profiles.FormatRate(sizing.busiest(part).Float()), profiles.FormatRate(sizing.busiest(traffic).Float())), whole
}

// steepest is by how many requests per second the rate of a plan's arrivals
// grows within a second, at most, apart from jumps; 0 in the closed model, whose
// rate is what the service makes of it.
func steepest(p profiles.Plan) (rise float64) {
	if !p.Open() {
		return 0
	}
	shape := p.Load()
	ramp, ok := shape.(profiles.Ramp)
	if !ok {
		for at := time.Second; at <= p.Length(); at += time.Second {
			rise = max(rise, shape.At(at)-shape.At(at-time.Second))
		}
		return rise
	}
	from := ramp.From
	for _, stage := range ramp.Stages {
		if stage.For > 0 {
			rise = max(rise, (stage.To-from)/stage.For.Seconds())
		}
		from = stage.To
	}
	return rise
}
