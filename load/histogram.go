package load

import (
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Bin is how often a time was measured, rounded up to the precision of the
// histogram.
type Bin struct {
	Time  time.Duration
	Count int64
}

// Histogram is a distribution of times: rising, without empty bins. As text it
// is what HdrHistogram and its tools exchange: counts per microsecond, V2
// compressed, base64. Nothing is an empty text.
type Histogram []Bin

// bins are the filled ones of a histogram.
func bins(h *hdrhistogram.Histogram) Histogram {
	var out Histogram
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			out = append(out, Bin{time.Duration(min(bar.To, histHigh)) * time.Microsecond, bar.Count})
		}
	}
	return out
}

// Count is how many times are in it.
func (h Histogram) Count() (n int64) {
	for _, b := range h {
		n += b.Count
	}
	return n
}

// Quantile is the q-quantile, 0..1, of the same rank as HdrHistogram takes: the
// nearest to q times the count. ok is false where there is no data.
func (h Histogram) Quantile(q float64) (d time.Duration, ok bool) {
	rank, seen := int64(q*float64(h.Count())+0.5), int64(0)
	for _, b := range h {
		d, ok, seen = b.Time, true, seen+b.Count
		if seen >= rank {
			break
		}
	}
	return d, ok
}

// MarshalText writes what UnmarshalText reads. It keeps three digits.
func (h Histogram) MarshalText() ([]byte, error) {
	if len(h) == 0 {
		return nil, nil
	}
	return h.hdr().EncodeV2()
}

// WritePercentiles writes the distribution as HdrHistogram's percentile file,
// which its plotters read: values in milliseconds, five lines for each halving
// of the distance to 100 %. Without data it has only its head.
func (h Histogram) WritePercentiles(w io.Writer) error {
	if len(h) == 0 {
		_, err := io.WriteString(w, " Value\tPercentile\tTotalCount\t1/(1-Percentile)\n")
		return err
	}
	_, err := h.hdr().PercentilesPrint(w, 5, 1000)
	return err
}

func (h Histogram) hdr() *hdrhistogram.Histogram {
	all := hdrhistogram.New(histLow, histHigh, 3)
	for _, b := range h {
		_ = all.RecordValues(micros(b.Time), b.Count) // cannot fail: the value is within the range
	}
	return all
}

// UnmarshalText reads a histogram in the interchange format.
func (h *Histogram) UnmarshalText(text []byte) error {
	*h = nil
	if len(text) == 0 {
		return nil
	}
	all, err := hdrhistogram.Decode(text)
	if err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	*h = bins(all)
	return nil
}
