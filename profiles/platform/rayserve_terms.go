package platform

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"headroom/profiles"
)

// told collects what of a document a policy cannot say.
type told []Loss

// lost says that a setting means nothing to a policy.
func (t *told) lost(field, from, reason string, args ...any) {
	*t = append(*t, Loss{Field: field, From: from, Reason: fmt.Sprintf(reason, args...)})
}

// severe is lost for what decides how many replicas there are.
func (t *told) severe(field, from, reason string, args ...any) {
	*t = append(*t, Loss{Field: field, From: from, Reason: fmt.Sprintf(reason, args...), Severe: true})
}

// within is a duration, or the nearest that a policy may have there.
func (t *told) within(field string, d, low, high time.Duration) profiles.Duration {
	near := min(max(d, low), high)
	if near != d {
		*t = append(*t, Loss{
			Field: field, From: profiles.Duration(d).String(), To: profiles.Duration(near).String(),
			Reason: fmt.Sprintf("a policy has %s to %s there", profiles.Duration(low), profiles.Duration(high)),
		})
	}
	return profiles.Duration(near)
}

// target is a set point in the thousandths of a policy, at least one of them
// and no more than a policy may ask for.
func (t *told) target(field string, x float64) profiles.Milli {
	const most = 1e9
	near := profiles.Milli(min(max(math.Round(x*1000), 1), most*1000))
	if near.Float() != x {
		*t = append(*t, Loss{
			Field: field, From: strconv.FormatFloat(x, 'g', -1, 64), To: near.String(),
			Reason: "a policy has three decimals", Severe: math.Abs(near.Float()-x) > x/100,
		})
	}
	return near
}

// ratio is a share in the tenths of a percent of a policy, at most all.
func (t *told) ratio(field string, x float64) profiles.Ratio {
	near := profiles.Ratio(min(max(math.Round(x*1000), 0), 1000))
	if near.Float() != x {
		*t = append(*t, Loss{
			Field: field, From: strconv.FormatFloat(x, 'g', -1, 64), To: near.String(), Reason: "a policy has tenths of a percent, up to 100%",
		})
	}
	return near
}

// number is a target as a file writes it: without a point where it is whole.
func number(m profiles.Milli) any {
	if m.Whole() {
		return int(m / 1000)
	}
	return m.Float()
}

// seconds is a duration that files write as a number of seconds. Below zero
// or above a hundred years it is none.
type seconds time.Duration

// UnmarshalText reads a decimal number.
func (s *seconds) UnmarshalText(b []byte) error {
	x, err := strconv.ParseFloat(strings.TrimSpace(string(b)), 64)
	if err != nil || !(x >= 0 && x <= 100*365*24*3600) {
		return &profiles.ValueError{Got: string(b), Want: "a number of seconds, 0 or more"}
	}
	*s = seconds(math.Round(x * float64(time.Second)))
	return nil
}

// inSeconds is a duration as such a number.
func inSeconds(d profiles.Duration) any {
	if s := d.Std(); s%time.Second == 0 {
		return int(s / time.Second)
	}
	return d.Std().Seconds()
}

// ceil is the smallest whole number of replicas not below x, within reason:
// no fleet has a thousand million.
func ceil(x float64) int {
	const most = 1e9
	switch {
	case x >= most:
		return most
	case x > -most:
		return int(math.Ceil(x))
	}
	return -most // NaN too
}

// mean is the level of a metric at one replica: that of the fleet where the
// target is for the whole.
func mean(m profiles.Metric, r profiles.Reading, replicas int) float64 {
	if m.PerReplica() {
		return r.Total.Float() / float64(max(1, replicas))
	}
	return r.Total.Float()
}

var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)

// cronFive reads a cron expression as profiles.Schedule has it: the parser
// would also take a time zone in front, and panics on one that stands alone.
func cronFive(s string) (cron.Schedule, error) {
	if strings.ContainsAny(s, "=\t") {
		return nil, errors.New("neither a time zone nor a tab")
	}
	return cronParser.Parse(s)
}
