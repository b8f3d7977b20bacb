package tui

import (
	"fmt"

	"headroom/profiles"
)

// diffLines are the changes as old -> new; what stays the same comes last, in
// one line.
func diffLines(changes []profiles.Change, s *styles, w int) []string {
	nameWidth, valueWidth := 12, 10
	for _, c := range changes {
		if c.Changed() {
			nameWidth, valueWidth = max(nameWidth, width(c.Field)), max(valueWidth, width(c.From))
		}
	}
	nameWidth, valueWidth = min(nameWidth, max(12, w/3)), min(valueWidth, max(10, w/3))
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
