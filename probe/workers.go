package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// mostListBytes is how long a list of workers may be.
const mostListBytes = 8 << 20

// Workers asks an HTTP endpoint for the replicas that a platform runs. It is
// safe for concurrent use.
type Workers struct {
	url    string
	header http.Header
	client http.Client
}

// NewWorkers asks url, which is valid, with these headers. They may be secret,
// so no redirect is followed, and no error names them.
func NewWorkers(url string, header http.Header) *Workers {
	return &Workers{url: url, header: header, client: http.Client{
		// A question now and then: no connection is kept for it.
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// List asks for the workers. It waits as long as the context allows.
func (w *Workers) List(ctx context.Context) (Report, error) {
	report, err := w.list(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("workers list: %w", err)
	}
	return report, nil
}

func (w *Workers) list(ctx context.Context) (Report, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url, nil)
	if err != nil {
		return Report{}, err
	}
	req.Header = w.header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	res, err := w.client.Do(req)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // the URL may have a secret in its query
		}
		return Report{}, err
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode >= 300 && res.StatusCode < 400:
		where := "elsewhere"
		if to, err := res.Location(); err == nil {
			where = to.Scheme + "://" + to.Host + to.Path
		}
		return Report{}, fmt.Errorf("got %d, a redirect to %s, want the list itself: redirects are not followed", res.StatusCode, where)
	case res.StatusCode != http.StatusOK:
		return Report{}, fmt.Errorf("got %d %s, want 200", res.StatusCode, http.StatusText(res.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, mostListBytes+1))
	switch {
	case err != nil:
		return Report{}, err
	case len(body) > mostListBytes:
		return Report{}, fmt.Errorf("got more than %d MiB", mostListBytes>>20)
	}
	replicas, err := ParseWorkers(body)
	return ReportOf(replicas), err
}
