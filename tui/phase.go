package tui

import (
	"headroom/advisor"
	"headroom/load"
)

// running reports whether a job is under way.
func running(st advisor.State) bool { return st.Phase != advisor.Idle && st.Phase != "" }

// fleetOnly reports whether there is a scaler and no session.
func fleetOnly(st advisor.State) bool { return st.Phase == "" && st.Managed }

// draining reports whether a swarm sends nothing new any more and waits for
// its last answers.
func draining(st advisor.State) bool {
	return st.Phase == advisor.Swarming && st.Load.Phase == load.Draining
}

// sending reports whether there is a swarm that can be steered.
func sending(st advisor.State) bool { return st.Phase == advisor.Swarming && !draining(st) }

// settled is st with the load that the views speak of: while no job puts load
// on the target that is the latest swarm, and not the step of a measurement
// that came after it.
func settled(st advisor.State) advisor.State {
	switch st.Phase {
	case advisor.Swarming, advisor.Measuring, advisor.Replaying:
		return st
	}
	st.Loaded, st.Load = st.Swarm != nil, load.Snapshot{}
	if st.Loaded {
		st.Load = *st.Swarm
	}
	return st
}

// jobName is the job under way, with its article.
func jobName(st advisor.State) string {
	switch st.Phase {
	case advisor.Measuring:
		return "the measurement"
	case advisor.Applying:
		return "waiting for the fleet"
	case advisor.Replaying:
		return "the replay"
	default:
		return "the swarm"
	}
}

// topic is what the Advisor's view speaks of.
type topic uint8

const (
	topicIntro topic = iota
	topicMeasuring
	topicReplaying
	topicRefusal
	topicAdvice
	topicCapacity
)

func topicOf(st advisor.State) topic {
	switch {
	case st.Phase == advisor.Measuring && st.Search != nil:
		return topicMeasuring
	case st.Phase == advisor.Replaying:
		return topicReplaying
	case st.Refusal != nil:
		return topicRefusal
	case st.Advice != nil:
		return topicAdvice
	case st.Search != nil && st.Search.Capacity != nil:
		return topicCapacity
	default:
		return topicIntro
	}
}
