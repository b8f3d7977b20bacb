package scaler

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
	"headroom/scaler/httpapi"
)

// maxClaim is how long a claim lasts at most, unless it is made again: one whose
// holder died must not keep others away.
const maxClaim = 5 * time.Minute

// claim keeps the scaler for one who measures with it. It binds only those who
// make one too: whoever pins or changes the policy by hand may. It is safe for
// concurrent use.
type claim struct {
	mu     sync.Mutex // guards the fields below
	holder string
	until  time.Time
}

// take makes the claim for a time, again where the holder has it already; no
// time ends it. The error says who else has it.
func (c *claim) take(now time.Time, holder string, ttl time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.until) && c.holder != holder {
		return fmt.Errorf("claimed by %s: wait for that measurement or tune to end", c.holder)
	}
	c.holder, c.until = holder, now.Add(ttl)
	return nil
}

// claimRequest is the body of PUT /v1/claim.
type claimRequest struct {
	Holder string            `json:"holder" yaml:"holder"`
	TTL    profiles.Duration `json:"ttl" yaml:"ttl"`
}

func (c *claimRequest) problems(document.Lines) (out []document.Problem) {
	if c.Holder == "" {
		out = append(out, document.Problem{Key: "holder", Text: "got nothing, want a name"})
	}
	if ttl := c.TTL.Std(); ttl < 0 || ttl > maxClaim {
		out = append(out, document.Problem{Key: "ttl", Text: fmt.Sprintf("got %s, want 0s to %s", c.TTL, profiles.Duration(maxClaim))})
	}
	return out
}

func (a *api) putClaim(w http.ResponseWriter, r *http.Request) {
	var req claimRequest
	if !readRequest(w, r, &req) {
		return
	}
	if err := a.claim.take(time.Now(), req.Holder, req.TTL.Std()); err != nil {
		httpapi.Refuse(w, http.StatusConflict, err.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
