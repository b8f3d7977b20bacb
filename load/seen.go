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
	case u.High == 0 && u.Seen == 1 && s.Sticky: // a single draw
		out = append(out, "one connection tells nothing of how many replicas there are: more users have more of them, and so has --conn-max-age")
	case u.High == 0 && u.Seen == 1:
	case u.High == 0:
		out = append(out, fmt.Sprintf("there may be any number of replicas from %d on: none was met twice", u.Low))
	default:
		out = append(out, fmt.Sprintf("%s seen, between %d and %d in all if each is as likely as any other (95 %%)", profiles.Plural(u.Seen, "replica", "replicas"), u.Low, u.High))
	}
	if cold, most := s.coldStarts(); cold > 0 {
		out = append(out, fmt.Sprintf("cold start: the first %d answers of %s took longer than the later ones; those of %s %s on average instead of %s", most.ColdStart.Answers,
			profiles.Plural(cold, "replica", "replicas"), most.Name, profiles.FormatLatency(most.ColdStart.First), profiles.FormatLatency(most.ColdStart.Later)))
	}
	if s.Sticky && len(s.Replicas) > 1 {
		out = append(out, "every connection stayed with its replica, so new ones get nothing over those that are open: --conn-max-age replaces them")
	}
	return out
}

// coldStarts is how many replicas started cold, and the one that it cost most.
func (s Snapshot) coldStarts() (n int, most Replica) {
	for _, r := range s.Replicas {
		if r.ColdStart == nil {
			continue
		}
		if n++; n == 1 || r.ColdStart.Penalty() > most.ColdStart.Penalty() {
			most = r
		}
	}
	return n, most
}
