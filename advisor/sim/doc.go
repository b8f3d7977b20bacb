// Package sim is a service in simulated time: arrivals, a balancer with its
// queue, replicas that start and end, and a scaler, request by request. What
// decides is not a model: dispatch, the windows of the metrics, and the decider
// are those that the built-in scaler runs, or the decider of a platform.
//
// It starts no goroutine, reads no clock and does no I/O. The same Setup gives
// the same Result, and setups that differ in their scaler only have the same
// arrivals, service times and start-up times, so that policies can be compared
// with few of them.
package sim
