// Package probe says who answered: which replica, found from a field or a
// header of the answer, and what is known of all replicas of a target from
// every source there is.
//
// It starts no goroutine: the load engine hands it the answers, the session
// hands it what a scaler reports. Name and Workers ask over the network, when
// they are told to; nothing else does. It imports nothing of Headroom.
package probe
