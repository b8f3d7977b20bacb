package scaler

import (
	"errors"
	"fmt"
	"syscall"

	"headroom/profiles"
)

// exhausted reports whether a connection failed because this process or this
// machine has run out of something: descriptors, ports, buffers. No replica is
// to blame for that.
func exhausted(err error) bool {
	for _, ours := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS} {
		if errors.Is(err, ours) {
			return true
		}
	}
	return false
}

// tooFewDescriptors says that this process may not open as many files as the
// requests may need that fit into slots and queue, each with a connection to
// its client and one to its replica. It is empty where it may, or where the
// limit is not known (0).
func tooFewDescriptors(limit uint64, cfg Config) string {
	replicas := cfg.Policy.Replicas.Min
	if largest := cfg.Policy.Replicas.Max; largest != profiles.Unlimited {
		replicas = int(largest)
	}
	need := 2 * (uint64(cfg.MaxQueue) + uint64(replicas)*uint64(cfg.Concurrency))
	if limit == 0 || limit >= need {
		return ""
	}
	return fmt.Sprintf("this process may open %d files, but slots and queue take requests with up to %d connections; raise the limit (ulimit -n) or lower --max-queue", limit, need)
}
