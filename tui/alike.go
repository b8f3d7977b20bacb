package tui

import (
	"reflect"
	"slices"
	"time"

	"headroom/advisor"
)

// alike reports whether two States look the same. Four times a second an idle
// session publishes States that differ in nothing but their number and when it,
// and those who tell of the fleet, were asked: no view shows that. Whatever else
// differs counts, shown or not: better drawn in vain than not drawn.
func alike(a, b advisor.State) bool { return reflect.DeepEqual(undated(a), undated(b)) }

// undated is st without what alike does not look at.
func undated(st advisor.State) advisor.State {
	st.Seq, st.At = min(st.Seq, 1), time.Time{} // 0 is none yet
	st.Fleet.Sources = slices.Clone(st.Fleet.Sources)
	for i := range st.Fleet.Sources {
		st.Fleet.Sources[i].At = time.Time{}
	}
	st.Fleet.Replicas = slices.Clone(st.Fleet.Replicas)
	for i := range st.Fleet.Replicas {
		st.Fleet.Replicas[i].UsedAt = time.Time{}
	}
	return st
}
