package load

import (
	"math/rand/v2"
	"sync/atomic"

	"headroom/profiles"
)

// feed hands out the rows of one.
type feed struct {
	profiles.Feed
	taken atomic.Int64
}

// next returns the next row, or false when there is none any more.
func (f *feed) next(random *rand.Rand) ([]string, bool) {
	if f.Order == profiles.AtRandom {
		return f.Rows[random.IntN(len(f.Rows))], true
	}
	n := f.taken.Add(1) - 1
	if f.Order == profiles.Once && n >= int64(len(f.Rows)) {
		return nil, false
	}
	return f.Rows[n%int64(len(f.Rows))], true
}
