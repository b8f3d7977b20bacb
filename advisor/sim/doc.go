// Package sim will hold the simulator: arrivals, balancer, queue and replicas
// in simulated time, driven by the same deciders and the same dispatch that
// the built-in scaler runs. It will start no goroutine and read no clock.
package sim
