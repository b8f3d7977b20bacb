package profiles

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for _, c := range []struct {
		in   string
		want time.Duration
		bad  bool
	}{
		{in: "30s", want: 30 * time.Second},
		{in: "250ms", want: 250 * time.Millisecond},
		{in: "1h30m", want: 90 * time.Minute},
		{in: "1.5h", want: 90 * time.Minute},
		{in: "300", want: 5 * time.Minute},
		{in: "0", want: 0},
		{in: "0s", want: 0},
		{in: " 20 ", want: 20 * time.Second},
		{in: " 20s\n", want: 20 * time.Second},
		{in: "9223372036", want: 9223372036 * time.Second},
		{in: "9223372037", bad: true}, // more than a time.Duration holds
		{in: "99999999999999999999", bad: true},
		{in: "-1", bad: true},
		{in: "-5s", bad: true},
		{in: "1.5", bad: true}, // seconds or minutes?
		{in: "30x", bad: true},
		{in: "30 s", bad: true},
		{in: "s", bad: true},
		{in: "", bad: true},
	} {
		got, err := ParseDuration(c.in)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v, error %v", c.in, got, err, c.want, c.bad)
		}
		wantValueError(t, "ParseDuration", c.in, err, "a duration of 0 or more")

		c.bad = c.bad || c.want == 0
		got, err = ParseLength(c.in)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("ParseLength(%q) = %v, %v, want %v, error %v", c.in, got, err, c.want, c.bad)
		}
		wantValueError(t, "ParseLength", c.in, err, "a duration of more than 0")
	}
}

func TestParseRate(t *testing.T) {
	for _, c := range []struct {
		in   string
		want float64 // 0: an error
	}{
		{in: "50", want: 50},
		{in: "0.5", want: 0.5},
		{in: "50/1s", want: 50},
		{in: "50/s", want: 50},
		{in: "10/ms", want: 10000},
		{in: "600/1m", want: 10},
		{in: "600/m", want: 10},
		{in: "3600/h", want: 1},
		{in: "5/2s", want: 2.5},
		{in: " 50 / 1s ", want: 50},
		{in: "0"},
		{in: "-5"},
		{in: "-5/1s"},
		{in: "50/"},
		{in: "50/0s"},
		{in: "50/-1s"},
		{in: "50/x"},
		{in: "50/1s/1s"},
		{in: "/s"},
		{in: "NaN"},
		{in: "Inf"},
		{in: "1e308/1ns"},    // overflows to infinity
		{in: "1e-320/1000h"}, // underflows to 0
		{in: ""},
	} {
		got, err := ParseRate(c.in)
		if got != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("ParseRate(%q) = %v, %v, want %v, error %v", c.in, got, err, c.want, c.want == 0)
		}
		wantValueError(t, "ParseRate", c.in, err, "a rate above 0")
	}
}

func TestParseCount(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int // 0: an error
	}{
		{in: "1", want: 1},
		{in: "500", want: 500},
		{in: "10k", want: 10000},
		{in: "10K", want: 10000},
		{in: "2.5k", want: 2500},
		{in: "1.001k", want: 1001}, // 1.001*1000 is 1000.9999999999999
		{in: "4.35k", want: 4350},
		{in: "1m", want: 1000000},
		{in: "0.001m", want: 1000},
		{in: " 7 ", want: 7},
		{in: "1000000m", want: 1e12},
		{in: "1000001m"},
		{in: "0"},
		{in: "-1"},
		{in: "1.5"},
		{in: "1.0005k"},
		{in: "0.5"},
		{in: "k"},
		{in: "10g"},
		{in: "10kk"},
		{in: "1e3k"},
		{in: "NaN"},
		{in: "Inf"},
		{in: "Infk"},
		{in: ""},
	} {
		got, err := ParseCount(c.in)
		if got != c.want || (err != nil) != (c.want == 0) {
			t.Errorf("ParseCount(%q) = %v, %v, want %v, error %v", c.in, got, err, c.want, c.want == 0)
		}
		wantValueError(t, "ParseCount", c.in, err, "a whole number of 1 or more")
	}
}

// wantValueError checks that err, if there is one, holds the input as it was
// given and what is allowed.
func wantValueError(t *testing.T, call, in string, err error, want string) {
	t.Helper()
	if err == nil {
		return
	}
	var v *ValueError
	if !errors.As(err, &v) || v.Got != in || !strings.HasPrefix(v.Want, want) {
		t.Errorf("%s(%q): error %q, want a ValueError with the input and %q", call, in, err, want)
	}
}

func TestParseMilli(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Milli
		text string // String of it; "": as in
		bad  bool
	}{
		{in: "0", want: 0},
		{in: "10", want: 10000},
		{in: "10.5", want: 10500},
		{in: "0.7", want: 700},
		{in: "0.001", want: 1},
		{in: "-0.001", want: -1},
		{in: "-3.25", want: -3250},
		{in: "10.500", want: 10500, text: "10.5"},
		{in: "007", want: 7000, text: "7"},
		{in: "5.", want: 5000, text: "5"},
		{in: "-0", want: 0, text: "0"},
		{in: " 4 ", want: 4000, text: "4"},
		{in: "999999999999999.999", want: 999999999999999999},
		{in: "1000000000000000", bad: true}, // 16 digits
		{in: "1.2345", bad: true},
		{in: "1.0000", bad: true},
		{in: ".5", bad: true},
		{in: "1e3", bad: true},
		{in: "0x10", bad: true},
		{in: "1_000", bad: true},
		{in: "+5", bad: true},
		{in: "--5", bad: true},
		{in: "-", bad: true},
		{in: "1.-5", bad: true},
		{in: "1.2.3", bad: true},
		{in: "1,5", bad: true},
		{in: "ten", bad: true},
		{in: "NaN", bad: true},
		{in: "", bad: true},
	} {
		got, err := ParseMilli(c.in)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("ParseMilli(%q) = %d, %v, want %d, error %v", c.in, got, err, c.want, c.bad)
		}
		wantValueError(t, "ParseMilli", c.in, err, "a number")
		if text := c.text; !c.bad {
			if text == "" {
				text = c.in
			}
			if got.String() != text {
				t.Errorf("Milli(%d).String() = %q, want %q", got, got, text)
			}
		}
	}
}

func TestMilliOf(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want Milli
	}{{0, 0}, {0.7, 700}, {2.1, 2100}, {0.0004, 0}, {0.0005, 1}, {1.2346, 1235}, {-1.5, -1500}, {0.1 + 0.2, 300}} {
		if got := MilliOf(c.in); got != c.want {
			t.Errorf("MilliOf(%v) = %d, want %d", c.in, got, c.want)
		}
	}
	if got := Milli(10500).Float(); got != 10.5 {
		t.Errorf("Milli(10500).Float() = %v, want 10.5", got)
	}
	for m, want := range map[Milli]bool{0: true, 1000: true, 10500: false, 1: false, -2000: true} {
		if got := m.Whole(); got != want {
			t.Errorf("Milli(%d).Whole() = %v, want %v", m, got, want)
		}
	}
}

// All of a policy's numbers survive text, JSON and YAML.
func TestMilliRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Milli(rapid.Int64Range(-999999999999999999, 999999999999999999).Draw(t, "milli"))
		if got, err := ParseMilli(m.String()); got != m || err != nil {
			t.Fatalf("ParseMilli(%q) = %d, %v, want %d", m, got, err, m)
		}
		text, _ := m.MarshalText()
		var got Milli
		if err := got.UnmarshalText(text); got != m || err != nil {
			t.Fatalf("UnmarshalText(%q) = %d, %v, want %d", text, got, err, m)
		}
		data, err := json.Marshal(m)
		if err != nil || data[0] == '"' {
			t.Fatalf("json.Marshal(%s) = %s, %v, want a number", m, data, err)
		}
		got = 0
		if err := json.Unmarshal(data, &got); got != m || err != nil {
			t.Fatalf("json.Unmarshal(%s) = %d, %v, want %d", data, got, err, m)
		}
		yml, err := yaml.Marshal(struct{ M Milli }{m})
		if err != nil || string(yml) != "m: "+m.String()+"\n" {
			t.Fatalf("YAML of %s = %q, %v, want an unquoted number", m, yml, err)
		}
	})
}

func TestCeilDiv(t *testing.T) {
	for _, c := range []struct {
		name       string
		a, b, want int64
	}{
		{"nothing", 0, 700, 0},
		{"the float trap 21/(3x0.7)", int64(MilliOf(21)), 3 * int64(MilliOf(0.7)), 10},
		{"the float trap 2.1/0.7", int64(MilliOf(2.1)), int64(MilliOf(0.7)), 3},
		{"the float trap (56/50)*25", 56 * 25, 50, 28},
		{"just above", 21001, 2100, 11},
		{"just below", 20999, 2100, 10},
		{"one", 1, 1000, 1},
		{"largest", math.MaxInt64, 1, math.MaxInt64},
		{"no overflow", math.MaxInt64, math.MaxInt64 - 1, 2},
	} {
		if got := CeilDiv(c.a, c.b); got != c.want {
			t.Errorf("%s: CeilDiv(%d, %d) = %d, want %d", c.name, c.a, c.b, got, c.want)
		}
	}
	replicas, target := 3.0, 0.7
	if math.Ceil(21/(replicas*target)) == 10 {
		t.Error("float64 gives 10 for 21/(3x0.7) too: the rows of the float trap prove nothing")
	}
}

func TestCeilDivIsTheCeiling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Int64Min(0).Draw(t, "a")
		b := rapid.Int64Min(1).Draw(t, "b")
		q, bigB := big.NewInt(CeilDiv(a, b)), big.NewInt(b)
		above := new(big.Int).Mul(q, bigB)
		below := new(big.Int).Sub(above, bigB)
		if above.Cmp(big.NewInt(a)) < 0 || below.Cmp(big.NewInt(a)) >= 0 {
			t.Fatalf("CeilDiv(%d, %d) = %v, want the smallest whole number not below the quotient", a, b, q)
		}
	})
}

func TestRatio(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Ratio
		text string
		bad  bool
	}{
		{in: "10%", want: 100, text: "10%"},
		{in: "0.1", want: 100, text: "10%"},
		{in: "12.5%", want: 125, text: "12.5%"},
		{in: "12.5 %", want: 125, text: "12.5%"},
		{in: "0.1%", want: 1, text: "0.1%"},
		{in: "0.001", want: 1, text: "0.1%"},
		{in: "0", want: 0, text: "0%"},
		{in: "0%", want: 0, text: "0%"},
		{in: "100%", want: 1000, text: "100%"},
		{in: "1", want: 1000, text: "100%"},
		{in: "150%", want: 1500, text: "150%"},
		{in: "0.05%", bad: true}, // finer than a tenth of a percent
		{in: "0.0005", bad: true},
		{in: "-10%", bad: true},
		{in: "-0.1", bad: true},
		{in: "10%%", bad: true},
		{in: "%", bad: true},
		{in: "ten", bad: true},
		{in: "", bad: true},
	} {
		got, err := ParseRatio(c.in)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("ParseRatio(%q) = %d, %v, want %d, error %v", c.in, got, err, c.want, c.bad)
		}
		wantValueError(t, "ParseRatio", c.in, err, "a share")
		if !c.bad && got.String() != c.text {
			t.Errorf("Ratio(%d).String() = %q, want %q", got, got, c.text)
		}
	}
	if got := Ratio(125).Float(); got != 0.125 {
		t.Errorf("Ratio(125).Float() = %v, want 0.125", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		r := Ratio(rapid.Int64Range(0, 1e15).Draw(t, "ratio"))
		text, _ := r.MarshalText()
		var got Ratio
		if err := got.UnmarshalText(text); got != r || err != nil {
			t.Fatalf("UnmarshalText(%q) = %d, %v, want %d", text, got, err, r)
		}
	})
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		in   time.Duration
		want string
	}{
		{0, "0s"},
		{30 * time.Second, "30s"},
		{60 * time.Second, "1m"},
		{90 * time.Second, "1m30s"},
		{10 * time.Minute, "10m"},
		{time.Hour, "1h"},
		{20 * time.Hour, "20h"},
		{time.Hour + 10*time.Minute, "1h10m"},
		{time.Hour + 10*time.Second, "1h0m10s"},
		{250 * time.Millisecond, "250ms"},
		{100 * time.Millisecond, "100ms"},
		{1500 * time.Microsecond, "1.5ms"},
	} {
		if got := Duration(c.in).String(); got != c.want {
			t.Errorf("Duration(%d).String() = %q, want %q", c.in, got, c.want)
		}
	}
	var d Duration
	if err := d.UnmarshalText([]byte("90")); err != nil || d.Std() != 90*time.Second {
		t.Errorf("UnmarshalText(90) = %v, %v, want 1m30s", d, err)
	}
	if err := d.UnmarshalText([]byte("soon")); err == nil {
		t.Error("UnmarshalText(soon): no error")
	}
	rapid.Check(t, func(t *rapid.T) {
		units := []time.Duration{1, time.Millisecond, time.Second, time.Minute, time.Hour}
		unit := rapid.SampledFrom(units).Draw(t, "unit")
		d := Duration(unit) * Duration(rapid.Int64Range(0, math.MaxInt64/int64(unit)).Draw(t, "count"))
		text, _ := d.MarshalText()
		var got Duration
		if err := got.UnmarshalText(text); got != d || err != nil {
			t.Fatalf("UnmarshalText(%q) = %d, %v, want %d", text, got, err, d)
		}
	})
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[int64]string{
		-5: "-5 B", 0: "0 B", 999: "999 B", 1000: "1.00 kB", 9994: "9.99 kB", 9995: "10.0 kB", 123_456: "123 kB", 999_499: "999 kB",
		999_500: "1.00 MB", 48_000_000: "48.0 MB", math.MaxInt64: "9.22 EB",
	} {
		if got := FormatSize(n); got != want {
			t.Errorf("FormatSize(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	for n, want := range map[int]string{0: "0 answers name", 1: "1 answer names", 2: "2 answers name"} {
		if got := Plural(n, "answer names", "answers name"); got != want {
			t.Errorf("Plural(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{
		"512MiB": 512 << 20, "1.5 GiB": 3 << 29, "500MB": 500e6, "1kB": 1000, "1KiB": 1024, "2TB": 2e12, " 7 B ": 7, "0.5kB": 500,
	} {
		if got, err := ParseSize(s); got != want || err != nil {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "512", "512M", "512Mi", "512mib", "-1MiB", "0MiB", "0.001B", "1.0001kB", "MiB", "1e3B", "9999999999TiB"} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", s, got)
		}
	}
}

func TestFormatExactSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1: "1 B", 1000: "1 kB", 1024: "1 KiB", 512 << 20: "512 MiB", 3 << 29: "1536 MiB", 1e9: "1 GB", 1e9 + 1: "1000000001 B"} {
		if got := FormatExactSize(n); got != want {
			t.Errorf("FormatExactSize(%d) = %q, want %q", n, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 1e15-1).Draw(t, "n")
		if got, err := ParseSize(FormatExactSize(n)); got != n || err != nil {
			t.Fatalf("ParseSize(FormatExactSize(%d)) = %d, %v", n, got, err)
		}
	})
}
