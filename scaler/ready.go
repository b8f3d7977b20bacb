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

// readyTCP as a ready path: it is enough that the port accepts.
const readyTCP = "tcp"

// lookLimit is how long a replica may take to answer one question.
const lookLimit = 5 * time.Second

// readiness asks a replica whether it is ready.
type readiness struct {
	path   string // "": any answer to / below 500 will do; readyTCP: no request; else 2xx or 3xx on this path
	client *http.Client
	dialer net.Dialer
}

func newReadiness(path string) *readiness {
	return &readiness{
		path: path,
		client: &http.Client{
			Transport: &http.Transport{DisableKeepAlives: true},
			Timeout:   lookLimit,
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
		dialer: net.Dialer{Timeout: lookLimit},
	}
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
		if problem == nil || !over(ctx) { // what the end of ctx cuts off says little
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

// over reports whether ctx has ended or its deadline has passed: a dialer goes
// by the deadline, and may see it before the timer that ends ctx has fired.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

// ask asks once whether the replica is ready.
func (c *readiness) ask(ctx context.Context, address string) error {
	switch c.path {
	case readyTCP:
		return c.connect(ctx, address)
	case "":
		return c.get(ctx, address, "/")
	}
	return c.get(ctx, address, c.path)
}

// live asks once whether a replica that was ready still is. Without a path
// of its own it must only accept: "/" may be costly, and a request that nobody
// asked for.
func (c *readiness) live(ctx context.Context, address string) error {
	if c.path == "" {
		return c.connect(ctx, address)
	}
	return c.ask(ctx, address)
}

func (c *readiness) connect(ctx context.Context, address string) error {
	conn, err := c.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return complaint(err, "no connection to "+address, address)
	}
	return conn.Close()
}

func (c *readiness) get(ctx context.Context, address, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return err
	}
	res, err := c.client.Do(req)
	if err != nil {
		return complaint(err, "no answer to GET "+path, address)
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

// complaint says in few words what was wrong with a connection.
func complaint(err error, what, address string) error {
	var timeout net.Error
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // without the address once more
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on %s", address)
	case errors.As(err, &timeout) && timeout.Timeout():
		return errors.New(what)
	}
	return fmt.Errorf("%s: %w", what, err)
}
