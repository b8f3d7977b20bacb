package platform

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"headroom/profiles/document"
)

// tomlFile is a file in TOML with the places of its values, so that one of
// them can be changed without a touch on the rest.
type tomlFile struct {
	text     []byte
	values   []tomlValue
	tables   []tomlTable
	comments []span // without the line end
}

// span is a range of bytes, without the one at end.
type span struct{ start, end int }

// tomlValue is a scalar, or a list, which has no value here.
type tomlValue struct {
	path  string // such as services.0.concurrency.type
	line  int
	at    span // of the value; for a list that of the whole entry
	entry int  // where the entry ends, with all that is around it in braces
	table int  // in which it stands; -1: at the top
	kind  unstable.Kind
	data  string
}

// tomlTable is a table in brackets or in braces.
type tomlTable struct {
	path   string
	at     span // in brackets: the header; in braces: up to the last value in there
	inline bool
	used   bool // in braces: there is a value
}

// parseTOML reads a file. The error is one line.
func parseTOML(text []byte) (*tomlFile, error) {
	var whole map[string]any
	if err := toml.Unmarshal(text, &whole); err != nil {
		p := document.Problem{Text: "got no valid TOML: " + strings.TrimPrefix(err.Error(), "toml: ")}
		var located *toml.DecodeError
		if errors.As(err, &located) {
			p.Line, _ = located.Position()
		}
		return nil, p
	}
	f := &tomlFile{text: text}
	p := unstable.Parser{KeepComments: true}
	p.Reset(text)
	lists := map[string]int{} // how many tables each list of tables has so far
	table, prefix := -1, ""
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Comment:
			f.comments = append(f.comments, spanOf(e.Raw))
		case unstable.Table, unstable.ArrayTable:
			at, path := f.named(e, lists)
			if e.Kind == unstable.ArrayTable {
				path += "." + strconv.Itoa(lists[path])
				lists[path[:strings.LastIndex(path, ".")]]++
			}
			f.tables = append(f.tables, tomlTable{path: path, at: at})
			table, prefix = len(f.tables)-1, path
			f.trailing(at.end)
		case unstable.KeyValue:
			f.add(e, prefix, table, spanOf(e.Raw).end)
			f.trailing(spanOf(e.Raw).end)
		}
	}
	return f, p.Error()
}

func spanOf(r unstable.Range) span {
	return span{int(r.Offset), int(r.Offset) + int(r.Length)}
}

// named is the place and the path of a table in brackets. Of a list of tables
// on the way the last is meant.
func (f *tomlFile) named(e *unstable.Node, lists map[string]int) (at span, path string) {
	for key := e.Key(); key.Next(); {
		if n := lists[path]; n > 0 {
			path += "." + strconv.Itoa(n-1)
		}
		if at.start == 0 && at.end == 0 {
			at = spanOf(key.Node().Raw)
		}
		at.end = spanOf(key.Node().Raw).end
		path = joined(path, string(key.Node().Data))
	}
	at.start = f.lineStart(at.start)
	for at.end < len(f.text) && strings.IndexByte(" \t]", f.text[at.end]) >= 0 {
		at.end++
	}
	return at, path
}

func joined(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// add takes over an entry that stands in another, up to end, or is that; and
// those of a table in braces.
func (f *tomlFile) add(e *unstable.Node, prefix string, table, end int) {
	path := prefix
	for key := e.Key(); key.Next(); {
		path = joined(path, string(key.Node().Data))
	}
	v, at := e.Value(), spanOf(e.Raw)
	if v.Kind != unstable.InlineTable {
		value := tomlValue{path: path, line: f.line(at.start), at: spanOf(v.Raw), entry: end, table: table, kind: v.Kind, data: string(v.Data)}
		if value.at.end == value.at.start {
			value.at = at
		}
		f.values = append(f.values, value)
		return
	}
	open := spanOf(v.Raw)
	f.tables = append(f.tables, tomlTable{path: path, at: open, inline: true})
	mine := len(f.tables) - 1
	for it := v.Children(); it.Next(); {
		if child := it.Node(); child.Kind == unstable.KeyValue {
			f.add(child, path, mine, end)
			f.tables[mine].at.end, f.tables[mine].used = spanOf(child.Raw).end, true
		}
	}
}

// trailing keeps a comment that follows on the same line.
func (f *tomlFile) trailing(at int) {
	rest := f.text[at:f.lineEnd(at)]
	if blank := len(rest) - len(bytes.TrimLeft(rest, " \t")); bytes.HasPrefix(rest[blank:], []byte("#")) {
		f.comments = append(f.comments, span{at + blank, at + len(rest)})
	}
}

func (f *tomlFile) line(at int) int { return 1 + bytes.Count(f.text[:at], []byte("\n")) }

func (f *tomlFile) lineStart(at int) int { return bytes.LastIndexByte(f.text[:at], '\n') + 1 }

func (f *tomlFile) lineEnd(at int) int {
	line, _, _ := bytes.Cut(f.text[at:], []byte("\n"))
	return at + len(bytes.TrimSuffix(line, []byte("\r")))
}

// value finds a scalar by its path.
func (f *tomlFile) value(path string) (tomlValue, bool) {
	for _, v := range f.values {
		if v.path == path {
			return v, true
		}
	}
	return tomlValue{}, false
}

// has reports whether there is a table of that path, or anything in it.
func (f *tomlFile) has(path string) bool {
	if _, ok := f.table(path); ok {
		return true
	}
	for _, v := range f.values {
		if strings.HasPrefix(v.path, path+".") {
			return true
		}
	}
	return false
}

// assignment is a key and a value as it is written.
type assignment struct{ key, literal string }

// set are the cuts that give keys of a table values. Where the table is not
// there yet, it comes after the values of the table around it.
func (f *tomlFile) set(table string, of ...assignment) (cuts []cut) {
	var added []string
	for _, a := range of {
		if v, ok := f.value(table + "." + a.key); ok {
			cuts = append(cuts, cut{v.at.start, v.at.end, a.literal})
		} else {
			added = append(added, a.key+" = "+a.literal)
		}
	}
	if len(added) > 0 {
		cuts = append(cuts, f.insert(table, added))
	}
	return cuts
}

// insert is the cut that adds lines to a table, wherever and however it is
// written.
func (f *tomlFile) insert(table string, lines []string) cut {
	if t, ok := f.table(table); ok {
		return f.append(t, "", lines)
	}
	if t, ok := f.dotted(table); ok { // as in concurrency.type = "requests"
		return f.append(t, relative(table, t.path), lines)
	}
	around, name := cutLast(table)
	if t, ok := f.table(around); ok && t.inline {
		return f.append(t, name+".", lines)
	} else if ok {
		return f.header(table, t, lines)
	}
	if t, ok := f.dotted(around); ok {
		return f.append(t, relative(table, t.path), lines)
	}
	return f.header(table, tomlTable{at: span{end: len(f.text)}}, lines)
}

// header is the cut that adds a table in brackets, after the values of
// another.
func (f *tomlFile) header(table string, after tomlTable, lines []string) cut {
	at, indent := f.end(after)
	var path []string
	for _, key := range strings.Split(table, ".") {
		if _, err := strconv.Atoi(key); err != nil { // a place in a list of tables
			path = append(path, key)
		}
	}
	text := "\n\n" + indent + "[" + strings.Join(path, ".") + "]\n" + indent + "  " + strings.Join(lines, "\n"+indent+"  ")
	return cut{at, at, text}
}

// append adds lines after the last value of a table, each with a prefix.
func (f *tomlFile) append(t tomlTable, prefix string, lines []string) cut {
	if t.inline {
		text := prefix + strings.Join(lines, ", "+prefix)
		if t.used {
			return cut{t.at.end, t.at.end, ", " + text}
		}
		return cut{t.at.end, t.at.end, " " + text + " "}
	}
	at, indent := f.end(t)
	lead := "\n" + indent + prefix
	return cut{at, at, lead + strings.Join(lines, lead)}
}

// table finds a table in brackets or in braces.
func (f *tomlFile) table(path string) (tomlTable, bool) {
	for _, t := range f.tables {
		if t.path == path {
			return t, true
		}
	}
	return tomlTable{}, false
}

// dotted finds the table in which another one is written with dotted keys, up
// to the last of these; the top of the file is one without a path.
func (f *tomlFile) dotted(table string) (found tomlTable, ok bool) {
	for _, v := range f.values {
		switch {
		case !strings.HasPrefix(v.path, table+"."):
		case v.table < 0:
			found, ok = tomlTable{at: span{v.at.start, v.entry}}, true
		case strings.HasPrefix(table, f.tables[v.table].path+"."):
			found, ok = f.tables[v.table], true
		}
	}
	return found, ok
}

// relative is the beginning of a dotted key in a table that leads to another.
func relative(table, from string) string {
	if from == "" {
		return table + "."
	}
	return strings.TrimPrefix(table, from+".") + "."
}

func cutLast(path string) (before, last string) {
	i := strings.LastIndex(path, ".")
	return path[:max(i, 0)], path[i+1:]
}

// end is the end of the line of the last value that stands in a table in
// brackets itself, or of its header, and the indentation there.
func (f *tomlFile) end(t tomlTable) (at int, indent string) {
	at, indent = f.lineEnd(t.at.end), f.indent(t.at.start)
	if t.path == "" {
		return at, indent
	}
	for _, v := range f.values {
		if f.holder(v.table).at == t.at && f.lineEnd(v.entry) >= at {
			at, indent = f.lineEnd(v.entry), f.indent(v.entry)
		}
	}
	return at, indent
}

// holder is the table in brackets around a table in braces.
func (f *tomlFile) holder(table int) tomlTable {
	for table >= 0 && f.tables[table].inline {
		table--
	}
	if table < 0 {
		return tomlTable{}
	}
	return f.tables[table]
}

// indent is the white space at the start of a line.
func (f *tomlFile) indent(at int) string {
	line := f.text[f.lineStart(at):f.lineEnd(at)]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}

// comment is the cut that puts a comment on a line of its own: above a value,
// or else under the header of its table, or at the top of the file.
func (f *tomlFile) comment(table, key, text string) cut {
	text = "# " + text + "\n"
	if v, ok := f.value(table + "." + key); ok && (v.table < 0 || !f.tables[v.table].inline) {
		at := f.lineStart(v.at.start)
		return cut{at, at, f.indent(at) + text}
	}
	if t, ok := f.table(table); ok && !t.inline && f.lineEnd(t.at.end) < len(f.text) {
		at := f.lineEnd(t.at.end)
		at += bytes.IndexByte(f.text[at:], '\n') + 1
		return cut{at, at, f.indent(t.at.start) + "  " + text}
	}
	return cut{0, 0, text}
}
