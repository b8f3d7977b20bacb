// Package remote is a session over HTTP: a Server through which others look at
// it, steer it where that is allowed, and read its metrics; and a Client, with
// which a dashboard elsewhere does what one beside the session does.
//
//	GET  /v1/state            the newest State, as JSON
//	GET  /v1/states           States as server-sent events
//	POST /v1/control/ORDER    one for each thing that a user can do
//	GET  /metrics             as Prometheus reads it
//	GET  /openapi.json        what all of these take and answer
//	GET  /healthz
//
// A reader that is slow gets fewer States; it never holds the session up. It
// decides nothing, and knows neither flags nor screens. Server.Run and
// Client.Run own the goroutines of each.
package remote
