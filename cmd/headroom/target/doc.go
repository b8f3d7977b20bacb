// Package target is the demo service that the other commands of Headroom are
// tried on: an HTTP handler with a known service time, a known concurrency
// and a name in every answer, and the loop that serves it. It burns CPU
// (/load), waits as a model would (/request), streams (/sse, and
// /v1/chat/completions in the manner of OpenAI) and reports what it measured
// of itself (/stats).
//
// It does not try to be realistic where that would make it inexact: a service
// time is a wait that ends within about 0.1 ms of its end, because whoever
// measures this service must be able to tell the error of the measurement
// from the error of the service.
//
// Server.Run owns the goroutines of the HTTP server and returns after the
// last of them; a Server without Run has none.
package target
