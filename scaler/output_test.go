package scaler

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestOutputKeepsTheEnd(t *testing.T) {
	o := &output{}
	w := o.stream(true)
	for i := range 200 {
		fmt.Fprintf(w, "line %d\n", i)
	}
	got := o.tail()
	if len(got) != keptLines || got[0] != "line 136" || got[keptLines-1] != "line 199" {
		t.Errorf("after 200 lines: got %d from %q to %q, want the last %d", len(got), got[0], got[len(got)-1], keptLines)
	}
}

func TestOutputLast(t *testing.T) {
	tests := []struct {
		name           string
		stdout, stderr []string // written in turns, stdout first
		want           string
		tail           []string
	}{
		{"nothing", nil, nil, "", nil},
		{"stderr before stdout", []string{"a\n", "b\n"}, []string{"c\n"}, "c", []string{"a", "c", "b"}},
		{"stdout when stderr is silent", []string{"a\nb\n"}, nil, "b", []string{"a", "b"}},
		{"in pieces", nil, []string{"one ", "li", "ne\nand the next"}, "and the next", []string{"one line", "and the next"}},
		{"empty lines are left out", nil, []string{"a\n\n  \n\n"}, "a", []string{"a"}},
		{"no colours, no bells", nil, []string{"\x1b[1;31mred\x1b[0m\a\tand \x1b]0;title\x07\u0085\xff\r\n"}, "red and ]0;title?", []string{"red and ]0;title?"}},
		{"a very long line", nil, []string{strings.Repeat("x", 5000), "y\nz"}, "z", []string{strings.Repeat("x", lineLength), "z"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &output{}
			out, errs := o.stream(false), o.stream(true)
			for i := range max(len(tt.stdout), len(tt.stderr)) {
				if i < len(tt.stdout) {
					out.Write([]byte(tt.stdout[i]))
				}
				if i < len(tt.stderr) {
					if n, err := errs.Write([]byte(tt.stderr[i])); n != len(tt.stderr[i]) || err != nil {
						t.Errorf("write: got %d, %v, want all %d bytes", n, err, len(tt.stderr[i]))
					}
				}
			}
			out.Close()
			errs.Close()
			if got := o.last(); got != tt.want {
				t.Errorf("last: got %q, want %q", got, tt.want)
			}
			if got := o.tail(); !slices.Equal(got, tt.tail) {
				t.Errorf("tail: got %q, want %q", got, tt.tail)
			}
		})
	}
}
