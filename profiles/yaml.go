package profiles

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// decodeYAML decodes one strict YAML document over the values that out holds.
// The error is one line: where, what was found, what is wrong with it.
func decodeYAML(data []byte, out any) error {
	tokens := lexer.Tokenize(string(data))
	if !hasContent(tokens) {
		return errors.New("the file is empty")
	}
	err := yaml.UnmarshalWithOptions(data, out, yaml.Strict())
	if err == nil {
		return nil
	}
	var located yaml.Error
	if errors.As(err, &located) && located.GetToken() != nil {
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
	// Errors of our own types carry the value but not its place.
	var value *ValueError
	if errors.As(err, &value) {
		for _, t := range tokens {
			if t.Value == value.Got {
				return fmt.Errorf("line %d: %w", t.Position.Line, value)
			}
		}
		return value
	}
	return errors.New(oneLine(err.Error()))
}

func encodeYAML(v any) ([]byte, error) {
	return yaml.MarshalWithOptions(v, yaml.Indent(2), yaml.IndentSequence(true))
}

func describeType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "keys with values"
	default:
		return "text"
	}
}

func hasContent(tokens token.Tokens) bool {
	for _, t := range tokens {
		if t.Type != token.CommentType && strings.TrimSpace(t.Value) != "" {
			return true
		}
	}
	return false
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
