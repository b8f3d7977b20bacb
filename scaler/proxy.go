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
)

// proxy passes the requests of the service on to the replicas.
type proxy struct {
	balancer  *balancer
	timeout   time.Duration
	transport *http.Transport
	reverse   *httputil.ReverseProxy
	requests  *requestMetrics
}

func newProxy(b *balancer, timeout time.Duration) *proxy {
	p := &proxy{balancer: b, timeout: timeout, requests: newRequestMetrics()}
	p.transport = &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		DisableCompression:  true, // pass on what was asked for
		MaxIdleConnsPerHost: max(16, b.concurrency),
		// Servers close a connection that has been idle for some time (gunicorn
		// after 2 s, uvicorn and Node after 5 s). A request that meets the close
		// is lost, as it must not be sent again, so give connections up before.
		IdleConnTimeout:       time.Second,
		ExpectContinueTimeout: time.Second,
	}
	// Without a FlushInterval: the proxy passes event streams and answers of
	// unknown length on as they come anyway, and -1 would cost every other
	// answer a goroutine and a second packet.
	p.reverse = &httputil.ReverseProxy{
		Rewrite:        rewrite,
		Transport:      p.transport,
		ModifyResponse: p.answer,
		ErrorHandler:   p.fail,
		BufferPool:     &buffers{},
		ErrorLog:       log.New(io.Discard, "", 0), // what goes wrong is in the answer
	}
	return p
}

func (p *proxy) ServeHTTP(client http.ResponseWriter, r *http.Request) {
	w := p.requests.begin(client)
	defer p.requests.end(w, r)
	l, err := p.balancer.acquire(r.Context())
	if err != nil {
		p.refuse(w, err)
		return
	}
	w.granted = time.Now()
	ctx, cancel := context.WithCancelCause(r.Context())
	x := &exchange{lease: l, ctx: ctx, timeout: p.timeout}
	x.timer = time.AfterFunc(p.timeout, func() {
		cancel(errUpstreamTimeout)
		if x.uploading.Load() { // the transport waits for the reading of it, which nothing else ends
			_ = http.NewResponseController(w).SetReadDeadline(time.Now())
		}
	})
	defer func() { // also when the copying panics because a side went away
		x.endTimeout()
		cancel(nil)
		p.balancer.release(l.backend, x.broken)
	}()
	p.reverse.ServeHTTP(w, r.WithContext(context.WithValue(ctx, exchangeKey{}, x)))
}

// refuse answers a request that got no replica.
func (p *proxy) refuse(w http.ResponseWriter, err error) {
	text := "the request was given up while it waited for a replica"
	switch {
	case errors.Is(err, ErrQueueFull):
		text = fmt.Sprintf("%v: %d requests wait for a replica", err, p.balancer.maxQueue)
	case errors.Is(err, errClosed):
		text = err.Error()
	}
	w.Header().Set("Retry-After", "1")
	http.Error(w, text, http.StatusServiceUnavailable)
}

// rewrite directs a request to its replica.
//
// It also keeps the transport from sending a request twice. Unasked, net/http
// repeats a request when a reused connection breaks before the answer, even
// if the replica has received all of it, where the request looks safe to
// repeat (Request.isReplayable): no body, and either a GET, HEAD, OPTIONS or
// TRACE or an Idempotency-Key header. So the first kind is given a body, an
// empty one that cannot be rewound; "identity" makes net/http write it as the
// nothing that it is. And the header is spelled as net/http does not look for
// it, which HTTP does not tell apart. Reuse of connections itself is worth
// keeping: without it every request costs a handshake.
func rewrite(pr *httputil.ProxyRequest) {
	x := exchangeOf(pr.Out)
	pr.Out.URL.Scheme = "http"
	pr.Out.URL.Host = x.address
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery // as it came, also where Go would not parse it
	pr.SetXForwarded()

	switch {
	case pr.Out.Body != nil:
		x.uploading.Store(true)
		pr.Out.Body = &uploadBody{pr.Out.Body, x}
	case pr.Out.Method == http.MethodGet, pr.Out.Method == http.MethodHead,
		pr.Out.Method == http.MethodOptions, pr.Out.Method == http.MethodTrace:
		pr.Out.Body = emptyBody{}
		pr.Out.TransferEncoding = []string{"identity"}
	}
	for canonical, spelled := range map[string]string{
		"Idempotency-Key": "idempotency-key", "X-Idempotency-Key": "x-idempotency-key",
	} {
		if v, ok := pr.Out.Header[canonical]; ok {
			delete(pr.Out.Header, canonical)
			pr.Out.Header[spelled] = v
		}
	}
}

// answer passes an answer on, with the replica and the queue time named.
func (p *proxy) answer(res *http.Response) error {
	x := exchangeOf(res.Request)
	x.sign(res.Header)
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.endTimeout() // the two sides of an upgraded connection decide when it ends
		return nil
	}
	x.renew()
	res.Body = &answerBody{res.Body, x}
	return nil
}

// fail answers a request whose replica did not.
func (p *proxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	x := exchangeOf(r)
	x.sign(w.Header())
	switch cause := context.Cause(r.Context()); {
	case cause == errUpstreamTimeout && x.uploadFailed.Load():
		http.Error(w, fmt.Sprintf("the upload stopped for %s", profiles.Duration(p.timeout)), http.StatusRequestTimeout)
	case cause == errUpstreamTimeout:
		text := fmt.Sprintf("upstream timed out after %s: %s did not answer", profiles.Duration(p.timeout), x.id)
		http.Error(w, text, http.StatusGatewayTimeout)
	case cause != nil || x.uploadFailed.Load():
		http.Error(w, "the request was given up before "+x.id+" answered", http.StatusBadGateway)
	default:
		x.broken = true
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

// buffers are reused to copy answers.
type buffers struct{ pool sync.Pool }

const bufferSize = 32 << 10

func (b *buffers) Get() []byte {
	if v, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return v[:]
	}
	return make([]byte, bufferSize)
}

func (b *buffers) Put(buf []byte) { b.pool.Put((*[bufferSize]byte)(buf)) }
