package document

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Edit is one assignment to a key of a document.
type Edit struct {
	// Path are the keys from the top, joined by "/"; within a key "/" is
	// written ~1 and "~" is ~0. An element of a list goes by its index, and
	// the length of the list stands for a new element: spec/metrics/0/type.
	Path string
	// Value is anything that yaml can encode; a yaml.MapSlice keeps its order.
	// nil removes the key, if it is there.
	Value any
}

// Apply returns text with the edits made one after the other; text itself
// stays as it is. Of the documents in text, doc is the index of the one that
// is meant; empty ones count.
//
// Only the bytes of what changes are touched: comments, blank lines, order,
// quotes and line ends elsewhere stay. A value that is equal already is left
// alone. Missing mappings on the way are created, whatever their keys look
// like; new text is in block style with two spaces, except within { } and [ ].
// Comments inside a block that is replaced go with it, comments above a key
// that is removed stay.
//
// The result is read again after each edit. It is an error if anything but
// the one value reads differently, as when an alias refers to that value or a
// merge key supplies it; so is a path through a scalar or an alias. An error
// is one line and comes without a text.
func Apply(text []byte, doc int, edits ...Edit) ([]byte, error) {
	s, err := load(text, doc)
	if err != nil {
		return nil, err
	}
	for _, e := range edits {
		if s, err = s.apply(e); err != nil {
			return nil, err
		}
	}
	return s.text, nil
}

// span is a range of bytes, without the one at end.
type span struct{ start, end int }

// source is a text together with what the library reads in one of its
// documents.
type source struct {
	text   []byte
	eol    string
	doc    int
	count  int  // of the documents in text
	within span // the document
	tokens map[*token.Token]span
	body   ast.Node // nil: the document is empty
	value  any      // the body, decoded
}

func load(text []byte, doc int) (s *source, err error) {
	defer func() { // the library panics on some malformed input, such as a lone tag
		if recover() != nil {
			s, err = nil, errors.New("the file is not valid YAML")
		}
	}()
	all := documents(text)
	if doc < 0 || doc >= len(all) {
		return nil, fmt.Errorf("document %d: got %d in the file", doc, len(all))
	}
	s = &source{text: text, eol: lineBreak(text), doc: doc, count: len(all), within: all[doc]}
	// The library miscounts lines that end in CR LF.
	tokens := lexer.Tokenize(strings.ReplaceAll(string(text[s.within.start:s.within.end]), "\r\n", "\n"))
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, s.invalid(err)
	}
	s.body = file.Docs[len(file.Docs)-1].Body // any before it is a directive
	if s.body == nil {
		return s, nil
	}
	if err := yaml.NodeToValue(s.body, &s.value); err != nil {
		return nil, s.invalid(err)
	}
	return s, s.locate(tokens)
}

// invalid turns an error of the library into one line.
func (s *source) invalid(err error) error {
	var located yaml.Error
	if !errors.As(err, &located) || located.GetToken() == nil {
		return fmt.Errorf("document %d: not valid YAML: %s", s.doc, excerpt(err.Error()))
	}
	line := s.line(s.within.start) + located.GetToken().Position.Line - 1
	return fmt.Errorf("line %d: not valid YAML: %s", line, excerpt(located.GetMessage()))
}

// documents splits a text at its --- and ... lines. The library does not do:
// it loses all that follows an empty document.
func documents(text []byte) []span {
	var docs []span
	start := len(text) - len(bytes.TrimPrefix(text, []byte("\ufeff")))
	begun := false // by --- or any content; comments and directives come before
	end := start
	for line := range bytes.Lines(text[start:]) {
		at := end
		end += len(line)
		switch {
		case isMarker(line, "---"):
			if begun {
				docs = append(docs, span{start, at})
				start = at
			}
			begun = true
		case isMarker(line, "..."):
			if begun {
				docs = append(docs, span{start, end})
				start, begun = end, false
			}
		default:
			line = bytes.TrimSpace(line)
			begun = begun || len(line) > 0 && line[0] != '#' && line[0] != '%'
		}
	}
	if begun || len(docs) == 0 {
		docs = append(docs, span{start, len(text)})
	}
	return docs
}

func isMarker(line []byte, marker string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(marker))
	return ok && (len(rest) == 0 || isBlank(rest[0]))
}

// locate finds the bytes of each token by reading the text along with them.
// The positions in the tokens will not do: they miscount tabs, comments,
// escapes and block scalars.
func (s *source) locate(tokens token.Tokens) error {
	s.tokens = make(map[*token.Token]span, len(tokens))
	end := s.within.start
	header := "" // of a block scalar, where its content comes next
	for _, t := range tokens {
		next, ok := span{end, end}, true
		if t.Type != token.StringType || strings.TrimSpace(t.Value) != "" {
			next.start = s.skipBlank(end)
			next.end, ok = s.match(next.start, t)
		}
		if !ok {
			return fmt.Errorf("line %d: got %s, which cannot be edited", s.line(next.start), excerpt(t.Value))
		}
		if t.Type == token.StringType && strings.Contains(header, "+") {
			next.end = s.skipBlankLines(next.end)
		}
		switch t.Type {
		case token.LiteralType, token.FoldedType:
			header = t.Value
		case token.CommentType:
		default:
			header = ""
		}
		s.tokens[t] = next
		end = next.end
	}
	if rest := s.skipBlank(end); rest < s.within.end {
		return fmt.Errorf("line %d: got %s, which cannot be edited", s.line(rest), excerpt(string(s.text[rest:s.lineEnd(rest)])))
	}
	return nil
}

// match returns where the token t that begins at start ends, if it does begin
// there. Other than in quotes the value of a token has the characters of the
// text, but for the white space in it.
func (s *source) match(start int, t *token.Token) (end int, ok bool) {
	switch t.Type {
	case token.CommentType:
		return s.lineEnd(start), s.startsWith(start, "#")
	case token.SingleQuoteType:
		return s.closing(start, `'`, `''`), s.startsWith(start, `'`)
	case token.DoubleQuoteType:
		return s.closing(start, `"`, `\"`, `\\`), s.startsWith(start, `"`)
	}
	end = start
	for _, b := range []byte(t.Value) {
		if isBlank(b) {
			continue
		}
		end = s.skipBlank(end)
		if end == s.within.end || s.text[end] != b {
			return end, false
		}
		end++
	}
	return end, true
}

// closing is the end of a scalar whose quotes may also stand in it, escaped.
func (s *source) closing(start int, quote string, escaped ...string) int {
	at := start + 1
	for at < s.within.end {
		skip := 1
		for _, e := range escaped {
			if s.startsWith(at, e) {
				skip = len(e)
			}
		}
		if skip == 1 && s.startsWith(at, quote) {
			return at + 1
		}
		at += skip
	}
	return at
}

func (s *source) startsWith(at int, prefix string) bool {
	return bytes.HasPrefix(s.text[at:s.within.end], []byte(prefix))
}

func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

func (s *source) skipBlank(at int) int {
	for at < s.within.end && isBlank(s.text[at]) {
		at++
	}
	return at
}

// skipBlankLines is the end of the last of the blank lines after at's.
func (s *source) skipBlankLines(at int) int {
	next := s.lineStart(s.skipBlank(at))
	return max(at, s.lineEnd(s.lineStart(next-1)))
}

func (s *source) line(at int) int { return 1 + bytes.Count(s.text[:at], []byte("\n")) }

func (s *source) lineStart(at int) int { return bytes.LastIndexByte(s.text[:max(at, 0)], '\n') + 1 }

// lineEnd is where the line break begins.
func (s *source) lineEnd(at int) int {
	line, _, _ := bytes.Cut(s.text[at:], []byte("\n"))
	return at + len(bytes.TrimSuffix(line, []byte("\r")))
}

func (s *source) nextLine(at int) int {
	line, _, found := bytes.Cut(s.text[at:], []byte("\n"))
	if !found {
		return len(s.text)
	}
	return at + len(line) + 1
}

func (s *source) column(at int) int { return utf8.RuneCount(s.text[s.lineStart(at):at]) }

func lineBreak(text []byte) string {
	if first, _, _ := bytes.Cut(text, []byte("\n")); bytes.HasSuffix(first, []byte("\r")) {
		return "\r\n"
	}
	return "\n"
}

// splice is the text with something else in place of a span.
func (s *source) splice(at span, with string) []byte {
	return slices.Concat(s.text[:at.start], []byte(with), s.text[at.end:])
}

// span is where a node stands, from its first to its last token; empty at
// where it would stand if it is a null that is not written.
func (s *source) span(n ast.Node, where int) span {
	e := &extent{tokens: s.tokens}
	ast.Walk(e, n)
	if !e.found {
		return span{where, where}
	}
	return e.span
}

// extent collects the tokens of a node.
type extent struct {
	tokens map[*token.Token]span
	span   span
	found  bool
}

func (e *extent) Visit(n ast.Node) ast.Visitor {
	e.add(n.GetToken())
	switch n := n.(type) {
	case *ast.MappingNode:
		e.add(n.End)
	case *ast.SequenceNode:
		e.add(n.End)
		for _, entry := range n.Entries {
			e.add(entry.Start)
		}
	}
	return e
}

func (e *extent) add(t *token.Token) {
	at, ok := e.tokens[t]
	switch {
	case !ok:
	case !e.found:
		e.span, e.found = at, true
	default:
		e.span = span{min(e.span.start, at.start), max(e.span.end, at.end)}
	}
}

func (s *source) apply(e Edit) (*source, error) {
	keys, err := splitPath(e.Path)
	if err != nil {
		return nil, err
	}
	ordered, value, err := normalize(e.Value)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nameOf(e.Path), err)
	}
	if old, ok := lookup(s.value, keys); ok == (value != nil) && reflect.DeepEqual(old, value) {
		return s, nil
	}
	text, err := s.edited(keys, ordered)
	if err != nil {
		return nil, err
	}
	next, err := load(text, s.doc)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be edited here: %w", nameOf(e.Path), err)
	}
	if next.count != s.count || !reflect.DeepEqual(next.value, assign(s.value, keys, value)) {
		return nil, fmt.Errorf("%s: cannot be set without another change, as an anchor, alias or merge key is in the way", nameOf(e.Path))
	}
	return next, nil
}

func splitPath(path string) ([]string, error) {
	keys := strings.Split(path, "/")
	for i, key := range keys {
		if key == "" {
			return nil, fmt.Errorf("path %q: got an empty key", path)
		}
		keys[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
	}
	return keys, nil
}

func joinPath(path, key string) string {
	return strings.TrimPrefix(path+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(key), "/")
}

// normalize turns a value into what decoding gives: once with its mappings in
// order, to write it, and once with maps, to compare it.
func normalize(v any) (ordered, plain any, err error) {
	text, err := yaml.MarshalWithOptions(v, yaml.JSON(), yaml.CustomMarshaler(encodeFloat))
	if err != nil {
		return nil, nil, errors.New(excerpt(err.Error()))
	}
	err = errors.Join(yaml.UnmarshalWithOptions(text, &ordered, yaml.UseOrderedMap()), yaml.Unmarshal(text, &plain))
	if err != nil {
		return nil, nil, errors.New(excerpt(err.Error()))
	}
	return ordered, plain, nil
}

// encodeFloat avoids exponents: the library does not read them back.
func encodeFloat(f float64) ([]byte, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, fmt.Errorf("got %v, want a finite number", f)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return []byte(text), nil
}

// lookup is the decoded value at a path.
func lookup(v any, keys []string) (any, bool) {
	for _, key := range keys {
		ok := false
		switch parent := v.(type) {
		case map[string]any:
			v, ok = parent[key]
		case []any:
			if i, err := strconv.Atoi(key); err == nil && 0 <= i && i < len(parent) {
				v, ok = parent[i], true
			}
		}
		if !ok {
			return nil, false
		}
	}
	return v, true
}

// assign is the decoded value v with another value at a path; nil removes it.
// v itself stays as it is, for anchors and aliases share what they stand for.
func assign(v any, keys []string, value any) any {
	if len(keys) == 0 {
		return value
	}
	if list, ok := v.([]any); ok {
		return assignElement(list, keys, value)
	}
	parent, _ := v.(map[string]any)
	parent = maps.Clone(parent)
	if parent == nil {
		parent = map[string]any{}
	}
	if len(keys) == 1 && value == nil {
		delete(parent, keys[0])
	} else {
		parent[keys[0]] = assign(parent[keys[0]], keys[1:], value)
	}
	return parent
}

func assignElement(list []any, keys []string, value any) []any {
	list = slices.Clone(list)
	i, err := strconv.Atoi(keys[0])
	switch {
	case err != nil || i < 0 || i > len(list):
		return list
	case i == len(list):
		return append(list, assign(nil, keys[1:], value))
	case len(keys) == 1 && value == nil:
		return slices.Delete(list, i, i+1)
	}
	list[i] = assign(list[i], keys[1:], value)
	return list
}

// nested wraps a value into mappings for the keys.
func nested(keys []string, v any) any {
	for _, key := range slices.Backward(keys) {
		v = yaml.MapSlice{{Key: key, Value: v}}
	}
	return v
}

// slot is a place for a value: behind a key, as an element of a list, or as
// the body of the document.
type slot struct {
	path   string
	value  ast.Node // that is there now
	lead   int      // the end of the colon or the dash before it
	gap    string   // between these two, if the value is not written
	indent int      // of the key or the dash
	parent ast.Node // nil for the body
	flow   bool     // within { } or [ ]
}

// container is a mapping or a list, in its slot.
type container struct {
	slot
	node    ast.Node // nil: a null, which may become either
	inFlow  bool     // { } or [ ], or further inside of such
	entries []entry
}

type entry struct {
	span
	key  string // or index
	slot slot
}

// edited is the text with v at the path of keys.
func (s *source) edited(keys []string, v any) ([]byte, error) {
	if s.body == nil {
		return s.begin(nested(keys, v)), nil
	}
	body := slot{value: s.body, lead: s.span(s.body, s.within.end).start}
	return s.set(body, keys, v)
}

// begin is the text with v in an empty document.
func (s *source) begin(v any) []byte {
	at := s.within.end
	text := s.indented(v, 0) + s.eol
	if at > s.within.start && s.text[at-1] != '\n' {
		text = s.eol + text
	}
	return s.splice(span{at, at}, text)
}

// set is the text with v at the keys below a slot, or without them if v is
// nil.
func (s *source) set(at slot, keys []string, v any) ([]byte, error) {
	if len(keys) == 0 {
		return s.put(at, v), nil
	}
	c, err := s.open(at)
	if err != nil {
		return nil, err
	}
	i, err := s.find(c, keys[0])
	switch {
	case err != nil:
		return nil, err
	case i < len(c.entries) && len(keys) == 1 && v == nil:
		return s.remove(c, i), nil
	case i < len(c.entries):
		return s.set(c.entries[i].slot, keys[1:], v)
	case v == nil:
		return s.text, nil
	}
	if _, list := c.node.(*ast.SequenceNode); list {
		return s.add(c, []any{nested(keys[1:], v)}), nil
	}
	return s.add(c, nested(keys, v)), nil
}

// open reads the entries of what is in a slot.
func (s *source) open(at slot) (container, error) {
	c := container{slot: at, inFlow: at.flow}
	switch n := untagged(at.value).(type) {
	case *ast.NullNode:
	case *ast.MappingNode:
		c.node, c.inFlow = n, at.flow || n.IsFlowStyle
		for _, v := range n.Values {
			c.entries = append(c.entries, s.pair(c, v))
		}
	case *ast.SequenceNode:
		c.node, c.inFlow = n, at.flow || n.IsFlowStyle
		for i := range n.Values {
			c.entries = append(c.entries, s.element(c, n, i))
		}
	default:
		where := s.span(n, at.lead)
		got := excerpt(string(s.text[where.start:where.end]))
		return c, fmt.Errorf("%s: got %s on line %d, want a mapping", nameOf(at.path), got, s.line(where.start))
	}
	return c, nil
}

func nameOf(path string) string {
	if path == "" {
		return "document"
	}
	return excerpt(path)
}

func untagged(n ast.Node) ast.Node {
	for {
		switch t := n.(type) {
		case *ast.AnchorNode:
			n = t.Value
		case *ast.TagNode:
			n = t.Value
		default:
			return n
		}
	}
}

func (s *source) pair(c container, v *ast.MappingValueNode) entry {
	at := s.span(v, c.lead)
	var name ast.Node = v.Key
	if explicit, ok := name.(*ast.MappingKeyNode); ok {
		name = explicit.Value
	}
	key := untagged(name).GetToken().Value
	gap := " "
	if v.Start == v.Key.GetToken() { // as in {a, b}
		gap = ": "
	}
	return entry{at, key, slot{
		path: joinPath(c.path, key), value: v.Value, lead: s.tokens[v.Start].end, gap: gap,
		indent: s.column(at.start), parent: c.node, flow: c.inFlow,
	}}
}

func (s *source) element(c container, list *ast.SequenceNode, i int) entry {
	at := s.span(list.Values[i], c.lead)
	lead := at.start
	if !list.IsFlowStyle {
		dash := s.tokens[list.Entries[i].Start]
		at = span{dash.start, max(dash.end, s.span(list.Values[i], dash.end).end)}
		lead = dash.end
	}
	key := strconv.Itoa(i)
	return entry{at, key, slot{
		path: joinPath(c.path, key), value: list.Values[i], lead: lead, gap: " ",
		indent: s.column(at.start), parent: c.node, flow: c.inFlow,
	}}
}

// find is the index of the entry with a key, or of the one that it would
// become.
func (s *source) find(c container, key string) (int, error) {
	if _, list := c.node.(*ast.SequenceNode); !list {
		if i := slices.IndexFunc(c.entries, func(e entry) bool { return e.key == key }); i >= 0 {
			return i, nil
		}
		return len(c.entries), nil
	}
	i, err := strconv.Atoi(key)
	if err != nil || i < 0 || i > len(c.entries) {
		line := s.line(s.span(c.node, c.lead).start)
		return 0, fmt.Errorf("%s: got %q for the list on line %d, want an index 0..%d", nameOf(c.path), key, line, len(c.entries))
	}
	return i, nil
}

// put is the text with v in a slot. An anchor stays, and so does a tag unless
// v is of another kind.
func (s *source) put(at slot, v any) []byte {
	old, lead := at.value, at.lead
	if anchor, ok := old.(*ast.AnchorNode); ok {
		old, lead = anchor.Value, s.span(anchor.Name, lead).end
	}
	if tag, ok := old.(*ast.TagNode); ok && sameKind(tag.Value, v) {
		old, lead = tag.Value, s.tokens[tag.Start].end
	}
	was := s.span(old, lead)
	below := isBlock(old) && s.lineStart(was.start) > lead
	switch {
	case !below && (at.flow || isInline(v)):
		return s.putInline(at, old, was, v)
	case isInline(v):
		kept := string(s.text[lead:s.lineStart(was.start)])
		return s.splice(span{lead, s.nextLine(was.end)}, " "+inline(v, 0)+kept)
	case below:
		indent := at.indent + 2
		if sameKind(old, v) {
			indent = s.column(was.start)
		}
		return s.splice(span{s.lineStart(was.start), s.lineEnd(was.end)}, spaces(indent)+s.indented(v, indent))
	}
	return s.putBlock(at, span{lead, was.end}, was, v)
}

// putInline writes v into the line.
func (s *source) putInline(at slot, old ast.Node, was span, v any) []byte {
	quote := s.quoteOfAll()
	if _, ok := v.(string); ok && quote == 0 {
		quote = quoteOf(old)
	}
	text := inline(v, quote)
	if was.start == was.end {
		text = at.gap + text
	}
	return s.splice(was, text)
}

// putBlock writes v below the line of its key, or into the line of its dash.
// A comment on the line stays there.
func (s *source) putBlock(at slot, gone, was span, v any) []byte {
	switch at.parent.(type) {
	case *ast.SequenceNode:
		return s.splice(gone, " "+s.indented(v, at.indent+2))
	case *ast.MappingNode:
		end := s.lineEnd(was.end)
		comment := string(s.text[was.end:end])
		indent := at.indent + 2
		return s.splice(span{gone.start, end}, comment+s.eol+spaces(indent)+s.indented(v, indent))
	}
	text := s.indented(v, 0)
	if s.lineStart(was.start) < was.start { // as in --- {}
		text = s.eol + text
	}
	return s.splice(was, text)
}

// add is the text with a mapping or a list of one entry put at the end of one
// that is there.
func (s *source) add(c container, v any) []byte {
	if len(c.entries) == 0 {
		return s.put(c.slot, v)
	}
	last := c.entries[len(c.entries)-1]
	if !c.inFlow {
		at := s.lineEnd(last.end)
		indent := last.slot.indent
		return s.splice(span{at, at}, s.eol+spaces(indent)+s.indented(v, indent))
	}
	text := inline(v, s.quoteOfAll())
	return s.splice(span{last.end, last.end}, ","+s.separator(c)+text[1:len(text)-1])
}

// separator is what stands behind the commas of a { } or [ ].
func (s *source) separator(c container) string {
	open := s.span(c.node, c.lead).start
	before := string(s.text[min(open+1, c.entries[0].start):c.entries[0].start])
	if strings.Contains(before, "\n") && strings.TrimSpace(before) == "" {
		return before
	}
	return " "
}

func (s *source) remove(c container, i int) []byte {
	e := c.entries[i]
	begin := s.lineStart(e.start)
	switch {
	case len(c.entries) == 1:
		return s.put(c.slot, emptied(c.node))
	case c.inFlow && i+1 < len(c.entries):
		return s.splice(span{e.start, c.entries[i+1].start}, "")
	case c.inFlow:
		return s.splice(span{c.entries[i-1].end, e.end}, "")
	case s.skipBlank(begin) == e.start:
		return s.splice(span{begin, s.nextLine(e.end)}, "")
	}
	return s.splice(span{e.start, s.skipBlank(s.lineEnd(e.end))}, "") // the first, behind a dash
}

func emptied(n ast.Node) any {
	if _, list := n.(*ast.SequenceNode); list {
		return []any{}
	}
	return yaml.MapSlice{}
}

func sameKind(n ast.Node, v any) bool {
	switch v.(type) {
	case yaml.MapSlice:
		_, ok := n.(*ast.MappingNode)
		return ok
	case []any:
		_, ok := n.(*ast.SequenceNode)
		return ok
	}
	return false
}

// isBlock says whether a node is a mapping or list on lines of its own.
func isBlock(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.MappingNode:
		return !n.IsFlowStyle
	case *ast.SequenceNode:
		return !n.IsFlowStyle
	}
	return false
}

func quoteOf(n ast.Node) byte {
	switch n.GetToken().Type {
	case token.SingleQuoteType:
		return '\''
	case token.DoubleQuoteType:
		return '"'
	}
	return 0
}

// quoteOfAll keeps JSON what it is.
func (s *source) quoteOfAll() byte {
	body, ok := s.body.(*ast.MappingNode)
	if ok && body.IsFlowStyle && len(body.Values) > 0 && quoteOf(body.Values[0].Key) == '"' {
		return '"'
	}
	return 0
}

// indented is v in block style, to follow an indentation that is there.
func (s *source) indented(v any, indent int) string {
	return strings.Join(block(v), s.eol+spaces(indent))
}

func spaces(n int) string { return strings.Repeat(" ", n) }

// block is v in block style, line by line.
func block(v any) []string {
	if isInline(v) {
		return []string{inline(v, 0)}
	}
	var lines []string
	switch v := v.(type) {
	case yaml.MapSlice:
		for _, item := range v {
			key, value := inline(fmt.Sprint(item.Key), 0)+":", block(item.Value)
			if isInline(item.Value) {
				lines = append(lines, key+" "+value[0])
				continue
			}
			lines = append(lines, key)
			for _, line := range value {
				lines = append(lines, "  "+line)
			}
		}
	case []any:
		for _, item := range v {
			lead := "- "
			for _, line := range block(item) {
				lines = append(lines, lead+line)
				lead = "  "
			}
		}
	}
	return lines
}

// isInline says whether v is written on one line: a scalar, {} or [].
func isInline(v any) bool {
	switch v := v.(type) {
	case yaml.MapSlice:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return true
}

// inline is v in flow style. Strings in it get the quotes asked for, or those
// they need if quote is 0.
func inline(v any, quote byte) string {
	switch v := v.(type) {
	case yaml.MapSlice:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = inline(fmt.Sprint(item.Key), quote) + ": " + inline(item.Value, quote)
		}
		return "{" + strings.Join(items, ", ") + "}"
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = inline(item, quote)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		return quoted(v, quote)
	case nil:
		return "null"
	case float64:
		text, _ := encodeFloat(v) // has been encoded before
		return string(text)
	}
	return fmt.Sprint(v)
}

var (
	// plain strings mean themselves to any reader of YAML, unless they are
	// reserved.
	plain    = regexp.MustCompile(`^[A-Za-z/][\w./+@%=-]*( [\w./+@%=-]+)*$`)
	reserved = regexp.MustCompile(`^(?i:y|yes|n|no|on|off|true|false|null)$`) // in YAML 1.1 too
)

func quoted(text string, quote byte) string {
	printable := !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
	switch {
	case quote == 0 && plain.MatchString(text) && !reserved.MatchString(text):
		return text
	case quote == '\'' && printable:
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return strconv.Quote(text)
}

// excerpt is the beginning of a text, on one line.
func excerpt(text string) string {
	const longest = 60
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > longest {
		runes = append(runes[:longest], []rune("...")...)
	}
	return string(runes)
}
