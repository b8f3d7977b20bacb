package scaler

import (
	"errors"
	"net/http"
	"strings"

	"headroom/profiles"
	"headroom/scaler/httpapi"
)

func (a *api) getPolicy(w http.ResponseWriter, _ *http.Request) {
	p := a.loop.state().policy
	replyTagged(w, p, p)
}

// replyTagged answers with something that has the tag of a policy.
func replyTagged(w http.ResponseWriter, p profiles.Policy, answer any) {
	tag, err := policyTag(p)
	if err != nil {
		httpapi.Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("ETag", tag)
	httpapi.Reply(w, answer)
}

// putPolicy replaces the whole policy, and lets it decide.
func (a *api) putPolicy(w http.ResponseWriter, r *http.Request) {
	// JSON is YAML too, so a policy has one strict decoder, and numbers and
	// units are written here as they are in a file.
	a.changePolicy(w, r, true, func(_ profiles.Policy, body []byte) (profiles.Policy, error) {
		return profiles.ParsePolicy(body)
	})
}

// patchPolicy changes single values of the policy.
func (a *api) patchPolicy(w http.ResponseWriter, r *http.Request) {
	a.changePolicy(w, r, false, func(present profiles.Policy, body []byte) (profiles.Policy, error) {
		settings, err := profiles.ParseSettings(body)
		if err != nil {
			return present, err
		}
		return present.With(settings...)
	})
}

// changePolicy answers a request that changes the policy. Without an If-Match
// it changes whichever is followed. A pin ends where unpin says so.
func (a *api) changePolicy(w http.ResponseWriter, r *http.Request, unpin bool, edit func(present profiles.Policy, body []byte) (profiles.Policy, error)) {
	body, ok := httpapi.ReadBody(w, r)
	if !ok {
		return
	}
	match := strings.Join(r.Header.Values("If-Match"), ",")
	applied, err := a.policies.change(match, unpin, func(present profiles.Policy) (profiles.Policy, error) {
		return edit(present, body)
	})
	switch {
	case errors.Is(err, ErrPolicyChanged):
		httpapi.Refuse(w, http.StatusPreconditionFailed, err.Error())
	case err != nil:
		httpapi.Refuse(w, http.StatusUnprocessableEntity, httpapi.Problems(err)...)
	default:
		replyTagged(w, applied.Policy, applied)
	}
}
