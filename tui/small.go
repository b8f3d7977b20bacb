package tui

import (
	"fmt"

	"headroom/advisor"
)

// The smallest terminal that shows everything.
const (
	leastWidth  = 80
	leastHeight = 24
)

// renderSmall says what is wrong with a terminal that is too small, and the
// figures that matter most, as many as fit.
func renderSmall(st advisor.State, s *styles, w, h int) []string {
	var out []string
	for _, line := range wrap(fmt.Sprintf("terminal too small: %dx%d, want %dx%d", w, h, leastWidth, leastHeight), w) {
		out = append(out, s.paint(warn, line))
	}
	parts := []string{phaseText(st, s)}
	for _, f := range figures(st, s, w) {
		parts = append(parts, f.text)
	}
	out = append(out, pack(append(parts, objectives(st, s, w), replicaLine(st, s), trust(st, s)), w)...)
	return out[:min(len(out), max(0, h))]
}
