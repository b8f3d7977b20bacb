package httpapi

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
)

// Client speaks to an API with its token. It is safe for concurrent use.
type Client struct {
	HTTP *http.Client // for tests: before the first request

	what  string // names the other side in errors
	url   string
	token string
}

// NewClient returns a client of the API at a URL such as http://127.0.0.1:8001.
// What names the other side in errors.
func NewClient(what, at, token string) *Client {
	return &Client{what: what, url: strings.TrimRight(at, "/"), token: token, HTTP: &http.Client{
		// Never through a proxy: the API is on this machine, or was named by
		// hand. Connections are short-lived, so that a client need not be
		// closed.
		Transport: &http.Transport{DisableKeepAlives: true},
	}}
}

// URL is the address of the API.
func (c *Client) URL() string { return c.url }

// answerLimit is how long an answer that ends may take.
const answerLimit = 10 * time.Second

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 20

// Do sends in, where it is not nil, and decodes the answer into out, where
// that is not nil. match is the entity tag that must fit, where it is not
// empty; tag is that of the answer. An answer that is an error is a *Refused.
func (c *Client) Do(ctx context.Context, method, path, match string, in, out any) (tag string, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	res, err := c.send(ctx, method, path, match, in)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case err != nil:
		return "", fmt.Errorf("%s at %s: %w", c.what, c.url, err)
	case out == nil:
		return res.Header.Get("ETag"), nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return "", fmt.Errorf("%s at %s: %s %s: %w", c.what, c.url, method, path, err)
	}
	return res.Header.Get("ETag"), nil
}

// Open begins to read a stream, which ends with ctx. Who opens it closes it.
func (c *Client) Open(ctx context.Context, path string) (io.ReadCloser, error) {
	res, err := c.send(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// send returns an answer that is no error.
func (c *Client) send(ctx context.Context, method, path, match string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, fmt.Errorf("%s at %s: %w", c.what, c.url, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if match != "" {
		req.Header.Set("If-Match", match)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		var at *url.Error // which repeats the address
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, fmt.Errorf("%s at %s: %w", c.what, c.url, err)
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, MaxBody))
	if err == nil {
		err = refused(res.StatusCode, data)
	}
	return nil, fmt.Errorf("%s at %s: %w", c.what, c.url, err)
}

// Refused is an answer that is an error. Its text has one line for each
// problem.
type Refused struct {
	Code     int // of the answer
	problems error
}

func (r *Refused) Error() string { return r.problems.Error() }

func refused(code int, body []byte) *Refused {
	var r Refusal
	if json.Unmarshal(body, &r) != nil || len(r.Problems) == 0 {
		return &Refused{code, fmt.Errorf("answered %d %s", code, http.StatusText(code))}
	}
	errs := make([]error, len(r.Problems))
	for i, text := range r.Problems {
		errs[i] = errors.New(text)
	}
	return &Refused{code, errors.Join(errs...)}
}
