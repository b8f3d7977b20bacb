package load

import (
	"fmt"

	"headroom/profiles"
)

// Spread says in words how the answers spread over the replicas, one sentence
// each; there are none where there is nothing to say.
func (s Snapshot) Spread() []string {
	var out []string
	if s.Imbalance != nil && *s.Imbalance >= 0.05 {
		out = append(out, fmt.Sprintf("the busiest replica got %.0f %% more than an even share", *s.Imbalance*100))
	}
	switch u := s.Unseen; {
	case u.Seen == 0 || u.High == u.Seen:
	case u.High == 0:
		out = append(out, fmt.Sprintf("there may be any number of replicas from %d on: none was met twice", u.Low))
	default:
		out = append(out, fmt.Sprintf("%s seen, between %d and %d in all if each is as likely as any other (95 %%)", profiles.Plural(u.Seen, "replica", "replicas"), u.Low, u.High))
	}
	if s.Sticky && len(s.Replicas) > 1 {
		out = append(out, "every connection stayed with its replica, so new ones get nothing over those that are open: --conn-max-age replaces them")
	}
	return out
}
