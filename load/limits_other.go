//go:build !linux && !darwin

package load

// raiseFileLimit does nothing: what the system gives is what there is.
func raiseFileLimit(int) {}
