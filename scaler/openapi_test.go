package scaler

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"headroom/probe"
	"headroom/profiles"
	"headroom/scaler/httpapi"
	"headroom/scaler/httpapi/described"
)

func TestOpenAPIHasEveryRoute(t *testing.T) {
	_, a := control(t)
	described.Load(t, openAPIDocument()).Routes(t, slices.Collect(maps.Keys(a.routes())))
}

// Every name that an answer can have is described, and no other.
func TestOpenAPIHasEveryField(t *testing.T) {
	api := described.Load(t, openAPIDocument())
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
		api.Fields(t, name, tt.value, tt.never...)
	}
}

// Real answers are as the document says, good and bad ones.
func TestAnswersAreAsDescribed(t *testing.T) {
	api := described.Load(t, openAPIDocument())
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
		if pattern := api.Answers(t, handler, req, tt.code); tt.code < 300 {
			delete(missing, pattern)
		}
	}
	for pattern := range missing {
		t.Errorf("%s: no answer was looked at", pattern)
	}
}
