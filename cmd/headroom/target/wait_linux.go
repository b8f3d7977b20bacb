package target

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// fdMargin is how long before the end a wait on a timerfd gives way to
// yielding: longer than it usually takes from the interrupt of the timer to
// the goroutine that waits for it (0.2 ms on an idle virtual machine).
const fdMargin = 300 * time.Microsecond

// doze sleeps until shortly before t, or until ctx ends, whose error it then
// returns.
//
// It sleeps in a timerfd that the runtime's poller watches: such a timer has
// the resolution of the clock, wakes the poller by itself, can be given up,
// and holds no thread. BenchmarkWait, with waits of 20 ms on an otherwise idle
// virtual machine of two cores, one wait at a time and eight at once:
//
//	             late, mean     99th percentile   CPU per wait
//	time.Sleep   440 / 640 us   1.3 / 2.3 ms      0.30 / 0.08 ms
//	timer+yield   50 /  80 us   0.9 / 2.6 ms      0.94 / 0.83 ms
//	nanosleep    200 / 180 us   0.4 / 1.4 ms      0.25 / 0.32 ms
//	until          6 /   5 us   0.09 / 0.09 ms    0.39 / 0.40 ms
//
// nanosleep is a system call that holds a thread and cannot be given up.
func doze(ctx context.Context, t time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	left := time.Until(t) - fdMargin
	if left <= 0 {
		return nil
	}
	if err := sleepFD(ctx, left); err == nil {
		return nil
	}
	return dozeTimer(ctx, t) // ctx has ended, or there is no descriptor to be had
}

// sleepFD sleeps for d, which is above 0. Any error means that it did not.
func sleepFD(ctx context.Context, d time.Duration) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "timerfd")
	defer f.Close()
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		// It can only fail when the sleep is over.
		_ = f.SetReadDeadline(time.Unix(1, 0))
	})
	defer stop()
	var expirations [8]byte
	_, err = f.Read(expirations[:])
	return err
}
