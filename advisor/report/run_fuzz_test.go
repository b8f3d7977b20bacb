package report

import (
	"bytes"
	"io"
	"testing"

	"headroom/advisor"
)

// Whatever a file says, it is refused or every report can be made of it.
func FuzzReadRun(f *testing.F) {
	t := &testing.T{}
	var whole, bare bytes.Buffer
	for out, r := range map[*bytes.Buffer]Run{&whole: saved(t), &bare: NewRun(advisor.State{}, "", nil)} {
		if err := WriteRun(out, r); err != nil {
			f.Fatal(err)
		}
		f.Add(out.Bytes())
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ReadRun(bytes.NewReader(text))
		if err != nil {
			return
		}
		for _, format := range Formats {
			if err := format.Write(io.Discard, r, 80); err != nil {
				t.Errorf("%s of %s: %v", format.Name, text, err)
			}
			if format.Pair != nil {
				if err := format.Pair(io.Discard, r, r, 80); err != nil {
					t.Errorf("%s of two of %s: %v", format.Name, text, err)
				}
			}
		}
	})
}
