package target

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkWait compares what can wait for a moment: how late each is, and
// how much CPU one wait costs, alone and with seven others at the same time.
// Its ns/op is only the time that was asked for.
func BenchmarkWait(b *testing.B) {
	const service = 20 * time.Millisecond
	for _, way := range []struct {
		name string
		wait func(context.Context, time.Time) error
	}{
		{"sleep", sleep},
		{"timer-yield", timerYield},
		{"nanosleep", nanosleep},
		{"until", until},
	} {
		for _, n := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s-%d", way.name, n), func(b *testing.B) {
				var late []time.Duration
				before := cpuTime(b)
				for b.Loop() {
					late = append(late, lateness(b, way.wait, n, service)...)
				}
				report(b, late, cpuTime(b)-before)
			})
		}
	}
}

// lateness is how late each of n simultaneous waits ended. They end at
// different times, as those of requests do.
func lateness(b *testing.B, wait func(context.Context, time.Time) error, n int, service time.Duration) []time.Duration {
	late := make([]time.Duration, n)
	var wg sync.WaitGroup
	for i := range n {
		end := time.Now().Add(service + time.Duration(i)*777*time.Microsecond)
		wg.Go(func() {
			if err := wait(b.Context(), end); err != nil {
				b.Error(err)
			}
			late[i] = time.Since(end)
		})
	}
	wg.Wait()
	return late
}

func report(b *testing.B, late []time.Duration, cpu time.Duration) {
	slices.Sort(late)
	sum := time.Duration(0)
	for _, d := range late {
		sum += d
	}
	micros := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	n := len(late)
	b.ReportMetric(micros(sum)/float64(n), "late-mean-us")
	b.ReportMetric(micros(late[n/2]), "late-p50-us")
	b.ReportMetric(micros(late[(n-1)*99/100]), "late-p99-us")
	b.ReportMetric(micros(cpu)/float64(n), "cpu-us/wait")
}

// cpuTime is what this process used so far.
func cpuTime(b *testing.B) time.Duration {
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

func sleep(_ context.Context, t time.Time) error {
	time.Sleep(time.Until(t))
	return nil
}

// timerYield is what until does where there is no timerfd.
func timerYield(ctx context.Context, t time.Time) error {
	err := dozeTimer(ctx, t)
	for time.Now().Before(t) {
		runtime.Gosched()
	}
	return err
}

// nanosleep sleeps in a system call of its own thread.
func nanosleep(_ context.Context, t time.Time) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return err
	}
	end := unix.NsecToTimespec(now.Nano() + int64(time.Until(t)))
	for {
		if err := unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &end, nil); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
