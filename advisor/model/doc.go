// Package model holds the mathematics of capacity: what may be concluded from
// how many requests, and how the throughput of a service saturates. Every
// function is pure; each names the source of its formula.
package model
