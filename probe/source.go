package probe

import (
	"bytes"
	"fmt"
	"strings"
)

// Source is where an answer names its replica: one place, or several whose
// texts are joined. An empty one is not known.
type Source []Place

// Place is a part of an answer.
type Place struct {
	Kind  PlaceKind
	Field string
}

// PlaceKind is the kind of a place.
type PlaceKind string

// The places that can name a replica.
const (
	JSONField PlaceKind = "json"   // a string or an integer of a JSON body: a key at any depth, or a path of keys and numbers with dots
	Header    PlaceKind = "header" // a response header
	Cookie    PlaceKind = "cookie" // a cookie that the answer sets
	Text      PlaceKind = "text"   // what stands for the * in a text such as "Hostname: *"
	Remote    PlaceKind = "addr"   // the address that the connection goes to
)

// MostBody is how much of a body is looked at, in bytes.
const MostBody = 4 << 10

// Answer is what a Source is looked up in. Nothing of it is kept.
type Answer struct {
	Status int    // of HTTP
	Head   []byte // status line and headers
	Body   []byte // the beginning of it
	Remote string // the address that answered
	Conn   int64  // a number of the connection
	Task   int    // what was asked for: answers to the same have the same
}

const sourceForms = "json:FIELD, json:PATH.TO.FIELD, header:NAME, cookie:NAME, text:'BEFORE * AFTER' or addr, or several joined by +, such as json:hostname+json:pid"

// ParseSource reads "json:hostname", "header:X-Served-By", or several places
// joined by "+".
func ParseSource(s string) (Source, error) {
	var out Source
	for rest := s; ; {
		// A text may have a + in it, so it ends where another place begins.
		end := len(rest)
		for at := 1; at < len(rest); at++ {
			if rest[at] == '+' && beginsPlace(rest[at+1:]) {
				end = at
				break
			}
		}
		p, ok := parsePlace(rest[:end])
		if !ok {
			return nil, fmt.Errorf("got %q, want %s", s, sourceForms)
		}
		out = append(out, p)
		if end == len(rest) {
			return out, nil
		}
		rest = rest[end+1:]
	}
}

func beginsPlace(s string) bool {
	for _, kind := range []PlaceKind{JSONField, Header, Cookie, Text} {
		if strings.HasPrefix(s, string(kind)+":") {
			return true
		}
	}
	return s == string(Remote) || strings.HasPrefix(s, string(Remote)+"+")
}

func parsePlace(s string) (p Place, ok bool) {
	kind, field, _ := strings.Cut(s, ":")
	p = Place{PlaceKind(kind), strings.TrimSpace(field)}
	switch p.Kind {
	case Remote:
		return p, s == string(Remote)
	case Text:
		p.Field = field
		return p, strings.Count(field, "*") == 1 && strings.Trim(field, " *") != "" && !strings.ContainsAny(field, "\r\n")
	case JSONField:
		return p, p.Field != "" && !strings.ContainsAny(p.Field, "\"\\ +\r\n") && !strings.Contains("."+p.Field+".", "..")
	case Header, Cookie:
		return p, p.Field != "" && !strings.ContainsAny(p.Field, "\"\\ +\r\n:;=")
	}
	return p, false
}

// String writes what ParseSource reads.
func (s Source) String() string {
	places := make([]string, len(s))
	for i, p := range s {
		places[i] = p.String()
	}
	return strings.Join(places, "+")
}

// String writes the place as ParseSource reads it.
func (p Place) String() string {
	if p.Kind == Remote {
		return string(p.Kind)
	}
	return string(p.Kind) + ":" + p.Field
}

// appendName finds the name in an answer: a part of it where that is one, else
// the parts appended to buf with slashes between. It is empty where a place has
// nothing. It does not allocate.
func (s Source) appendName(buf []byte, a *Answer) []byte {
	if len(s) == 1 && s[0].Kind != Remote {
		return s[0].value(a)
	}
	for i, p := range s {
		if i > 0 {
			buf = append(buf, '/')
		}
		before := len(buf)
		if p.Kind == Remote {
			buf = append(buf, a.Remote...)
		} else {
			buf = append(buf, p.value(a)...)
		}
		if len(buf) == before {
			return nil
		}
	}
	return buf
}

// value is what stands at a place of an answer, a slice of that.
func (p Place) value(a *Answer) []byte {
	body := a.Body[:min(len(a.Body), MostBody)]
	switch p.Kind {
	case Header:
		return headerValue(a.Head, p.Field)
	case Cookie:
		return cookieValue(a.Head, p.Field)
	case Text:
		return textValue(body, p.Field)
	}
	if strings.IndexByte(p.Field, '.') >= 0 {
		return jsonAt(body, p.Field)
	}
	return jsonAnywhere(body, p.Field)
}

// nextLine cuts the next line off a head.
func nextLine(head []byte) (line, rest []byte) {
	if end := bytes.IndexByte(head, '\n'); end >= 0 {
		return head[:end], head[end+1:]
	}
	return head, nil
}

// nextHeader cuts the next header line off a head.
func nextHeader(head []byte) (name, value, rest []byte) {
	line, rest := nextLine(head)
	if colon := bytes.IndexByte(line, ':'); colon > 0 {
		return line[:colon], bytes.TrimSpace(line[colon+1:]), rest
	}
	return nil, nil, rest
}

// headerValue returns the value of the first header of that name.
func headerValue(head []byte, name string) []byte {
	value, _ := cutHeader(head, name)
	return value
}

// cutHeader returns the value of the first header of that name and the lines
// behind it, at least the empty one; nil without such a header.
func cutHeader(head []byte, name string) (value, rest []byte) {
	for {
		if len(head) > len(name) && head[len(name)] == ':' && strings.EqualFold(string(head[:len(name)]), name) {
			line, rest := nextLine(head[len(name)+1:])
			return bytes.TrimSpace(line), rest
		}
		end := bytes.IndexByte(head, '\n')
		if end < 0 {
			return nil, nil
		}
		head = head[end+1:]
	}
}

// cookieValue returns the value of a cookie that a head sets.
func cookieValue(head []byte, name string) []byte {
	for len(head) > 0 {
		var header, value []byte
		header, value, head = nextHeader(head)
		if len(header) != len("Set-Cookie") || !strings.EqualFold(string(header), "Set-Cookie") {
			continue
		}
		if len(value) > len(name) && value[len(name)] == '=' && string(value[:len(name)]) == name {
			value = value[len(name)+1:]
			if end := bytes.IndexByte(value, ';'); end >= 0 {
				value = value[:end]
			}
			return bytes.Trim(bytes.TrimSpace(value), `"`)
		}
	}
	return nil
}

// textValue returns what stands for the * of a pattern: up to what follows it
// there, or to white space or a tag where nothing does.
func textValue(body []byte, pattern string) []byte {
	star := strings.IndexByte(pattern, '*')
	before, after := pattern[:star], pattern[star+1:]
	at := index(body, before)
	if at < 0 {
		return nil
	}
	body = body[at+len(before):]
	end := index(body, after)
	if after == "" {
		if end = bytes.IndexAny(body, " \t\r\n<"); end < 0 {
			end = len(body)
		}
	}
	if end < 0 {
		return nil
	}
	return bytes.TrimSpace(body[:end])
}

// index is bytes.Index without a copy of the text.
func index(b []byte, text string) int {
	for from := 0; len(text) > 0; {
		at := bytes.IndexByte(b[from:], text[0])
		if at < 0 || from+at+len(text) > len(b) {
			return -1
		}
		from += at
		if string(b[from:from+len(text)]) == text {
			return from
		}
		from++
	}
	return 0
}
