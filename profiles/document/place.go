package document

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

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
		return s.splice(span{lead, s.nextLine(was.end)}, " "+inline(v, s.quote)+kept)
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
	if _, ok := v.(string); ok && quote != '"' && quoteOf(old) != 0 {
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
		text := s.indented(v, indent)
		if list, ok := v.([]any); ok && isFlow(last.slot.value) { // an element like those before it
			text = "- " + inline(list[0], s.quote)
		}
		return s.splice(span{at, at}, s.eol+spaces(indent)+text)
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

// isFlow says whether a node is a mapping or list in braces or brackets.
func isFlow(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.IsFlowStyle
	case *ast.SequenceNode:
		return n.IsFlowStyle
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
