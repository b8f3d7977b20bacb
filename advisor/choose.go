package advisor

import (
	"fmt"
	"slices"

	"headroom/profiles"
)

// choice is the metric that a policy scales on.
type choice struct {
	kind profiles.Kind
	why  string
	note string // what speaks against it, where somebody asked for it
}

func (n Needs) scores(t timing) []MetricScore {
	if n.Evidence == nil {
		return nil
	}
	now := circumstances{traffic: n.Traffic, bursts: n.bursts, window: t.window, interval: t.interval, startUp: n.StartUp, managed: n.Managed}
	if objective, ok := n.SLO.Latency(); ok {
		now.limit = fromSeconds(objective.Limit)
	}
	return n.Evidence.scoreMetrics(now)
}

// settle chooses the metric, and the times of a policy of it. On a platform they
// depend on it: the first one stands for all while they are compared.
func (n Needs) settle() ([]MetricScore, choice, timing, error) {
	t := n.timing(n.Within.first())
	scores := n.scores(t)
	chosen, err := n.choose(scores, t)
	return scores, chosen, n.timing(chosen.kind), err
}

// choose is the metric that was asked for, or the best one that was measured.
// The order says which of two good ones is better: a rate is what traffic is
// told in; a queue and free workers know no amount, only more and less. The CPU
// comes last, though good: it cannot show more than is served.
func (n Needs) choose(scores []MetricScore, t timing) (choice, error) {
	if n.Metric != "" {
		return n.insist(scores, t)
	}
	scores = slices.DeleteFunc(n.possible(scores), func(s MetricScore) bool { return n.neverIdle(s.Kind, t) != nil })
	if s, ok := best(scores); ok {
		why := s.Why
		if s.Fitness == Usable {
			why = "none is good here, it comes first of those that will do: " + why
		}
		return choice{kind: s.Kind, why: why}, nil
	}
	if !n.Within.takes(profiles.RPS) {
		return choice{}, refuseAll(n.Within, n.possible(scores))
	}
	return choice{kind: profiles.RPS, why: "nothing was measured that speaks for another one"}, nil
}

// memoryNote says what speaks against the memory, where a platform was named that
// scales on it; it is not among the metrics that may be asked for.
func (n Needs) memoryNote(scores []MetricScore) string {
	i := slices.IndexFunc(scores, func(s MetricScore) bool { return s.Kind == profiles.Memory })
	if n.Within == nil || i < 0 || !n.Within.takes(profiles.Memory) {
		return ""
	}
	return fmt.Sprintf("%s can scale on memory too, which is %s: %s", n.Within.Name, scores[i].Fitness, scores[i].Why)
}

// possible are the metrics that the platform can scale on.
func (n Needs) possible(scores []MetricScore) (out []MetricScore) {
	for _, s := range scores {
		if n.Within.takes(s.Kind) {
			out = append(out, s)
		}
	}
	return out
}

// best is the first good metric, or the first that will do.
func best(scores []MetricScore) (MetricScore, bool) {
	for _, fitness := range []Fitness{Good, Usable} {
		for _, s := range scores {
			if s.Fitness == fitness {
				return s, true
			}
		}
	}
	return MetricScore{}, false
}

// insist takes the metric that somebody asked for, and says what speaks
// against it. One that misleads is refused.
func (n Needs) insist(scores []MetricScore, t timing) (choice, error) {
	if r := n.neverIdle(n.Metric, t); r != nil {
		return choice{}, r
	}
	if !n.Within.takes(n.Metric) {
		return choice{}, refuseMetric(n.Metric, n.Within.String()+" cannot", n.possible(scores))
	}
	i := slices.IndexFunc(scores, func(s MetricScore) bool { return s.Kind == n.Metric })
	if i < 0 {
		if n.Metric == profiles.RPS {
			return choice{kind: n.Metric, why: "asked for"}, nil
		}
		return choice{}, refuseMetric(n.Metric, "nothing was measured", scores)
	}
	s := scores[i]
	switch s.Fitness {
	case Misleading, Unmeasured:
		return choice{}, refuseMetric(n.Metric, s.Why, n.possible(scores))
	case Usable:
		return choice{kind: s.Kind, why: "asked for", note: fmt.Sprintf("%s was asked for: %s", s.Kind, s.Why)}, nil
	}
	return choice{kind: s.Kind, why: "asked for; " + s.Why}, nil
}

// neverIdle refuses a metric whose policy removes what is idle, where no replica
// ever is for long enough: the dispatch gives each some of the few requests.
func (n Needs) neverIdle(kind profiles.Kind, t timing) *Refusal {
	if kind != profiles.FreeWorkers && kind != profiles.Queue || n.Dispatch == "" || n.Dispatch == profiles.Pack {
		return nil
	}
	idle := idleFor(t.interval, n.StartUp)
	if most := int(ceilDiv(n.Traffic.High, n.Capacity)); keptBusy(n.Traffic.Low.Float(), idle) >= most {
		return refuseIdle(n, kind, most, idle)
	}
	return nil
}
