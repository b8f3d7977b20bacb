package profiles

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// DraftOfOpenAPI makes a scenario of an OpenAPI 3 document, a task an
// operation. Values are its examples and defaults where it has some, and
// random ones of their type otherwise. Optional parameters are left out.
func DraftOfOpenAPI(data []byte) (d Draft, err error) {
	defer func() { // the library panics on some malformed input
		if recover() != nil {
			d, err = Draft{}, errors.New("the file is not a valid OpenAPI document")
		}
	}()
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return Draft{}, fmt.Errorf("the file is not an OpenAPI document: %w", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.") {
		return Draft{}, fmt.Errorf("the file is not an OpenAPI document: got openapi %q, want 3.0 or later", doc.OpenAPI)
	}
	prefix := d.server(doc.Servers)
	changing := 0
	items := doc.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(items)) {
		operations := items[path].Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			o := operations[method]
			t := DraftTask{Name: verbatim(method + " " + path), Method: method}
			t.operation(prefix+path, append(slices.Clone(items[path].Parameters), o.Parameters...))
			if o.RequestBody != nil && o.RequestBody.Value != nil {
				t.body(o.RequestBody.Value)
			}
			if !isPath(t.Path) || !isToken(method) {
				d.Notes = append(d.Notes, fmt.Sprintf("left out %s %s: it cannot be a path", method, path))
				continue
			}
			if method == "PUT" || method == "PATCH" || method == "DELETE" || method == "POST" {
				changing++
			}
			d.Tasks = append(d.Tasks, t)
		}
	}
	if len(d.Tasks) == 0 {
		return Draft{}, errors.New("the document has no operation under paths, want one or more")
	}
	if changing > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%s may change what the service keeps: look through the tasks", Plural(changing, "task", "tasks")))
	}
	d.warnOfSecrets()
	return d, nil
}

// server takes the target from the first server that is a whole URL, and
// returns its path.
func (d *Draft) server(servers openapi3.Servers) (prefix string) {
	for _, s := range servers {
		u, err := url.Parse(s.URL)
		if err != nil || u.Host == "" || ValidateTarget(u.Scheme+"://"+u.Host) != nil {
			continue
		}
		d.Target = u.Scheme + "://" + u.Host
		return verbatim(strings.TrimSuffix(u.EscapedPath(), "/"))
	}
	return ""
}

// operation fills in the parameters that are needed.
func (t *DraftTask) operation(path string, parameters openapi3.Parameters) {
	segments := path
	var query, named []string
	for _, ref := range parameters {
		p := ref.Value
		if p == nil {
			continue
		}
		text := sampleText(p.Schema, p.Example)
		switch {
		case p.In == openapi3.ParameterInPath:
			segments = strings.ReplaceAll(segments, "{"+p.Name+"}", text)
		case p.In == openapi3.ParameterInQuery && p.Required && !slices.Contains(named, p.Name):
			named = append(named, p.Name)
			query = append(query, url.QueryEscape(p.Name)+"="+text)
		case p.In == openapi3.ParameterInHeader && p.Required && isToken(p.Name):
			t.Headers = append(t.Headers, DraftField{canonical(p.Name), inHeader(text)})
		}
	}
	if t.Path = segments; len(query) > 0 {
		t.Path += "?" + strings.Join(query, "&")
	}
}

// body takes the JSON body of an operation.
func (t *DraftTask) body(b *openapi3.RequestBody) {
	media := b.Content.Get("application/json")
	if media == nil {
		return
	}
	if text, err := json.Marshal(sample(media.Schema, media.Example, 0)); err == nil {
		t.JSON = text
	}
}

// sampleText is a value as it stands in a path, a query or a header.
func sampleText(schema *openapi3.SchemaRef, example any) string {
	value := sample(schema, example, 0)
	text, ok := value.(string)
	switch {
	case ok && places.MatchString(text) && !strings.HasPrefix(text, "$$"):
		return text
	case !ok:
		encoded, _ := json.Marshal(value) // what cannot be encoded is left empty
		text = string(encoded)
	}
	return url.QueryEscape(text)
}

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
