package probe

import (
	"bytes"
	"strconv"
	"strings"
)

// jsonAnywhere returns the text of the first string or integer that stands
// behind the key in a JSON text, at whatever depth. It looks for the key
// instead of parsing: a whole parse of every answer would cost more than
// sending the request.
func jsonAnywhere(body []byte, key string) []byte { return jsonName(jsonBehind(body, key)) }

// jsonBehind is the text from the value on that stands behind a key; nil where
// there is none.
func jsonBehind(body []byte, key string) []byte {
	for {
		at := indexKey(body, key)
		if at < 0 {
			return nil
		}
		body = body[at+len(key)+2:]
		if rest := skipSpace(body); len(rest) > 0 && rest[0] == ':' {
			return skipSpace(rest[1:])
		}
	}
}

// jsonName is the string or the integer at the beginning of a text. A string
// with escapes in it names no replica.
func jsonName(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	if b[0] == '"' {
		b = b[1:]
		end := bytes.IndexByte(b, '"')
		if end <= 0 || bytes.IndexByte(b[:end], '\\') >= 0 {
			return nil
		}
		return b[:end]
	}
	end := 0
	for end < len(b) && (b[end] >= '0' && b[end] <= '9' || b[end] == '-') {
		end++
	}
	if end == 0 || end == len(b) || bytes.IndexByte([]byte(",]} \t\r\n"), b[end]) < 0 {
		return nil
	}
	return b[:end]
}

// jsonAt returns the string or integer at a path of keys and positions with
// dots between, such as "meta.hosts.0", from the outermost value on.
func jsonAt(body []byte, path string) []byte {
	for {
		step, rest, more := strings.Cut(path, ".")
		body = jsonStep(body, step)
		if body == nil {
			return nil
		}
		if !more {
			return jsonName(body)
		}
		path = rest
	}
}

// jsonStep is the text from the member of that name, or the element at that
// position, on; nil where there is none.
func jsonStep(b []byte, step string) []byte {
	b = skipSpace(b)
	if len(b) == 0 || b[0] != '{' && b[0] != '[' {
		return nil
	}
	object := b[0] == '{'
	b = b[1:]
	for position := 0; ; position++ {
		b = skipSpace(b)
		found := !object && isNumber(step, position)
		if object {
			if len(b) == 0 || b[0] != '"' {
				return nil
			}
			rest := skipValue(b)
			if rest == nil {
				return nil
			}
			found = string(b[1:len(b)-len(rest)-1]) == step
			if b = skipSpace(rest); len(b) == 0 || b[0] != ':' {
				return nil
			}
			b = skipSpace(b[1:])
		}
		if found {
			return b
		}
		if b = skipSpace(skipValue(b)); len(b) == 0 || b[0] != ',' {
			return nil
		}
		b = b[1:]
	}
}

// isNumber reports whether a text is a number, as JSON writes it.
func isNumber(s string, n int) bool {
	if s == "" || len(s) > 1 && s[0] == '0' {
		return false
	}
	got := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' || got > MostBody {
			return false
		}
		got = 10*got + int(c-'0')
	}
	return got == n
}

// skipValue is what follows the value at the beginning of a text; nil where
// the value is cut off.
func skipValue(b []byte) []byte {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if i >= len(b) {
				return nil
			}
			if depth == 0 {
				return b[i+1:]
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return b[i:]
			}
			if depth == 0 {
				return b[i+1:]
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return b[i:]
			}
		}
	}
	return nil
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

// eachLeaf calls f with the path and the text of every string and integer of a
// JSON text, in order, until one is cut off. Strings with escapes are left
// out, as are keys that a path cannot have.
func eachLeaf(body []byte, f func(path string, value []byte)) {
	leaves(skipSpace(body), "", 0, f)
}

// deepest is how deep a name may stand to be found.
const deepest = 8

// leaves is eachLeaf for the value at the beginning of b; it returns what
// follows it, nil where it is cut off.
func leaves(b []byte, path string, depth int, f func(string, []byte)) []byte {
	if len(b) == 0 {
		return nil
	}
	if b[0] != '{' && b[0] != '[' || depth == deepest {
		if name := jsonName(b); name != nil && path != "" {
			f(path, name)
		}
		return skipValue(b)
	}
	object := b[0] == '{'
	b = skipSpace(b[1:])
	for position := 0; len(b) > 0; position++ {
		if b[0] == '}' || b[0] == ']' {
			return b[1:]
		}
		step := strconv.Itoa(position)
		if object {
			rest := skipValue(b)
			if b[0] != '"' || rest == nil {
				return nil
			}
			step = string(b[1 : len(b)-len(rest)-1])
			if b = skipSpace(rest); len(b) == 0 || b[0] != ':' {
				return nil
			}
			b = skipSpace(b[1:])
		}
		if path != "" {
			step = path + "." + step
		}
		if b = skipSpace(leaves(b, step, depth+1, f)); len(b) > 0 && b[0] == ',' {
			b = skipSpace(b[1:])
		}
	}
	return nil
}
