package profiles

import (
	"encoding/json"
	"time"
)

// planPicture is what a plan shows of itself.
type planPicture struct {
	Target    string        `json:"target"`
	Users     int           `json:"users"`
	UserShape *float64      `json:"userShape,omitempty"` // with how many it begins
	SpawnRate float64       `json:"spawnRate"`
	Rate      float64       `json:"rate,omitempty"`
	Shape     *float64      `json:"shape,omitempty"` // with how many arrivals per second it begins
	RunTime   time.Duration `json:"runTime,omitempty"`
	Requests  int           `json:"requests,omitempty"`
	StopGrace time.Duration `json:"stopGrace"`
}

// MarshalJSON writes a picture of the plan for who only looks at it: what it
// sends, and with which header, may hold secrets and stays where it is, and of
// a shape it says where it begins.
func (p Plan) MarshalJSON() ([]byte, error) {
	return json.Marshal(planPicture{
		p.ShownTarget(), p.Users, beginning(p.UserShape), p.SpawnRate, p.Rate, beginning(p.Shape), p.RunTime, p.Requests, p.StopGrace,
	})
}

// UnmarshalJSON reads what MarshalJSON writes; a shape stays where it begins.
func (p *Plan) UnmarshalJSON(b []byte) error {
	var in planPicture
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	*p = Plan{
		Target: in.Target, Users: in.Users, SpawnRate: in.SpawnRate, Rate: in.Rate,
		RunTime: in.RunTime, Requests: in.Requests, StopGrace: in.StopGrace,
	}
	if in.UserShape != nil {
		p.UserShape = Constant(*in.UserShape)
	}
	if in.Shape != nil {
		p.Shape = Constant(*in.Shape)
	}
	return nil
}

// beginning is the load with which a shape begins; nil where there is none.
func beginning(s Shape) *float64 {
	if s == nil {
		return nil
	}
	at := s.At(0)
	return &at
}
