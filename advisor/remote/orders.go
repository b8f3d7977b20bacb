package remote

import (
	"errors"
	"fmt"
	"math"
	"net/http"

	"headroom/advisor"
	"headroom/profiles"
	"headroom/profiles/document"
	"headroom/scaler/httpapi"
)

const orderPath = "/v1/control/"

// The bodies of orders.
type (
	usersOrder struct {
		Users int `json:"users" yaml:"users"`
	}
	rateOrder struct {
		PerSecond float64 `json:"perSecond" yaml:"perSecond"`
	}
	trafficOrder struct {
		Low  float64 `json:"low" yaml:"low"` // arrivals per second
		High float64 `json:"high" yaml:"high"`
	}
)

// order is what a user can do, given the body of a request, which an order
// without parameters does not have.
type order struct {
	simple func(*advisor.Session) error               // without parameters
	given  func(*advisor.Session, []byte) (err error) // with some
}

// orders are those that there are, by their names.
var orders = map[string]order{
	"start":   {simple: (*advisor.Session).Start},
	"stop":    {simple: (*advisor.Session).Stop},
	"pause":   {simple: (*advisor.Session).TogglePause}, // or goes on
	"recycle": {simple: (*advisor.Session).Recycle},
	"reset":   {simple: (*advisor.Session).ResetStats},
	"advise":  {simple: (*advisor.Session).Advise},
	"apply":   {simple: (*advisor.Session).Apply},
	"verify":  {simple: (*advisor.Session).Verify},

	"users": {given: with(func(s *advisor.Session, o usersOrder) error { return s.SetUsers(o.Users) })},
	"spawn-rate": {given: with(func(s *advisor.Session, o rateOrder) error {
		return s.SetSpawnRate(o.PerSecond)
	})},
	"rate": {given: with(func(s *advisor.Session, o rateOrder) error { return s.SetRate(o.PerSecond) })},
	"traffic": {given: with(func(s *advisor.Session, o trafficOrder) error {
		if !(math.Abs(o.Low) <= mostTraffic) || !(math.Abs(o.High) <= mostTraffic) {
			return fmt.Errorf("traffic: got %v..%v, want %v requests per second at most", o.Low, o.High, float64(mostTraffic))
		}
		return s.SetTraffic(profiles.Traffic{Low: profiles.MilliOf(o.Low), High: profiles.MilliOf(o.High)})
	})},
}

const mostTraffic = 1e9

// with reads the parameters of an order strictly.
func with[T any](give func(*advisor.Session, T) error) func(*advisor.Session, []byte) error {
	return func(s *advisor.Session, body []byte) error {
		var parameters T
		lines, err := document.Decode(body, &parameters, document.Strict)
		if err = lines.Check(err, nil); err != nil {
			return err
		}
		return give(s, parameters)
	}
}

// errReadOnly is why an order is refused where only looking is allowed.
var errReadOnly = errors.New("control: this run is read-only, want one that was started with --control")

// control carries an order out. It answers 403 where that is not allowed, 409
// where it does not fit what the session does, and 422 where it is wrong.
func (s *Server) control(o order) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.Control {
			httpapi.Refuse(w, http.StatusForbidden, errReadOnly.Error())
			return
		}
		code, err := http.StatusConflict, error(nil)
		if o.simple != nil {
			err = o.simple(s.Session)
		} else {
			body, ok := httpapi.ReadBody(w, r)
			if !ok {
				return
			}
			if err = o.given(s.Session, body); !errors.Is(err, advisor.ErrBusy) {
				code = http.StatusUnprocessableEntity
			}
		}
		if err != nil {
			httpapi.Refuse(w, code, httpapi.Problems(err)...)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}
