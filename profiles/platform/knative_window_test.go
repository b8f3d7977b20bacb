package platform

import (
	"testing"
	"time"
)

// Section 2.3 of reference/scaling.md.
func TestMaxWindowVectors(t *testing.T) {
	type record struct{ bucket, n, want int }
	tests := map[string][]record{
		"K39":                {{0, 5, 5}, {1, 6, 6}, {2, 5, 6}, {3, 5, 6}, {4, 5, 6}, {5, 5, 6}, {6, 5, 5}},
		"K40":                {{0, 6, 6}, {1, 5, 6}, {2, 2, 6}, {6, 1, 2}},
		"twice in a bucket":  {{0, 3, 3}, {0, 1, 3}, {0, 4, 4}, {1, 2, 4}},
		"after a long gap":   {{0, 9, 9}, {1, 8, 9}, {50, 1, 1}},
		"rising and falling": {{0, 1, 1}, {1, 2, 2}, {2, 3, 3}, {3, 2, 3}, {4, 1, 3}, {7, 0, 2}, {8, 0, 1}, {9, 0, 0}},
	}
	for id, records := range tests {
		t.Run(id, func(t *testing.T) {
			w := newMaxWindow(5*time.Second, time.Second)
			for _, r := range records {
				if got := w.record(epoch.Add(time.Duration(r.bucket)*time.Second), r.n); got != r.want {
					t.Errorf("record(%d s, %d) = %d, want %d", r.bucket, r.n, got, r.want)
				}
			}
		})
	}
}
