package document

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

func quoteOf(n ast.Node) byte {
	switch n.GetToken().Type {
	case token.SingleQuoteType:
		return '\''
	case token.DoubleQuoteType:
		return '"'
	}
	return 0
}

// quoteOfAll is the quote of new strings. It keeps JSON what it is.
func (s *source) quoteOfAll() byte {
	body, ok := s.body.(*ast.MappingNode)
	if ok && body.IsFlowStyle && len(body.Values) > 0 && quoteOf(body.Values[0].Key) == '"' {
		return '"'
	}
	return s.quote
}

// indented is v in block style, to follow an indentation that is there.
func (s *source) indented(v any, indent int) string {
	return strings.Join(block(v, s.quote), s.eol+spaces(indent))
}

func spaces(n int) string { return strings.Repeat(" ", n) }

// block is v in block style, line by line.
func block(v any, quote byte) []string {
	if isInline(v) {
		return []string{inline(v, quote)}
	}
	var lines []string
	switch v := v.(type) {
	case yaml.MapSlice:
		for _, item := range v {
			key, value := inline(fmt.Sprint(item.Key), quote)+":", block(item.Value, quote)
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
			for _, line := range block(item, quote) {
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

// inline is v in flow style, with the quotes that quoted says.
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
	withUnit = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|%))+$`)
	reserved = regexp.MustCompile(`^(?i:y|yes|n|no|on|off|true|false|null)$`) // in YAML 1.1 too
)

// unlessUnits is the quote of strings that need one, and are no number with a
// unit.
const unlessUnits byte = 'u'

// quoted is a string in the quotes asked for, or in those it needs if quote is
// 0 or unlessUnits.
func quoted(text string, quote byte) string {
	printable := !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
	switch {
	case quote == unlessUnits && withUnit.MatchString(text):
		return text
	case (quote == 0 || quote == unlessUnits) && plain.MatchString(text) && !reserved.MatchString(text):
		return text
	case quote == '\'' && printable:
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	}
	return strconv.Quote(text)
}

// excerpt is the beginning of a text, on one line.
func excerpt(text string) string {
	return Excerpt(oneLine(text))
}
