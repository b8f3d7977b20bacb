package load

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// sleepUntil sleeps until t, which is a few milliseconds away, in a timerfd that
// the poller of the runtime watches: such a timer has the resolution of the
// clock, wakes the poller by itself and holds no thread. Where there is no
// descriptor to be had it leaves the rest to a timer.
func sleepUntil(t time.Time) {
	if d := time.Until(t); d > 0 && sleepFD(d) != nil {
		time.Sleep(time.Until(t))
	}
}

// sleepFD sleeps for d, which is above 0. Any error means that it did not.
func sleepFD(d time.Duration) error {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), "timerfd")
	defer f.Close()
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil); err != nil {
		return err
	}
	var expirations [8]byte
	_, err = f.Read(expirations[:])
	return err
}
