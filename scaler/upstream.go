package scaler

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"time"
)

// upstream sends requests to replicas. A request for which no connection could
// be made was not sent, and goes to another replica; no other is sent twice.
type upstream struct {
	*http.Transport
	balancer *balancer
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
}

// unsentError says that no connection could be made.
type unsentError struct{ error }

func (e *unsentError) Unwrap() error { return e.error }

// maxDial is the longest that a connection may take. It is also below the
// upstream timeout, so that this never ends while nothing was sent.
const maxDial = 5 * time.Second

func newUpstream(b *balancer, timeout time.Duration) *upstream {
	u := &upstream{balancer: b, dial: new(net.Dialer).DialContext}
	longest := min(maxDial, timeout/2)
	u.Transport = &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, longest)
			defer cancel()
			conn, err := u.dial(ctx, network, addr)
			if err != nil {
				return nil, &unsentError{err}
			}
			return conn, nil
		},
		DisableCompression:  true, // pass on what was asked for
		MaxIdleConnsPerHost: max(16, b.concurrency),
		// Servers close a connection that has been idle for some time (gunicorn
		// after 2 s, uvicorn and Node after 5 s). A request that meets the close
		// is lost, as it must not be sent again, so give connections up before.
		IdleConnTimeout:       time.Second,
		ExpectContinueTimeout: time.Second,
	}
	return u
}

// RoundTrip sends a request that rewrite has directed to a replica. How often
// it may be moved on is limited by the time that a request may wait.
func (u *upstream) RoundTrip(req *http.Request) (*http.Response, error) {
	x := exchangeOf(req)
	for {
		res, err := u.Transport.RoundTrip(req)
		var unsent *unsentError
		if !errors.As(err, &unsent) || x.Err() != nil || exhausted(err) {
			return res, err
		}
		if err := x.requeue(u.balancer); err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.URL.Host = x.address
	}
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
//
// The price is a request of which nothing was written, because its connection
// had ended just before. It could be sent again, but net/http does not say
// which one that is, so it is answered 502.
func rewrite(pr *httputil.ProxyRequest) {
	x := exchangeOf(pr.Out)
	pr.Out.URL.Scheme = "http"
	pr.Out.URL.Host = x.address
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery // as it came, also where Go would not parse it
	pr.SetXForwarded()
	if strings.EqualFold(pr.Out.Header.Get("Upgrade"), "h2c") {
		// An offer to us, which may be passed over (RFC 9113, section 3.1).
		// Replicas that do not know it refuse the request.
		for _, name := range []string{"Upgrade", "Connection", "Http2-Settings"} {
			pr.Out.Header.Del(name)
		}
	}

	switch {
	case pr.Out.Body != nil:
		x.upload.Store(uploadOpen)
		pr.Out.Body = &uploadBody{pr.Out.Body, x}
	case pr.Out.Method == http.MethodGet, pr.Out.Method == http.MethodHead,
		pr.Out.Method == http.MethodOptions, pr.Out.Method == http.MethodTrace:
		pr.Out.Body = emptyBody{}
		pr.Out.TransferEncoding = identity
	}
	for canonical, spelled := range respelled {
		if v, ok := pr.Out.Header[canonical]; ok {
			delete(pr.Out.Header, canonical)
			pr.Out.Header[spelled] = v
		}
	}
}

var (
	identity  = []string{"identity"}
	respelled = map[string]string{"Idempotency-Key": "idempotency-key", "X-Idempotency-Key": "x-idempotency-key"}
)
