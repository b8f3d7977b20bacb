package scaler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"headroom/probe"
	"headroom/profiles"
	"headroom/scaler/httpapi"
)

// Client speaks to the API of a scaler. It is safe for concurrent use.
type Client struct{ api *httpapi.Client }

// NewClient returns a client of the API at apiURL, such as
// http://127.0.0.1:8001, with the token of the scaler's runtime file.
func NewClient(apiURL, token string) *Client {
	return &Client{httpapi.NewClient("scaler", apiURL, token)}
}

// URL is the address of the API.
func (c *Client) URL() string { return c.api.URL() }

// Status returns the fleet and what governs it.
func (c *Client) Status(ctx context.Context) (probe.Fleet, profiles.Control, error) {
	var s status
	err := c.do(ctx, http.MethodGet, "/v1/status", nil, &s)
	return s.Fleet, profiles.Control{Policy: s.Policy, Decision: s.Decision, CPULimit: s.CPULimit}, err
}

// Pin holds the fleet at n replicas, whatever the policy says, until Unpin or
// for ttl, at most an hour.
func (c *Client) Pin(ctx context.Context, n int, ttl time.Duration) error {
	return c.do(ctx, http.MethodPut, "/v1/replicas", pinRequest{Replicas: n, TTL: profiles.Duration(ttl)}, nil)
}

// Claim keeps the scaler for holder for ttl, at most five minutes, or ends that
// where ttl is 0. It is an error while somebody else has it.
func (c *Client) Claim(ctx context.Context, holder string, ttl time.Duration) error {
	return c.do(ctx, http.MethodPut, "/v1/claim", claimRequest{Holder: holder, TTL: profiles.Duration(ttl)}, nil)
}

// Unpin lets the policy decide again.
func (c *Client) Unpin(ctx context.Context) error {
	return c.do(ctx, http.MethodDelete, "/v1/replicas", nil, nil)
}

// Follow replaces the policy and lets it decide, also where the fleet was
// pinned.
func (c *Client) Follow(ctx context.Context, p profiles.Policy) error {
	_, err := c.Apply(ctx, p, "")
	return err
}

// Policy returns the policy that the scaler follows, and the tag by which Apply
// knows it.
func (c *Client) Policy(ctx context.Context) (p profiles.Policy, tag string, err error) {
	tag, err = c.api.Do(ctx, http.MethodGet, "/v1/policy", "", nil, &p)
	return p, tag, err
}

// Apply does what Follow does, and says what became of it. Where a tag is
// given, and the scaler follows another policy than the one of the tag by now,
// nothing changes and the error is ErrPolicyChanged.
func (c *Client) Apply(ctx context.Context, p profiles.Policy, tag string) (Applied, error) {
	var out Applied
	_, err := c.api.Do(ctx, http.MethodPut, "/v1/policy", tag, p, &out)
	var refused *httpapi.Refused
	if errors.As(err, &refused) && refused.Code == http.StatusPreconditionFailed {
		err = fmt.Errorf("scaler at %s: %w", c.URL(), ErrPolicyChanged)
	}
	return out, err
}

// Workers lists the replicas: living ones, oldest first, then those that went
// lately, whose Deleted is set.
func (c *Client) Workers(ctx context.Context) ([]Worker, error) {
	var out []Worker
	err := c.do(ctx, http.MethodGet, "/v1/workers", nil, &out)
	return out, err
}

// Queue lists the requests that wait for a replica, oldest first.
func (c *Client) Queue(ctx context.Context) ([]Waiting, error) {
	var out []Waiting
	err := c.do(ctx, http.MethodGet, "/v1/queue", nil, &out)
	return out, err
}

// Logs returns the latest lines that a replica printed, oldest first, also of
// one that went lately.
func (c *Client) Logs(ctx context.Context, id string) ([]Line, error) {
	var out []Line
	err := c.do(ctx, http.MethodGet, "/v1/workers/"+url.PathEscape(id)+"/logs", nil, &out)
	return out, err
}

// do sends in, where it is not nil, and decodes the answer into out.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	_, err := c.api.Do(ctx, method, path, "", in, out)
	return err
}
