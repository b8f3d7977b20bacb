//go:build !linux

package load

import (
	"context"
	"errors"
	"time"
)

// Sleep is not known on this system, and always an error.
func Sleep(context.Context, time.Duration) error { return errors.ErrUnsupported }
