package profiles

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
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
		return Draft{}, fmt.Errorf("the file is not a valid OpenAPI document: %w", err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.") {
		return Draft{}, fmt.Errorf("got openapi %q, want 3.0 or later", doc.OpenAPI)
	}
	prefix := d.server(doc.Servers)
	changing, secrets := 0, map[string]int{}
	items := doc.Paths.Map()
	for _, path := range slices.Sorted(maps.Keys(items)) {
		operations := items[path].Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			o := operations[method]
			t := DraftTask{Name: verbatim(method + " " + path), Method: method}
			left := t.parameters(prefix, path, slices.Concat(items[path].Parameters, o.Parameters))
			if o.RequestBody != nil && o.RequestBody.Value != nil {
				left = append(left, t.body(o.RequestBody.Value)...)
			}
			if !isPath(t.Path) || !isToken(method) {
				d.Notes = append(d.Notes, fmt.Sprintf("left out %s %s: it cannot be a path", method, path))
				continue
			}
			for _, what := range left {
				d.Notes = append(d.Notes, fmt.Sprintf("%s %s: left out %s", method, path, what))
			}
			if method == "PUT" || method == "PATCH" || method == "DELETE" || method == "POST" {
				changing++
			}
			for _, name := range schemesOf(doc, o) {
				secrets[name]++
			}
			d.Tasks = append(d.Tasks, t)
		}
	}
	if len(d.Tasks) == 0 {
		return Draft{}, errors.New("the document has no operation under paths, want one or more")
	}
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		d.Notes = append(d.Notes, fmt.Sprintf("left out the secret of %q, which %s: give it with %s",
			name, Plural(secrets[name], "task wants", "tasks want"), secretFlag(doc, name)))
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

// pathParameter is one in a path of a document.
var pathParameter = regexp.MustCompile(`\$?\{[^{}]*\}`)

// parameters fills in those that are needed, those of an operation instead of
// those of its path. It returns what it leaves out.
func (t *DraftTask) parameters(prefix, path string, all openapi3.Parameters) (left []string) {
	segments := map[string]string{}
	var query []string
	for i, ref := range all {
		p := ref.Value
		if p == nil || slices.ContainsFunc(all[i+1:], func(later *openapi3.ParameterRef) bool {
			return later.Value != nil && later.Value.In == p.In && later.Value.Name == p.Name
		}) {
			continue
		}
		values := sampleValues(p)
		switch {
		case p.In == openapi3.ParameterInPath:
			segments["{"+p.Name+"}"] = sampleList(values, url.PathEscape)
		case !p.Required:
		case values == nil:
			left = append(left, fmt.Sprintf("the object %q of the %s", p.Name, p.In))
		case p.In == openapi3.ParameterInQuery:
			name := url.QueryEscape(p.Name) + "="
			if p.Explode != nil && !*p.Explode {
				query = append(query, name+sampleList(values, url.QueryEscape))
				continue
			}
			for _, v := range values {
				query = append(query, name+sampleText(v, url.QueryEscape))
			}
		case p.In == openapi3.ParameterInHeader:
			t.setHeader(p.Name, sampleList(values, inHeader))
		default:
			left = append(left, fmt.Sprintf("the %s %q", p.In, p.Name))
		}
	}
	t.Path = prefix + pathParameter.ReplaceAllStringFunc(path, func(place string) string {
		name := strings.TrimPrefix(place, "$")
		value, ok := segments[name]
		if !ok {
			value = anyText
		}
		return url.PathEscape(place[:len(place)-len(name)]) + value
	})
	if len(query) > 0 {
		t.Path += "?" + strings.Join(query, "&")
	}
	return left
}

// body takes the body of an operation, in the first of the forms that a
// scenario has. It returns what it leaves out.
func (t *DraftTask) body(b *openapi3.RequestBody) (left []string) {
	types := slices.SortedFunc(maps.Keys(b.Content), func(x, y string) int {
		return cmp.Or(cmp.Compare(bodyForm(x), bodyForm(y)), cmp.Compare(x, y))
	})
	if len(types) == 0 {
		return nil
	}
	name, media := types[0], b.Content[types[0]]
	if media == nil {
		media = &openapi3.MediaType{}
	}
	value := sample(media.Schema, firstExample(media.Example, media.Examples), 0)
	switch bodyForm(name) {
	case jsonBody:
		text, err := encode(value)
		if err != nil {
			return []string{"the body: its example is no JSON"}
		}
		if t.JSON = text; name != "application/json" {
			t.addHeader("Content-Type", name)
		}
	case formBody:
		t.addHeader("Content-Type", name)
		t.Body = sampleForm(value, media.Schema)
	case textBody:
		t.addHeader("Content-Type", name)
		t.Body = sampleText(value, func(s string) string { return s })
	default:
		left = append(left, fmt.Sprintf("the body, which is %s: a scenario has JSON, forms and text", strings.Join(types, " or ")))
	}
	return left
}

// The forms of bodies, the one that is taken first in front.
const (
	jsonBody = iota
	formBody
	textBody
	otherBody
)

// bodyForm is that of a media type, whatever its parameters are.
func bodyForm(mediaType string) int {
	name, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	switch name = strings.TrimSpace(name); {
	case name == "application/json", strings.HasSuffix(name, "+json"):
		return jsonBody
	case name == "application/x-www-form-urlencoded":
		return formBody
	case strings.HasPrefix(name, "text/"):
		return textBody
	}
	return otherBody
}

// schemesOf are the names of the security schemes that an operation cannot do
// without.
func schemesOf(doc *openapi3.T, o *openapi3.Operation) []string {
	ways := doc.Security
	if o.Security != nil {
		ways = *o.Security
	}
	if len(ways) == 0 || slices.ContainsFunc(ways, func(way openapi3.SecurityRequirement) bool { return len(way) == 0 }) {
		return nil
	}
	return slices.Collect(maps.Keys(ways[0]))
}

// secretFlag is how a run is given the secret of a security scheme.
func secretFlag(doc *openapi3.T, name string) string {
	scheme := &openapi3.SecurityScheme{}
	if doc.Components != nil {
		if ref := doc.Components.SecuritySchemes[name]; ref != nil && ref.Value != nil {
			scheme = ref.Value
		}
	}
	switch {
	case scheme.Type == "apiKey" && scheme.In == "header":
		return fmt.Sprintf("--header '%s: ...'", scheme.Name)
	case scheme.Type == "apiKey" && scheme.In == "cookie":
		return fmt.Sprintf("--header 'Cookie: %s=...'", scheme.Name)
	case scheme.Type == "apiKey":
		return fmt.Sprintf("query: {%s: ...} in these tasks", scheme.Name)
	case scheme.Type == "http" && strings.EqualFold(scheme.Scheme, "basic"):
		return "--header 'Authorization: Basic ...'"
	}
	return "--header 'Authorization: Bearer ...'"
}
