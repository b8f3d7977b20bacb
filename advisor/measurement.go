package advisor

import (
	"fmt"
	"runtime"
	"time"

	"headroom/profiles"
)

// Measurement is the evidence that advice rests on, as it is saved.
type Measurement struct {
	Version  string          `json:"version"`
	Kind     string          `json:"kind"` // "measurement"
	Target   string          `json:"target"`
	SLO      string          `json:"slo"`
	Date     time.Time       `json:"date"`
	Machine  Machine         `json:"machine"`
	Local    bool            `json:"local"`   // the replicas ran on this machine, under a scaler
	StartUp  []time.Duration `json:"startUp"` // of each replica that was started, nanoseconds
	Capacity Capacity        `json:"capacity"`
}

// Machine is where the load came from, and the replicas too if they are
// local.
type Machine struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	Cores int    `json:"cores"`
}

func thisMachine() Machine {
	return Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, Cores: runtime.NumCPU()}
}

// Advise is the recommendation that follows from the measurement; for the
// traffic. A measurement that was refused gives its refusal as the error.
func (m Measurement) Advise(traffic profiles.Traffic, headroom profiles.Ratio, interval time.Duration) (Recommendation, error) {
	if m.Capacity.Refusal != nil {
		return Recommendation{}, m.Capacity.Refusal
	}
	slo, err := profiles.ParseSLO(m.SLO)
	if err != nil {
		return Recommendation{}, err
	}
	c := m.Capacity
	n := Needs{
		Capacity: c.PerReplica(), SLO: slo, Traffic: traffic, Headroom: headroom, Interval: interval,
		Service: c.Service, CPU: c.CPU, Date: m.Date, Host: c.Host,
	}
	if m.Local {
		n.Local = max(1, c.Replicas)
	}
	for _, d := range m.StartUp {
		n.StartUp = max(n.StartUp, d)
	}
	r, err := Recommend(n)
	if err != nil {
		return r, err
	}
	r.Grade, r.GradeWhy = c.Grade, c.GradeWhy
	if c.HostLimited {
		r.Notes = append(r.Notes, fmt.Sprintf("this machine, not the service, was what saturated (%d cores): on a machine of its own a replica may carry more", c.Host.Cores))
	}
	return r, nil
}
