package remote

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"headroom/advisor"
	"headroom/scaler/httpapi"
)

// Config is what is served, and to whom.
type Config struct {
	Session *advisor.Session
	Token   string // of those that may ask
	Control bool   // they may also change something
}

// Server serves a session that Run runs elsewhere. NewServer makes one, Run
// runs it once.
type Server struct {
	Config
	states  <-chan advisor.State
	board   *board
	readers httpapi.Places
	http    *httpapi.Server
}

// errEnded is the cause with which what is under way ends.
var errEnded = errors.New("the session has ended")

// NewServer prepares a server, which takes the listener over, before the
// session runs. Requests to one on a loopback address must name a loopback
// host.
func NewServer(l net.Listener, c Config) *Server {
	s := &Server{Config: c, states: c.Session.States(), board: newBoard(), readers: httpapi.NewPlaces(httpapi.MaxReaders)}
	host, _, _ := net.SplitHostPort(l.Addr().String()) // a listener's own always splits
	s.http = httpapi.NewServer(l, httpapi.NewGuard(c.Token, host).Handler(s.routes()), errEnded)
	s.http.LimitClients()
	return s
}

// farewell is how long readers may take for the last State.
const farewell = 2 * time.Second

// Run serves until the session has ended, and its readers have the last State
// or have had their time for it. It returns an error when it could not go on
// serving before.
func (s *Server) Run() error {
	failed := make(chan error, 1)
	s.http.Start(func(err error) { failed <- err })
	err := s.follow(failed)
	soon, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	s.http.Shutdown(soon)
	return err
}

// follow puts States on the board up to the last one.
func (s *Server) follow(failed <-chan error) error {
	for {
		select {
		case st := <-s.states:
			s.board.put(st)
			if st.Ended {
				return nil
			}
		case err := <-failed:
			return err
		}
	}
}

// routes are all that is answered, by method and path.
func (s *Server) routes() map[string]http.HandlerFunc {
	routes := map[string]http.HandlerFunc{
		"GET /healthz":      func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) },
		"GET /metrics":      newMetrics(s.Session),
		"GET /openapi.json": getOpenAPI,
		"GET /v1/state":     httpapi.Limited(http.HandlerFunc(s.getState)),
		"GET /v1/states":    s.getStates,
	}
	for name, o := range orders {
		routes["POST "+orderPath+name] = s.control(o)
	}
	return routes
}

func (s *Server) getState(w http.ResponseWriter, _ *http.Request) {
	httpapi.Reply(w, s.Session.State())
}

// getStates streams States, the newest first and then each that the reader is
// fast enough for. It ends after the last one.
func (s *Server) getStates(w http.ResponseWriter, r *http.Request) {
	if !s.readers.Enter(w, "readers") {
		return
	}
	defer s.readers.Leave()
	stream, err := httpapi.StartStream(w)
	if err != nil || r.Method == http.MethodHead {
		return
	}
	beat := time.NewTicker(httpapi.Heartbeat)
	defer beat.Stop()
	var before advisor.State
	for {
		st, ok, more := s.board.look()
		if ok {
			f := frameOf(before, st)
			f.Control = s.Control
			err = errors.Join(stream.Add("", "state", f), stream.Send())
			before = st
		}
		if err != nil || st.Ended {
			return
		}
		select {
		case <-more:
		case <-beat.C:
			stream.Beat()
			err = stream.Send()
		case <-r.Context().Done():
			return
		}
	}
}
