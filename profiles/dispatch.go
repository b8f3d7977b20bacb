package profiles

// Dispatch is the order in which replicas get requests.
type Dispatch string

// The orders of dispatch.
const (
	Pack             Dispatch = "pack"              // the idle replica of lowest index, else the fewest in flight
	LeastConnections Dispatch = "least-connections" // the fewest in flight; ties in turn
	RoundRobin       Dispatch = "round-robin"       // each in turn, full ones left out
	Random           Dispatch = "random"            // any that is not full
)

// Slots is what dispatch needs to know of one replica: how many requests it
// works on and how many it may. A replica that must not get any has a Limit
// of 0.
type Slots struct {
	InFlight, Limit int
}

// Pick chooses the replica for the next request: the idle one of lowest
// index, else the one with the fewest in flight among those below their
// limit, the lowest index breaking ties; -1 when all are full. It packs: a
// fleet that is larger than its load keeps its last replicas idle, so that
// they can go.
func Pick(fleet []Slots) int {
	best := -1
	for i, r := range fleet {
		if r.InFlight >= r.Limit {
			continue
		}
		if r.InFlight == 0 {
			return i
		}
		if best < 0 || r.InFlight < fleet[best].InFlight {
			best = i
		}
	}
	return best
}
