package profiles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// mostNested bounds how deep schemas are followed, as they may be circular.
const mostNested = 6

// sample is a value of a schema whose strings are templates.
func sample(ref *openapi3.SchemaRef, example any, depth int) any {
	if example != nil {
		return verbatimTree(example)
	}
	if ref == nil || ref.Value == nil || depth > mostNested {
		return nil
	}
	s := ref.Value
	switch {
	case s.Example != nil:
		return verbatimTree(s.Example)
	case len(s.Examples) > 0:
		return verbatimTree(s.Examples[0])
	case s.Const != nil:
		return verbatimTree(s.Const)
	case s.Default != nil:
		return verbatimTree(s.Default)
	case len(s.Enum) > 0:
		return verbatimTree(s.Enum[0])
	case len(s.AllOf) > 0:
		return sampleAll(s.AllOf, depth)
	case len(s.AnyOf) > 0:
		return sample(s.AnyOf[0], nil, depth+1)
	case len(s.OneOf) > 0:
		return sample(s.OneOf[0], nil, depth+1)
	}
	return sampleType(s, depth)
}

func sampleType(s *openapi3.Schema, depth int) any {
	is := func(name string) bool { return s.Type != nil && s.Type.Includes(name) }
	switch {
	case is("object") || len(s.Properties) > 0:
		object := map[string]any{}
		for name, property := range s.Properties {
			object[verbatim(name)] = sample(property, nil, depth+1)
		}
		return object
	case is("array"):
		return []any{sample(s.Items, nil, depth+1)}
	case is("integer"):
		low, high := bounds(s)
		return fmt.Sprintf("${random.int %d %d}", low, high)
	case is("number"):
		low, _ := bounds(s)
		return float64(low)
	case is("boolean"):
		return true
	case is("string") && s.Format == "uuid":
		return "${random.uuid}"
	case is("string"):
		return "${random.text 8}"
	}
	return nil
}

// sampleAll is an object with the keys of several.
func sampleAll(parts openapi3.SchemaRefs, depth int) any {
	all := map[string]any{}
	for _, part := range parts {
		object, ok := sample(part, nil, depth+1).(map[string]any)
		if !ok && len(parts) == 1 {
			return sample(part, nil, depth+1)
		}
		maps.Copy(all, object)
	}
	return all
}

// bounds are the whole numbers that a schema allows: 1 to 100, where it does
// not say.
func bounds(s *openapi3.Schema) (low, high int64) {
	const most = 1e15
	low = 1
	if s.Min != nil {
		low = int64(max(-most, min(most, math.Ceil(*s.Min))))
	}
	high = max(low, 100)
	if s.Max != nil {
		high = int64(max(-most, min(most, math.Floor(*s.Max))))
	}
	if s.Min == nil {
		low = min(low, high)
	}
	return low, max(low, high)
}

// verbatimTree is a value whose strings stand for themselves.
func verbatimTree(value any) any {
	switch v := value.(type) {
	case string:
		return verbatim(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = verbatimTree(v[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for name, inner := range v {
			out[name] = verbatimTree(inner)
		}
		return out
	}
	return value
}

// encode is a value as JSON, without the escapes that HTML needs.
func encode(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// anyText is the sample of what may be anything.
const anyText = "${random.text 8}"

// firstExample is the only example, or the first of several by their names.
func firstExample(only any, several openapi3.Examples) any {
	for _, name := range slices.Sorted(maps.Keys(several)) {
		if e := several[name]; only == nil && e != nil && e.Value != nil {
			only = e.Value.Value
		}
	}
	return only
}

// sampleValues are the values of a parameter, more than one where it is a
// list; none where it is an object, which has no one way to be written.
func sampleValues(p *openapi3.Parameter) []any {
	schema := p.Schema
	for _, media := range p.Content {
		if media != nil && schema == nil {
			encoded, _ := encode(sample(media.Schema, firstExample(media.Example, media.Examples), 0))
			return []any{string(encoded)}
		}
	}
	switch v := sample(schema, firstExample(p.Example, p.Examples), 0).(type) {
	case nil:
		return []any{anyText}
	case map[string]any:
		return nil
	case []any:
		return v
	default:
		return []any{v}
	}
}

// sampleText writes a sample as a template whose own text goes through escape.
func sampleText(value any, escape escaping) string {
	text, ok := value.(string)
	if !ok {
		encoded, _ := encode(value) // what cannot be encoded is left empty
		text = string(encoded)
	}
	t, err := vocabulary{}.parse(text, func(own string) string { return verbatim(escape(own)) }, nil)
	if err != nil {
		return ""
	}
	return t.String()
}

// sampleList writes samples with commas between them.
func sampleList(values []any, escape escaping) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = sampleText(v, escape)
	}
	return strings.Join(texts, ",")
}

// sampleForm writes an object as a form: what its schema requires, or all of
// it where that does not say.
func sampleForm(value any, schema *openapi3.SchemaRef) string {
	object, _ := value.(map[string]any)
	var required, pairs []string
	if schema != nil && schema.Value != nil {
		required = schema.Value.Required
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if len(required) == 0 || slices.ContainsFunc(required, func(r string) bool { return verbatim(r) == name }) {
			pairs = append(pairs, sampleText(name, url.QueryEscape)+"="+sampleText(object[name], url.QueryEscape))
		}
	}
	return strings.Join(pairs, "&")
}
