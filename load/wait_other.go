//go:build !linux

package load

import "time"

// sleepUntil sleeps until t, which is a few milliseconds away.
func sleepUntil(t time.Time) { time.Sleep(time.Until(t)) }
