package platform

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// wholeTarget is whole for the only metric as convert left it. What is refused
// is the number that the policy has, together with what became of it.
func (w *writer) wholeTarget(m profiles.Metric) int {
	const key = "metrics[0].target"
	before, was := len(w.refusals), w.policy.Metrics[0]
	n := w.whole(key, m.Target)
	if len(w.refusals) > before && m.Kind != was.Kind {
		p := &w.refusals[before]
		converted := fmt.Sprintf("got %s %s, which is %s %s at the calibrated latency of %s", was.Target, was.Kind, m.Target, m.Kind, w.policy.Calibration.Latency)
		p.Text = converted + strings.TrimPrefix(p.Text, "got "+m.Target.String())
	}
	return n
}

// onlyHours refuses what schedules say besides bounds from one moment to
// another, and reports whether there is nothing of that.
func (w *writer) onlyHours() bool {
	before := len(w.refusals)
	for i, s := range w.policy.Schedules {
		key := fmt.Sprintf("schedules[%d]", i)
		if s.Match != "" {
			w.refuse(key+".match", "got %q, want start and end: the platform has hours from one moment to another, and these minutes are no single window of a day", s.Match)
		}
		if len(s.Set) > 0 {
			w.refuse(key+".set", "got %s, want none: on the platform a schedule changes bounds only", s.Set)
		}
	}
	return len(w.refusals) == before
}

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

// unknown says which keys of a section the platform ignores, because it does
// not know them: an unknown key is nearly always a slip in what decides about
// the size. The keys begin with at and prefix, of which a loss shows the
// prefix.
func unknown(lines document.Lines, at, prefix string, known []string) (losses []Loss) {
	var names []string
	for key := range lines {
		name, inside := strings.CutPrefix(key, at+prefix)
		if inside && !strings.ContainsAny(name, ".[") && !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(lines[at+prefix+a]-lines[at+prefix+b], strings.Compare(a, b))
	})
	for _, name := range names {
		losses = append(losses, unknownKey(prefix, name, known))
	}
	return losses
}

// unknownKey is the loss of one of them, with the known one that is meant.
func unknownKey(prefix, name string, known []string) Loss {
	l := Loss{Field: prefix + name, Reason: "unknown to the platform, and ignored by it", Severe: true}
	if near := nearest(name, known); near != "" {
		l.Reason += ": " + near + " may be meant"
	}
	return l
}

// misspelt is unknown for a section that holds other things too: of its keys
// those count that are nearly one of the known ones.
func misspelt(lines document.Lines, at, prefix string, known []string) []Loss {
	return slices.DeleteFunc(unknown(lines, at, prefix, known), func(l Loss) bool {
		return nearest(strings.TrimPrefix(l.Field, prefix), known) == ""
	})
}

// keysOf are the keys that a struct is read from.
func keysOf(of any) (names []string) {
	t := reflect.TypeOf(of)
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("yaml"))
	}
	return names
}

// nearest is the known name that is at most three letters away, or that goes
// on after the whole of the name, as min_replicas does after min; empty where
// there is none.
func nearest(name string, known []string) (best string) {
	least := 4
	for _, k := range known {
		n := distance(name, k)
		if strings.HasPrefix(k, name) {
			n = min(n, 2)
		}
		if n < least && n < len(name) {
			best, least = k, n
		}
	}
	return best
}

// distance is how many letters have to be added, removed or replaced to get
// from one word to the other (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := before
			if a[i] != b[j] {
				replaced++
			}
			before = row[j+1]
			row[j+1] = min(replaced, before+1, row[j]+1)
		}
	}
	return row[len(b)]
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
			Field: field, From: plainNumber(x), To: near.String(),
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
			Field: field, From: plainNumber(x), To: near.String(), Reason: "a policy has tenths of a percent, up to 100%",
		})
	}
	return near
}

// number is a target or a factor as YAML writes it: without a point where it
// is whole.
func number(m profiles.Milli) any {
	if m.Whole() {
		return int(m / 1000)
	}
	return m.Float()
}

// plainNumber is any number as text, as short as it goes without an exponent.
func plainNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// roundUp is a duration of whole units, which keeps replicas a little longer.
func roundUp(d profiles.Duration, unit time.Duration) time.Duration {
	return (d.Std() + unit - 1).Truncate(unit)
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

// inSeconds is a duration as such a number, which may have a fraction.
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
