package target

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	maxCount  = 10_000_000_000 // of /load: what the fastapi-serve documentation tries
	burnChunk = 1_000_000      // iterations between two looks at the client
	maxDigits = 100            // of the x of /request
)

// Handler serves the routes. It answers 503 until the start-up time is over.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, handle := range map[string]http.HandlerFunc{
		"/{$}":          s.root,
		"/healthz":      s.health,
		"/stats":        s.stats,
		"/load/{count}": s.load,
		"/request":      s.request,
		"/sse":          s.stream,
	} {
		mux.HandleFunc("GET "+path, handle) // and HEAD
		mux.HandleFunc("POST "+path, handle)
		mux.HandleFunc(path, s.wrongMethod("GET, HEAD, POST"))
	}
	mux.HandleFunc("POST "+chatPath, s.chat)
	mux.HandleFunc(chatPath, s.wrongMethod("POST"))
	mux.HandleFunc("/", s.notFound)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if left := time.Until(s.ready); left > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(left.Seconds()))))
			s.fail(w, http.StatusServiceUnavailable, "starting, %v left", left.Round(time.Millisecond))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// root answers at once, whatever the load: it says that the service is there.
func (s *Server) root(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, struct {
		Hostname string `json:"hostname"`
		Service  string `json:"service"`
	}{s.config.Hostname, "headroom target"})
}

func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprint(w, "ok")
}

// serviceTimes are in milliseconds, as in the Server-Timing header.
type serviceTimes struct {
	Mean float64 `json:"mean"`
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
}

func (s *Server) stats(w http.ResponseWriter, _ *http.Request) {
	st := s.Stats()
	body := struct {
		Hostname string        `json:"hostname"`
		Served   int64         `json:"served"`
		Times    *serviceTimes `json:"service_time_ms"` // null while nothing was served
		Busy     int           `json:"busy"`
		Waiting  int           `json:"waiting"`
	}{Hostname: s.config.Hostname, Served: st.Served, Busy: st.Busy, Waiting: st.Waiting}
	if st.Served > 0 {
		body.Times = &serviceTimes{millis(st.Mean), millis(st.Min), millis(st.Max)}
	}
	answer(w, http.StatusOK, body)
}

// load answers as the application of the fastapi-serve documentation does.
// Its cpu_time is the time that passed, as there.
func (s *Server) load(w http.ResponseWriter, r *http.Request) {
	given := r.PathValue("count")
	count, err := strconv.ParseInt(given, 10, 64)
	if err != nil || count < 0 || count > maxCount {
		s.fail(w, http.StatusUnprocessableEntity, "count: got %q, want a whole number 0..%d", given, int64(maxCount))
		return
	}
	var sum *big.Int
	took, err := s.hold(r, func(ctx context.Context, _ time.Time) (err error) {
		sum, err = burn(ctx, 0, count)
		return err
	})
	if err != nil {
		s.gone(w)
		return
	}
	setTiming(w, took)
	answer(w, http.StatusOK, struct {
		CPUTime  float64  `json:"cpu_time"`
		Result   *big.Int `json:"result"`
		Hostname string   `json:"hostname"`
	}{took.Seconds(), sum, s.config.Hostname})
}

// burn adds up the numbers from..to-1 one by one, as sum(range(from, to))
// does. The sum of the largest count does not fit an int64, that of a
// chunk does.
func burn(ctx context.Context, from, to int64) (*big.Int, error) {
	total := new(big.Int)
	for ; from < to; from += burnChunk {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part, end := int64(0), min(from+burnChunk, to)
		for i := from; i < end; i++ {
			part += i
		}
		total.Add(total, big.NewInt(part))
	}
	return total, nil
}

// request is the model of the gibbs documentation: x squared, after a service
// time.
func (s *Server) request(w http.ResponseWriter, r *http.Request) {
	x := r.URL.Query().Get("x")
	result, ok := square(x)
	if !ok {
		s.fail(w, http.StatusUnprocessableEntity, "x: got %q, want a number of up to %d characters whose square is finite", x, maxDigits)
		return
	}
	m := s.config.Misbehaviour
	mood, err := s.mood(r.URL.Query().Get("chaos"))
	switch {
	case err != nil:
		s.fail(w, http.StatusUnprocessableEntity, "%v", err)
		return
	case mood == refuse:
		s.fail(w, http.StatusServiceUnavailable, "refused on purpose, as --chaos asks")
		return
	}
	var failing bool
	hold := s.hold
	if m.Batch > 1 {
		hold = s.holdBatch
	}
	took, err := hold(r, func(ctx context.Context, start time.Time) error {
		if m.SharedLimit > 0 {
			release, err := acquireShared(ctx, m.SharedLimit)
			if err != nil {
				return err
			}
			defer release()
			start = time.Now()
		}
		service, fails := s.draws.next()
		failing = fails
		if mood == dawdle {
			service *= 3
		}
		return s.until(ctx, s.end(start, service))
	})
	if err != nil {
		s.gone(w)
		return
	}
	if mood != calm && mood != dawdle {
		s.wreck(w, r, mood)
		return
	}
	s.leak()
	setTiming(w, took)
	if failing {
		s.fail(w, http.StatusInternalServerError, "failed on purpose, as --fail-rate %v asks", s.config.FailRate)
		return
	}
	answer(w, http.StatusOK, struct {
		Result   json.RawMessage `json:"result"`
		Hostname string          `json:"hostname"`
	}{result, s.config.Hostname})
}

// square is x*x as Python prints it: the square of an integer is an integer
// of any size, that of any other number is a float.
func square(x string) (json.RawMessage, bool) {
	x = strings.TrimSpace(x)
	if len(x) > maxDigits || strings.ContainsAny(x, "xX_") {
		return nil, false
	}
	if n, ok := new(big.Int).SetString(x, 10); ok {
		return n.Mul(n, n).Append(nil, 10), true
	}
	f, err := strconv.ParseFloat(x, 64)
	f *= f
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, false
	}
	return appendFloat(nil, f), true
}

// appendFloat writes f, which is finite and not negative, as Python's repr
// does: the fewest digits that read back as f, always with a point or an
// exponent.
func appendFloat(b []byte, f float64) []byte {
	switch {
	case f != 0 && (f < 1e-4 || f >= 1e16):
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	case f == math.Trunc(f):
		return strconv.AppendFloat(b, f, 'f', 1, 64)
	default:
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	s.fail(w, http.StatusNotFound, "path: got %q, want /, /load/{count}, /request, /sse, "+chatPath+", /stats or /healthz", r.URL.Path)
}

func (s *Server) wrongMethod(allowed string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		s.fail(w, http.StatusMethodNotAllowed, "method: got %q, want %s", r.Method, allowed)
	}
}

// gone answers a request whose client went away, so that nobody reads it, or
// that the end of the drain cut off.
func (s *Server) gone(w http.ResponseWriter) {
	s.fail(w, http.StatusServiceUnavailable, "stopped before the answer was ready")
}

// fail answers with an error. It names the replica too: whoever counts
// failures wants to know whose they are.
func (s *Server) fail(w http.ResponseWriter, status int, format string, args ...any) {
	answer(w, status, struct {
		Detail   string `json:"detail"`
		Hostname string `json:"hostname"`
	}{fmt.Sprintf(format, args...), s.config.Hostname})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	_ = out.Encode(body) // when it fails the client has gone: there is nobody to tell
}

func setTiming(w http.ResponseWriter, took time.Duration) {
	w.Header().Set("Server-Timing", fmt.Sprintf("app;dur=%.3f", millis(took)))
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
