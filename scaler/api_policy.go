package scaler

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"headroom/profiles"
)

func (a *api) getPolicy(w http.ResponseWriter, _ *http.Request) {
	p := a.loop.state().policy
	w.Header().Set("ETag", policyTag(p))
	reply(w, p)
}

// putPolicy replaces the whole policy.
func (a *api) putPolicy(w http.ResponseWriter, r *http.Request) {
	// JSON is YAML too, so a policy has one strict decoder, and numbers and
	// units are written here as they are in a file.
	a.changePolicy(w, r, func(_ profiles.Policy, body []byte) (profiles.Policy, error) {
		return profiles.ParsePolicy(body)
	})
}

// patchPolicy changes single values of the policy.
func (a *api) patchPolicy(w http.ResponseWriter, r *http.Request) {
	a.changePolicy(w, r, func(present profiles.Policy, body []byte) (profiles.Policy, error) {
		settings, err := profiles.ParseSettings(body)
		if err != nil {
			return present, err
		}
		return present.With(settings...)
	})
}

// changePolicy answers a request that changes the policy. Without an If-Match
// it changes whichever is followed.
func (a *api) changePolicy(w http.ResponseWriter, r *http.Request, edit func(present profiles.Policy, body []byte) (profiles.Policy, error)) {
	body, ok := readBody(w, r)
	if !ok {
		return
	}
	match := strings.Join(r.Header.Values("If-Match"), ",")
	applied, err := a.policies.change(time.Now(), match, func(present profiles.Policy) (profiles.Policy, error) {
		return edit(present, body)
	})
	switch {
	case errors.Is(err, ErrPolicyChanged):
		refuse(w, http.StatusPreconditionFailed, err.Error())
	case err != nil:
		refuse(w, http.StatusUnprocessableEntity, problems(err)...)
	default:
		w.Header().Set("ETag", policyTag(applied.Policy))
		reply(w, applied)
	}
}
