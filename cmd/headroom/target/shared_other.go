//go:build !unix

package target

import (
	"context"
	"errors"
)

// acquireShared needs locks on files, which differ here.
func acquireShared(context.Context, int) (release func(), err error) {
	return nil, errors.New("--shared-limit: not on this system")
}
