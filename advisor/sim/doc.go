// Package sim is a service in simulated time: arrivals, a balancer with its
// queue, replicas that start and end, and a scaler. Run simulates requests one
// by one; Explore searches policies, and first lets requests flow, which is
// coarser and faster. What decides is not a model: dispatch, the windows of the
// metrics, and the decider are those that the built-in scaler runs, or the
// decider of a platform.
//
// It reads no clock and does no I/O, and only Explore starts goroutines, for
// which it waits. The same Setup gives the same Result, and setups that differ
// in their scaler only have the same arrivals, service times and start-up times,
// so that policies can be compared with few of them.
package sim
