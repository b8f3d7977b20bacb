// Package load makes a plan happen: virtual users or arrivals, their
// connections and requests, and the statistics of what came back.
//
// It measures two clocks. Latency runs from the intended start of a request
// to its last byte, service time from the actual send: a service that freezes
// cannot hide the requests that should have been sent meanwhile, nor those it
// never answers: what waits for longer than the SLO allows is over it. It also
// measures itself, and says when the generator rather than the target was the
// limit.
//
// A user of the closed model that cannot even connect, is refused the HTTP/2
// that it asks for, or whose on_start fails, holds back before it tries again,
// 100 ms at first and a second at most, or a few of them would flood a port or a
// login that refuses. Arrivals of the open model do not.
//
// Users and arrivals follow a course: a shape of the plan, until a hand changes
// it. A change of the rate leaves no gap and no burst, a pause shifts what
// comes after it, and the course of a run that was steered is its record.
//
// What a user sends is the one request of the plan or the tasks of its scenario,
// chosen by weight. A request without templates is encoded once; one with them
// is written into a buffer of the user for each sending.
//
// One parser of ours takes all answers of HTTP/1.1, plain and odd alike: two
// would have to agree about every byte, and what the faster one hands over to
// the other would be measured with another yardstick.
//
// It decides nothing about the target and prints nothing. Run gathers the
// statistics on the goroutine that calls it. An Engine owns one goroutine a
// user, one that keeps as many of them as are planned, one whose clock shows when
// this process is held up, and one that waits for all of these to end; besides,
// one for as long as a connection is dialled, and
// one for as long as a request that the send buffer cannot hold is sent. Those
// of net/http come on top where it sends. All have ended when Run returns, but
// for what net/http takes to close idle connections.
//
//	user: wait until due -> conn.Do -> append the sample to its shard's log
//	      meanwhile, of a stream: append what each reading brought to a log of the user's own
//	collector, every 250 ms: swap and take the logs -> histograms -> an immutable Snapshot
package load
