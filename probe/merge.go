package probe

import "slices"

// merge joins what a scaler or a list says of its replicas with what the
// answers say.
// Replicas are the same when they have the same ID: a scaler gives each of
// its replicas its ID as HOSTNAME, by which it names itself. An answering
// replica that the scaler does not know is added behind the others, and those
// that are gone stand last.
func merge(managed Fleet, answers []Replica) Fleet {
	out := managed
	out.Replicas = make([]Replica, 0, len(managed.Replicas)+len(answers))
	byID := make(map[string]Replica, len(answers))
	for _, a := range answers {
		byID[a.ID] = a
	}
	for _, r := range managed.Replicas {
		if a, ok := byID[r.ID]; ok {
			r.Answered, r.FirstSeen, r.LastSeen = true, a.FirstSeen, a.LastSeen
			r.Requests, r.Failed, r.Share, r.Rate = a.Requests, a.Failed, a.Share, a.Rate
			r.P50, r.P95, r.P99, r.Lately, r.Parts = a.P50, a.P95, a.P99, a.Lately, a.Parts
			r.Conns, r.InFlightEstimate, r.ColdStart = a.Conns, a.InFlightEstimate, a.ColdStart
			switch {
			case r.State == Ready && a.State == Gone:
				r.State = Quiet // it is there, and gets nothing
			case r.State == Ready:
				r.State = a.State
			}
			delete(byID, r.ID)
		}
		out.Replicas = append(out.Replicas, r)
	}
	for _, a := range answers {
		if _, ok := byID[a.ID]; ok {
			out.Replicas = append(out.Replicas, a)
		}
	}
	if managed.vouchedFor(Replica{Managed: managed.Managed, Listed: managed.Listed}) && !out.foreign() {
		for i, r := range out.Replicas {
			if !r.Managed && !r.Listed && r.State == Quiet {
				out.Replicas[i].State = Gone // it has been forgotten
			}
		}
	}
	slices.SortStableFunc(out.Replicas, func(a, b Replica) int { return compareBool(a.State == Gone, b.State == Gone) })
	return out
}
