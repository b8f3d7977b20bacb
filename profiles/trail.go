package profiles

import (
	"encoding/json"
	"fmt"
	"slices"
)

// DecisionStage is a part of the pipeline that makes a decision.
type DecisionStage int

// The stages, in their order.
const (
	StageRest      DecisionStage = iota // to the size at rest and back
	StageMetrics                        // what could be read
	StageRaw                            // what the winning metric asks for
	StageTolerance                      // near enough to its target, or replicas are starting
	StageTrend                          // where its requests are heading
	StagePanic                          // the shorter windows
	StageStep                           // step and factor
	StageBounds                         // min and max
	StageStabilise                      // the windows of up and down
	StageCooldown                       // idle for long enough
	StageAct                            // what is done
	stageCount
)

var stageNames = [stageCount]string{"rest", "metrics", "raw", "tolerance", "trend", "panic", "step", "bounds", "stabilisation", "cooldown", "act"}

// String is the name of the stage.
func (s DecisionStage) String() string { return stageNames[s] }

// Step is what a stage made of the size, and why. A step without a reason was
// not reached.
type Step struct {
	Replicas int
	Reason   Reason
}

// Trail is a decision on its way through the stages. In JSON it is the list of
// those that were reached.
type Trail [stageCount]Step

type trailEntry struct {
	Stage    string `json:"stage"`
	Replicas int    `json:"replicas"`
	Reason   Reason `json:"reason"`
}

// MarshalJSON writes the stages that were reached.
func (t Trail) MarshalJSON() ([]byte, error) {
	entries := make([]trailEntry, 0, len(t))
	for stage, step := range t {
		if step.Reason != "" {
			entries = append(entries, trailEntry{DecisionStage(stage).String(), step.Replicas, step.Reason})
		}
	}
	return json.Marshal(entries)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (t *Trail) UnmarshalJSON(data []byte) error {
	var entries []trailEntry
	if err := json.Unmarshal(data, &entries); err != nil {
		return err
	}
	*t = Trail{}
	for _, e := range entries {
		stage := slices.Index(stageNames[:], e.Stage)
		if stage < 0 {
			return fmt.Errorf("stage: got %q, want one of %v", e.Stage, stageNames)
		}
		t[stage] = Step{e.Replicas, e.Reason}
	}
	return nil
}
