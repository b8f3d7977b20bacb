package target

import (
	"context"
	"runtime"
	"time"
)

// timerMargin is how long before the end a wait on a Go timer gives way to
// yielding. An idle process sleeps in epoll_wait, whose timeout is in whole
// milliseconds and rounded up, so a timer is up to 1.1 ms late on a machine
// that does nothing else.
const timerMargin = 1500 * time.Microsecond

// until waits for t, or for the end of ctx, whose error it then returns. It
// sleeps until shortly before t and yields the processor for the rest, so it
// does not hold up other goroutines, but it does cost CPU; wait_linux.go says
// how much.
func until(ctx context.Context, t time.Time) error {
	if err := doze(ctx, t); err != nil {
		return err
	}
	for time.Now().Before(t) {
		runtime.Gosched()
	}
	return nil
}

// dozeTimer sleeps on a Go timer until timerMargin before t.
func dozeTimer(ctx context.Context, t time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	left := time.Until(t) - timerMargin
	if left <= 0 {
		return nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
