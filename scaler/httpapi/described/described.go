// Package described holds an API to its OpenAPI document, for tests: all its
// routes, the fields of its bodies, and real answers.
package described

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"
)

// API is a valid document and the way to its routes.
type API struct {
	doc    *openapi3.T
	router routers.Router
}

// Load reads a document; the test ends where it is not a valid one.
func Load(t *testing.T, document []byte) API {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return API{doc, router}
}

// Schemas are those of the document, by their names.
func (a API) Schemas() openapi3.Schemas { return a.doc.Components.Schemas }

// Routes wants each pattern, such as "GET /healthz", described, and no other.
func (a API) Routes(t *testing.T, patterns []string) {
	t.Helper()
	var described []string
	for path, item := range a.doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(described)
	if diff := cmp.Diff(slices.Sorted(slices.Values(patterns)), described); diff != "" {
		t.Errorf("-registered +described:\n%s", diff)
	}
}

// Fields wants the schema of a name to have the fields of a struct that JSON
// has, without those that never come, and no other.
func (a API) Fields(t *testing.T, name string, value any, never ...string) {
	t.Helper()
	var has []string
	typ := reflect.TypeOf(value)
	for i := range typ.NumField() {
		if field, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ","); field != "-" && !slices.Contains(never, field) {
			has = append(has, field)
		}
	}
	slices.Sort(has)
	schema := a.doc.Components.Schemas[name]
	if schema == nil {
		t.Errorf("%s: no schema", name)
		return
	}
	if diff := cmp.Diff(has, slices.Sorted(maps.Keys(schema.Value.Properties))); diff != "" {
		t.Errorf("%s (-fields of %T +described):\n%s", name, value, diff)
	}
}

// Answers sends a request to a handler, wants the code, and an answer as the
// document says; of a stream of events the body is not looked at. It returns the
// pattern of the route, empty where there is no such answer.
func (a API) Answers(t *testing.T, handler http.Handler, req *http.Request, code int) (pattern string) {
	t.Helper()
	route, params, err := a.router.FindRoute(req)
	if err != nil {
		t.Errorf("%s %s: %v", req.Method, req.URL, err)
		return ""
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, req)
	if w.Code != code {
		t.Errorf("%s %s: got %d %s, want %d", req.Method, req.URL, w.Code, w.Body, code)
		return ""
	}
	answer := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 w.Code, Header: w.Header(),
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true,
			ExcludeResponseBody:   w.Header().Get("Content-Type") == "text/event-stream",
		},
	}
	answer.SetBodyBytes(w.Body.Bytes())
	if err := openapi3filter.ValidateResponse(t.Context(), answer); err != nil {
		t.Errorf("%s %s: %d: %v", req.Method, req.URL, w.Code, err)
	}
	return route.Method + " " + route.Path
}
