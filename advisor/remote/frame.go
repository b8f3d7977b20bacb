package remote

import (
	"errors"
	"reflect"
	"slices"

	"headroom/advisor"
)

// frame is a State on its way. A State is whole, and most of it is a history
// that only grows: a frame carries of it what is new to its reader. Nor does
// it carry the seconds of the load, which are in the history too.
type frame struct {
	State   advisor.State `json:"state"` // its lists follow what is kept
	Kept    kept          `json:"kept"`
	Control bool          `json:"control"` // the reader may change something
}

// kept is how much of the lists of the State before goes on to hold.
type kept struct {
	Points      int `json:"points"`
	Events      int `json:"events"`
	Episodes    int `json:"episodes"`
	Annotations int `json:"annotations"`
}

// frameOf is st for a reader that has seen before.
func frameOf(before, st advisor.State) frame {
	f := frame{State: st}
	f.State.Points, f.Kept.Points = news(before.Points, st.Points)
	f.State.Events, f.Kept.Events = news(before.Events, st.Events)
	f.State.Timeline.Episodes, f.Kept.Episodes = news(before.Timeline.Episodes, st.Timeline.Episodes)
	f.State.Timeline.Annotations, f.Kept.Annotations = news(before.Timeline.Annotations, st.Timeline.Annotations)
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
	err := errors.Join(
		follow(before.Points, f.Kept.Points, &st.Points),
		follow(before.Events, f.Kept.Events, &st.Events),
		follow(before.Timeline.Episodes, f.Kept.Episodes, &st.Timeline.Episodes),
		follow(before.Timeline.Annotations, f.Kept.Annotations, &st.Timeline.Annotations),
	)
	return st, err
}

// news is what a list has behind those elements with which the one before
// begins too, and how many these are. Lists that share memory need no look:
// nobody changes what a State has.
func news[T any](before, list []T) (fresh []T, kept int) {
	if len(before) > 0 && len(list) > 0 && &before[0] == &list[0] {
		kept = min(len(before), len(list))
	}
	for kept < min(len(before), len(list)) && reflect.DeepEqual(before[kept], list[kept]) {
		kept++
	}
	return list[kept:], kept
}

// follow puts what is kept of the list before in front of what is new.
func follow[T any](before []T, kept int, list *[]T) error {
	if kept < 0 || kept > len(before) {
		return errors.New("a State that goes on from one that was not sent")
	}
	*list = append(slices.Clip(before[:kept]), *list...)
	return nil
}
