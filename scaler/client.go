package scaler

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// Client speaks to the API of a scaler. It is safe for concurrent use.
type Client struct {
	url   string
	token string
	http  *http.Client
}

// NewClient returns a client of the API at apiURL, such as
// http://127.0.0.1:8001, with the token of the scaler's runtime file.
func NewClient(apiURL, token string) *Client {
	return &Client{url: strings.TrimRight(apiURL, "/"), token: token, http: &http.Client{
		// The API is on this machine: never through a proxy. Connections are
		// short-lived, so that a client need not be closed.
		Transport: &http.Transport{DisableKeepAlives: true},
		Timeout:   10 * time.Second,
	}}
}

// URL is the address of the API.
func (c *Client) URL() string { return c.url }

// Status returns the fleet and what governs it.
func (c *Client) Status(ctx context.Context) (probe.Fleet, profiles.Control, error) {
	var s status
	err := c.do(ctx, http.MethodGet, "/v1/status", nil, &s)
	return s.Fleet, profiles.Control{Policy: s.Policy, Decision: s.Decision}, err
}

// Pin holds the fleet at n replicas, whatever the policy says, until Unpin or
// for ttl, at most an hour.
func (c *Client) Pin(ctx context.Context, n int, ttl time.Duration) error {
	return c.do(ctx, http.MethodPut, "/v1/replicas", pinRequest{Replicas: n, TTL: profiles.Duration(ttl)}, nil)
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
	tag, err = c.exchange(ctx, http.MethodGet, "/v1/policy", "", nil, &p)
	return p, tag, err
}

// Apply does what Follow does, and says what became of it. Where a tag is
// given, and the scaler follows another policy than the one of the tag by now,
// nothing changes and the error is ErrPolicyChanged.
func (c *Client) Apply(ctx context.Context, p profiles.Policy, tag string) (Applied, error) {
	var out Applied
	_, err := c.exchange(ctx, http.MethodPut, "/v1/policy", tag, p, &out)
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
	_, err := c.exchange(ctx, method, path, "", in, out)
	return err
}

// exchange is do with entity tags: the one that must match, where it is not
// empty, and that of the answer.
func (c *Client) exchange(ctx context.Context, method, path, match string, in, out any) (tag string, err error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return "", err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return "", fmt.Errorf("scaler at %s: %w", c.url, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if match != "" {
		req.Header.Set("If-Match", match)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return "", fmt.Errorf("scaler: %w", err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	switch {
	case err != nil:
		return "", fmt.Errorf("scaler at %s: %w", c.url, err)
	case res.StatusCode >= 300:
		return "", fmt.Errorf("scaler at %s: %w", c.url, refused(res.StatusCode, data))
	case out == nil:
		return res.Header.Get("ETag"), nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return "", fmt.Errorf("scaler at %s: %s %s: %w", c.url, method, path, err)
	}
	return res.Header.Get("ETag"), nil
}

// refused is the error in an answer, one line for each problem.
func refused(code int, body []byte) error {
	var r refusal
	if code == http.StatusPreconditionFailed {
		return ErrPolicyChanged
	}
	if json.Unmarshal(body, &r) != nil || len(r.Problems) == 0 {
		return fmt.Errorf("answered %d %s", code, http.StatusText(code))
	}
	errs := make([]error, len(r.Problems))
	for i, text := range r.Problems {
		errs[i] = errors.New(text)
	}
	return errors.Join(errs...)
}
