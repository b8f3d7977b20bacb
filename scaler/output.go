package scaler

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"sync"
)

const (
	keptLines  = 64
	lineLength = 1024
)

// output keeps the last lines that a replica printed. It is safe for
// concurrent use, never blocks and never fails, so that a replica that prints
// a lot is not slowed down by its scaler.
type output struct {
	mu    sync.Mutex // guards the fields below
	lines [keptLines]printed
	count int
}

type printed struct {
	text   string
	stderr bool
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
	o.lines[o.count%keptLines] = printed{text, stderr}
	o.count++
}

// tail returns the lines that are kept, oldest first.
func (o *output) tail() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []string
	for i := max(0, o.count-keptLines); i < o.count; i++ {
		out = append(out, o.lines[i%keptLines].text)
	}
	return out
}

// last returns the last line of stderr, or of stdout when stderr is silent.
func (o *output) last() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	last := ""
	for i := o.count - 1; i >= max(0, o.count-keptLines); i-- {
		line := o.lines[i%keptLines]
		if line.stderr {
			return line.text
		}
		if last == "" {
			last = line.text
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
	return strings.TrimSpace(text)
}
