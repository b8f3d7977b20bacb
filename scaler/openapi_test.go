package scaler

import (
	"encoding/json"
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

	"headroom/probe"
	"headroom/profiles"
	"headroom/scaler/httpapi"
)

func loadOpenAPI(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPIDocument())
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
	_, a := control(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(a.routes())), described); diff != "" {
		t.Errorf("-registered +described:\n%s", diff)
	}
}

// Every name that an answer can have is described, and no other.
func TestOpenAPIHasEveryField(t *testing.T) {
	doc := loadOpenAPI(t)
	fromElsewhere := []string{"answered", "firstSeen", "lastSeen", "requests", "failed", "share", "rate", "p50", "p95", "p99", "lately", "parts",
		"conns", "inFlightEstimate", "coldStart", "afterStep", "listed", "since"}
	for name, tt := range map[string]struct {
		value any
		never []string // that a scaler does not know
	}{
		"Status":   {status{}, nil},
		"Fleet":    {probe.Fleet{}, []string{"listed", "sources"}},
		"Replica":  {probe.Replica{}, fromElsewhere},
		"Decision": {profiles.Decision{}, nil},
		"Policy":   {profiles.Policy{}, nil},
		"Worker":   {Worker{}, nil},
		"Waiting":  {Waiting{}, nil},
		"Line":     {Line{}, nil},
		"Event":    {Event{}, nil},
		"Gap":      {gap{}, nil},
		"Pin":      {pinRequest{}, nil},
		"Claim":    {claimRequest{}, nil},
		"Applied":  {Applied{}, nil},
		"Problems": {httpapi.Refusal{}, nil},
	} {
		var has []string
		typ := reflect.TypeOf(tt.value)
		for i := range typ.NumField() {
			field, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if !slices.Contains(tt.never, field) {
				has = append(has, field)
			}
		}
		slices.Sort(has)
		schema := doc.Components.Schemas[name]
		if schema == nil {
			t.Errorf("%s: no schema", name)
			continue
		}
		described := slices.Sorted(maps.Keys(schema.Value.Properties))
		if diff := cmp.Diff(has, described); diff != "" {
			t.Errorf("%s (-fields of %T +described):\n%s", name, tt.value, diff)
		}
	}
}

// Real answers are as the document says, good and bad ones.
func TestAnswersAreAsDescribed(t *testing.T) {
	doc := loadOpenAPI(t)
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, a := control(t)
	handler := a.handler()
	busy, err := a.balancer.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer a.balancer.release(&busy, completed)

	missing := map[string]bool{}
	for pattern := range a.routes() {
		missing[pattern] = true
	}
	policy, err := json.Marshal(rpsPolicy(2, 4))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path, token, body string
		code                      int
	}{
		{"GET", "/healthz", "", "", 200},
		{"GET", "/metrics", "secret", "", 200},
		{"GET", "/openapi.json", "secret", "", 200},
		{"GET", "/v1/status", "secret", "", 200},
		{"GET", "/v1/workers", "secret", "", 200},
		{"GET", "/v1/workers/replica-1/logs", "secret", "", 200},
		{"GET", "/v1/workers/replica-9/logs", "secret", "", 404},
		{"GET", "/v1/queue", "secret", "", 200},
		{"GET", "/v1/events", "secret", "", 200},
		{"GET", "/v1/events?since=x", "secret", "", 400},
		{"GET", "/v1/policy", "secret", "", 200},
		{"PUT", "/v1/policy", "secret", string(policy), 200},
		{"PUT", "/v1/policy", "secret", `{"version":"headroom/v1","replicas":{"min":4,"max":2}}`, 422},
		{"PATCH", "/v1/policy", "secret", `{"max_workers":5}`, 200},
		{"PATCH", "/v1/policy", "secret", `{"speed":5}`, 422},
		{"PUT", "/v1/claim", "secret", `{"holder":"a","ttl":"30s"}`, 204},
		{"PUT", "/v1/claim", "secret", `{"holder":"b","ttl":"30s"}`, 409},
		{"PUT", "/v1/claim", "secret", `{"holder":"","ttl":"30m"}`, 422},
		{"PUT", "/v1/replicas", "secret", `{"replicas":2,"ttl":"30s"}`, 204},
		{"PUT", "/v1/replicas", "secret", `{"replicas":1,"ttl":"90m"}`, 422},
		{"PUT", "/v1/replicas", "secret", `"` + strings.Repeat("x", httpapi.MaxBody) + `"`, 413},
		{"GET", "/v1/status", "secret", "", 200}, // pinned
		{"DELETE", "/v1/replicas", "secret", "", 204},
		{"GET", "/v1/status", "guess", "", 401},
	} {
		req := request(t, tt.method, "http://127.0.0.1:8001"+tt.path, tt.body)
		req.Header.Set("Authorization", "Bearer "+tt.token)
		req.Header.Set("Content-Type", "application/json")
		route, params, err := router.FindRoute(req)
		if err != nil {
			t.Errorf("%s %s: %v", tt.method, tt.path, err)
			continue
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		if w.Code != tt.code {
			t.Errorf("%s %s: got %d %s, want %d", tt.method, tt.path, w.Code, w.Body, tt.code)
			continue
		}
		if tt.code < 300 {
			delete(missing, route.Method+" "+route.Path)
		}
		checkAnswer(t, req, route, params, w)
	}
	for pattern := range missing {
		t.Errorf("%s: no answer was looked at", pattern)
	}
}

func checkAnswer(t *testing.T, req *http.Request, route *routers.Route, params map[string]string, w *httptest.ResponseRecorder) {
	t.Helper()
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 w.Code, Header: w.Header(),
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true,
			ExcludeResponseBody:   w.Header().Get("Content-Type") == "text/event-stream", // TestEvents looks into it
		},
	}
	input.SetBodyBytes(w.Body.Bytes())
	if err := openapi3filter.ValidateResponse(t.Context(), input); err != nil {
		t.Errorf("%s %s: %d: %v", req.Method, req.URL.Path, w.Code, err)
	}
}
