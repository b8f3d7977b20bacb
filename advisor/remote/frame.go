package remote

import (
	"errors"
	"slices"

	"headroom/advisor"
)

// frame is a State on its way. A State is whole, and most of it is a history
// that only grows: a frame carries of it what is new to its reader. Nor does
// it carry the seconds of the load, which are in the history too.
type frame struct {
	State  advisor.State `json:"state"`      // its Points and Events are those that follow what is kept
	Points int           `json:"keptPoints"` // so many of the State before go on to hold
	Events int           `json:"keptEvents"`

	Control bool `json:"control"` // the reader may change something
}

// frameOf is st for a reader that has seen before.
func frameOf(before, st advisor.State) frame {
	f := frame{State: st, Points: common(before.Points, st.Points), Events: common(before.Events, st.Events)}
	f.State.Points, f.State.Events = st.Points[f.Points:], st.Events[f.Events:]
	f.State.Load.Points = nil
	if st.Swarm != nil {
		swarm := *st.Swarm
		swarm.Points = nil
		f.State.Swarm = &swarm
	}
	return f
}

// after is the State that the frame stands for, to a reader that has seen
// before.
func (f frame) after(before advisor.State) (advisor.State, error) {
	st := f.State
	if f.Points < 0 || f.Points > len(before.Points) || f.Events < 0 || f.Events > len(before.Events) {
		return st, errors.New("a State that goes on from one that was not sent")
	}
	st.Points = append(slices.Clip(before.Points[:f.Points]), st.Points...)
	st.Events = append(slices.Clip(before.Events[:f.Events]), st.Events...)
	return st, nil
}

// common is how many elements two lists begin with alike.
func common[T comparable](a, b []T) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
