// Package load makes a plan happen: virtual users or arrivals, their
// connections and requests, and the statistics of what came back.
//
// It measures two clocks. Latency runs from the intended start of a request
// to its last byte, service time from the actual send: a service that freezes
// cannot hide the requests that should have been sent meanwhile. It also
// measures itself, and says when the generator rather than the target was the
// limit.
//
// It decides nothing about the target and prints nothing. An Engine owns one
// goroutine a user, one that starts users and one that gathers statistics;
// all have ended when Run returns.
//
//	user: wait until due -> conn.Do -> append the sample to its shard's log
//	collector, every 250 ms: swap the logs -> histograms -> an immutable Snapshot
package load
