package document

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Line int    // 0: not known
	Key  string // such as metrics[0].target; empty: the file itself
	Text string // what was found, and what is allowed

	// Beside are the other keys whose values make it one, as min does where max
	// is below it.
	Beside []string
}

func (p Problem) Error() string {
	s := p.Text
	if p.Key != "" {
		s = p.Key + ": " + s
	}
	if p.Line > 0 {
		s = fmt.Sprintf("line %d: %s", p.Line, s)
	}
	return s
}

// Excerpt is a value as an error shows it, which is no longer than that: its
// first 60 characters.
func Excerpt(value string) string {
	const longest = 60
	count := 0
	for at := range value {
		if count++; count > longest {
			return value[:at] + "..."
		}
	}
	return value
}

// Problems takes an error of this package apart.
func Problems(err error) (out []Problem) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			out = append(out, Problems(e)...)
		}
		return out
	}
	var p Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		return []Problem{p}
	}
	return []Problem{{Text: err.Error()}}
}

// Join is all problems as one error, in the order of their lines, those without
// a line at the end; nil for none.
func Join(problems []Problem) error {
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(uint(a.Line-1), uint(b.Line-1)) })
	errs := make([]error, len(problems))
	for i, p := range problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}

// Check adds to an error of Decode what is wrong with the values that could be
// read, with their lines. Of a value that could not be read there is nothing
// more to say, nor of what only follows from it.
func (l Lines) Check(read error, values []Problem) error {
	problems := Problems(read)
	for _, v := range values {
		follows := func(p Problem) bool {
			return p.Key == "" || below(v.Key, p.Key) ||
				slices.ContainsFunc(v.Beside, func(key string) bool { return below(key, p.Key) || below(p.Key, key) })
		}
		if !slices.ContainsFunc(Problems(read), follows) {
			v.Line = l.Of(v.Key)
			problems = append(problems, v)
		}
	}
	return Join(problems)
}

// below reports whether a key is another one, or stands within it.
func below(key, of string) bool {
	rest, ok := strings.CutPrefix(key, of)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// Lines are the lines on which the keys of a document stand.
type Lines map[string]int

// Of is the line of a key, or else of the nearest key around it; 0 where there
// is none.
func (l Lines) Of(key string) int {
	for key != "" {
		if n, ok := l[key]; ok {
			return n
		}
		key = key[:max(0, strings.LastIndexAny(key, ".["))]
	}
	return 0
}
