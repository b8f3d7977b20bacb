package platform

import "headroom/profiles"

// Balancer is what the platform usually has before the replicas. Most have a
// Kubernetes service, which knows nothing of who is busy; one with a better
// balancer before it has another order of dispatch.
func (pl Platform) Balancer() profiles.Balancer {
	switch pl.Name {
	case Own:
		return profiles.Balancer{}
	case everai.Name: // its queue gives a request to an idle worker
		return profiles.Balancer{Dispatch: profiles.Pack}
	case cloudrun.Name: // requests are pending until an instance has room for them
		return profiles.Balancer{Dispatch: profiles.Random}
	case rayServe.Name: // the router holds what is beyond max_ongoing_requests
		return profiles.Balancer{Dispatch: profiles.LeastConnections}
	case fly.Name: // the least loaded machine
		return profiles.Balancer{Dispatch: profiles.LeastConnections, Apart: true}
	case aws.Name, nomad.Name: // a load balancer with its default
		return profiles.Balancer{Dispatch: profiles.RoundRobin, Apart: true}
	}
	return profiles.Balancer{Dispatch: profiles.Random, Apart: true}
}
