package load

import (
	"context"
	"testing"
	"time"
)

func TestSleep(t *testing.T) {
	start := time.Now()
	const d = 5 * time.Millisecond
	if err := Sleep(t.Context(), d); err != nil {
		t.Fatalf("Sleep(%v) = %v, want nil", d, err)
	}
	if took := time.Since(start); took < d {
		t.Errorf("Sleep(%v) took %v", d, took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Sleep(ctx, time.Hour) }()
	cancel()
	if err := <-ended; err == nil {
		t.Error("Sleep(1h), canceled: nil, want an error")
	}
}
