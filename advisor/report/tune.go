package report

import (
	"fmt"
	"io"

	"headroom/advisor"
)

// WriteTune writes the whole of a tune.
func WriteTune(w io.Writer, r advisor.TuneResult) error {
	if err := WriteSteps(w, r.Measurement.Capacity); err != nil {
		return err
	}
	if r.Advice != nil {
		fmt.Fprintln(w)
		if err := WriteAdvice(w, *r.Advice); err != nil {
			return err
		}
	}
	if r.Before != nil && r.After != nil {
		fmt.Fprintln(w)
		if err := WriteComparison(w, *r.Before, *r.After); err != nil {
			return err
		}
	}
	for i, load := range r.Timeline.Loads() {
		if err := WriteTimeline(w, "replicas "+passes[min(i, len(passes)-1)], r.Timeline.Of(load), 92); err != nil {
			return err
		}
	}
	p := &paper{w: w, width: 92}
	p.printf("\n")
	p.say("%s: %s", r.Verdict, r.Why)
	for _, text := range r.Wrong {
		p.say("what was wrong: %s", text)
	}
	if r.Corrected != nil {
		p.say("with what is known now it would be: %s", valuesText(r.Corrected.Values[:3]))
	}
	for _, text := range r.Tried {
		p.say("%s", text)
	}
	if r.Restored {
		p.say("the former policy is in force again (--keep leaves the advice in force)")
	}
	return p.err
}

// passes are the loads of a tune, in their order.
var passes = [...]string{"before", "after"}
