package platform

import "time"

// knativeTick is the interval of Knative's autoscaler, and a bucket of its
// scale-down delay.
const knativeTick = 2 * time.Second

// maxWindow is the highest number of the last so many buckets (knative/serving,
// pkg/autoscaler/aggregation/max). It keeps a falling row of candidates: what
// is followed by something as high never counts again. An age is reached after
// as many buckets, not after the time itself, as in Knative.
type maxWindow struct {
	width time.Duration // of a bucket
	row   []maximum     // ring
	first int           // of the row
	count int
}

type maximum struct {
	bucket int64
	n      int
}

func newMaxWindow(length, bucket time.Duration) *maxWindow {
	return &maxWindow{width: bucket, row: make([]maximum, max(1, int((length+bucket-1)/bucket)))}
}

// record adds n and returns the highest. Times must not go back.
func (w *maxWindow) record(now time.Time, n int) int {
	bucket := now.UnixNano() / int64(w.width)
	for w.count > 0 && bucket-w.at(0).bucket >= int64(len(w.row)) {
		w.first, w.count = (w.first+1)%len(w.row), w.count-1
	}
	for w.count > 0 && w.at(w.count-1).n <= n {
		w.count--
	}
	if w.count == 0 || w.at(w.count-1).bucket != bucket { // else one of this bucket is higher
		w.count++
		*w.at(w.count - 1) = maximum{bucket, n}
	}
	return w.at(0).n
}

// at is the i-th of the row.
func (w *maxWindow) at(i int) *maximum { return &w.row[(w.first+i)%len(w.row)] }
