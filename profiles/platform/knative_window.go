package platform

import (
	"math"
	"time"
)

// KnativeWindow averages what is observed as Knative's collector of metrics
// does (knative/serving, pkg/autoscaler/aggregation/bucketing.go), for those
// who make the readings of a Knative decider: all samples of one bucket are
// added up, and an average is taken over the buckets. It is not safe for
// concurrent use.
//
// Linear: the mean over the buckets from the first one written, so that a
// window that has just begun is not diluted. Buckets that were left out in
// between count 0; those after the last one written do not count at all,
// while they push the oldest out. Cut off after six digits.
//
// Weighted: the newest bucket counts c, the one before it c(1-c), then
// c(1-c)², where c = max(0.2, 1 - 0.0001^(1/buckets)).
type KnativeWindow struct {
	width       time.Duration // of a bucket
	weight      float64       // c; 0: linear
	sums        []float64     // ring by bucket number, of last and those before it
	first, last int64         // bucket numbers written; first > last: none
}

// The bucket of Knative's collector, and the interval of its autoscaler.
const (
	knativeBucket = time.Second
	knativeTick   = 2 * time.Second
)

// NewKnativeWindow returns an empty window of a length of 1 s or more.
func NewKnativeWindow(length time.Duration, weighted bool) *KnativeWindow {
	return newKnativeWindow(length, knativeBucket, weighted)
}

func newKnativeWindow(length, bucket time.Duration, weighted bool) *KnativeWindow {
	n := buckets(length, bucket)
	w := &KnativeWindow{width: bucket, sums: make([]float64, n), first: 1}
	if weighted {
		w.weight = decay(n)
	}
	return w
}

// buckets is how many of them a window has, at least one.
func buckets(length, bucket time.Duration) int {
	return max(1, int((length+bucket-1)/bucket))
}

// decay is the weight of the newest of n buckets, such that all of them
// together weigh 0.9999 where n is small.
func decay(n int) float64 { return max(0.2, 1-math.Pow(0.0001, 1/float64(n))) }

// Record adds a sample. One that is older than the window is ignored.
func (w *KnativeWindow) Record(now time.Time, value float64) {
	b, n := w.number(now), int64(len(w.sums))
	switch {
	case w.first > w.last || b-w.last >= n: // the first one, also after a silence
		clear(w.sums)
		w.first, w.last = b, b
	case w.last-b >= n:
		return
	}
	for ; w.last < b; w.last++ {
		*w.sum(w.last + 1) = 0
	}
	w.first = min(w.first, b)
	*w.sum(b) += value
}

// Average is that of the window that ends now; 0 where nothing was recorded
// in it.
func (w *KnativeWindow) Average(now time.Time) float64 {
	end := max(w.number(now), w.last)
	oldest := max(w.first, end-int64(len(w.sums))+1)
	if oldest > w.last {
		return 0
	}
	if w.weight > 0 {
		return w.weighted(end, oldest)
	}
	total := 0.0
	for b := oldest; b <= w.last; b++ {
		total += *w.sum(b)
	}
	return math.Floor(total/float64(w.last-oldest+1)*1e6) / 1e6
}

func (w *KnativeWindow) weighted(end, oldest int64) float64 {
	weight, total := w.weight*math.Pow(1-w.weight, float64(end-w.last)), 0.0
	for b := w.last; b >= oldest; b-- {
		total += weight * *w.sum(b)
		weight *= 1 - w.weight
	}
	return total
}

func (w *KnativeWindow) number(now time.Time) int64 { return now.UnixNano() / int64(w.width) }

// sum is the bucket of a number, which is within the ring.
func (w *KnativeWindow) sum(b int64) *float64 {
	n := int64(len(w.sums))
	return &w.sums[(b%n+n)%n]
}

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
	return &maxWindow{width: bucket, row: make([]maximum, buckets(length, bucket))}
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
