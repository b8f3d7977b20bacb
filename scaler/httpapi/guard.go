package httpapi

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Guard says who may ask. Every route but /healthz wants its token. One that
// is for this machine also wants the name of a loopback host, or a web page
// could reach it through a name that it made resolve to 127.0.0.1; what others
// are called it cannot know, and a web page has no token.
type Guard struct {
	token    [sha256.Size]byte // its hash: a comparison of hashes says nothing about length
	loopback bool              // only requests to a loopback host are answered
}

// NewGuard returns a guard with a token, for an API that listens on host.
func NewGuard(token, host string) Guard {
	return Guard{token: sha256.Sum256([]byte(token)), loopback: IsLoopback(host)}
}

// NewToken makes a token that nobody guesses.
func NewToken() string {
	secret := make([]byte, 32)
	rand.Read(secret) // never fails
	return hex.EncodeToString(secret)
}

// MaxBody is how long the body of a request may be, in bytes.
const MaxBody = 1 << 20

// Handler answers routes, by method and path, and refuses everything else in
// the same form.
func (g Guard) Handler(routes map[string]http.HandlerFunc) http.Handler {
	mux := http.NewServeMux()
	allowed := map[string][]string{} // methods, by path
	for pattern, h := range routes {
		mux.HandleFunc(pattern, h)
		method, path, _ := strings.Cut(pattern, " ")
		allowed[path] = append(allowed[path], method)
		if method == http.MethodGet {
			allowed[path] = append(allowed[path], http.MethodHead)
		}
	}
	for path, methods := range allowed {
		slices.Sort(methods)
		list := strings.Join(methods, ", ")
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", list)
			Refuse(w, http.StatusMethodNotAllowed, fmt.Sprintf("method: got %s, want one of %s", r.Method, list))
		})
	}
	paths := strings.Join(slices.Sorted(maps.Keys(allowed)), ", ")
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		Refuse(w, http.StatusNotFound, fmt.Sprintf("path: got %q, want one of %s", r.URL.Path, paths))
	})
	return g.guarded(mux)
}

// guarded lets only those through that may ask, with no more than they need.
func (g Guard) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		switch {
		case g.loopback && !IsLoopback(host):
			Refuse(w, http.StatusMisdirectedRequest, fmt.Sprintf("host: got %q, want a loopback address", r.Host))
		case r.URL.Path != "/healthz" && !g.authorized(r):
			w.Header().Set("WWW-Authenticate", "Bearer")
			Refuse(w, http.StatusUnauthorized, "authorization: want the bearer token of this API")
		default:
			r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
			next.ServeHTTP(w, r)
		}
	})
}

func (g Guard) authorized(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	hash := sha256.Sum256([]byte(token))
	return ok && subtle.ConstantTimeCompare(hash[:], g.token[:]) == 1
}

// Places are as many as may do something at once. They are safe for concurrent
// use.
type Places chan struct{}

// NewPlaces returns so many.
func NewPlaces(n int) Places { return make(Places, n) }

// Enter takes a place, or answers that there is none: what names it.
func (p Places) Enter(w http.ResponseWriter, what string) bool {
	select {
	case p <- struct{}{}:
		return true
	default:
		w.Header().Set("Retry-After", "1")
		Refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%s: %d are under way, want at most %d", what, cap(p), cap(p)))
		return false
	}
}

// Leave gives a place back.
func (p Places) Leave() { <-p }

// Limited serves only a few requests at once: to gather everything is work.
func Limited(next http.Handler) http.HandlerFunc {
	places := NewPlaces(4)
	return func(w http.ResponseWriter, r *http.Request) {
		if places.Enter(w, "requests") {
			defer places.Leave()
			next.ServeHTTP(w, r)
		}
	}
}
