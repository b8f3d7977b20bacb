package scaler

import (
	"fmt"
	"net/http"
	"strings"
)

// unacceptable says why a request cannot be passed on, empty where it can. The
// server has read it, but what HTTP/2 may carry would not be one request any
// more, or another one, as HTTP/1.1 is written (RFC 9112, section 3).
func unacceptable(r *http.Request) string {
	switch {
	case r.Method == http.MethodConnect:
		return "CONNECT: this is no forward proxy"
	case !isToken(r.Method):
		return fmt.Sprintf("method: got %q, want a token", r.Method)
	case strings.ContainsFunc(r.URL.RawQuery, breaks), strings.ContainsFunc(r.URL.Opaque, breaks): // a path is escaped
		return fmt.Sprintf("request target: got %q, want it without spaces and control characters", r.URL.RequestURI())
	case strings.ContainsFunc(r.Host, breaks):
		return fmt.Sprintf("host: got %q, want it without spaces and control characters", r.Host)
	}
	upgrade := r.Header.Get("Upgrade")
	switch {
	case strings.ContainsFunc(upgrade, func(c rune) bool { return c != ' ' && breaks(c) || c > '~' }):
		return fmt.Sprintf("upgrade: got %q, want a protocol", upgrade)
	case upgrade != "" && !strings.EqualFold(upgrade, "h2c") && r.ContentLength != 0:
		return "upgrade: got a request with a body, want one without"
	}
	return ""
}

func breaks(c rune) bool { return c <= ' ' || c == 0x7f }

// isToken reports whether a text is a token (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool {
		return c > '~' || breaks(c) || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c)
	})
}
