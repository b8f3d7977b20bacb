package scaler

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"sync"
	"time"

	"headroom/profiles"
	"headroom/scaler/httpapi"
)

// proxy passes the requests of the service on to the replicas. It starts
// goroutines for those that are late; close waits for all of them.
type proxy struct {
	balancer *balancer
	timeout  time.Duration
	upstream *upstream
	reverse  *httputil.ReverseProxy
	requests *requestMetrics
	log      func(Event)

	closing chan struct{}
	running sync.WaitGroup // exchanges without a client, and what ends them
}

func newProxy(b *balancer, timeout time.Duration) *proxy {
	p := &proxy{balancer: b, timeout: timeout, upstream: newUpstream(b, timeout), requests: newRequestMetrics(), log: func(Event) {}, closing: make(chan struct{})}
	// Without a FlushInterval: the proxy passes event streams and answers of
	// unknown length on as they come anyway, and the exchange does others.
	p.reverse = &httputil.ReverseProxy{
		Rewrite:        rewrite,
		Transport:      p.upstream,
		ModifyResponse: p.answer,
		ErrorHandler:   p.fail,
		BufferPool:     p.upstream.buffers,
		ErrorLog:       log.New(io.Discard, "", 0), // what goes wrong is in the answer
	}
	return p
}

// newFront prepares the server of a proxy. What still waits when it ends the
// requests must not get their slots.
func newFront(l net.Listener, p *proxy) *httpapi.Server {
	s := httpapi.NewServer(l, p, errClosed)
	s.OnAbort = p.balancer.close
	s.HTTP.Protocols = &http.Protocols{}
	s.HTTP.Protocols.SetHTTP1(true)
	s.HTTP.Protocols.SetUnencryptedHTTP2(true)
	// No WriteTimeout, nor a ReadTimeout: streams and uploads may be long. The
	// proxy limits how long they stand still.
	s.HTTP.ReadHeaderTimeout = 10 * time.Second
	s.HTTP.IdleTimeout = 2 * time.Minute
	return s
}

// close ends what goes on without a client. It is called once, when no handler
// is running any more.
func (p *proxy) close() {
	close(p.closing)
	p.running.Wait()
	p.upstream.close()
}

// ServeHTTP performs an exchange: it returns when the client has its answer, or
// has gone away.
func (p *proxy) ServeHTTP(client http.ResponseWriter, r *http.Request) {
	w := p.requests.begin(client)
	defer p.requests.end(w)
	if text := unacceptable(r); text != "" {
		http.Error(w, text, http.StatusBadRequest)
		return
	}
	l, err := p.balancer.acquire(r.Context())
	if err != nil {
		if r.ContentLength != 0 { // the server reads the upload before it answers
			http.NewResponseController(w).SetReadDeadline(time.Now().Add(lingering))
		}
		p.refuse(w, err)
		return
	}
	w.granted = time.Now()
	p.carry(newExchange(w, r, l), r)
}

// carry performs an exchange, and ends it in any case.
func (p *proxy) carry(x *exchange, r *http.Request) {
	stay := context.AfterFunc(r.Context(), func() {
		if context.Cause(r.Context()) == errClosed {
			x.giveUp(errClosed)
		} else {
			x.giveUp(errClientGone)
		}
	})
	x.mu.Lock()
	x.timer = time.AfterFunc(p.timeout, func() { p.watch(x) })
	x.mu.Unlock()
	defer func() {
		panicked := recover()
		stay()
		if late := x.conclude(); late {
			p.answerLate(x)
			return
		}
		if panicked != nil && x.how == completed {
			x.how = abandoned
		}
		if panicked != nil && panicked != http.ErrAbortHandler {
			p.log(Event{At: time.Now(), Kind: EventReplica, Replica: x.id,
				Text: fmt.Sprintf("an answer of %s could not be passed on: %v", x.id, panicked)})
		}
		x.giveUp(nil) // nothing waits any more
		x.finish(p.balancer)
		x.endUpload()
		if panicked != nil {
			panic(panicked) // the server ends the connection
		}
	}()
	p.reverse.ServeHTTP(x, r.WithContext(x))
	x.trail()
}

// watch looks, when the time may be over, at whose turn it is.
func (p *proxy) watch(x *exchange) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended {
		return
	}
	if rest := p.timeout - x.silent(); rest > 0 {
		x.timer.Reset(rest)
		return
	}
	switch turn := x.turn.Load(); {
	case turn == turnClient:
		x.breakOff(errClientSlow)
		http.NewResponseController(x.w).SetWriteDeadline(time.Now())
	case turn != turnReplica: // other times apply
	case x.upload.Load() == uploadAwaited:
		x.breakOff(errUploadStopped)
	case x.begin(turnNobody): // where this fails, something comes in this moment
		if x.link != nil {
			x.link.interrupt()
		}
		return
	}
	x.timer.Reset(p.timeout)
}

// answerLate answers for a replica that has not. It may still compute, so the
// request keeps its slot, and the exchange goes on in the background for as
// long again.
func (p *proxy) answerLate(x *exchange) {
	p.balancer.stick(&x.lease)
	if x.pending == nil {
		x.giveUp(nil)
		x.finish(p.balancer)
	} else {
		p.running.Go(func() { p.outlast(x) })
	}
	x.endUpload()
	if x.sent {
		panic(http.ErrAbortHandler) // all that is left is to break the answer off
	}
	h := x.w.Header()
	x.closing(h)
	x.sign(h)
	text := fmt.Sprintf("upstream timed out after %s: %s did not answer", profiles.Duration(p.timeout), x.id)
	http.Error(x.w, text, http.StatusGatewayTimeout)
}

// outlast waits until a replica that is late is done with its request, has
// hung up, or has been late for twice the time.
func (p *proxy) outlast(x *exchange) {
	done := make(chan struct{})
	p.running.Go(func() {
		grace := time.NewTimer(p.timeout)
		defer grace.Stop()
		select {
		case <-done:
		case <-grace.C:
			x.giveUp(errGraceOver)
		case <-p.closing:
			x.giveUp(errClosed)
		}
	})
	defer close(done)
	err := x.pending.resume()
	if x.pending = nil; err != nil {
		x.failed()
	}
	x.giveUp(nil)
	x.finish(p.balancer)
}

// refuse answers a request that got no replica.
func (p *proxy) refuse(w http.ResponseWriter, err error) {
	code, text := http.StatusServiceUnavailable, ""
	switch {
	case errors.Is(err, errQueueFull):
		text = fmt.Sprintf("%v: %d requests wait for a replica", err, p.balancer.maxQueue)
	case errors.Is(err, errWaited):
		text = fmt.Sprintf("waited %s for a replica", profiles.Duration(p.balancer.maxWait))
	case errors.Is(err, errClosed):
		text = err.Error()
	default:
		code, text = statusGone, "the request was given up while it waited for a replica"
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, text, code)
}

// answer passes an answer on, with the replica and the queue time named. The
// slot is free as soon as the replica has sent all of it: a client that has its
// answer must find it so.
func (p *proxy) answer(res *http.Response) error {
	x := exchangeOf(res.Request)
	x.sign(res.Header)
	if res.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	x.renew()
	if res.Body == http.NoBody {
		x.finish(p.balancer)
		return nil
	}
	x.rest = res.ContentLength
	res.Body = &answerBody{res.Body, x, p.balancer}
	return nil
}

// fail answers a request whose replica did not.
func (p *proxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r)
	if x.late() {
		return
	}
	if x.backend == nil {
		p.refuse(w, err)
		return
	}
	if x.how == completed {
		x.how = abandoned // the replica did not fail; it is the client, or what the two agreed on
	}
	x.sign(w.Header())
	switch cause := context.Cause(x); {
	case exhausted(err):
		x.how = abandoned
		w.Header().Set("Retry-After", "1")
		http.Error(w, fmt.Sprintf("the scaler cannot connect to a replica: %v", err), http.StatusServiceUnavailable)
	case cause == errUploadStopped:
		http.Error(w, fmt.Sprintf("the upload stopped for %s", profiles.Duration(p.timeout)), http.StatusRequestTimeout)
	case cause == errMalformed:
		http.Error(w, cause.Error(), http.StatusBadRequest)
	case cause == nil && x.upload.Load() != uploadFailed && x.how == abandoned:
		http.Error(w, fmt.Sprintf("an answer of %s could not be passed on: %v", x.id, err), http.StatusBadGateway)
	case x.how == abandoned && cause != errClosed:
		http.Error(w, "the client went away before "+x.id+" answered", statusGone)
	case x.how == abandoned:
		http.Error(w, "the request was given up before "+x.id+" answered", http.StatusBadGateway)
	default:
		http.Error(w, fmt.Sprintf("%s did not answer: %v", x.id, err), http.StatusBadGateway)
	}
}

// sign names the replica and the time in the queue. A replica that is itself
// a proxy may have named one of its own; ours is the one that was balanced.
func (x *exchange) sign(h http.Header) {
	h["X-Served-By"] = []string{x.id}
	ms := strconv.FormatFloat(float64(x.queued)/float64(time.Millisecond), 'f', 3, 64)
	h["Server-Timing"] = append(h["Server-Timing"], "queue;dur="+ms)
}
