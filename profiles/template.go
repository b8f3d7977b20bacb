package profiles

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"headroom/profiles/document"
)

// Template is text with places that are filled in for each request, written
// ${...}:
//
//	${env.NAME}              the environment, when the scenario is read
//	${user}                  number of the user, from 1
//	${counter}               number of the request among those that count, from 1
//	${random.int 1 100}      a whole number, both ends included
//	${random.choice a b c}   one of these words
//	${random.uuid}           a UUID (version 4)
//	${random.text 20}        so many letters and digits
//	${people.email}          a column of the row that the feed people gives this request
//	${token}                 what an earlier answer to this user was captured as
//
// $${ stands for ${ itself. The zero Template is the empty text.
type Template struct{ parts []part }

type partKind uint8

const (
	literal partKind = iota
	userNumber
	counterNumber
	randomInt
	randomChoice
	randomUUID
	randomText
	feedColumn
	captured
)

type part struct {
	kind      partKind
	text      string // of a literal, already escaped, or of what stands between ${ and }
	low, high int64  // of a random number; high is the length of a random text
	words     []string
	number    int // of the feed or capture
	column    int // of the feed
	escape    escaping
}

// escaping makes text safe for where it is put; nil leaves it as it is.
type escaping func(string) string

// Values fill in the templates of one request.
type Values struct {
	User     int        // from 1
	Counter  int64      // of this request
	Random   *rand.Rand // of the user
	Rows     [][]string // by the number of the feed: what it gives this request
	Captured []string   // by the number of the capture; empty: nothing yet
}

// Literal is a Template without places.
func Literal(text string) Template {
	if text == "" {
		return Template{}
	}
	return Template{[]part{{text: text}}}
}

// Static returns the text of a Template without places.
func (t Template) Static() (text string, ok bool) {
	for _, p := range t.parts {
		if p.kind != literal {
			return "", false
		}
		text += p.text
	}
	return text, true
}

// String is the text with its places as the scenario has them.
func (t Template) String() string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.kind == literal {
			b.WriteString(p.text)
		} else {
			b.WriteString("${" + p.text + "}")
		}
	}
	return b.String()
}

// Append writes the text with its places filled in behind dst.
func (t Template) Append(dst []byte, v *Values) []byte {
	for i := range t.parts {
		dst = t.parts[i].append(dst, v)
	}
	return dst
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

func (p *part) append(dst []byte, v *Values) []byte {
	var text string
	switch p.kind {
	case literal:
		return append(dst, p.text...)
	case userNumber:
		return strconv.AppendInt(dst, int64(v.User), 10)
	case counterNumber:
		return strconv.AppendInt(dst, v.Counter, 10)
	case randomInt:
		return strconv.AppendInt(dst, p.low+int64(v.Random.Uint64N(uint64(p.high-p.low)+1)), 10)
	case randomText:
		for range p.high {
			dst = append(dst, letters[v.Random.IntN(len(letters))])
		}
		return dst
	case randomUUID:
		return appendUUID(dst, v.Random)
	case randomChoice:
		text = p.words[v.Random.IntN(len(p.words))]
	case feedColumn:
		text = v.Rows[p.number][p.column]
	case captured:
		text = v.Captured[p.number]
	}
	if p.escape != nil {
		text = p.escape(text)
	}
	return append(dst, text...)
}

// appendUUID writes a UUID of random bits (RFC 9562, section 5.4).
func appendUUID(dst []byte, random *rand.Rand) []byte {
	var b [16]byte
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	for i, group := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, group)
	}
	return dst
}

// isNumber reports whether the text is one number, whatever fills it in.
func (t Template) isNumber() bool {
	if len(t.parts) != 1 {
		return false
	}
	kind := t.parts[0].kind
	return kind == userNumber || kind == counterNumber || kind == randomInt
}

// numbers adds the numbers of the feeds or captures that the text needs.
func (t Template) numbers(of partKind, to []int) []int {
	for _, p := range t.parts {
		if p.kind == of && !slices.Contains(to, p.number) {
			to = append(to, p.number)
		}
	}
	return to
}

func (t Template) has(kind partKind) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.kind == kind })
}

// vocabulary is what the places of a scenario's templates may name.
type vocabulary struct {
	feeds    []Feed
	captures []string
	getenv   func(string) (string, bool)
}

// parse reads a template. Its own text goes through own, and what fills in its
// places through filled.
func (v vocabulary) parse(text string, own, filled escaping) (t Template, err error) {
	for text != "" {
		before, rest, found := strings.Cut(text, "${")
		if escaped, ok := strings.CutSuffix(before, "$"); ok && found {
			t.add(part{text: escaped + "${"}, own)
			text = rest
			continue
		}
		t.add(part{text: before}, own)
		if !found {
			break
		}
		place, after, closed := strings.Cut(rest, "}")
		if !closed {
			return t, badValue("${"+rest, "a } behind it, or $${ for the text itself")
		}
		p, err := v.place(place)
		if err != nil {
			return t, err
		}
		if p.kind == literal {
			t.add(p, filled)
		} else {
			p.text, p.escape = place, filled
			t.parts = append(t.parts, p)
		}
		text = after
	}
	return t, nil
}

// add puts a literal behind the others.
func (t *Template) add(p part, escape escaping) {
	if escape != nil {
		p.text = escape(p.text)
	}
	if n := len(t.parts); n > 0 && t.parts[n-1].kind == literal {
		t.parts[n-1].text += p.text
	} else if p.text != "" {
		t.parts = append(t.parts, p)
	}
}

// mostText bounds a random text: more is a slip of the keyboard.
const mostText = 1 << 20

// place reads what stands between ${ and }.
func (v vocabulary) place(text string) (p part, err error) {
	bad := func(want string) (part, error) { return p, badValue("${"+text+"}", want) }
	words := strings.Fields(text)
	if len(words) == 0 {
		return bad(v.known())
	}
	name, args := words[0], words[1:]
	namespace, member, dotted := strings.Cut(name, ".")
	switch {
	case name == "random.int":
		if len(args) == 2 {
			var err1, err2 error
			p.low, err1 = strconv.ParseInt(args[0], 10, 63)
			p.high, err2 = strconv.ParseInt(args[1], 10, 63)
			if err1 == nil && err2 == nil && p.low <= p.high {
				p.kind = randomInt
				return p, nil
			}
		}
		return bad("two whole numbers, the lower first, as in ${random.int 1 100}")
	case name == "random.choice":
		if p.kind, p.words = randomChoice, args; len(args) == 0 {
			return bad("words to choose from, as in ${random.choice a b c}")
		}
		return p, nil
	case name == "random.text":
		if len(args) == 1 {
			p.high, err = strconv.ParseInt(args[0], 10, 32)
		}
		if p.kind = randomText; len(args) != 1 || err != nil || p.high < 1 || p.high > mostText {
			return bad(fmt.Sprintf("a length of 1 to %d, as in ${random.text 20}", mostText))
		}
		return p, nil
	case len(args) > 0:
		return bad(v.known())
	case name == "random.uuid":
		p.kind = randomUUID
	case name == "user":
		p.kind = userNumber
	case name == "counter":
		p.kind = counterNumber
	case dotted && namespace == "env":
		value, ok := v.getenv(member)
		if !ok {
			return bad("a variable that is set in the environment")
		}
		p.text = value
	case dotted:
		p.kind = feedColumn
		p.number = slices.IndexFunc(v.feeds, func(f Feed) bool { return f.Name == namespace })
		if p.number < 0 {
			return bad(v.known())
		}
		columns := v.feeds[p.number].Columns
		if p.column = slices.Index(columns, member); p.column < 0 && columns != nil { // else it could not be read, which is said already
			return bad("a column of the feed: " + strings.Join(columns, ", "))
		}
	default:
		p.kind = captured
		if p.number = slices.Index(v.captures, name); p.number < 0 {
			return bad(v.known())
		}
	}
	return p, nil
}

// known lists what a place may be.
func (v vocabulary) known() string {
	known := []string{"env.NAME", "user", "counter", "random.int LOW HIGH", "random.choice WORDS", "random.uuid", "random.text LENGTH"}
	for _, f := range v.feeds {
		known = append(known, f.Name+".COLUMN")
	}
	return "one of " + strings.Join(append(known, v.captures...), ", ")
}

// inJSON is text as it stands between the quotes of a JSON string.
func inJSON(s string) string {
	quoted := document.Flow(s)
	return quoted[1 : len(quoted)-1]
}

// inHeader is text as it may stand in the line of a header.
func inHeader(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 {
			return ' '
		}
		return r
	}, s)
}

// inPath is text as it stands in one segment of a path.
func inPath(s string) string { return url.PathEscape(s) }

// inQuery is text as it stands in a query.
func inQuery(s string) string { return url.QueryEscape(s) }
