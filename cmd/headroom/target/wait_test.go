package target

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestUntilIsNeverEarly(t *testing.T) {
	for _, d := range []time.Duration{-time.Second, 0, 100 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 20 * time.Millisecond} {
		for range 5 {
			end := time.Now().Add(d)
			if err := until(t.Context(), end); err != nil {
				t.Errorf("until(%v from now) = %v, want nil", d, err)
			}
			if early := time.Until(end); early > 0 {
				t.Errorf("until(%v from now) returned %v early", d, early)
			}
		}
	}
}

func TestWaitsEndWithTheirContext(t *testing.T) {
	for _, tt := range []struct {
		name string
		wait func(context.Context, time.Time) error
	}{
		{"until", until},
		{"dozeTimer", dozeTimer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- tt.wait(ctx, time.Now().Add(time.Hour)) }()
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("an hour, canceled: %v, want %v", err, context.Canceled)
			}
			if err := tt.wait(ctx, time.Now().Add(-time.Hour)); !errors.Is(err, context.Canceled) {
				t.Errorf("canceled before: %v, want %v", err, context.Canceled)
			}
		})
	}
}

func TestDozeTimerLeavesTheRest(t *testing.T) {
	end := time.Now().Add(timerMargin / 2)
	if err := dozeTimer(t.Context(), end); err != nil {
		t.Errorf("dozeTimer(%v from now) = %v, want nil", timerMargin/2, err)
	}
	end = time.Now().Add(20 * time.Millisecond)
	if err := dozeTimer(t.Context(), end); err != nil {
		t.Errorf("dozeTimer(20ms from now) = %v, want nil", err)
	}
	if early := time.Until(end); early > timerMargin {
		t.Errorf("dozeTimer returned %v early, want at most %v", early, timerMargin)
	}
}
