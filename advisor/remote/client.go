package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"headroom/advisor"
	"headroom/scaler/httpapi"
)

// Client follows a session elsewhere, and hands orders on to it. Attach makes
// one, Run runs it once. Its methods are safe for concurrent use.
type Client struct {
	ctx    context.Context // that of Attach: orders end with it, which are methods that take none
	api    *httpapi.Client
	states chan advisor.State // the newest; only follow puts

	mu      sync.Mutex // guards the fields below
	newest  advisor.State
	control bool

	first *feed // the stream that Attach opened; Run takes it over
}

// ErrNoRun says that there is an API, but none of a run.
var ErrNoRun = errors.New("no API of a run")

// Attach begins to follow the session behind the API at url, and returns when
// the first State is there. Where there is something else it is ErrNoRun. What
// it opened ends with ctx, unless Run takes it over, and so do orders.
func Attach(ctx context.Context, url, token string) (*Client, error) {
	return attach(ctx, httpapi.NewClient("run", url, token))
}

func attach(ctx context.Context, api *httpapi.Client) (*Client, error) {
	c := &Client{ctx: ctx, api: api, states: make(chan advisor.State, 1)}
	f, err := c.begin(ctx)
	var refused *httpapi.Refused
	switch {
	case errors.As(err, &refused) && refused.Code == http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w", api.URL(), ErrNoRun)
	case err != nil:
		return nil, err
	}
	c.first = f
	return c, nil
}

// URL is the address of the API.
func (c *Client) URL() string { return c.api.URL() }

// States returns the channel on which the newest State waits. There is one. It
// is never closed. A State after which the connection was lost comes again,
// with Lost set.
func (c *Client) States() <-chan advisor.State { return c.states }

// State is the newest State.
func (c *Client) State() advisor.State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.newest
}

// MayControl reports whether the session lets itself be steered from here.
func (c *Client) MayControl() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.control
}

const (
	silence   = 10 * time.Second       // States come four times a second: after so long the other side is not there
	firstWait = 500 * time.Millisecond // before the connection is tried again; doubled each time
	mostWait  = 15 * time.Second
	maxFrame  = 64 << 20 // bytes
)

// Run follows the session until it has ended, or until ctx has. A connection
// that is lost is tried again until then.
func (c *Client) Run(ctx context.Context) {
	f, pause := c.first, firstWait
	stop := context.AfterFunc(ctx, f.close)
	defer stop()
	for {
		err := c.follow(f)
		if c.State().Ended || ctx.Err() != nil {
			return
		}
		for err != nil {
			c.lose(fmt.Sprintf("connection lost: %v; trying again in %s", cause(err), pause))
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
			pause = min(2*pause, mostWait)
			f, err = c.begin(ctx)
		}
		pause = firstWait
	}
}

// begin opens a stream and takes its first State.
func (c *Client) begin(ctx context.Context) (*feed, error) {
	f, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.take(f); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// follow takes States until there is none any more.
func (c *Client) follow(f *feed) error {
	defer f.close()
	for {
		if err := c.take(f); err != nil {
			return err
		}
		if c.State().Ended {
			return nil
		}
	}
}

// take takes the next State of a feed.
func (c *Client) take(f *feed) error {
	next, err := f.next()
	if err != nil {
		return err
	}
	c.put(next.State, next.Control)
	return nil
}

func (c *Client) put(st advisor.State, control bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest, c.control = st, control
	select {
	case <-c.states:
	default:
	}
	c.states <- st // there is room: nobody else puts
}

// lose says in the newest State that no newer one comes.
func (c *Client) lose(why string) {
	st := c.State()
	st.Lost = why
	c.put(st, c.MayControl())
}

// cause is an error without the address, which is known, and the layers.
func cause(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}
