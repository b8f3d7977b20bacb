//go:build !linux && !darwin

package load

// raiseFileLimit does nothing: what the system gives is what there is.
func raiseFileLimit(int) {}

// fileLimit is unknown.
func fileLimit() (uint64, bool) { return 0, false }
