package target

import (
	"context"
	"runtime"
	"time"

	"headroom/load"
)

// timerMargin is how long before the end a wait on a Go timer gives way to
// yielding. An idle process sleeps in epoll_wait, whose timeout is in whole
// milliseconds and rounded up, so a timer is up to 1.1 ms late on a machine
// that does nothing else.
const timerMargin = 1500 * time.Microsecond

// fdMargin is how long before the end a wait on a timerfd gives way to
// yielding: longer than it usually takes from the interrupt of the timer to
// the goroutine that waits for it (0.2 ms on an idle virtual machine).
const fdMargin = 300 * time.Microsecond

// until waits for t, or for the end of ctx, whose error it then returns. It
// sleeps until shortly before t and yields the processor for the rest, so it
// does not hold up other goroutines, but it does cost CPU. BenchmarkWait, with
// waits of 20 ms on an otherwise idle virtual machine of two cores, one wait at
// a time and eight at once:
//
//	             late, mean     99th percentile   CPU per wait
//	time.Sleep   440 / 640 us   1.3 / 2.3 ms      0.30 / 0.08 ms
//	timer+yield   50 /  80 us   0.9 / 2.6 ms      0.94 / 0.83 ms
//	nanosleep    200 / 180 us   0.4 / 1.4 ms      0.25 / 0.32 ms
//	until          6 /   5 us   0.09 / 0.09 ms    0.39 / 0.40 ms
//
// nanosleep is a system call that holds a thread and cannot be given up.
func until(ctx context.Context, t time.Time) error {
	if err := doze(ctx, t); err != nil {
		return err
	}
	for time.Now().Before(t) {
		runtime.Gosched()
	}
	return nil
}

// doze sleeps until shortly before t, or until ctx ends, whose error it then
// returns.
func doze(ctx context.Context, t time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	left := time.Until(t) - fdMargin
	if left <= 0 || load.Sleep(ctx, left) == nil {
		return nil
	}
	return dozeTimer(ctx, t) // ctx has ended, or there is no such sleep to be had
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
