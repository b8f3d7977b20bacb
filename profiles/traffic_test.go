package profiles

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseTraffic(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Traffic // zero: an error
	}{
		{in: "50..200", want: Traffic{50000, 200000}},
		{in: " 50/s .. 200/s ", want: Traffic{50000, 200000}},
		{in: "0.5..1.25", want: Traffic{500, 1250}},
		{in: "10..10", want: Traffic{10000, 10000}},
		{in: "0..10"},
		{in: "-1..10"},
		{in: "200..50"},
		{in: "50"},
		{in: "50-200"},
		{in: "50..200..300"},
		{in: "50...200"},
		{in: "..200"},
		{in: "50.."},
		{in: ".."},
		{in: "low..high"},
		{in: "0.0001..1"},
		{in: ""},
	} {
		got, err := ParseTraffic(c.in)
		if got != c.want || (err != nil) != (c.want == Traffic{}) {
			t.Errorf("ParseTraffic(%q) = %v, %v, want %v", c.in, got, err, c.want)
		}
		if got.Known() != (err == nil) {
			t.Errorf("ParseTraffic(%q).Known() = %v, want %v", c.in, got.Known(), err == nil)
		}
		wantValueError(t, "ParseTraffic", c.in, err, "LOW..HIGH")
	}
	if _, err := ParseTraffic("200..50"); !strings.Contains(err.Error(), "such as 50..200") {
		t.Errorf("ParseTraffic(200..50): error %q, want an example in it", err)
	}
}

func TestTrafficRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Int64Range(1, 1e15).Draw(t, "low")
		want := Traffic{Milli(low), Milli(rapid.Int64Range(low, 1e15).Draw(t, "high"))}
		if got, err := ParseTraffic(want.String()); got != want || err != nil {
			t.Fatalf("ParseTraffic(%q) = %v, %v, want %v", want, got, err, want)
		}
	})
}
