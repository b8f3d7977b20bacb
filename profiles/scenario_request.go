package profiles

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"headroom/profiles/document"
)

// request makes the request of a task that stands at key.
func (b *scenarioBuilder) request(key string, f taskFile) Request {
	r := Request{Name: f.Name}
	path := b.line(key, f, &r)
	if r.Name == "" {
		r.Name = r.Method + " " + path
	}
	before, query := cutQuery(path)
	r.Path = b.template(key+"."+b.pathKey(f), before, nil, inPath)
	r.Path.join(b.template(key+"."+b.pathKey(f), query, nil, inQuery))
	b.query(key, f.Query, query != "", &r.Path)
	b.body(key, f, &r)
	b.headers(key, f, &r)
	for i, c := range f.Capture {
		r.Takes = append(r.Takes, b.capture(fmt.Sprintf("%s.capture[%d]", key, i), c))
	}
	r.Check = b.check(key+".check", f.Check)
	r.note()
	return r
}

// line finds out the method and the path.
func (b *scenarioBuilder) line(key string, f taskFile, r *Request) (path string) {
	short := f.methods()
	switch {
	case len(short) == 1 && f.Method == "" && f.Path == "":
		for method, p := range short {
			r.Method, path = strings.ToUpper(method), p
		}
	case len(short) == 0 && f.Path != "":
		if r.Method, path = strings.ToUpper(f.Method), f.Path; r.Method == "" {
			r.Method = "GET"
		}
		if !isToken(r.Method) {
			b.problems.bad(key+".method", "got %q, want one such as GET or POST", document.Excerpt(f.Method))
		}
	default:
		got := slices.Sorted(maps.Keys(short))
		if f.Method != "" || f.Path != "" {
			got = append(got, "method and path")
		}
		b.problems.bad(key, "got %s, want one of get, head, post, put, patch, delete, options with a path, or method and path", orNothing(strings.Join(got, ", ")))
		return ""
	}
	if !strings.HasPrefix(path, "/") {
		b.problems.bad(key+"."+b.pathKey(f), "got %q, want a path that begins with /", document.Excerpt(path))
	} else if !isPath(path) {
		b.problems.bad(key+"."+b.pathKey(f), "got %q, want a path as a URL has it, without blanks and #", document.Excerpt(path))
	}
	return path
}

// isPath reports whether a template makes a path, as far as its own text goes.
func isPath(template string) bool {
	text := places.ReplaceAllString(template, "x")
	_, err := url.ParseRequestURI(text)
	return err == nil && strings.HasPrefix(text, "/") && !strings.ContainsAny(text, " \t\r\n#")
}

// places are those of templates.
var places = regexp.MustCompile(`\$\{[^}]*\}`)

// cutQuery splits the template of a path where its query begins, which keeps
// its question mark.
func cutQuery(path string) (before, query string) {
	text := places.ReplaceAllStringFunc(path, func(place string) string { return strings.Repeat("x", len(place)) })
	i := strings.IndexByte(text, '?')
	if i < 0 {
		return path, ""
	}
	return path[:i], path[i:]
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// pathKey is the key that the path stands at.
func (b *scenarioBuilder) pathKey(f taskFile) string {
	for method := range f.methods() {
		return method
	}
	return "path"
}

func (b *scenarioBuilder) template(key, text string, own, filled escaping) Template {
	t, err := b.words.parse(text, own, filled)
	if err != nil {
		b.problems.bad(key, "%s", err)
	}
	return t
}

// query adds parameters to a path.
func (b *scenarioBuilder) query(key string, query fields, begun bool, path *Template) {
	for _, f := range query {
		sign := "?"
		if begun {
			sign = "&"
		}
		begun = true
		path.add(part{text: sign + url.QueryEscape(f.name) + "="}, nil)
		if f.value == nil {
			continue
		}
		path.join(b.template(key+".query", *f.value, inQuery, inQuery))
	}
}

// join puts another template behind.
func (t *Template) join(more Template) {
	for _, p := range more.parts {
		if p.kind == literal {
			t.add(p, nil)
		} else {
			t.parts = append(t.parts, p)
		}
	}
}

// body is text, JSON or a file; the file is sent as it is.
func (b *scenarioBuilder) body(key string, f taskFile, r *Request) {
	var got []string
	if f.Body != nil {
		got = append(got, "body")
		r.Body = b.template(key+".body", *f.Body, nil, nil)
	}
	if f.JSON != nil {
		got = append(got, "json")
		b.json(key+".json", f.JSON, &r.Body)
	}
	if f.File != "" {
		got = append(got, "file")
		data, _ := b.read(key+".file", f.File)
		r.Body = Literal(string(data))
	}
	if len(got) > 1 {
		b.problems.bad(key, "got %s, want one of them", strings.Join(got, " and "))
	}
}

// json writes a value as JSON with its templates. A string that is one number
// and nothing else becomes a number.
func (b *scenarioBuilder) json(key string, value any, to *Template) {
	plain := func(text string) { to.add(part{text: text}, nil) }
	switch v := value.(type) {
	case map[string]any:
		plain("{")
		for i, name := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				plain(",")
			}
			plain(`"` + inJSON(name) + `":`)
			b.json(key, v[name], to)
		}
		plain("}")
	case []any:
		plain("[")
		for i, item := range v {
			if i > 0 {
				plain(",")
			}
			b.json(key, item, to)
		}
		plain("]")
	case string:
		t := b.template(key, v, inJSON, inJSON)
		if t.isNumber() {
			to.join(t)
			return
		}
		plain(`"`)
		to.join(t)
		plain(`"`)
	default:
		text, err := json.Marshal(v)
		if err != nil {
			b.problems.bad(key, "want what JSON can hold: %s", err)
		}
		plain(string(text))
	}
}

// headers are those of the scenario, then those of the task, which go before
// what the body and the stream suggest.
func (b *scenarioBuilder) headers(key string, f taskFile, r *Request) {
	b.fields("headers", b.file.Headers, r)
	b.fields(key+".headers", f.Headers, r)
	suggest := func(name, value string) {
		if !slices.ContainsFunc(r.Header, func(h Field) bool { return h.Name == name }) {
			r.Header = append(r.Header, Field{name, Literal(value)})
		}
	}
	if f.JSON != nil {
		suggest("Content-Type", "application/json")
	}
	switch f.Stream {
	case "":
	case "sse":
		suggest("Accept", "text/event-stream")
	case "ndjson":
		suggest("Accept", "application/x-ndjson")
	default:
		b.problems.bad(key+".stream", "got %q, want sse or ndjson", document.Excerpt(f.Stream))
	}
}

// fields sets headers, each instead of one of its name.
func (b *scenarioBuilder) fields(key string, from fields, r *Request) {
	for _, f := range from {
		name := canonical(f.name)
		switch {
		case !isToken(name):
			b.problems.bad(key, "got the name %q, want one such as X-Name", document.Excerpt(f.name))
			continue
		case name == "Content-Length" || name == "Transfer-Encoding" || name == "Connection":
			b.problems.bad(key, "got %s, want none: the length and the connection are looked after", name)
			continue
		case f.value == nil:
			b.problems.bad(key, "got %s without a value, want one", name)
			continue
		case strings.ContainsAny(*f.value, "\r\n"):
			b.problems.bad(key, "got %s with a line break, want one line", name)
			continue
		}
		r.Header = slices.DeleteFunc(r.Header, func(h Field) bool { return h.Name == name })
		value := b.template(key, *f.value, nil, inHeader)
		if _, ok := value.Static(); !ok && name == "Host" {
			b.problems.bad(key, "got %s with a template that changes, want one host", name)
		}
		r.Header = append(r.Header, Field{name, value})
	}
}

func (b *scenarioBuilder) capture(key string, f captureFile) Capture {
	c := Capture{Name: f.Name, Number: slices.Index(b.scenario.Captures, f.Name), Header: f.Header}
	count := 0
	for _, s := range []string{f.JSON, f.Header, f.Regexp} {
		if s != "" {
			count++
		}
	}
	if count != 1 {
		b.problems.bad(key, "got %d of json, header and regexp, want one", count)
	}
	var err error
	if f.JSON != "" {
		if c.JSON, err = ParseJSONPath(f.JSON); err != nil {
			b.problems.bad(key+".json", "%s", err)
		}
	}
	if f.Regexp != "" {
		if c.Regexp, err = regexp.Compile(f.Regexp); err != nil {
			b.problems.bad(key+".regexp", "got %q, want a regular expression: %s", document.Excerpt(f.Regexp), strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	}
	return c
}

func (b *scenarioBuilder) check(key string, f checkFile) Check {
	c := Check{Status: f.Status, Contains: f.Contains}
	if f.Time != nil {
		if c.Within = f.Time.Std(); c.Within <= 0 {
			b.problems.bad(key+".time", "got %s, want more than 0", f.Time)
		}
	}
	for i, j := range f.JSON {
		path, err := ParseJSONPath(j.Path)
		if err != nil {
			b.problems.bad(fmt.Sprintf("%s.json[%d].path", key, i), "%s", err)
		}
		c.JSON = append(c.JSON, JSONCheck{path, j.Equals})
	}
	for _, h := range f.Header {
		c.Header = append(c.Header, HeaderCheck{canonical(h.name), h.value})
	}
	return c
}
