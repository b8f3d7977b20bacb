package platform

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"headroom/profiles"
	"headroom/profiles/document"
)

// What the platforms that are written as Kubernetes objects share.

// fields is a mapping that keeps the order of its keys: key, value, key,
// value, and so on.
func fields(pairs ...any) yaml.MapSlice {
	var out yaml.MapSlice
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, yaml.MapItem{Key: pairs[i], Value: pairs[i+1]})
	}
	return out
}

// newObject is a new document. What the options name and YAML would take for
// something else is quoted.
func newObject(apiVersion, kind string, rest yaml.MapSlice) string {
	edits := []document.Edit{{Path: "kind", Value: kind}}
	for _, item := range rest {
		edits = append(edits, document.Edit{Path: fmt.Sprint(item.Key), Value: item.Value})
	}
	text, err := document.Apply([]byte("apiVersion: "+apiVersion+"\n"), 0, edits...)
	if err != nil { // a name that YAML cannot hold; what is written then will not be read
		return ""
	}
	return string(text)
}

// metadata names an object.
func (w *writer) metadata() yaml.MapSlice {
	out := fields("name", w.name())
	if w.options.Namespace != "" {
		out = append(out, fields("namespace", w.options.Namespace)...)
	}
	return out
}

// isNew reports whether the export begins with an empty document of the
// platform, where a default that happens to be right is still written out.
func (w *writer) isNew(platform string) bool {
	_, kept := w.policy.Platforms[platform]
	return w.options.Base == nil && !kept
}

// noteOnce is note, unless it has been said.
func (w *writer) noteOnce(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.notes, text) {
		w.notes = append(w.notes, text)
	}
}

// theObject is the only object of a group and kind in a file.
func theObject(text []byte, group, kind string) (document.Document, error) {
	docs, err := document.Split(text)
	if err != nil {
		return document.Document{}, err
	}
	var found []document.Document
	for _, d := range docs {
		var o object
		if _, err := d.Decode(&o, document.Lax); err == nil && o.is(group, kind) {
			found = append(found, d)
		}
	}
	if len(found) != 1 {
		return document.Document{}, fmt.Errorf("got %d objects of kind %s in the file, want one", len(found), kind)
	}
	return found[0], nil
}

// wholeSeconds is a duration where the platform has no parts of a second.
func (w *writer) wholeSeconds(key string, d profiles.Duration) int {
	if d.Std()%time.Second != 0 {
		w.refuse(key, "got %s, want whole seconds", d)
	}
	return int(d.Std() / time.Second)
}

// listEdit collects the changes of a list in a document, of which some
// elements are ours and some are left alone.
type listEdit struct {
	path    string
	length  int
	patches []document.Edit
	dropped []int
	added   []any
}

// set changes a value within an element.
func (l *listEdit) set(at int, path string, value any) {
	l.patches = append(l.patches, document.Edit{Path: l.element(at) + "/" + path, Value: value})
}

func (l *listEdit) drop(at int) { l.dropped = append(l.dropped, at) }

func (l *listEdit) add(element any) { l.added = append(l.added, element) }

func (l *listEdit) element(at int) string { return l.path + "/" + strconv.Itoa(at) }

// edits are in an order in which no change moves what a later one means.
func (l *listEdit) edits() []document.Edit {
	rest := l.length - len(l.dropped)
	if rest == 0 && len(l.added) > 0 {
		return []document.Edit{{Path: l.path, Value: l.added}}
	}
	out := l.patches
	slices.Sort(l.dropped)
	for _, at := range slices.Backward(l.dropped) {
		out = append(out, document.Edit{Path: l.element(at)})
	}
	for i, v := range l.added {
		out = append(out, document.Edit{Path: l.element(rest + i), Value: v})
	}
	return out
}

// quantity is a number as Kubernetes writes it (500m, 10, 1e3, 128Mi), exact
// in thousandths.
type quantity int64

var (
	quantityForm  = regexp.MustCompile(`^[+-]?(\d{1,18}\.?\d{0,18}|\.\d{1,18})([eE][+-]?\d{1,2}|[numkMGTPE]|[KMGTPE]i)?$`)
	quantityParts = regexp.MustCompile(`^([+-]?[\d.]+)(.*)$`)
)

// powers are the suffixes: powers of ten, and of 1024 with an i.
var powers = map[string]int64{"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}

// UnmarshalText reads a quantity. Below a thousandth it rounds up, as
// Quantity.MilliValue in apimachinery does.
func (q *quantity) UnmarshalText(b []byte) error {
	bad := fmt.Errorf("got %q, want a quantity such as 10, 500m or 128Mi", b)
	if !quantityForm.Match(b) {
		return bad
	}
	parts := quantityParts.FindStringSubmatch(string(b))
	number, ok := new(big.Rat).SetString(strings.TrimSuffix(parts[1], "."))
	if !ok {
		return bad
	}
	suffix := parts[2]
	if base, binary := strings.CutSuffix(suffix, "i"); binary {
		steps := strings.Index("KMGTPE", base) + 1
		number.Mul(number, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), uint(10*steps))))
	} else {
		exponent, known := powers[suffix]
		if !known {
			exponent, _ = strconv.ParseInt(suffix[1:], 10, 64)
		}
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(max(exponent, -exponent)), nil)
		if exponent < 0 {
			number.Quo(number, new(big.Rat).SetInt(scale))
		} else {
			number.Mul(number, new(big.Rat).SetInt(scale))
		}
	}
	number.Mul(number, big.NewRat(1000, 1))
	milli, rest := new(big.Int).QuoRem(number.Num(), number.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		milli.Add(milli, big.NewInt(1))
	}
	if !milli.IsInt64() {
		return errors.New("got " + string(b) + ", want at most 9Pi")
	}
	*q = quantity(milli.Int64())
	return nil
}

// quantityText is a number as kubectl shows it.
func quantityText(m profiles.Milli) string {
	if m.Whole() {
		return m.String()
	}
	return strconv.FormatInt(int64(m), 10) + "m"
}
