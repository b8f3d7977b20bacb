package tui

import (
	"fmt"
	"math"

	"headroom/advisor"
)

// How large the diagram of the throughput over users is at most.
const (
	curveWidth  = 100
	curveHeight = 12
	curveBeyond = 1.25 // of the most users that were tried: a fit says little of more
)

// rung is a step with users that wait for their answers, of the fleet that was
// found.
func rung(o advisor.Observation) bool {
	return o.Trial.Users > 0 && o.Trial.Replicas == 0 && !o.Spoiled && o.Requests > 0
}

// throughputCurve is the throughput over users as it was measured, with the
// model that fits it best; nothing until a measurement has ended, or where no
// users were tried.
func throughputCurve(st advisor.State, s *styles, w int) []string {
	if st.Search == nil || st.Search.Capacity == nil {
		return nil
	}
	tried := 0
	for _, o := range st.Search.Steps {
		if rung(o) {
			tried = max(tried, o.Trial.Users)
		}
	}
	if tried < 2 {
		return nil
	}
	end := math.Ceil(curveBeyond * float64(tried))
	c := chart{title: "throughput/s over users", ends: [2]string{"0", fmt.Sprintf("%.0f users", end)}}
	for _, o := range st.Search.Steps {
		if rung(o) {
			c.dots = append(c.dots, dot{float64(o.Trial.Users) / end, o.Rate})
		}
	}
	w = min(w-2, curveWidth)
	measured := st.Search.Capacity
	c.limit = measured.SLO.Value
	words := "Measured ●. The steps are too few to fit a model to them."
	if len(measured.Curves) > 0 {
		best := measured.Curves[0]
		values := make([]float64, plotColumns(w)+1)
		for i := range values {
			users := end * float64(i) / float64(len(values)-1)
			if values[i] = best.At(users); users < 1 { // the models are of one user and more
				values[i] = users * best.At(1)
			}
		}
		c.curves = append(c.curves, curve{"fitted: " + clean(best.Model), penMain, values})
		words = fmt.Sprintf("Measured ●, fitted %s. One more user stops helping at about %.1f.", best.Model, measured.Knee)
	}
	words += scalingSentence(measured.Scaling)
	out := append([]string{""}, indent(c.render(s, w, curveHeight), 1)...)
	return append(out, prose(s, dim, words, w+2)...)
}

// scalingSentence is what several replicas hold together, where that was
// measured.
func scalingSentence(m *advisor.Scaling) string {
	if m == nil {
		return ""
	}
	return fmt.Sprintf(" %d replicas held %s/s together, %.0f %% of so many times one.", m.Replicas, figure(m.Saturation), m.Efficiency.Value*100)
}
