package profiles

import (
	"strconv"
	"strings"
	"time"
)

// instant is a time in nanoseconds since 1970, or since whatever the seconds of
// a trace count from.
type instant int64

// firstDate is in the year 2001: seconds from there on count from 1970, and
// those before from anything.
const firstDate = 1e9 * instant(time.Second)

// dateLayout finds the layout that s is written in. Fractions of a second are
// read whether or not a layout has them.
func dateLayout(s string) (layout string, ok bool) {
	for _, layout := range []string{
		time.RFC3339, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04:05Z07:00", "02/Jan/2006:15:04:05 -0700", "[02/Jan/2006:15:04:05 -0700]",
	} {
		if _, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return layout, true
		}
	}
	return "", false
}

// parseSeconds reads a decimal number of seconds without rounding it.
func parseSeconds(s string) (instant, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, err1 := strconv.ParseUint(whole, 10, 33) // up to the year 2242
	fraction = (fraction + "000000000")[:max(9, len(fraction))]
	nanos, err2 := strconv.ParseUint(fraction[:9], 10, 30)
	if err1 != nil || err2 != nil || strings.Trim(fraction, "0123456789") != "" {
		return 0, false
	}
	return instant(n)*instant(time.Second) + instant(nanos), true
}

// date is the moment as one of UTC.
func (at instant) date() string {
	return time.Unix(0, int64(at)).UTC().Format(time.RFC3339)
}
