package scaler

import (
	"testing"
	"time"
)

func TestClaim(t *testing.T) {
	var c claim
	start := time.Now()
	for _, step := range []struct {
		at     time.Duration
		holder string
		ttl    time.Duration
		want   string
	}{
		{0, "a", time.Minute, ""},
		{59 * time.Second, "b", time.Minute, "claimed by a: wait for that measurement or tune to end"},
		{59 * time.Second, "b", 0, "claimed by a: wait for that measurement or tune to end"}, // nor does b end it
		{59 * time.Second, "a", time.Minute, ""},
		{100 * time.Second, "b", time.Minute, "claimed by a: wait for that measurement or tune to end"},
		{101 * time.Second, "a", 0, ""},
		{101 * time.Second, "b", time.Minute, ""},
		{161 * time.Second, "a", time.Minute, ""}, // b has gone without a word
	} {
		got := ""
		if err := c.take(start.Add(step.at), step.holder, step.ttl); err != nil {
			got = err.Error()
		}
		if got != step.want {
			t.Errorf("at %v: take(%s, %v) = %q, want %q", step.at, step.holder, step.ttl, got, step.want)
		}
	}
}
