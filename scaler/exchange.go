package scaler

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

var errUpstreamTimeout = errors.New("upstream timed out")

// exchange is one request on its way through the proxy. It travels in the
// context of the request.
type exchange struct {
	lease
	ctx     context.Context // cancelled with errUpstreamTimeout by timer
	timer   *time.Timer
	timeout time.Duration
	endless atomic.Bool // the timer must not run any more

	broken       bool        // the replica ended the connection; for the handler's goroutine only
	uploading    atomic.Bool // there is more of the request to come
	uploadFailed atomic.Bool // the client ended it while it sent
}

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange {
	return r.Context().Value(exchangeKey{}).(*exchange)
}

// renew begins the timeout anew, because something came. Bytes of the upload
// may still come while the answer ends the timeout: either this sees it, or
// the timer is stopped afterwards.
func (x *exchange) renew() {
	x.timer.Reset(x.timeout)
	if x.endless.Load() {
		x.timer.Stop()
	}
}

// endTimeout stops the timer for good.
func (x *exchange) endTimeout() {
	x.endless.Store(true)
	x.timer.Stop()
}

// answerBody is the body of an answer. As long as something comes, the
// timeout begins anew; a replica that breaks off is told apart from a client
// that went away.
type answerBody struct {
	io.ReadCloser
	x *exchange
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.x.renew()
	}
	if err != nil && err != io.EOF && b.x.ctx.Err() == nil {
		b.x.broken = true
	}
	return n, err
}

// uploadBody is the body of a request. As long as it flows, the timeout begins
// anew: a replica cannot answer what it does not have yet. It notes when the
// client, not the replica, is why the request failed.
type uploadBody struct {
	io.ReadCloser
	x *exchange
}

func (b *uploadBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.x.renew()
	}
	if err != nil {
		b.x.uploading.Store(false)
	}
	if err != nil && err != io.EOF {
		b.x.uploadFailed.Store(true)
	}
	return n, err
}

// emptyBody is a body without content that net/http cannot send twice. WriteTo
// saves the buffer that would be made to copy nothing.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error)         { return 0, io.EOF }
func (emptyBody) WriteTo(io.Writer) (int64, error) { return 0, nil }
func (emptyBody) Close() error                     { return nil }
