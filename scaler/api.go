package scaler

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"headroom/probe"
	"headroom/profiles"
	"headroom/profiles/document"
	"headroom/scaler/httpapi"
)

const (
	apiVersion = "v1" // also in the paths
	maxPin     = time.Hour
)

// newAPIServer serves the API, with limits against clients that are slow or
// send too much.
func newAPIServer(l net.Listener, a *api) *httpapi.Server {
	s := httpapi.NewServer(l, a.handler(), errClosed)
	s.LimitClients()
	return s
}

// api is the control API.
type api struct {
	guard    httpapi.Guard
	service  string         // URL
	cpuLimit profiles.Milli // cores of a replica; 0: none
	pool     *pool
	balancer *balancer
	loop     *loop
	policies *policyStore
	claim    claim
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
	CPULimit   profiles.Milli    `json:"cpuLimit,omitzero"`  // cores of a replica; 0: none
}

// pinRequest is the body of PUT /v1/replicas.
type pinRequest struct {
	Replicas int               `json:"replicas" yaml:"replicas"`
	TTL      profiles.Duration `json:"ttl" yaml:"ttl"`
}

// problems is what is wrong with what was read of a request.
func (p *pinRequest) problems(given document.Lines) (out []document.Problem) {
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
		"PUT /v1/claim":             a.putClaim,
		"PUT /v1/replicas":          a.putReplicas,
		"DELETE /v1/replicas":       a.deleteReplicas,
	}
}

func (a *api) handler() http.Handler { return a.guard.Handler(a.routes()) }

func (a *api) health(w http.ResponseWriter, _ *http.Request) {
	if !isClosed(a.ready) {
		httpapi.Refuse(w, http.StatusServiceUnavailable, "the replicas are starting")
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
	httpapi.Reply(w, status{
		APIVersion: apiVersion, Service: a.service,
		Fleet: f, Decision: state.last, Policy: state.policy, Warnings: state.policy.Warnings(),
		StartUps: inSeconds(a.pool.startups()), CPULimit: a.cpuLimit,
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
	httpapi.Reply(w, workers(f))
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
		httpapi.Refuse(w, http.StatusNotFound, fmt.Sprintf("worker: got %q, %s", id, want))
		return
	}
	httpapi.Reply(w, append([]Line{}, lines...)) // none is an empty list
}

func (a *api) getQueue(w http.ResponseWriter, _ *http.Request) {
	httpapi.Reply(w, queue(a.balancer.traffic()))
}

// readRequest decodes a body strictly and checks it, or answers what is wrong.
func readRequest(w http.ResponseWriter, r *http.Request, to interface {
	problems(given document.Lines) []document.Problem
}) bool {
	body, ok := httpapi.ReadBody(w, r)
	if !ok {
		return false
	}
	lines, err := document.Decode(body, to, document.Strict)
	if err = lines.Check(err, to.problems(lines)); err != nil {
		httpapi.Refuse(w, http.StatusUnprocessableEntity, httpapi.Problems(err)...)
		return false
	}
	return true
}

func (a *api) putReplicas(w http.ResponseWriter, r *http.Request) {
	var req pinRequest
	if !readRequest(w, r, &req) {
		return
	}
	a.loop.hold(req.Replicas, req.TTL.Std())
	w.WriteHeader(http.StatusNoContent)
}

func (a *api) deleteReplicas(w http.ResponseWriter, _ *http.Request) {
	a.loop.unpin()
	w.WriteHeader(http.StatusNoContent)
}
