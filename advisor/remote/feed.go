package remote

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"headroom/advisor"
)

// feed is a stream of States. It is for one goroutine, save for close.
type feed struct {
	body   io.ReadCloser
	lines  *bufio.Scanner
	ctx    context.Context // of the connection
	close  func()
	quiet  *time.Timer // closes it when nothing comes
	before advisor.State
}

// open opens a stream; whoever opens it closes it.
func (c *Client) open(ctx context.Context) (*feed, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	quiet := time.AfterFunc(silence, func() { cancel(errSilent) })
	body, err := c.api.Open(ctx, "/v1/states")
	if err != nil {
		quiet.Stop()
		if context.Cause(ctx) == errSilent {
			err = errSilent
		}
		cancel(nil)
		return nil, err
	}
	f := &feed{ctx: ctx, body: body, lines: bufio.NewScanner(body), quiet: quiet}
	f.lines.Buffer(nil, maxFrame)
	f.close = sync.OnceFunc(func() {
		quiet.Stop()
		cancel(nil)
		body.Close()
	})
	return f, nil
}

var errSilent = fmt.Errorf("nothing came for %s", silence)

// next returns the next frame, its State complete.
func (f *feed) next() (frame, error) {
	for f.lines.Scan() {
		f.quiet.Reset(silence)
		data, ok := bytes.CutPrefix(f.lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var next frame
		err := json.Unmarshal(data, &next)
		if err == nil {
			next.State, err = next.after(f.before)
		}
		f.before = next.State
		return next, err
	}
	switch err := f.lines.Err(); {
	case context.Cause(f.ctx) == errSilent:
		return frame{}, errSilent
	case err != nil:
		return frame{}, err
	}
	return frame{}, errors.New("the other side has ended it")
}
