package remote

import (
	"maps"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"

	"headroom/advisor"
	"headroom/scaler/httpapi"
)

func loadOpenAPI(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIHasEveryRoute(t *testing.T) {
	var described []string
	for path, item := range loadOpenAPI(t).Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	slices.Sort(described)
	s := &Server{Config: Config{Session: newSession(t, nil)}}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(s.routes())), described); diff != "" {
		t.Errorf("-registered +described:\n%s", diff)
	}
}

// Every name that a body can have is described, and no other.
func TestOpenAPIHasEveryField(t *testing.T) {
	doc := loadOpenAPI(t)
	for name, value := range map[string]any{
		"State": advisor.State{}, "Frame": frame{}, "Users": usersOrder{}, "Rate": rateOrder{}, "Traffic": trafficOrder{}, "Problems": httpapi.Refusal{},
	} {
		var has []string
		typ := reflect.TypeOf(value)
		for i := range typ.NumField() {
			if field, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ","); field != "-" {
				has = append(has, field)
			}
		}
		slices.Sort(has)
		if diff := cmp.Diff(has, slices.Sorted(maps.Keys(doc.Components.Schemas[name].Value.Properties))); diff != "" {
			t.Errorf("%s (-fields of %T +described):\n%s", name, value, diff)
		}
	}
}

// Real answers are as the document says, good and bad ones.
func TestAnswersAreAsDescribed(t *testing.T) {
	router, err := gorillamux.NewRouter(loadOpenAPI(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path, token, body string
		control                   bool
		code                      int
	}{
		{"GET", "/healthz", "", "", false, 200},
		{"GET", "/metrics", token, "", false, 200},
		{"GET", "/openapi.json", token, "", false, 200},
		{"GET", "/openapi.json", "guess", "", false, 401},
		{"GET", "/v1/state", token, "", false, 200},
		{"POST", "/v1/control/pause", token, "", true, 409},
		{"POST", "/v1/control/pause", token, "", false, 403},
		{"POST", "/v1/control/users", token, `{"users":0}`, true, 422},
		{"POST", "/v1/control/users", token, `"` + strings.Repeat("x", httpapi.MaxBody) + `"`, true, 413},
		{"POST", "/v1/control/traffic", token, `{"low":5,"high":20}`, true, 204},
	} {
		req := httptest.NewRequest(tt.method, "http://127.0.0.1:9000"+tt.path, strings.NewReader(tt.body))
		req.Header.Set("Authorization", "Bearer "+tt.token)
		route, params, err := router.FindRoute(req)
		if err != nil {
			t.Errorf("%s %s: %v", tt.method, tt.path, err)
			continue
		}
		w := httptest.NewRecorder()
		handler(t, "127.0.0.1", tt.control).ServeHTTP(w, req)
		if w.Code != tt.code {
			t.Errorf("%s %s: got %d %s, want %d", tt.method, tt.path, w.Code, w.Body, tt.code)
			continue
		}
		answer := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
			Status:                 w.Code, Header: w.Header(),
			Options: &openapi3filter.Options{IncludeResponseStatus: true},
		}
		answer.SetBodyBytes(w.Body.Bytes())
		if err := openapi3filter.ValidateResponse(t.Context(), answer); err != nil {
			t.Errorf("%s %s: %d: %v", tt.method, tt.path, w.Code, err)
		}
	}
}
