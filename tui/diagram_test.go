package tui

import (
	"io"
	"math"
	"strings"
	"testing"
	"time"
	"unicode"
)

func TestDraw(t *testing.T) {
	values := make([]float64, 600)
	for i := range values {
		values[i] = float64(i % 100)
	}
	values[7] = math.NaN()
	diagrams := []Diagram{
		{Title: "load", Curves: []Curve{{"load", values}}},
		{Title: "p95 ms", Curves: []Curve{{"p95", values}, {"p50", values[:3]}}, Limit: 50},
		{Title: "none", Curves: []Curve{{"none", nil}}},
	}
	text := Draw(io.Discard, false, 10*time.Minute, diagrams, 60, 8)
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) != 3*8 {
		t.Errorf("got %d lines, want 3 diagrams of 8", len(lines))
	}
	for _, line := range lines {
		if width(line) != 60 {
			t.Errorf("%q takes %d cells, want 60", line, width(line))
		}
	}
	for _, want := range []string{"─ load ─", "└0s─", "─10m│", "─ p95", "╌ p50", "· SLO", "nothing"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not show %q:\n%s", want, text)
		}
	}
	for _, r := range Draw(io.Discard, true, 10*time.Minute, diagrams, 60, 8) {
		if r > unicode.MaxASCII {
			t.Fatalf("in ASCII it draws %q", r)
		}
	}
}

func TestGather(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		values []float64
		n      int
		want   []float64
	}{
		{[]float64{1, 5, 2, 4, nan, 3}, 3, []float64{5, 4, 3}},
		{[]float64{1, 2}, 4, []float64{1, 1, 2, 2}},
		{[]float64{nan, nan, 1}, 3, []float64{nan, nan, 1}},
		{nil, 2, []float64{nan, nan}},
	} {
		got := gather(tt.values, tt.n)
		for i := range tt.want {
			if len(got) != tt.n || got[i] != tt.want[i] && !(math.IsNaN(got[i]) && math.IsNaN(tt.want[i])) {
				t.Errorf("gather(%v, %d) = %v, want %v", tt.values, tt.n, got, tt.want)
				break
			}
		}
	}
}
