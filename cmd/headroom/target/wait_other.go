//go:build !linux

package target

import (
	"context"
	"time"
)

// doze sleeps until shortly before t, or until ctx ends, whose error it then
// returns.
func doze(ctx context.Context, t time.Time) error { return dozeTimer(ctx, t) }
