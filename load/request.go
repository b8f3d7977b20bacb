package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"

	"headroom/profiles"
)

// request is what all users of a run send, encoded once.
type request struct {
	name       string // "GET /path", as the tables show it
	wire       []byte // the whole HTTP/1.1 message
	head       bool   // HEAD: the answer has no body
	idempotent bool   // may be sent again when an idle connection turns out closed
	url        *url.URL

	// The same for net/http.
	method, host string
	header       http.Header // without Host
	body         []byte
}

// newRequest encodes the request of a valid plan.
func newRequest(plan profiles.Plan) (*request, error) {
	u, err := url.Parse(plan.Target)
	if err != nil {
		return nil, err
	}
	path := u.RequestURI()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", plan.Method, path)

	header := http.Header{}
	for name, values := range plan.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	host := u.Host
	if h := header.Get("Host"); h != "" {
		host = h
		header.Del("Host")
	}
	fmt.Fprintf(&b, "Host: %s\r\n", host)
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", "headroom")
	}
	if header.Get("Accept") == "" {
		header.Set("Accept", "*/*")
	}
	if u.User != nil && header.Get("Authorization") == "" {
		password, _ := u.User.Password()
		r := http.Request{Header: header}
		r.SetBasicAuth(u.User.Username(), password)
	}
	header.Del("Content-Length")
	header.Del("Transfer-Encoding")
	plain := header.Clone()
	if len(plan.Body) > 0 || plan.Method == http.MethodPost || plan.Method == http.MethodPut || plan.Method == http.MethodPatch {
		header.Set("Content-Length", fmt.Sprint(len(plan.Body)))
	}
	if plan.DisableKeepAlive {
		header.Set("Connection", "close")
	}
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		for _, value := range header[name] {
			if strings.ContainsAny(name+value, "\r\n") {
				return nil, fmt.Errorf("--header: got %q with a line break, want one line", name)
			}
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	b.WriteString("\r\n")
	b.Write(plan.Body)

	r := &request{name: plan.Method + " " + path, wire: []byte(b.String()), url: u, head: plan.Method == http.MethodHead,
		method: plan.Method, host: host, header: plain, body: plan.Body}
	switch plan.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions:
		r.idempotent = true
	}
	return r, nil
}

// forClient is the request as net/http sends it.
func (r *request) forClient(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if len(r.body) > 0 {
		body = bytes.NewReader(r.body)
	}
	out, err := http.NewRequestWithContext(ctx, r.method, r.url.String(), body)
	if err != nil {
		return nil, err
	}
	out.Host = r.host
	out.Header = r.header.Clone() // a client with cookies adds to it
	return out, nil
}
