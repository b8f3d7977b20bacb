package load

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Sleep sleeps for d, which is above 0, or until ctx ends. Any error means that
// it did not sleep to the end: there was no descriptor to be had, or ctx has
// ended.
//
// It sleeps in a timerfd that the poller of the runtime watches: such a timer
// has the resolution of the clock, wakes the poller by itself, can be given up
// and holds no thread.
func Sleep(ctx context.Context, d time.Duration) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "timerfd")
	defer f.Close()
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil); err != nil {
		return err
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() {
			// It can only fail when the sleep is over.
			_ = f.SetReadDeadline(time.Unix(1, 0))
		})
		defer stop()
	}
	var expirations [8]byte
	_, err = f.Read(expirations[:])
	return err
}
