// Package remote will hold a session over HTTP: the handler that serves its
// states and takes its commands, and the client that a second dashboard uses.
package remote
