package probe

import (
	"bytes"
	"fmt"
	"strings"
)

// Source is where in an answer the name of the replica stands.
type Source struct {
	Kind  SourceKind
	Field string
}

// SourceKind is a part of an answer.
type SourceKind string

// The parts of an answer that can name the replica.
const (
	JSONField SourceKind = "json"   // a string or number field of a JSON body
	Header    SourceKind = "header" // a response header
)

// ParseSource reads "json:hostname" or "header:X-Served-By".
func ParseSource(s string) (Source, error) {
	kind, field, _ := strings.Cut(s, ":")
	src := Source{Kind: SourceKind(kind), Field: strings.TrimSpace(field)}
	if src.Kind != JSONField && src.Kind != Header || src.Field == "" || strings.ContainsAny(src.Field, "\"\\ \r\n") {
		return Source{}, fmt.Errorf("got %q, want json:FIELD or header:NAME, such as json:hostname or header:X-Served-By", s)
	}
	return src, nil
}

// String writes what ParseSource reads.
func (s Source) String() string { return string(s.Kind) + ":" + s.Field }

// value finds the name in an answer without allocating: a slice of head or
// body, or nil.
func (s Source) value(head, body []byte) []byte {
	if s.Kind == Header {
		return headerValue(head, s.Field)
	}
	return jsonValue(body, s.Field)
}

// headerValue returns the value of the first header of that name.
func headerValue(head []byte, name string) []byte {
	for len(head) > 0 {
		line := head
		if end := bytes.IndexByte(head, '\n'); end >= 0 {
			line, head = head[:end], head[end+1:]
		} else {
			head = nil
		}
		if len(line) > len(name) && line[len(name)] == ':' && strings.EqualFold(string(line[:len(name)]), name) {
			return bytes.TrimSpace(line[len(name)+1:])
		}
	}
	return nil
}

// jsonValue returns the text of the first string or number that stands behind
// the key in a JSON text, at whatever depth. It looks for the key instead of
// parsing: a whole parse of every answer would cost more than sending the
// request.
func jsonValue(body []byte, key string) []byte {
	for {
		at := indexKey(body, key)
		if at < 0 {
			return nil
		}
		body = body[at:]
		rest := skipSpace(body[len(key)+2:])
		if len(rest) == 0 || rest[0] != ':' {
			body = body[len(key)+2:]
			continue
		}
		rest = skipSpace(rest[1:])
		if len(rest) == 0 {
			return nil
		}
		if rest[0] == '"' {
			rest = rest[1:]
			end := bytes.IndexByte(rest, '"')
			if end <= 0 || bytes.IndexByte(rest[:end], '\\') >= 0 {
				return nil
			}
			return rest[:end]
		}
		end := 0
		for end < len(rest) && (rest[end] >= '0' && rest[end] <= '9' || rest[end] == '-') {
			end++
		}
		if end == 0 || end == len(rest) || bytes.IndexByte([]byte(",} \t\r\n"), rest[end]) < 0 {
			return nil
		}
		return rest[:end]
	}
}

// skipSpace cuts off the white space that JSON allows (RFC 8259, section 2).
func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t' || b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// indexKey finds "key", in quotes that are not escaped.
func indexKey(body []byte, key string) int {
	for from := 0; ; {
		quote := bytes.IndexByte(body[from:], '"')
		if quote < 0 {
			return -1
		}
		at := from + quote
		end := at + 1 + len(key)
		if end < len(body) && body[end] == '"' && string(body[at+1:end]) == key && (at == 0 || body[at-1] != '\\') {
			return at
		}
		from = at + 1
	}
}
