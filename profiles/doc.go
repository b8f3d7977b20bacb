// Package profiles says what should happen, as plain values: the plan of a
// run, the shape of its load, the objectives it must meet, the traffic a
// service expects, and the autoscale policy with the decider that follows it.
// It also holds the pure pieces that the scaler and the simulator share: the
// choice of a replica and the windows over which metrics are averaged.
//
// It does no I/O, starts no goroutine and never reads a clock: whoever calls
// passes the time in. It imports nothing of Headroom.
package profiles
