package remote

import (
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"headroom/advisor"
	"headroom/scaler/httpapi"
	"headroom/scaler/httpapi/described"
)

func TestOpenAPIHasEveryRoute(t *testing.T) {
	s := &Server{Config: Config{Session: newSession(t, nil)}}
	described.Load(t, openAPI).Routes(t, slices.Collect(maps.Keys(s.routes())))
}

// Every name that a body can have is described, and no other.
func TestOpenAPIHasEveryField(t *testing.T) {
	api := described.Load(t, openAPI)
	for name, value := range map[string]any{
		"State": advisor.State{}, "Frame": frame{}, "Users": usersOrder{}, "Rate": rateOrder{}, "Traffic": trafficOrder{}, "Problems": httpapi.Refusal{},
	} {
		api.Fields(t, name, value)
	}
}

// Real answers are as the document says, good and bad ones.
func TestAnswersAreAsDescribed(t *testing.T) {
	api := described.Load(t, openAPI)
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
		api.Answers(t, handler(t, "127.0.0.1", tt.control), req, tt.code)
	}
}
