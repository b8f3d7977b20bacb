package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// What there is to know about a policy is said before anything starts, which
// may take long, or fail as here.
func TestScalerWarnsFirst(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", filepath.Join("scaler_test.go", "no folder"))
	code, _, said := execute(t, "scaler", "--set", "max_workers=2", "--set", "metrics=[{kind: latency, target: 100}]", "--", "./serve")
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if code != exitUsage || len(lines) != 2 || !strings.HasPrefix(lines[0], "warning: metrics[0]: latency says") || !strings.HasPrefix(lines[1], "headroom: ") {
		t.Errorf("exit code %d, says %q; want 2, the warning and the error", code, lines)
	}
}
