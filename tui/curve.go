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
// model that fits it best once the measurement has ended; nothing of one that
// was stopped, or until several users were tried.
func throughputCurve(st advisor.State, s *styles, w int) []string {
	if st.Search == nil || st.Search.Capacity == nil && st.Phase != advisor.Measuring {
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
	words := "Measured ● so far."
	if measured := st.Search.Capacity; measured != nil {
		c.limit = measured.SLO.Value
		words = c.fit(*measured, end, plotColumns(w)) + scalingSentence(*measured)
	}
	out := append([]string{""}, indent(c.render(s, w, curveHeight))...)
	return append(out, prose(s, dim, words, w+2)...)
}

// fit draws the model that fits a measurement best, up to so many users, and
// says what it is.
func (c *chart) fit(measured advisor.Capacity, end float64, columns int) string {
	if len(measured.Curves) == 0 {
		return "Measured ●. The steps are too few to fit a model to them."
	}
	best := measured.Curves[0]
	values := make([]float64, columns+1)
	for i := range values {
		users := end * float64(i) / float64(len(values)-1)
		if values[i] = best.At(users); users < 1 { // the models are of one user and more
			values[i] = users * best.At(1)
		}
	}
	c.curves = append(c.curves, curve{"fitted: " + clean(best.Model), penMain, values})
	return fmt.Sprintf("Measured ●, fitted %s. One more user stops helping at about %.1f.", best.Model, measured.Knee)
}

// scalingSentence is what several replicas hold together, where that was
// measured.
func scalingSentence(c advisor.Capacity) string {
	m := c.Scaling
	if m == nil {
		return ""
	}
	text := fmt.Sprintf(" %d replicas held %s/s together, %.0f %% of so many times one", m.Replicas, figure(m.Saturation), m.Efficiency.Value*100)
	switch gain, ok := c.Gain(); {
	case m.SLO == nil && m.Skipped == "":
		return text + "."
	case m.SLO == nil:
		return fmt.Sprintf("%s. Under the SLO they were not measured, as %s.", text, clean(m.Skipped))
	case !ok:
		return fmt.Sprintf("%s; under the SLO %s/s.", text, figure(m.SLO.Value))
	default:
		return fmt.Sprintf("%s; under the SLO %s/s, %.0f %%.", text, figure(m.SLO.Value), float64(gain.Value)*100)
	}
}
