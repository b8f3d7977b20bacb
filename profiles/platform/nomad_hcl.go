package platform

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"headroom/profiles/document"
)

// parseHCL reads a file in HashiCorp's configuration language.
func parseHCL(text []byte) (*hclsyntax.Body, error) {
	file, diags := hclsyntax.ParseConfig(text, "", hcl.InitialPos)
	var problems []document.Problem
	for _, d := range diags {
		if d.Severity != hcl.DiagError {
			continue
		}
		p := document.Problem{Text: "got no valid HCL: " + d.Summary}
		if d.Subject != nil {
			p.Line = d.Subject.Start.Line
		}
		problems = append(problems, p)
	}
	if len(problems) > 0 {
		return nil, document.Join(problems)
	}
	return file.Body.(*hclsyntax.Body), nil
}

// blocks are those of a type in a body.
func blocks(b *hclsyntax.Body, kind string) (out []*hclsyntax.Block) {
	for _, block := range b.Blocks {
		if block.Type == kind {
			out = append(out, block)
		}
	}
	return out
}

// hclReader takes constants out of blocks, and collects what is wrong.
type hclReader struct {
	source   []byte
	problems []document.Problem
	unknown  []Loss
}

// only says which attributes and blocks of a block are none of those that
// there are.
func (r *hclReader) only(b *hclsyntax.Block, key string, known ...string) {
	var found []string
	for name := range b.Body.Attributes {
		found = append(found, name)
	}
	for _, inner := range b.Body.Blocks {
		found = append(found, inner.Type)
	}
	slices.Sort(found)
	for _, name := range slices.Compact(found) {
		if !slices.Contains(known, name) {
			r.unknown = append(r.unknown, unknownKey(key, name, known))
		}
	}
}

func (r *hclReader) bad(at hcl.Range, key, format string, args ...any) {
	var p problems
	p.bad(key, format, args...)
	p[0].Line = at.Start.Line
	r.problems = append(r.problems, p[0])
}

// constant is the value of an attribute as text; ok is false where there is
// none, or none that is known without the variables of the job.
func (r *hclReader) constant(b *hclsyntax.Block, key, name, want string) (text string, at hcl.Range, ok bool) {
	a := b.Body.Attributes[name]
	if a == nil {
		return "", at, false
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() || !v.IsWhollyKnown() {
		r.bad(a.SrcRange, key+name, "got an expression, want %s written out", want)
		return "", a.SrcRange, false
	}
	if v.IsNull() {
		return "", a.SrcRange, false
	}
	if v, err := convert.Convert(v, cty.String); err == nil {
		return v.AsString(), a.SrcRange, true
	}
	r.bad(a.SrcRange, key+name, "got %s, want %s", v.Type().FriendlyName(), want)
	return "", a.SrcRange, false
}

// whole reads an integer of low or more.
func (r *hclReader) whole(b *hclsyntax.Block, key, name string, low int, to *int) (found bool) {
	text, at, ok := r.constant(b, key, name, "a whole number")
	if !ok {
		return false
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > 1e9 {
		r.bad(at, key+name, "got %q, want a whole number of %d or more", text, low)
		return false
	}
	*to = n
	return true
}

// decimal reads a number of 0 or more.
func (r *hclReader) decimal(b *hclsyntax.Block, key, name string, to *float64) (found bool) {
	text, at, ok := r.constant(b, key, name, "a number")
	if !ok {
		return false
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x >= 0 && x < 1e15) {
		r.bad(at, key+name, "got %q, want a number of 0 or more", text)
		return false
	}
	*to = x
	return true
}

// text reads a string, or what is written where it has variables in it.
func (r *hclReader) text(b *hclsyntax.Block, key, name string, to *string) (found bool) {
	a := b.Body.Attributes[name]
	if a == nil {
		return false
	}
	if v, diags := a.Expr.Value(nil); diags.HasErrors() || !v.IsWhollyKnown() {
		at := a.Expr.Range()
		*to = string(at.SliceBytes(r.source))
		return true
	}
	text, _, ok := r.constant(b, key, name, "a string")
	if ok {
		*to = text
	}
	return ok
}

// duration reads a string such as "30s".
func (r *hclReader) duration(b *hclsyntax.Block, key, name string, to *time.Duration) (found bool) {
	text, at, ok := r.constant(b, key, name, "a duration")
	if !ok {
		return false
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.bad(at, key+name, `got %q, want a duration such as "30s"`, text)
		return false
	}
	*to = d
	return true
}

// hclText is a text in HCL, and changes to it: values, attributes and blocks.
// It is not hclwrite's tree that is changed, for what is new in there can only
// be written in a format of its own, the whole file with it; here all other
// bytes stay as they are.
type hclText struct {
	text  []byte
	cuts  []cut
	added map[*hclsyntax.Block]*addition
}

// cut is a span of bytes and what comes in its place.
type cut struct {
	start, end int
	with       string
}

// addition are lines to be added to a block.
type addition struct{ attributes, blocks []string }

func (t *hclText) to(b *hclsyntax.Block) *addition {
	if t.added == nil {
		t.added = map[*hclsyntax.Block]*addition{}
	}
	if t.added[b] == nil {
		t.added[b] = &addition{}
	}
	return t.added[b]
}

// set gives an attribute of a block a value.
func (t *hclText) set(b *hclsyntax.Block, name string, v cty.Value) {
	literal := string(hclwrite.TokensForValue(v).Bytes())
	a := b.Body.Attributes[name]
	if a == nil {
		t.to(b).attributes = append(t.to(b).attributes, name+" = "+literal)
		return
	}
	at := a.Expr.Range()
	if bytes.HasSuffix(t.text[at.Start.Byte:at.End.Byte], []byte("\n")) { // a heredoc
		literal += "\n"
	}
	t.cuts = append(t.cuts, cut{at.Start.Byte, at.End.Byte, literal})
}

// unset removes an attribute.
func (t *hclText) unset(b *hclsyntax.Block, name string) {
	if a := b.Body.Attributes[name]; a != nil {
		t.drop(a.SrcRange)
	}
}

// remove removes a block.
func (t *hclText) remove(b *hclsyntax.Block) { t.drop(b.Range()) }

// drop cuts a range out, with its lines where nothing else stands on them.
func (t *hclText) drop(at hcl.Range) {
	start, end := at.Start.Byte, at.End.Byte
	first, last := t.lineStart(start), t.lineEnd(end)
	if len(bytes.TrimSpace(t.text[first:start])) == 0 && len(bytes.TrimSpace(t.text[end:last])) == 0 {
		start, end = first, min(last+1, len(t.text))
		// A blank line in front goes too.
		if before := t.lineStart(start - 1); start > 0 && len(bytes.TrimSpace(t.text[before:start])) == 0 {
			start = before
		}
	}
	t.cuts = append(t.cuts, cut{start, end, ""})
}

// add puts a block at the end of another.
func (t *hclText) add(b *hclsyntax.Block, block *hclwrite.Block) {
	t.to(b).blocks = append(t.to(b).blocks, rendered(block)...)
}

// replace puts a block in the place of another.
func (t *hclText) replace(old *hclsyntax.Block, block *hclwrite.Block) {
	at := old.Range()
	lines := rendered(block)
	for i := range lines {
		if i > 0 && lines[i] != "" {
			lines[i] = t.indent(at.Start.Byte) + lines[i]
		}
	}
	t.cuts = append(t.cuts, cut{at.Start.Byte, at.End.Byte, strings.Join(lines, "\n")})
}

// rendered are the lines of a new block.
func rendered(block *hclwrite.Block) []string {
	file := hclwrite.NewEmptyFile()
	file.Body().AppendBlock(block)
	return strings.Split(strings.TrimRight(string(hclwrite.Format(file.Bytes())), "\n"), "\n")
}

// bytes is the text with all changes made.
func (t *hclText) bytes() []byte {
	for _, b := range slices.SortedFunc(maps.Keys(t.added), func(a, b *hclsyntax.Block) int {
		return cmp.Compare(a.OpenBraceRange.Start.Byte, b.OpenBraceRange.Start.Byte)
	}) {
		t.insert(b, t.added[b])
	}
	return splice(t.text, t.cuts)
}

// splice makes cuts, which must not overlap.
func splice(text []byte, cuts []cut) []byte {
	slices.SortStableFunc(cuts, func(a, b cut) int { return cmp.Compare(a.start, b.start) })
	var out []byte
	end := 0
	for _, c := range cuts {
		out = append(append(out, text[end:max(end, c.start)]...), c.with...)
		end = max(end, c.end)
	}
	return append(out, text[end:]...)
}

// insert turns the lines for a block into cuts: attributes after the last one
// that is there, blocks at the end. A block on one line is spread over
// several, as it may hold no more than one attribute.
func (t *hclText) insert(b *hclsyntax.Block, more *addition) {
	open, end := b.OpenBraceRange.End.Byte, b.CloseBraceRange.Start.Byte
	indent := t.indent(b.TypeRange.Start.Byte)
	inner := indent + "  "
	lines := func(of []string) string {
		var s strings.Builder
		for _, line := range of {
			if line != "" {
				line = inner + line
			}
			s.WriteString(line + "\n")
		}
		return s.String()
	}
	var last *hclsyntax.Attribute
	for _, a := range b.Body.Attributes {
		if last == nil || a.SrcRange.Start.Byte > last.SrcRange.Start.Byte {
			last = a
		}
	}
	if b.OpenBraceRange.Start.Line == b.CloseBraceRange.Start.Line {
		if last != nil {
			t.cuts = append(t.cuts, cut{open, last.SrcRange.Start.Byte, "\n" + inner})
			open = last.SrcRange.End.Byte
		}
		t.cuts = append(t.cuts, cut{open, end, "\n" + lines(more.attributes) + lines(more.blocks) + indent})
		return
	}
	after := t.lineEnd(open) + 1
	if last != nil {
		inner = t.indent(last.SrcRange.Start.Byte)
		after = last.SrcRange.End.Byte
		if t.text[after-1] != '\n' {
			after = t.lineEnd(after) + 1
		}
	}
	if len(more.attributes) > 0 {
		t.cuts = append(t.cuts, cut{after, after, lines(more.attributes)})
	}
	if len(more.blocks) > 0 {
		at, gap := t.lineStart(end), ""
		if len(b.Body.Attributes)+len(b.Body.Blocks)+len(more.attributes) > 0 {
			gap = "\n"
		}
		t.cuts = append(t.cuts, cut{at, at, gap + lines(more.blocks)})
	}
}

func (t *hclText) lineStart(at int) int { return bytes.LastIndexByte(t.text[:max(at, 0)], '\n') + 1 }

func (t *hclText) lineEnd(at int) int {
	if i := bytes.IndexByte(t.text[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(t.text)
}

// indent is the white space before what stands first on a line.
func (t *hclText) indent(at int) string {
	line := t.text[t.lineStart(at):at]
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}
