package platform

import (
	"fmt"
	"strconv"
	"time"

	"headroom/profiles"
)

// A query holds four scrapes: rate needs two samples, of which one may fail and
// one come late. See https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
// and https://www.robustperception.io/what-range-should-i-use-with-rate.
const (
	scrapes       = 4
	leastLookBack = scrapes * 15 * time.Second // at an interval that many choose
	sureLookBack  = scrapes * time.Minute      // at the one that Prometheus has by default
)

// lookBack is the window of a metric as a query for Prometheus says it, whose
// smallest unit is the millisecond. A shorter one than holds the scrapes would
// yield nothing, and becomes longer.
func (w *writer) lookBack(i int) string {
	m, field := w.policy.Metrics[i], fmt.Sprintf("metrics[%d].window", i)
	d := max(m.Window.Std(), leastLookBack)
	if d != m.Window.Std() {
		w.because(field, "a query is to hold %d scrapes of %s: Prometheus computes a rate from two samples at least, and one may fail and one come late", scrapes, profiles.Duration(leastLookBack/scrapes))
	}
	if d < sureLookBack {
		w.noteOnce("a query over %s wants a scrape every %s or more often", profiles.Duration(d), profiles.Duration(d/scrapes))
	}
	switch {
	case d%time.Second == 0:
		return profiles.Duration(d).String()
	case d%time.Millisecond != 0:
		w.refuse(field, "got %s, want whole milliseconds", m.Window)
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}
