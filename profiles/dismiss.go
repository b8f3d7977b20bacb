package profiles

// Use says what would be lost without a replica, the least first.
type Use int

// The uses of a replica. Of those without a request, the ones that have been
// idle for down.idle go before the others, which may have just come to rest.
const (
	Vacant    Use = iota // a place whose replica does not exist yet
	Broken               // it failed, or starts in a crash loop
	Launching            // it is starting
	Doubted              // it did not answer
	Rested               // it has been idle for long enough
	Resting              // it has no request, but has had one lately
	Working              // it has requests in flight
)

// Candidate is a replica that may be taken away. Its number is higher than
// those of all that were ordered before it.
type Candidate struct {
	Use    Use
	Number int
}

// Dispensable is the index of the candidate to take away first: the one of
// least use, and among equals the Oldest, or else the newest.
func Dispensable(candidates []Candidate, order string) int {
	best := 0
	for i, c := range candidates {
		b := candidates[best]
		if c.Use < b.Use || c.Use == b.Use && (c.Number < b.Number) == (order == Oldest) && c.Number != b.Number {
			best = i
		}
	}
	return best
}
