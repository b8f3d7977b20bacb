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

// Answer is what Judge looks at.
type Answer struct {
	Status int
	Head   []byte // may begin with a status line
	Body   []byte
	Cut    bool // there may be more of the body
	Took   time.Duration
}

// Judge checks an answer, and writes what it captures into captured. The error
// is a *Missed for the first check that failed, or for what was not there to
// capture.
func (r *Request) Judge(a Answer, captured []string) error {
	if !r.AllowsStatus(a.Status) {
		return r.missed("check status", "got %d, want %s", a.Status, r.Check.statusText())
	}
	if limit := r.Check.Within; limit > 0 && a.Took > limit {
		return r.missed("check time", "took %s, want at most %s", FormatLatency(a.Took), Duration(limit))
	}
	for _, c := range r.Check.Header {
		value, ok := HeaderOf(a.Head, c.Name)
		if !ok || c.Equals != nil && string(value) != *c.Equals {
			return r.missed("check header "+c.Name, "got %s", found(string(value), ok, c.Equals))
		}
	}
	if want := r.Check.Contains; want != "" && !bytes.Contains(a.Body, []byte(want)) {
		return r.missed("check contains "+short(strconv.Quote(want)), "got %s", a.beginning())
	}
	tree, err := r.parse(a)
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
		value, ok := c.take(a, tree)
		switch {
		case ok && value != "":
		case a.Cut && c.Regexp != nil:
			return r.missed("capture "+c.Name, "the first %s of the body have nothing for it", FormatSize(int64(len(a.Body))))
		default:
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

// beginning is that of the body.
func (a Answer) beginning() string {
	if len(a.Body) == 0 {
		return "an empty body"
	}
	text := strconv.Quote(short(string(a.Body[:min(len(a.Body), 4*mostShown)])))
	if a.Cut {
		text += ", of which checks see the first " + FormatSize(int64(len(a.Body)))
	}
	return text
}

// parse reads the body where something of the request looks into its JSON.
func (r *Request) parse(a Answer) (any, error) {
	if len(r.Check.JSON) == 0 && !slices.ContainsFunc(r.Takes, func(c Capture) bool { return c.JSON.text != "" }) {
		return nil, nil
	}
	var tree any // declared here, as its address goes to the heap
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	switch err := d.Decode(&tree); {
	case err != nil && a.Cut:
		return nil, r.missed("check json", "got %s, and JSON is read whole", a.beginning())
	case err != nil:
		return nil, r.missed("check json", "got %s, which is not JSON", a.beginning())
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, r.missed("check json", "got %s, which is more than one JSON value", a.beginning())
	}
	return tree, nil
}

func (c Capture) take(a Answer, tree any) (string, bool) {
	switch {
	case c.Header != "":
		value, ok := HeaderOf(a.Head, c.Header)
		return string(value), ok
	case c.Regexp != nil:
		m := c.Regexp.FindSubmatch(a.Body)
		if m == nil {
			return "", false
		}
		return string(m[min(1, len(m)-1)]), true
	}
	return c.JSON.of(tree)
}

// HeaderOf is the value of the first header of a name in the head of an answer.
func HeaderOf(head []byte, name string) (value []byte, ok bool) {
	for line := range bytes.Lines(head) {
		key, value, ok := bytes.Cut(line, []byte(":"))
		if ok && len(key) == len(name) && strings.EqualFold(string(key), name) {
			return bytes.TrimSpace(value), true
		}
	}
	return nil, false
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
