package load

import (
	"context"
	"io"
	"math/rand/v2"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

// connector makes the connections of a run, and holds what they share.
type connector struct {
	url        *url.URL // of the target
	identifier *probe.Identifier
	splitter   probe.Splitter
	timeout    time.Duration // per request, from the send
	base       time.Time     // start of the run
	answers    sync.Pool     // of *answer
	dialer     *dialer
	lifetime   lifetime
	sources    []netip.Addr // local addresses, in turns
	seed       uint64       // of the lifetimes
	client     bool         // net/http sends
	http2      bool
	redirects  int // followed
	cookies    bool
	users      atomic.Uint64 // connections made so far, which is one a user
	held       held          // connections that are open
	generation atomic.Uint64 // connections of an older one are replaced before the next request
}

// newConnector prepares the connections of a valid plan.
func newConnector(plan profiles.Plan, identifier *probe.Identifier) (*connector, error) {
	target, err := url.Parse(plan.Target)
	if err != nil {
		return nil, err
	}
	secure, err := plan.TLSConfig()
	if err != nil {
		return nil, err
	}
	k := &connector{
		url: target, identifier: identifier, timeout: plan.Timeout, dialer: newDialer(secure, newGuard(plan)),
		lifetime: lifetime{plan.ConnMaxAge, plan.ConnMaxRequests}, sources: plan.SourceIPs, seed: plan.Seed,
		client: needsClient(plan.Connections), http2: plan.HTTP2, redirects: plan.Redirects, cookies: plan.Cookies,
	}
	if plan.DisableKeepAlive {
		k.lifetime = lifetime{requests: 1}
	}
	return k, nil
}

// newConn returns the connection of one more user. Its request is cut off when
// halt ends.
func (k *connector) newConn(halt context.Context) Conn {
	if k.client {
		return k.newClientConn(halt)
	}
	return k.newHTTPConn(halt)
}

// nextUser returns where the next user sends from, and its random numbers.
func (k *connector) nextUser() (source netip.Addr, rng rand.PCG) {
	number := k.users.Add(1) - 1
	if len(k.sources) > 0 {
		source = k.sources[number%uint64(len(k.sources))]
	}
	return source, *rand.NewPCG(k.seed, number)
}

// takeAnswer lends an answer to a connection that has one to read.
func (k *connector) takeAnswer(src io.Reader) *answer {
	a, ok := k.answers.Get().(*answer)
	if !ok {
		a = newAnswer(k.base)
	}
	a.reset(src)
	return a
}

// giveAnswer takes back one that nobody looks at any more.
func (k *connector) giveAnswer(a *answer) {
	if len(a.buf) > bufferSize || cap(a.scratch) > headLimit+prefixSize {
		return // one long answer must not make all of them long
	}
	a.reset(nil)
	k.answers.Put(a)
}
