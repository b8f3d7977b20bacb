// Package httpapi is what the HTTP APIs of this program have in common,
// whatever they are about: who may ask, with how much, and how long that may
// take; the form of answers, refusals and streams; the files through which
// other commands of the same user find a running API and its token; and the
// client's side of all that.
//
// It knows nothing of what is asked. A Server owns the goroutine that accepts
// its connections, and those of its connections, which Shutdown waits for.
package httpapi
