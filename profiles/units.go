package profiles

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"headroom/profiles/document"
)

// ValueError is a value that could not be read, and what would have been.
type ValueError struct {
	Got, Want string
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("got %q, want %s", document.Excerpt(e.Got), e.Want)
}

func badValue(got, want string) error { return &ValueError{Got: got, Want: want} }

// ParseDuration reads a duration as Go writes it ("1h30m", "250ms") or as
// Locust does: a bare integer is a number of seconds. Negative durations are
// refused.
func ParseDuration(s string) (time.Duration, error) {
	return parseDuration(s, "0 or more", 0)
}

// ParseLength is ParseDuration of what takes more than 0.
func ParseLength(s string) (time.Duration, error) {
	return parseDuration(s, "more than 0", 1)
}

func parseDuration(s, want string, least time.Duration) (time.Duration, error) {
	bad := badValue(s, "a duration of "+want+", such as 30s, 250ms or 1h30m (a bare number is seconds)")
	t := strings.TrimSpace(s)
	if n, err := strconv.ParseInt(t, 10, 64); err == nil {
		if n < int64(least) || n > math.MaxInt64/int64(time.Second) {
			return 0, bad
		}
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(t)
	if err != nil || d < least {
		return 0, bad
	}
	return d, nil
}

// ParseRate reads a rate in events per second: "50", "50/1s", "10/ms",
// "600/1m". Without a unit it is per second.
func ParseRate(s string) (float64, error) {
	bad := badValue(s, "a rate above 0 such as 50, 50/1s or 10/ms")
	count, per, ok := strings.Cut(strings.TrimSpace(s), "/")
	n, err := strconv.ParseFloat(strings.TrimSpace(count), 64)
	if err != nil || !(n > 0) || math.IsInf(n, 0) {
		return 0, bad
	}
	if !ok {
		return n, nil
	}
	per = strings.TrimSpace(per)
	if per != "" && (per[0] < '0' || per[0] > '9') {
		per = "1" + per
	}
	d, err := time.ParseDuration(per)
	if err != nil || d <= 0 {
		return 0, bad
	}
	rate := n / d.Seconds()
	if rate == 0 || math.IsInf(rate, 0) {
		return 0, bad
	}
	return rate, nil
}

// ParseCount reads a whole number of 1 or more with an optional k or m:
// "500", "10k", "2.5k", "1m".
func ParseCount(s string) (int, error) {
	bad := badValue(s, "a whole number of 1 or more, such as 500 or 10k")
	t := strings.ToLower(strings.TrimSpace(s))
	switch { // as an exponent, since 1.001*1000 is not 1001
	case strings.HasSuffix(t, "k"):
		t = t[:len(t)-1] + "e3"
	case strings.HasSuffix(t, "m"):
		t = t[:len(t)-1] + "e6"
	}
	n, err := strconv.ParseFloat(t, 64)
	if err != nil || n < 1 || n > 1e12 || n != math.Trunc(n) {
		return 0, bad
	}
	return int(n), nil
}

// Milli is an exact decimal with three digits after the point, counted in
// thousandths: 10.5 is Milli(10500). Targets and rates of a policy are Milli
// because float division over-counts where the quotient is whole:
// ceil(21/(3x0.7)) must be 10, and in float64 it is 11.
type Milli int64

// MilliOf rounds x to the nearest thousandth.
func MilliOf(x float64) Milli { return Milli(math.Round(x * 1000)) }

const wantMilli = "a number with at most three decimals"

// ParseMilli reads a decimal number with at most three digits after the
// point. What it cannot hold exactly it refuses.
func ParseMilli(s string) (Milli, error) {
	bad := badValue(s, wantMilli)
	t := strings.TrimSpace(s)
	digits := strings.TrimPrefix(t, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	if whole == "" || len(frac) > 3 || len(whole) > 15 || strings.ContainsAny(whole+frac, "+-eExX_") {
		return 0, bad
	}
	n, err := strconv.ParseInt(whole+frac+strings.Repeat("0", 3-len(frac)), 10, 64)
	if err != nil {
		return 0, bad
	}
	if t != digits {
		n = -n
	}
	return Milli(n), nil
}

// Float is the number itself.
func (m Milli) Float() float64 { return float64(m) / 1000 }

// Whole reports whether there is nothing after the point.
func (m Milli) Whole() bool { return m%1000 == 0 }

// String writes the number without trailing zeros: "10", "10.5".
func (m Milli) String() string {
	sign, n := "", int64(m)
	if n < 0 {
		sign, n = "-", -n
	}
	s := strconv.FormatInt(n/1000, 10)
	if rest := n % 1000; rest != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%03d", rest), "0")
	}
	return sign + s
}

// MarshalText writes the number as String does; JSON and YAML use the
// unquoted forms below.
func (m Milli) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what ParseMilli reads.
func (m *Milli) UnmarshalText(b []byte) (err error) {
	*m, err = ParseMilli(string(b))
	return err
}

// MarshalJSON writes a JSON number.
func (m Milli) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON reads a JSON number of at most three decimals.
func (m *Milli) UnmarshalJSON(b []byte) error { return m.UnmarshalText(b) }

// MarshalYAML writes a YAML number.
func (m Milli) MarshalYAML() ([]byte, error) { return []byte(m.String()), nil }

// CeilDiv is the smallest whole number not below a/b, for b > 0 and a >= 0.
func CeilDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 {
		q++
	}
	return q
}

// Ratio is a share, exact to a tenth of a percent, in thousandths: 10 % is
// Ratio(100). In files it is written "10%" or 0.1.
type Ratio int64

// ParseRatio reads "10%" or "0.1", 0 or more.
func ParseRatio(s string) (Ratio, error) {
	bad := badValue(s, "a share such as 10% or 0.1")
	t := strings.TrimSpace(s)
	number, percent := strings.CutSuffix(t, "%")
	m, err := ParseMilli(strings.TrimSpace(number))
	if err != nil || m < 0 {
		return 0, bad
	}
	if !percent {
		return Ratio(m), nil
	}
	if m%100 != 0 {
		return 0, badValue(s, "a share of at most one decimal of a percent")
	}
	return Ratio(m / 100), nil
}

// Float is the share as a number: 0.1 for 10 %.
func (r Ratio) Float() float64 { return float64(r) / 1000 }

// String writes the share in percent: "10%".
func (r Ratio) String() string { return Milli(r*100).String() + "%" }

// MarshalText writes "10%".
func (r Ratio) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads "10%" or "0.1".
func (r *Ratio) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRatio(string(b))
	return err
}

// Duration is a time.Duration that files write as "1m30s" and that reads what
// ParseDuration reads.
type Duration time.Duration

// Std is the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes the duration without empty units: "5m", not "5m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDuration reads.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// sizeUnits are what ParseSize knows, largest first.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"kB", 1e3}, {"B", 1},
}

// ParseSize reads a whole number of bytes above 0: "512MiB", "1.5 GB". Units
// have a B: what a bare M means depends on who is asked.
func ParseSize(s string) (int64, error) {
	bad := badValue(s, "a size such as 512MiB, 1.5GiB or 500MB")
	t := strings.TrimSpace(s)
	for _, unit := range sizeUnits {
		number, ok := strings.CutSuffix(t, unit.name)
		if !ok {
			continue
		}
		n, err := ParseMilli(strings.TrimSpace(number))
		if err != nil || n <= 0 || int64(n) > math.MaxInt64/unit.bytes || int64(n)*unit.bytes%1000 != 0 {
			return 0, bad
		}
		return int64(n) * unit.bytes / 1000, nil
	}
	return 0, bad
}

// FormatExactSize writes a number of bytes below 10^15 so that ParseSize reads
// the same: "512 MiB", "1500 MB".
func FormatExactSize(n int64) string {
	for _, unit := range sizeUnits {
		if n != 0 && n%unit.bytes == 0 {
			return strconv.FormatInt(n/unit.bytes, 10) + " " + unit.name
		}
	}
	return "0 B"
}

// FormatSize writes a number of bytes with three digits, in thousands as
// network people count: "312 B", "1.20 kB", "48.0 MB".
func FormatSize(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(n, 10) + " B"
	}
	v, unit := float64(n)/1000, 0
	for ; v >= 999.5; unit++ {
		v /= 1000
	}
	digits := 0
	if v < 9.995 {
		digits = 2
	} else if v < 99.95 {
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + "kMGTPE"[unit:unit+1] + "B"
}

// Plural writes a number and the word or words for it: "1 answer names", "2
// answers name".
func Plural[T int | int64](n T, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.FormatInt(int64(n), 10) + " " + many
}
