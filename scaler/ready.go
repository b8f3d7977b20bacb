package scaler

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"
)

// readiness asks a replica whether it is ready.
type readiness struct {
	path   string // "": any answer to / below 500 will do, else 2xx or 3xx on this path
	client *http.Client
}

func newReadiness(path string) *readiness {
	return &readiness{path: path, client: &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true},
		Timeout:   5 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// await asks until the replica is ready. When ctx is done before, the error is
// what was wrong the last time.
func (c *readiness) await(ctx context.Context, address string) error {
	var problem error
	began := time.Now()
	for {
		err := c.ask(ctx, address)
		if err == nil {
			return nil
		}
		if problem == nil || ctx.Err() == nil { // what the end of ctx cuts off says little
			problem = err
		}
		// A pause of a twentieth of the time so far keeps the start-up time that
		// is measured within 5 % and costs a slow starter little.
		pause := min(max(time.Since(began)/20, 5*time.Millisecond), 250*time.Millisecond)
		if !wait(ctx, pause) {
			return problem
		}
	}
}

func (c *readiness) ask(ctx context.Context, address string) error {
	path := c.path
	if path == "" {
		path = "/"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return err
	}
	res, err := c.client.Do(req)
	var timeout net.Error
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // without the address once more
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on %s", address)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer to GET %s", path)
	case err != nil:
		return fmt.Errorf("no answer to GET %s: %w", path, err)
	}
	res.Body.Close()
	good := res.StatusCode < 500
	if c.path != "" {
		good = res.StatusCode >= 200 && res.StatusCode < 400
	}
	if !good {
		return fmt.Errorf("GET %s is answered %d", path, res.StatusCode)
	}
	return nil
}
