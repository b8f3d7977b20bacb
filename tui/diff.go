package tui

import (
	"fmt"

	"headroom/advisor"
)

// diffLines are the changes as old -> new; what stays the same comes last, in
// one line.
func diffLines(changes []advisor.Change, s *styles, w int) []string {
	const nameWidth = 12
	valueWidth := 10
	for _, c := range changes {
		if c.Changed() {
			valueWidth = max(valueWidth, width(c.From))
		}
	}
	valueWidth = min(valueWidth, max(10, w/3))
	var out []string
	same := ""
	for _, c := range changes {
		if !c.Changed() {
			if same != "" {
				same += ", "
			}
			same += c.Field + " " + c.To
			continue
		}
		out = append(out, cut(fmt.Sprintf(" %s %s %s %s", fit(c.Field, nameWidth), s.paint(dim, fit(clean(c.From), valueWidth)),
			s.paint(accent, "→"), s.paint(strong, clean(c.To))), w))
	}
	if len(out) == 0 {
		out = append(out, " nothing: the policy in force says the same")
	} else if same != "" {
		for _, line := range wrap("unchanged: "+same, w-2) {
			out = append(out, " "+s.paint(dim, line))
		}
	}
	return out
}
