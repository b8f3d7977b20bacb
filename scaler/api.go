package scaler

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

const (
	maxBody    = 1 << 20
	maxPin     = time.Hour
	maxPinSize = 1000 // a slip of the finger must not start thousands of processes
)

// api is the control API. Every route but /healthz wants the token; every
// request must name a loopback host, or a web page could reach it through a
// name that it made resolve to 127.0.0.1.
type api struct {
	token    [sha256.Size]byte // its hash: a comparison of hashes says nothing about length
	service  string            // URL
	pool     *pool
	balancer *balancer
	loop     *loop
	policies *policyStore
	ready    <-chan struct{}
}

// status is the answer to GET /v1/status.
type status struct {
	Service  string            `json:"service"`
	Fleet    probe.Fleet       `json:"fleet"`
	Decision profiles.Decision `json:"decision"`
	Policy   profiles.Policy   `json:"policy"`
	Warnings []string          `json:"warnings,omitempty"` // of the policy
}

// pinRequest is the body of PUT /v1/replicas.
type pinRequest struct {
	Replicas int               `json:"replicas"`
	TTL      profiles.Duration `json:"ttl"`
}

// refusal is the body of every answer that is an error.
type refusal struct {
	Problems []string `json:"problems"`
}

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.health)
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /v1/status":      a.getStatus,
		"GET /v1/workers":     a.getWorkers,
		"GET /v1/queue":       a.getQueue,
		"GET /v1/policy":      a.getPolicy,
		"PUT /v1/policy":      a.putPolicy,
		"PATCH /v1/policy":    a.patchPolicy,
		"PUT /v1/replicas":    a.putReplicas,
		"DELETE /v1/replicas": a.deleteReplicas,
	} {
		mux.Handle(pattern, a.authorized(h))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopback(host) {
			refuse(w, http.StatusMisdirectedRequest, fmt.Sprintf("host: got %q, want a loopback address", r.Host))
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		mux.ServeHTTP(w, r)
	})
}

func (a *api) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		hash := sha256.Sum256([]byte(token))
		if subtle.ConstantTimeCompare(hash[:], a.token[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "authorization: want the bearer token of the runtime file")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *api) health(w http.ResponseWriter, _ *http.Request) {
	if !isClosed(a.ready) {
		refuse(w, http.StatusServiceUnavailable, "the replicas are starting")
		return
	}
	io.WriteString(w, "ok\n")
}

func (a *api) fleet() (probe.Fleet, loopState) {
	state := a.loop.state()
	f := a.pool.fleet(time.Now())
	f.Pinned = state.pin.size > 0
	return f, state
}

func (a *api) getStatus(w http.ResponseWriter, _ *http.Request) {
	f, state := a.fleet()
	reply(w, status{Service: a.service, Fleet: f, Decision: state.last, Policy: state.policy, Warnings: state.policy.Warnings()})
}

func (a *api) getWorkers(w http.ResponseWriter, _ *http.Request) {
	f, _ := a.fleet()
	reply(w, workers(f))
}

func (a *api) getQueue(w http.ResponseWriter, _ *http.Request) {
	reply(w, queue(a.balancer.traffic()))
}

func (a *api) putReplicas(w http.ResponseWriter, r *http.Request) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	var req pinRequest
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil {
		refuse(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	var found []string
	if req.Replicas < 1 || req.Replicas > maxPinSize {
		found = append(found, fmt.Sprintf("replicas: got %d, want 1 to %d", req.Replicas, maxPinSize))
	}
	if ttl := req.TTL.Std(); ttl <= 0 || ttl > maxPin {
		found = append(found, fmt.Sprintf("ttl: got %s, want more than 0s and at most %s", req.TTL, profiles.Duration(maxPin)))
	}
	if found != nil {
		refuse(w, http.StatusUnprocessableEntity, found...)
		return
	}
	a.loop.hold(time.Now(), req.Replicas, req.TTL.Std())
	w.WriteHeader(http.StatusNoContent)
}

func (a *api) deleteReplicas(w http.ResponseWriter, _ *http.Request) {
	a.loop.unpin(time.Now())
	w.WriteHeader(http.StatusNoContent)
}

// readBody reads exactly one JSON value, or answers why it could not.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("body: got more than %d bytes", tooLarge.Limit))
		return nil, false
	case err != nil:
		refuse(w, http.StatusBadRequest, "body: "+err.Error())
		return nil, false
	case !json.Valid(body):
		refuse(w, http.StatusUnprocessableEntity, "body: got no JSON, want one JSON object")
		return nil, false
	}
	return body, true
}

func reply(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(data, '\n'))
}

func refuse(w http.ResponseWriter, code int, problems ...string) {
	data, _ := json.Marshal(refusal{Problems: problems}) // strings always encode
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(append(data, '\n'))
}
