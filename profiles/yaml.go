package profiles

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// decodeYAML decodes one strict YAML document over the values that out holds.
// What stands under the keys of counts must be whole. The error is one line:
// where, what was found, what is wrong with it.
func decodeYAML(data []byte, out any, counts ...string) (err error) {
	defer func() { // the library panics on some malformed input, such as a lone tag
		if recover() != nil {
			err = errors.New("the file is not valid YAML")
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return locate(err)
	}
	var document ast.Node
	for _, d := range file.Docs {
		switch body := d.Body.(type) {
		case nil, *ast.CommentGroupNode, *ast.NullNode:
		default:
			if document != nil {
				return fmt.Errorf("line %d: a second document, want one", body.GetToken().Position.Line)
			}
			document = body
		}
	}
	if document == nil {
		return errors.New("the file is empty")
	}
	fractions := &fractions{counts: counts}
	if ast.Walk(fractions, document); fractions.err != nil {
		return fractions.err
	}
	return locate(yaml.NodeToValue(document, out, yaml.Strict()))
}

// fractions looks for what the library would cut off in silence: 1.5
// replicas, or "1.5" of them. What is opaque to us it leaves alone.
type fractions struct {
	counts []string // the keys that count something
	err    error
}

func (f *fractions) Visit(n ast.Node) ast.Visitor {
	entry, ok := n.(*ast.MappingValueNode)
	if !ok {
		return f
	}
	key := entry.Key.GetToken().Value
	if key == "platforms" {
		return nil
	}
	if !slices.Contains(f.counts, key) || f.err != nil {
		return f
	}
	t := entry.Value.GetToken()
	_, notNumber := strconv.ParseFloat(t.Value, 64)
	_, notWhole := strconv.Atoi(t.Value)
	if notNumber == nil && notWhole != nil {
		f.err = fmt.Errorf("line %d: got %q, want a whole number", t.Position.Line, t.Value)
	}
	return f
}

// locate turns an error of the library into one line; errors of our own types
// have theirs from decodeText.
func locate(err error) error {
	var own *ValueError
	if err == nil || errors.As(err, &own) {
		return err
	}
	var located yaml.Error
	if !errors.As(err, &located) || located.GetToken() == nil {
		return fmt.Errorf("the file is not valid YAML: %s", oneLine(err.Error()))
	}
	t := located.GetToken()
	got := strings.TrimSpace(t.Value)
	var unknown *yaml.UnknownFieldError
	var wrongType *yaml.TypeError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("line %d: unknown key %q", t.Position.Line, got)
	case errors.As(err, &wrongType):
		return fmt.Errorf("line %d: got %q, want %s", t.Position.Line, got, describeType(wrongType.DstType))
	}
	return fmt.Errorf("line %d: got %q: %s", t.Position.Line, got, oneLine(located.GetMessage()))
}

// decodeText decodes any single value of YAML into a type that reads text,
// and says on which line what it refuses stands. A number is read as it is
// written: the library would take it through a float64.
func decodeText(decode func(any) error, out encoding.TextUnmarshaler) error {
	var node ast.Node
	var text string
	if err := errors.Join(decode(&node), decode(&text)); err != nil {
		return err
	}
	switch node.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		text = node.GetToken().Value
	}
	if err := out.UnmarshalText([]byte(text)); err != nil {
		return fmt.Errorf("line %d: %w", node.GetToken().Position.Line, err)
	}
	return nil
}

func encodeYAML(v any) ([]byte, error) {
	return yaml.MarshalWithOptions(v, yaml.Indent(2), yaml.IndentSequence(true))
}

func describeType(t reflect.Type) string {
	if t.Kind() == reflect.Int {
		return "a whole number"
	}
	return "a single value"
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
