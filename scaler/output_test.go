package scaler

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOutputKeepsTheEnd(t *testing.T) {
	o := &output{}
	w := o.stream(true)
	for i := range 2500 {
		fmt.Fprintf(w, "line %d\n", i)
	}
	got := o.all()
	if len(got) != keptLines || got[0].Text != "line 1500" || got[keptLines-1].Text != "line 2499" {
		t.Errorf("after 2500 lines: got %d from %q to %q, want the last %d", len(got), got[0].Text, got[len(got)-1].Text, keptLines)
	}
	if tail := o.tail(); len(tail) != tailLines || tail[0] != "line 2436" || tail[tailLines-1] != "line 2499" {
		t.Errorf("tail: got %d from %q to %q, want the last %d", len(tail), tail[0], tail[len(tail)-1], tailLines)
	}

	long := strings.Repeat("x", lineLength)
	for range 500 {
		fmt.Fprintln(w, long)
	}
	if got := len(o.all()); got != keptBytes/lineLength {
		t.Errorf("after 500 lines of %d bytes: got %d, want %d", lineLength, got, keptBytes/lineLength)
	}
}

func TestOutputSaysWhenAndWhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &output{}
		began := time.Now()
		fmt.Fprintln(o.stream(false), "listening")
		pass(time.Second)
		fmt.Fprint(o.stream(true), "Traceback:\n    boom\n")
		want := []Line{
			{At: began, Text: "listening"},
			{At: began.Add(time.Second), Stderr: true, Text: "Traceback:"},
			{At: began.Add(time.Second), Stderr: true, Text: "    boom"},
		}
		if diff := cmp.Diff(want, o.all()); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
		if got := o.last(); got != "boom" {
			t.Errorf("last: got %q, want boom", got)
		}
	})
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
