package load

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// What is saved says the same when it is read again, whatever its precision.
func TestHistogramAsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHist(rapid.SampledFrom([]int{2, 3}).Draw(t, "digits"))
		times := rapid.SliceOfN(rapid.Int64Range(0, int64(59*time.Minute)), 0, 30).Draw(t, "times")
		for _, d := range times {
			h.record(time.Duration(d))
		}
		want := bins(h.h)
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got Histogram
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("Unmarshal(%s): %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" || got.Count() != int64(len(times)) {
			t.Errorf("%d times read back as %d (-want +got):\n%s", len(times), got.Count(), diff)
		}
		for _, q := range []float64{0.01, 0.5, 0.9999, 1} {
			if d, ok := got.Quantile(q); ok != (len(times) > 0) || ok && h.within(d.Microseconds()) != h.at(q) {
				t.Errorf("Quantile(%v) = %v, %v, want %v", q, d, ok, h.at(q))
			}
		}
	})
}

func TestHistogramFromBadText(t *testing.T) {
	for _, text := range []string{`"no base64"`, `"AAAA"`, `"HISTFAAAAAB4nA=="`} {
		var h Histogram
		if err := json.Unmarshal([]byte(text), &h); err == nil || !strings.Contains(err.Error(), "histogram: ") {
			t.Errorf("Unmarshal(%s) = %v, want an error of the histogram", text, err)
		}
	}
}

func TestWritePercentiles(t *testing.T) {
	var out strings.Builder
	if err := (Histogram{{10 * time.Millisecond, 3}, {20 * time.Millisecond, 1}}).WritePercentiles(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Value\tPercentile\tTotalCount\t1/(1-Percentile)\n", "10.007     0.500000            3         2.00\n", "20.015     1.000000            4          inf\n", "Total count    =            4]"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("percentiles without %q:\n%s", want, out.String())
		}
	}
}

// The history has the totals of each second, those of the end the histogram.
func TestHistoryOfTotals(t *testing.T) {
	r := run(t, closedPlan(2, 100, 10*time.Second), fake(100*time.Millisecond, nil), nil)
	last := r.Points[len(r.Points)-1]
	if got, want := last.Total.Count, r.Total.Count; math.Abs(float64(got-want)) > 20 || last.Total.Latency.P50 != r.Total.Latency.P50 || last.Total.P9999 < last.Total.P66 || last.Total.P66 == 0 {
		t.Errorf("totals of the last second %+v, want about %d requests and p50 %v", last.Total, want, r.Total.Latency.P50)
	}
	if first := r.Points[0].Total; first.Count >= last.Total.Count {
		t.Errorf("totals of the first second %+v, want fewer", first)
	}
	if n := r.Requests[0].Histogram.Count(); n != r.Total.Latency.Count {
		t.Errorf("%d times in the histogram, want %d", n, r.Total.Latency.Count)
	}
}
