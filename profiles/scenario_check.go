package profiles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Check says what an answer must be, besides whole.
type Check struct {
	Status   []int // one of these; none: below 400
	JSON     []JSONCheck
	Contains string // in the body
	Header   []HeaderCheck
	Within   time.Duration // from the send to the last byte; 0: any
}

// JSONCheck is a condition on one value of a JSON body.
type JSONCheck struct {
	Path   JSONPath
	Equals *string // the value, a string without its quotes; nil: that there is one
}

// HeaderCheck is a condition on one header of an answer.
type HeaderCheck struct {
	Name   string
	Equals *string // nil: that it is there
}

// Capture takes something out of an answer for later requests of the same
// user: by JSON path, header or regular expression, of which one is set. Of an
// expression with a group it takes the first group.
type Capture struct {
	Name   string
	Number int // index among the captures of the scenario
	JSON   JSONPath
	Header string
	Regexp *regexp.Regexp // on the body
}

// ReadsBody reports whether Judge looks at the body.
func (r *Request) ReadsBody() bool {
	return len(r.Check.JSON) > 0 || r.Check.Contains != "" ||
		slices.ContainsFunc(r.Takes, func(c Capture) bool { return c.Header == "" })
}

// AllowsStatus reports whether an answer with this status can be good.
func (r *Request) AllowsStatus(status int) bool {
	if len(r.Check.Status) == 0 {
		return status < 400
	}
	return slices.Contains(r.Check.Status, status)
}

// Missed is a check that an answer failed, or a capture that it had nothing
// for.
type Missed struct {
	Check string // the name of the request and which of its checks, the same for every answer
	Got   string // what came and what was wanted, shortened
}

// Error is all of it in one line.
func (m *Missed) Error() string { return m.Check + ": " + m.Got }

func (r *Request) missed(check, format string, args ...any) error {
	return &Missed{Check: r.Name + ": " + check, Got: fmt.Sprintf(format, args...)}
}

// Judge checks an answer that took so long, and writes what it captures into
// captured. The head may begin with a status line. The error is a *Missed for
// the first check that failed, or for what was not there to capture.
func (r *Request) Judge(status int, head, body []byte, took time.Duration, captured []string) error {
	if !r.AllowsStatus(status) {
		return r.missed("check status", "got %d, want %s", status, r.Check.statusText())
	}
	if limit := r.Check.Within; limit > 0 && took > limit {
		return r.missed("check time", "took %s, want at most %s", FormatLatency(took), Duration(limit))
	}
	for _, c := range r.Check.Header {
		value, ok := header(head, c.Name)
		if !ok || c.Equals != nil && value != *c.Equals {
			return r.missed("check header "+c.Name, "got %s", found(value, ok, c.Equals))
		}
	}
	if want := r.Check.Contains; want != "" && !bytes.Contains(body, []byte(want)) {
		return r.missed("check contains "+short(strconv.Quote(want)), "got %s", beginning(body))
	}
	tree, err := r.parse(body)
	if err != nil {
		return err
	}
	for _, c := range r.Check.JSON {
		value, ok := c.Path.of(tree)
		if !ok || c.Equals != nil && value != *c.Equals {
			return r.missed("check json "+c.Path.text, "got %s", found(value, ok, c.Equals))
		}
	}
	for _, c := range r.Takes {
		value, ok := c.take(head, body, tree)
		if !ok || value == "" {
			return r.missed("capture "+c.Name, "the answer has nothing for it")
		}
		captured[c.Number] = value
	}
	return nil
}

// statusText is the list of allowed statuses.
func (c Check) statusText() string {
	if len(c.Status) == 0 {
		return "one below 400"
	}
	return strings.Trim(fmt.Sprint(c.Status), "[]")
}

// found writes what a check found in the place of what it wants; nil means
// anything.
func found(value string, ok bool, want *string) string {
	text := "nothing"
	if ok {
		text = strconv.Quote(short(value))
	}
	if want == nil {
		return text
	}
	return text + ", want " + strconv.Quote(short(*want))
}

// beginning is that of a body.
func beginning(body []byte) string {
	if len(body) == 0 {
		return "an empty body"
	}
	return strconv.Quote(short(string(body[:min(len(body), 4*mostShown)])))
}

// parse reads the body where something of the request looks into its JSON.
func (r *Request) parse(body []byte) (any, error) {
	if len(r.Check.JSON) == 0 && !slices.ContainsFunc(r.Takes, func(c Capture) bool { return c.JSON.text != "" }) {
		return nil, nil
	}
	var tree any // declared here, as its address goes to the heap
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&tree); err != nil {
		return nil, r.missed("check json", "got %s, which is not JSON", beginning(body))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, r.missed("check json", "got %s, which is more than one JSON value", beginning(body))
	}
	return tree, nil
}

func (c Capture) take(head, body []byte, tree any) (string, bool) {
	switch {
	case c.Header != "":
		return header(head, c.Header)
	case c.Regexp != nil:
		m := c.Regexp.FindSubmatch(body)
		if m == nil {
			return "", false
		}
		return string(m[min(1, len(m)-1)]), true
	}
	return c.JSON.of(tree)
}

// header is the value of the first header of a name.
func header(head []byte, name string) (string, bool) {
	for line := range bytes.Lines(head) {
		key, value, ok := bytes.Cut(line, []byte(":"))
		if ok && strings.EqualFold(string(key), name) {
			return string(bytes.TrimSpace(value)), true
		}
	}
	return "", false
}

// mostShown is how much of a value the example of a failure shows, in
// characters.
const mostShown = 60

func short(s string) string {
	if r := []rune(s); len(r) > mostShown {
		return string(r[:mostShown]) + "..."
	}
	return s
}

// JSONPath leads to one value of a JSON document: keys separated by dots, and
// indexes in brackets, as in choices[0].message.content. A leading $. may be
// written. The zero JSONPath leads nowhere.
type JSONPath struct {
	text  string
	steps []any // string or int
}

// ParseJSONPath reads one.
func ParseJSONPath(s string) (JSONPath, error) {
	bad := badValue(s, "keys and indexes such as data.items[0].id")
	rest := strings.TrimPrefix(strings.TrimPrefix(s, "$"), ".")
	p := JSONPath{text: s}
	for first := true; rest != ""; first = false {
		if inner, ok := strings.CutPrefix(rest, "["); ok {
			digits, after, closed := strings.Cut(inner, "]")
			n, err := strconv.ParseUint(digits, 10, 31)
			if !closed || err != nil {
				return JSONPath{}, bad
			}
			p.steps, rest = append(p.steps, int(n)), after
			continue
		}
		if !first {
			after, ok := strings.CutPrefix(rest, ".")
			if !ok {
				return JSONPath{}, bad
			}
			rest = after
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return JSONPath{}, bad
		}
		p.steps, rest = append(p.steps, rest[:end]), rest[end:]
	}
	if len(p.steps) == 0 {
		return JSONPath{}, bad
	}
	return p, nil
}

// of is the value at the path: a string without its quotes, anything else as
// JSON.
func (p JSONPath) of(tree any) (string, bool) {
	for _, step := range p.steps {
		switch step := step.(type) {
		case string:
			object, _ := tree.(map[string]any)
			value, ok := object[step]
			if !ok {
				return "", false
			}
			tree = value
		case int:
			list, _ := tree.([]any)
			if step >= len(list) {
				return "", false
			}
			tree = list[step]
		}
	}
	if s, ok := tree.(string); ok {
		return s, true
	}
	text, err := json.Marshal(tree)
	return string(text), err == nil
}
