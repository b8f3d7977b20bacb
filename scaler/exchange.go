package scaler

import (
	"bufio"
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Why an exchange was cancelled.
var (
	errClientGone    = errors.New("the client went away")
	errClientSlow    = errors.New("the client does not read its answer")
	errUploadStopped = errors.New("the upload stopped")
	errMalformed     = errors.New("the upload is malformed")
	errGraceOver     = errors.New("upstream timed out twice over")
)

// exchange is one request on its way through the proxy. Two goroutines work
// on it:
//
//	handler    waits for the end of it, for the client to go away, and for the time to be over
//	carrier    sends the request and passes the answer on; it is the [http.ResponseWriter] of that
//
// When the replica has taken too long, the handler answers for it and
// returns, and the carrier goes on without a client. The turn says which of
// them may answer.
//
// It is also the context of what is sent to the replica, which must not end
// with the handler.
type exchange struct {
	context.Context
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when the carrier has ended

	turn   atomic.Int32 // one of the turn... constants
	upload atomic.Int32 // one of the upload... constants
	reads  sync.Mutex   // held while the upload is read
	active atomic.Int64 // when something came last, in nanoseconds since the arrival
	kept   atomic.Bool  // the server may keep some of the answer's body back

	// For the carrier, and for the handler when it has taken over or the
	// carrier is done.
	lease
	w        http.ResponseWriter
	shared   bool // there is an upload, and the connection is for one request after the other
	old      bool // the client speaks HTTP/1.0, and knows no hints
	sent     bool // the header is
	panicked any  // what the carrying panicked with, nil where it did not

	// For the carrier only.
	header http.Header // of the answer; when that is sent, what comes after the body
	rest   int64       // of the body, where its length is announced; else what is not positive
	how    outcome
	over   bool // the slot was given back
}

// The turns of an exchange: whom it waits for.
const (
	turnReplica int32 = iota // to answer, or to go on with it; the handler may take the exchange over
	turnClient               // to read what is written
	turnQueue                // for another replica
	turnTunnel               // for the two sides of an upgraded connection, which decide when it ends
	turnNobody               // the handler has answered: what the replica says is dropped
)

// The states of an upload.
const (
	uploadOver    int32 = iota // or there was none
	uploadOpen                 // there is more of it
	uploadAwaited              // and the client is to send it
	uploadFailed               // the client ended it while it sent
)

type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange {
	return r.Context().Value(exchangeKey{}).(*exchange)
}

func newExchange(w http.ResponseWriter, r *http.Request, l lease) *exchange {
	x := &exchange{lease: l, w: w, header: make(http.Header, 8), done: make(chan struct{})}
	x.Context, x.cancel = context.WithCancelCause(context.WithoutCancel(r.Context()))
	x.renew()
	x.old = !r.ProtoAtLeast(1, 1)
	x.shared = r.ProtoMajor == 1 && r.ContentLength != 0
	return x
}

// Value returns the exchange for its key, else what the request knows.
func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

// renew begins the timeout anew, because something came.
func (x *exchange) renew() { x.active.Store(int64(time.Since(x.arrived))) }

// silent is for how long nothing has come.
func (x *exchange) silent() time.Duration {
	return time.Since(x.arrived) - time.Duration(x.active.Load())
}

// begin takes the turn from the replica; it fails when the handler has it.
func (x *exchange) begin(turn int32) bool {
	return x.turn.CompareAndSwap(turnReplica, turn)
}

// end gives the turn back to the replica, whose time begins anew.
func (x *exchange) end() {
	x.renew()
	x.turn.Store(turnReplica)
}

// Header is that of the answer. It is a map of its own, as the handler may
// have to answer while the carrier fills it.
func (x *exchange) Header() http.Header { return x.header }

// WriteHeader sends the header. A hint on the way to it shows that the replica
// works, so the timeout begins anew.
func (x *exchange) WriteHeader(code int) {
	if code < http.StatusOK && x.old || !x.begin(turnClient) {
		return
	}
	defer x.end()
	h := x.w.Header()
	maps.Copy(h, x.header)
	if code >= http.StatusOK {
		x.closing(h)
	}
	x.w.WriteHeader(code)
	if code < http.StatusOK {
		clear(h) // the real answer is yet to come
		return
	}
	x.sent = true
	clear(x.header)
}

// Write sends a part of the answer, or drops it. The end of it is not kept back
// until everything else is done.
func (x *exchange) Write(p []byte) (int, error) {
	if !x.begin(turnClient) {
		return len(p), nil
	}
	defer x.end()
	x.renew()
	x.kept.Store(true)
	n, err := x.w.Write(p)
	if x.rest -= int64(n); x.rest == 0 && err == nil {
		err = http.NewResponseController(x.w).Flush()
	}
	return n, err
}

// FlushError sends what was written.
func (x *exchange) FlushError() error {
	if !x.begin(turnClient) {
		return nil
	}
	defer x.end()
	x.renew()
	x.kept.Store(false)
	return http.NewResponseController(x.w).Flush()
}

// Hijack takes the connection of the client over, for an upgrade.
func (x *exchange) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if !x.begin(turnTunnel) {
		return nil, nil, http.ErrHandlerTimeout
	}
	conn, rw, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		x.end()
	}
	return conn, rw, err
}

// closing says that this answer is the last on its connection, if the upload is
// not over: what may come of it must not be taken for another request. It also
// keeps the server from reading all of it before it sends the answer.
func (x *exchange) closing(h http.Header) {
	if x.shared && x.upload.Load() != uploadOver {
		h.Set("Connection", "close")
	}
}

// lingering is how long the rest of an upload may still come that was answered
// before its end, so that a client that is sending reads the answer: as long as
// net/http gives it.
const lingering = 500 * time.Millisecond

// endUpload has no more of an upload read, as the handler ends
// and the server waits for whoever reads.
func (x *exchange) endUpload() {
	if x.upload.Load() == uploadOver {
		return
	}
	client := http.NewResponseController(x.w)
	if client.SetReadDeadline(time.Now()) != nil {
		return // there is no connection any more
	}
	x.reads.Lock()
	defer x.reads.Unlock()
	x.upload.CompareAndSwap(uploadOpen, uploadFailed)
	client.SetReadDeadline(time.Now().Add(lingering))
}

// finish gives the slot back, once. The replica is done with the request, or
// will not be.
func (x *exchange) finish(b *balancer) {
	if x.over || x.backend == nil {
		return
	}
	x.over = true
	b.release(&x.lease, x.how)
}

// requeue waits for another replica, as this one did not get the request.
func (x *exchange) requeue(b *balancer) (err error) {
	if !x.begin(turnQueue) {
		return http.ErrHandlerTimeout // nobody is left to do it for
	}
	defer x.end()
	x.lease, err = b.reacquire(x, x.lease)
	return err
}

// failed notes that the replica did not answer, or not to the end. It is to
// blame unless the exchange was given up.
func (x *exchange) failed() {
	cause := context.Cause(x)
	if cause == errGraceOver || cause == nil && x.upload.Load() != uploadFailed {
		x.how = broken
		return
	}
	x.how = abandoned
}

// trail sends what the replica added to the header after the body.
func (x *exchange) trail() {
	if x.sent && len(x.header) > 0 && x.begin(turnClient) {
		defer x.end()
		h := x.w.Header()
		clear(h) // what was sent may have a name of these
		maps.Copy(h, x.header)
	}
}
