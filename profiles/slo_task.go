package profiles

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// cutObjective takes the first objective from s. A comma within the quotes of
// a task does not end it.
func cutObjective(s string) (objective, rest string, more bool) {
	s = strings.TrimSpace(s)
	quoted := ""
	if strings.HasPrefix(s, `"`) {
		quoted, _ = strconv.QuotedPrefix(s)
	}
	before, rest, more := strings.Cut(s[len(quoted):], ",")
	return strings.TrimSpace(quoted + before), rest, more
}

// cutTask takes a task in quotes, with the dot behind it, from an objective.
func cutTask(s string) (task, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", s, true
	}
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil {
		return "", s, false
	}
	task, err = strconv.Unquote(quoted)
	rest, ok = strings.CutPrefix(strings.TrimSpace(s[len(quoted):]), ".")
	return task, rest, ok && err == nil && task != ""
}

// setName reads what stands before the comparison: a measure, or a task, a dot
// and a measure. The first dot with a measure behind it is the one, so a task
// may have dots and blanks in its name.
func (o *Objective) setName(name string) bool {
	if o.setMeasure(name) {
		return true
	}
	for at := range len(name) {
		if name[at] != '.' {
			continue
		}
		switch task := strings.TrimSpace(name[:at]); task + "." {
		case ".", streamMeasure(FirstEvent), streamMeasure(Gap): // a slip in a measure, and no task
		default:
			if o.setMeasure(strings.TrimSpace(name[at+1:])) {
				o.Task = task
				return true
			}
		}
	}
	return false
}

// streamMeasure is what a measure of streams begins with, its dot included.
func streamMeasure(m Measure) string { return strings.TrimSuffix(string(m), "p") }

// formatTask writes the task, as the grammar does, before a measure: in quotes
// where it would not be read back without them.
func formatTask(task, measure string) string {
	if task == "" {
		return measure
	}
	plain := task + "." + measure
	special := func(r rune) bool { return strings.ContainsRune(`,<>"`, r) || !unicode.IsPrint(r) }
	var back Objective
	if strings.ContainsFunc(task, special) || !back.setName(plain) || back.Task != task {
		return strconv.Quote(task) + "." + measure
	}
	return plain
}

// CheckTasks names the first objective of a task that is none of these.
func (s SLO) CheckTasks(tasks []string) error {
	for _, o := range s {
		switch {
		case o.Task == "" || slices.Contains(tasks, o.Task):
		case len(tasks) == 0:
			return fmt.Errorf("--slo: got %s without --scenario, want an objective for all requests", o)
		default:
			return fmt.Errorf("--slo: got %s, want one for a task of the scenario: %s", o, strings.Join(tasks, ", "))
		}
	}
	return nil
}
