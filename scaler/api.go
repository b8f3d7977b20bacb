package scaler

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/probe"
	"headroom/profiles"
	"headroom/profiles/document"
)

const (
	apiVersion = "v1" // also in the paths
	maxBody    = 1 << 20
	maxPin     = time.Hour
)

// newAPIServer serves the API, with limits against clients that are slow or
// send too much.
func newAPIServer(l net.Listener, a *api) *server {
	s := newServer(l, a.handler())
	s.http.ReadHeaderTimeout = 5 * time.Second
	s.http.ReadTimeout = 10 * time.Second
	s.http.WriteTimeout = 30 * time.Second
	s.http.IdleTimeout = time.Minute
	s.http.MaxHeaderBytes = 16 << 10
	return s
}

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
	events   *eventLog
	metrics  http.Handler
	ready    <-chan struct{}
}

// status is the answer to GET /v1/status.
type status struct {
	APIVersion string            `json:"apiVersion"`
	Service    string            `json:"service"`
	Fleet      probe.Fleet       `json:"fleet"`
	Decision   profiles.Decision `json:"decision"`
	Policy     profiles.Policy   `json:"policy"`
	Warnings   []string          `json:"warnings,omitempty"` // of the policy
	StartUps   []float64         `json:"startUpSeconds"`     // of the latest replicas, oldest first
}

// pinRequest is the body of PUT /v1/replicas.
type pinRequest struct {
	Replicas int               `json:"replicas" yaml:"replicas"`
	TTL      profiles.Duration `json:"ttl" yaml:"ttl"`
}

// problems is what is wrong with what was read of a request.
func (p pinRequest) problems(given document.Lines) (out []document.Problem) {
	bad := func(key, value, want string) {
		if _, ok := given[key]; !ok {
			value = "nothing"
		}
		out = append(out, document.Problem{Key: key, Text: "got " + value + ", want " + want})
	}
	if p.Replicas < 1 || p.Replicas > maxReplicas {
		bad("replicas", strconv.Itoa(p.Replicas), fmt.Sprintf("1 to %d", maxReplicas))
	}
	if ttl := p.TTL.Std(); ttl <= 0 || ttl > maxPin {
		bad("ttl", p.TTL.String(), fmt.Sprintf("more than 0s and at most %s", profiles.Duration(maxPin)))
	}
	return out
}

// refusal is the body of every answer that is an error.
type refusal struct {
	Problems []string `json:"problems"`
}

// routes are all that the API answers, by method and path.
func (a *api) routes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /healthz":              a.health,
		"GET /metrics":              a.metrics.ServeHTTP,
		"GET /openapi.json":         getOpenAPI,
		"GET /v1/status":            a.getStatus,
		"GET /v1/workers":           a.getWorkers,
		"GET /v1/workers/{id}/logs": a.getLogs,
		"GET /v1/queue":             a.getQueue,
		"GET /v1/events":            a.getEvents,
		"GET /v1/policy":            a.getPolicy,
		"PUT /v1/policy":            a.putPolicy,
		"PATCH /v1/policy":          a.patchPolicy,
		"PUT /v1/replicas":          a.putReplicas,
		"DELETE /v1/replicas":       a.deleteReplicas,
	}
}

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	allowed := map[string][]string{} // methods, by path
	for pattern, h := range a.routes() {
		mux.HandleFunc(pattern, h)
		method, path, _ := strings.Cut(pattern, " ")
		allowed[path] = append(allowed[path], method)
		if method == http.MethodGet {
			allowed[path] = append(allowed[path], http.MethodHead)
		}
	}
	// What no route takes gets an answer of the same form as every other.
	for path, methods := range allowed {
		slices.Sort(methods)
		list := strings.Join(methods, ", ")
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", list)
			refuse(w, http.StatusMethodNotAllowed, fmt.Sprintf("method: got %s, want one of %s", r.Method, list))
		})
	}
	paths := strings.Join(slices.Sorted(maps.Keys(allowed)), ", ")
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, fmt.Sprintf("path: got %q, want one of %s", r.URL.Path, paths))
	})
	return a.guarded(mux)
}

// guarded lets only those through that may ask, with no more than they need.
func (a *api) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		switch {
		case !isLoopback(host):
			refuse(w, http.StatusMisdirectedRequest, fmt.Sprintf("host: got %q, want a loopback address", r.Host))
		case r.URL.Path != "/healthz" && !a.authorized(r):
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, http.StatusUnauthorized, "authorization: want the bearer token of the runtime file")
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			next.ServeHTTP(w, r)
		}
	})
}

func (a *api) authorized(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	hash := sha256.Sum256([]byte(token))
	return ok && subtle.ConstantTimeCompare(hash[:], a.token[:]) == 1
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
	reply(w, status{
		APIVersion: apiVersion, Service: a.service,
		Fleet: f, Decision: state.last, Policy: state.policy, Warnings: state.policy.Warnings(),
		StartUps: inSeconds(a.pool.startups()),
	})
}

func inSeconds(durations []time.Duration) []float64 {
	out := make([]float64, len(durations))
	for i, d := range durations {
		out[i] = d.Seconds()
	}
	return out
}

func (a *api) getWorkers(w http.ResponseWriter, _ *http.Request) {
	f, _ := a.fleet()
	reply(w, workers(f))
}

func (a *api) getLogs(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	lines, ok := a.pool.logs(id)
	if !ok {
		f, _ := a.fleet()
		ids := make([]string, len(f.Replicas))
		for i, r := range f.Replicas {
			ids[i] = r.ID
		}
		want := "and there is none"
		if len(ids) > 0 {
			want = "want one of " + strings.Join(ids, ", ")
		}
		refuse(w, http.StatusNotFound, fmt.Sprintf("worker: got %q, %s", id, want))
		return
	}
	reply(w, append([]Line{}, lines...)) // none is an empty list
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
	lines, err := document.Decode(body, &req, document.Strict)
	if err = lines.Check(err, req.problems(lines)); err != nil {
		refuse(w, http.StatusUnprocessableEntity, problems(err)...)
		return
	}
	a.loop.hold(req.Replicas, req.TTL.Std())
	w.WriteHeader(http.StatusNoContent)
}

func (a *api) deleteReplicas(w http.ResponseWriter, _ *http.Request) {
	a.loop.unpin()
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
	case errors.Is(err, os.ErrDeadlineExceeded):
		refuse(w, http.StatusRequestTimeout, "body: it did not come in time")
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
