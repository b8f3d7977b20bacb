//go:build !unix

package httpapi

import "errors"

// checkPrivate believes that the folder of a user is: here modes say nothing.
func checkPrivate(string) error { return nil }

// LockName is for scalers, of which there are none here.
func LockName(string, string) (unlock func(), err error) { return nil, errors.ErrUnsupported }

// ProcessLives believes the file; whether the API accepts a connection decides.
func ProcessLives(int) bool { return true }
