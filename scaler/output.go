package scaler

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	keptLines  = 1000
	keptBytes  = 256 << 10 // of text
	lineLength = 1024
	tailLines  = 64
)

// Line is a line that a replica printed, without colours and control
// characters, and shortened to 1024 bytes.
type Line struct {
	At     time.Time `json:"at"` // when its end was read
	Stderr bool      `json:"stderr,omitempty"`
	Text   string    `json:"text"`
}

// output keeps the last lines that a replica printed, and passes everything on
// to a file where there is one. It is safe for concurrent use and never fails.
type output struct {
	file *logFile // or nil

	mu    sync.Mutex // guards the fields below
	lines []Line     // oldest first
	size  int        // bytes of their texts
}

// stream returns a writer for one of the two streams. Each has one writer.
func (o *output) stream(stderr bool) *lineWriter { return &lineWriter{out: o, stderr: stderr} }

func (o *output) add(line []byte, stderr bool) {
	text := clean(line)
	if text == "" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, Line{At: time.Now(), Stderr: stderr, Text: text})
	o.size += len(text)
	for len(o.lines) > keptLines || o.size > keptBytes {
		o.size -= len(o.lines[0].Text)
		o.lines[0] = Line{} // the text can go before the array does
		o.lines = o.lines[1:]
	}
}

// close ends the log file.
func (o *output) close() {
	if o.file != nil {
		o.file.close()
	}
}

// all returns the lines that are kept, oldest first.
func (o *output) all() []Line {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.lines)
}

// tail returns the texts of the last lines, oldest first.
func (o *output) tail() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []string
	for _, line := range o.lines[max(0, len(o.lines)-tailLines):] {
		out = append(out, line.Text)
	}
	return out
}

// last returns the last line of stderr, or of stdout when stderr is silent.
func (o *output) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := ""
	for _, line := range slices.Backward(o.lines) {
		if line.Stderr {
			return strings.TrimSpace(line.Text)
		}
		if last == "" {
			last = strings.TrimSpace(line.Text)
		}
	}
	return last
}

// lineWriter cuts a stream into lines; longer ones are shortened.
type lineWriter struct {
	out     *output
	stderr  bool
	partial []byte
}

var _ io.WriteCloser = (*lineWriter)(nil)

func (w *lineWriter) Write(p []byte) (int, error) {
	n := len(p)
	if w.out.file != nil {
		w.out.file.write(p)
	}
	for {
		line, rest, found := bytes.Cut(p, []byte("\n"))
		room := max(0, lineLength-len(w.partial))
		w.partial = append(w.partial, line[:min(len(line), room)]...)
		if !found {
			return n, nil
		}
		w.out.add(w.partial, w.stderr)
		w.partial = w.partial[:0]
		p = rest
	}
}

// Close keeps a last line that did not end.
func (w *lineWriter) Close() error {
	w.out.add(w.partial, w.stderr)
	w.partial = nil
	return nil
}

var escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[ -/]*[@-~]`)

// clean makes a line safe to print inside another one: no colours, no
// control characters, no invalid text.
func clean(line []byte) string {
	text := escapes.ReplaceAllString(strings.ToValidUTF8(string(line), "?"), "")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0:
			return -1
		}
		return r
	}, text)
	return strings.TrimRight(text, " ") // the front is the shape of a traceback
}
