package profiles

import "time"

// limitStep keeps the change within step and factor; where both are given the
// tighter one holds. One replica may always move, or a factor could pin a
// small fleet for ever.
func (p *Policy) limitStep(out *Decision) {
	cur, limit := out.Current, out.Desired
	switch {
	case out.Desired > cur:
		if p.Up.Step > 0 {
			limit = min(limit, cur+p.Up.Step)
		}
		if p.Up.Factor > 0 {
			limit = min(limit, max(cur+1, int(CeilDiv(int64(cur)*int64(p.Up.Factor), 1000))))
		}
	case out.Desired < cur:
		if p.Down.Step > 0 {
			limit = max(limit, cur-p.Down.Step)
		}
		if p.Down.Factor > 0 {
			limit = max(limit, min(cur-1, int(CeilDiv(int64(cur)*int64(p.Down.Factor), 1000))))
		}
	}
	out.limitTo(StageStep, limit, StepLimit)
}

// limitSize keeps the size within low and max.
func (p *Policy) limitSize(low int, out *Decision) {
	switch high := p.Replicas.Max; {
	case out.Desired < low:
		out.limitTo(StageBounds, low, MinLimit)
	case high != Unlimited && out.Desired > int(high):
		out.limitTo(StageBounds, int(high), MaxLimit)
	default:
		out.limitTo(StageBounds, out.Desired, "")
	}
}

// stabilise lets the fleet grow only to the lowest recommendation of the up
// window, and shrink only to the highest of the down window. During its first
// down window a decider has not seen enough to take anything away.
func (d *decider) stabilise(now time.Time, p *Policy, out *Decision) {
	d.remember(now, out.Desired)
	up, down := p.Up.Stabilization.Std(), p.Down.Stabilization.Std()
	want := out.Desired
	lowest, highest := want, want
	since := now.Sub(d.began)
	for _, r := range d.recent {
		age := since - r.at
		if age < up {
			lowest = min(lowest, r.n)
		}
		if age < down {
			highest = max(highest, r.n)
		}
	}

	switch cur := out.Current; {
	case want > cur && (lowest < want || since < up):
		if since < up {
			lowest = cur
		}
		out.limitTo(StageStabilise, max(cur, lowest), UpStabilized)
	case want < cur && (highest > want || since < down):
		if since < down {
			highest = cur
		}
		out.limitTo(StageStabilise, min(cur, highest), DownStabilized)
	default:
		out.limitTo(StageStabilise, want, "")
	}
}

// remember adds a recommendation and forgets those that no window reaches
// back to.
func (d *decider) remember(now time.Time, n int) {
	since := now.Sub(d.began)
	gone := 0
	for gone < len(d.recent) && since-d.recent[gone].at >= d.longest {
		gone++
	}
	d.recent = append(d.recent[:copy(d.recent, d.recent[gone:])], recommendation{since, n})
}

// cool lets only as many go as have been idle for long enough, where a metric
// looks at single replicas; floor is what they leave.
func (d *Decision) cool(floor int) {
	if floor > 0 && d.Desired < d.Current {
		d.limitTo(StageCooldown, max(d.Desired, floor), NotIdle)
	}
}

// limitTo notes what a stage leaves of the size.
func (d *Decision) limitTo(stage DecisionStage, n int, limit Reason) {
	if n == d.Desired && (stage == StageStep || stage == StageCooldown || limit == "") {
		d.pass(stage, n, Unchanged)
		return
	}
	d.Desired, d.LimitedBy = n, limit
	d.pass(stage, n, limit)
}

// act notes what is done in the end.
func (d *Decision) act() {
	reason := Unchanged
	switch {
	case d.Desired > d.Current:
		reason = Added
	case d.Desired < d.Current:
		reason = Removed
	}
	d.pass(StageAct, d.Desired, reason)
}

// pass notes a stage that was reached.
func (d *Decision) pass(stage DecisionStage, n int, reason Reason) { d.Trail[stage] = Step{n, reason} }
