package advisor

import (
	"fmt"
	"time"
)

// MinBudget is the shortest search that can answer anything: of a service that
// answers in some 10 ms. What a slower one takes the search says when it knows
// how slow it is.
const MinBudget = 10 * time.Second

const (
	usualTimes = 12               // times the fewest requests that can prove the SLO: what most searches make do with
	budgetUnit = 10 * time.Second // to which a budget that is named is rounded up
)

// usualBudget is enough for most searches of a target that answers so many
// requests per second at most.
func (s *search) usualBudget(rate float64) time.Duration {
	return max(MinBudget, fromSeconds(usualTimes*float64(s.enoughToPass())/rate))
}

// tight says that the budget is short for a target that serves one request at a
// time, as base shows it; nothing where it is not, or nothing came back.
func (s *search) tight(base Observation) string {
	if base.Rate == 0 {
		return ""
	}
	usual := s.usualBudget(base.Rate)
	if usual <= s.Budget {
		return ""
	}
	return fmt.Sprintf("one request takes %s: a target that serves one at a time usually takes --budget %.0fs, and with %v there may be no answer",
		latency(base.P50), roundUp(usual).Seconds(), s.Budget)
}

// moreTime is what to do about a search that had too little of it for a target
// that answers so many requests per second at most; 0: not known.
func (s *search) moreTime(rate float64) string {
	more := 2 * s.Budget
	if rate > 0 {
		more = max(more, s.usualBudget(rate))
	}
	return fmt.Sprintf("give --budget %.0fs or more", roundUp(more).Seconds())
}

func roundUp(d time.Duration) time.Duration {
	return (d + budgetUnit - 1) / budgetUnit * budgetUnit
}
