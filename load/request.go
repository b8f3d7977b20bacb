package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"headroom/profiles"
)

// request is one kind of request of a run. Without templates it is encoded
// once, else for each sending.
type request struct {
	profiles.Request
	head       bool // HEAD: the answer has no body
	idempotent bool // may be sent again when an idle connection turns out closed
	want       int  // how much of an answer's body is looked at

	origin  string           // scheme and host
	prefix  string           // of the path
	host    string           // as the Host header says it
	header  http.Header      // what never changes, without Host and what frames the message
	changed []profiles.Field // what may
	fixed   []byte           // the lines of Host and header
	framing string           // "Connection: close" where each has a connection of its own
	hasBody bool             // there is one, or the method means one
	static  []byte           // the whole HTTP/1.1 message; nil: it has templates
}

// planRequest is the only request of a plan without a scenario.
func planRequest(plan profiles.Plan, target *url.URL) profiles.Request {
	path := target.RequestURI()
	return profiles.Request{Name: plan.Method + " " + plan.Secrets.Hide(path), Method: plan.Method, Path: profiles.Literal(path), Body: profiles.Literal(string(plan.Body))}
}

// newRequest prepares a request of a valid plan. Its path goes behind prefix.
func newRequest(plan profiles.Plan, target *url.URL, prefix string, of profiles.Request) (*request, error) {
	r := &request{Request: of, head: of.Method == http.MethodHead, want: prefixSize, prefix: prefix, header: http.Header{},
		origin: target.Scheme + "://" + target.Host, host: target.Host}
	if of.ReadsBody() {
		r.want = wholeSize
	}
	switch of.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions:
		r.idempotent = true
	}
	for name, values := range plan.Header {
		r.header[http.CanonicalHeaderKey(name)] = values
	}
	for _, f := range of.Header {
		r.header.Del(f.Name)
		if text, ok := f.Value.Static(); ok {
			r.header.Set(f.Name, text)
		} else {
			r.changed = append(r.changed, f)
		}
	}
	r.complete(target.User)
	if plan.DisableKeepAlive {
		r.framing = "Connection: close\r\n"
	}
	body, plain := of.Body.Static()
	r.hasBody = body != "" || !plain || of.Method == http.MethodPost || of.Method == http.MethodPut || of.Method == http.MethodPatch
	if err := r.encodeFixed(); err != nil {
		return nil, err
	}
	if _, ok := of.Path.Static(); ok && plain && len(r.changed) == 0 {
		r.static = r.encode(nil, nil)
	}
	return r, nil
}

// complete adds the headers that every request has.
func (r *request) complete(user *url.Userinfo) {
	missing := func(name string) bool {
		return r.header.Get(name) == "" && !slices.ContainsFunc(r.changed, func(f profiles.Field) bool { return f.Name == name })
	}
	if h := r.header.Get("Host"); h != "" {
		r.host = h
	}
	if missing("User-Agent") {
		r.header.Set("User-Agent", "headroom")
	}
	if missing("Accept") {
		r.header.Set("Accept", "*/*")
	}
	if user != nil && missing("Authorization") {
		password, _ := user.Password()
		basic := http.Request{Header: r.header}
		basic.SetBasicAuth(user.Username(), password)
	}
	for _, name := range []string{"Host", "Content-Length", "Transfer-Encoding"} {
		r.header.Del(name)
	}
}

// encodeFixed writes the lines of the headers that never change.
func (r *request) encodeFixed() error {
	names := make([]string, 0, len(r.header))
	for name := range r.header {
		names = append(names, name)
	}
	slices.Sort(names)
	lines := fmt.Appendf(nil, "Host: %s\r\n", r.host)
	for _, name := range names {
		for _, value := range r.header[name] {
			if strings.ContainsAny(name+value, "\r\n") {
				return fmt.Errorf("--header: got %q with a line break, want one line", name)
			}
			lines = fmt.Appendf(lines, "%s: %s\r\n", name, value)
		}
	}
	r.fixed = lines
	return nil
}

// encode writes the HTTP/1.1 message with its templates filled in behind dst.
func (r *request) encode(dst []byte, v *profiles.Values) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, ' ')
	dst = append(dst, r.prefix...)
	dst = r.Path.Append(dst, v)
	dst = append(dst, " HTTP/1.1\r\n"...)
	dst = append(dst, r.fixed...)
	for _, f := range r.changed {
		dst = append(dst, f.Name...)
		dst = append(dst, ": "...)
		dst = f.Value.Append(dst, v)
		dst = append(dst, "\r\n"...)
	}
	dst = append(dst, r.framing...)
	if !r.hasBody {
		return append(dst, "\r\n"...)
	}
	body := r.Body.Append(nil, v)
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, body...)
}

// Message is a request as one user sends it, again and again with what changes
// filled in. It belongs to that user.
type Message struct {
	*request
	encoded []byte // as HTTP/1.1
	values  profiles.Values
	buffer  []byte                  // of encoded, where there are templates
	seen    func(head, body []byte) // is shown each answer; nil: nobody looks

	streams *streamLog // is told of streams as they come; nil: nobody asks
}

// fill makes m the message of r with the present values.
func (m *Message) fill(r *request) {
	m.request, m.encoded = r, r.static
	if r.static == nil {
		m.buffer = r.encode(m.buffer[:0], &m.values)
		m.encoded = m.buffer
	}
}

// forClient is the request as net/http sends it, read from the message so that
// what is random in it is drawn once.
func (m *Message) forClient(ctx context.Context) (*http.Request, error) {
	read, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(m.encoded)))
	if err != nil {
		return nil, err
	}
	var body io.Reader
	if _, payload, _ := bytes.Cut(m.encoded, []byte("\r\n\r\n")); len(payload) > 0 {
		body = bytes.NewReader(payload) // which net/http can send again after a redirect
	}
	out, err := http.NewRequestWithContext(ctx, m.Method, m.origin+read.RequestURI, body)
	if err != nil {
		return nil, err
	}
	out.Host, out.Header = m.host, read.Header
	out.Header.Del("Connection")
	return out, nil
}

// judge tells whether a whole answer is good, and takes from it what later
// requests need. The error explains the failure where the status does not.
func (m *Message) judge(s *Sample, head, body []byte) (Failure, error) {
	if m.seen != nil {
		m.seen(head, body)
	}
	status := int(s.Status)
	if status >= 400 && !m.AllowsStatus(status) {
		return Status, nil
	}
	a := profiles.Answer{Status: status, Head: head, Body: body, Cut: len(body) >= wholeSize, Took: s.Service()}
	if err := m.Judge(a, m.values.Captured); err != nil {
		return Check, err
	}
	return None, nil
}
