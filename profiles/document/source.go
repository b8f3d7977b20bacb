package document

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

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
	quote  byte     // of new strings, see quoted
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
