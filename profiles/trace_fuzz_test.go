package profiles

import (
	"math"
	"strings"
	"testing"
	"time"
)

// checkRead reads a file: whatever it holds, it is refused or is a shape that
// ends, whose last arrival is due before.
func checkRead(t *testing.T, text string, o TraceOptions) {
	t.Helper()
	recorded, err := ReadTrace(strings.NewReader(text), o)
	shape := recorded.Shape
	if err != nil {
		if shape != nil {
			t.Fatalf("both %v and the error %v", shape, err)
		}
		return
	}
	length, ok := LengthOf(shape)
	all := shape.Area(length)
	if !ok || length <= 0 || !(all > 0) {
		t.Fatalf("%v ends after %v, %v, with %v arrivals", shape, length, ok, all)
	}
	last, ok := shape.OffsetOf(math.Nextafter(all, 0))
	if !ok || last < 0 || last > length {
		t.Fatalf("the last arrival of %v is due at %v, %v, want it within %v", shape, last, ok, length)
	}
}

func FuzzReadTrace(f *testing.F) {
	f.Add("12.5\n13\n", "", int64(0), 1.0)
	f.Add("t,n\n2026-01-02 03:04:05,1\n2026-01-02 03:05:05,7\n", "n", int64(0), 60.0)
	f.Add(combined("08:00:00")+combined("09:00:00"), "", int64(0), 1000.0)
	f.Add("n\n4\n0\n", "1", int64(time.Minute), 0.5)
	f.Fuzz(func(t *testing.T, text, column string, interval int64, compress float64) {
		interval = max(interval, 0) // as the flags allow
		if !(compress >= 0.001 && compress <= 1e6) {
			compress = 1
		}
		checkRead(t, text, TraceOptions{Column: column, Interval: time.Duration(interval), Compress: compress})
	})
}

func FuzzReadAccessLog(f *testing.F) {
	f.Add(combined("08:00:00") + combined("09:00:00"))
	f.Add(strings.ReplaceAll(combined("08:00:00"), "+0000", "-0930"))
	f.Fuzz(func(t *testing.T, text string) { checkRead(t, text, TraceOptions{Format: AccessLogFormat}) })
}

func FuzzReadRangeQuery(f *testing.F) {
	f.Add(matrix(`[1700000000,"1"],[1700000060,"2.5"]`))
	f.Add(matrix(`[1700000000.5,"1"],[1700000001,"2"]`, `[1700000001,"NaN"]`))
	f.Add(`{"status":"error","error":"parse error"}`)
	f.Fuzz(func(t *testing.T, text string) { checkRead(t, text, TraceOptions{Format: PrometheusFormat}) })
}
