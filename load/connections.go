package load

import "time"

// Connections is what became of the connections of a run.
type Connections struct {
	Opened    int64         `json:"opened"`
	Open      int           `json:"open"`      // at this moment
	Oldest    time.Duration `json:"oldest"`    // for how long the oldest of them has been open
	Dial      Quantiles     `json:"dial"`      // until TCP was established, the name included
	TLS       Quantiles     `json:"tls"`       // of the handshakes
	FirstByte Quantiles     `json:"firstByte"` // from the send to the first byte, of successes
	Remotes   []Remote      `json:"remotes"`   // in the order in which they were reached
}

// Remote is one address of the target.
type Remote struct {
	Address string `json:"address"`
	Opened  int64  `json:"opened"` // connections
	Count   int64  `json:"count"`  // requests over them, those that the end cut off included
}

// connTally counts connections. It belongs to the collector.
type connTally struct {
	opened               int64
	dial, tls, firstByte *hist
	remotes              []Remote // by number less 1; without the address
}

func newConnTally() connTally {
	return connTally{dial: newHist(2), tls: newHist(2), firstByte: newHist(2)}
}

func (t *connTally) add(s *Sample) {
	if s.FirstByte > 0 && s.OK() {
		t.firstByte.record(s.FirstByte - s.Sent)
	}
	if s.Remote == 0 {
		return
	}
	for int(s.Remote) > len(t.remotes) {
		t.remotes = append(t.remotes, Remote{})
	}
	remote := &t.remotes[s.Remote-1]
	remote.Count++
	if s.Dial == 0 {
		return
	}
	remote.Opened++
	t.opened++
	t.dial.record(s.Dial)
	if s.TLS > 0 {
		t.tls.record(s.TLS)
	}
}

func (t *connTally) reset() {
	t.opened, t.remotes = 0, nil
	t.dial.reset()
	t.tls.reset()
	t.firstByte.reset()
}

// connections is the tally with the addresses that were reached, by number
// less 1.
func (t *connTally) connections(addresses []string) Connections {
	c := Connections{Opened: t.opened, Dial: t.dial.quantiles(), TLS: t.tls.quantiles(), FirstByte: t.firstByte.quantiles(), Remotes: []Remote{}}
	for i, r := range t.remotes {
		if r.Address = addresses[i]; r.Count > 0 {
			c.Remotes = append(c.Remotes, r)
		}
	}
	return c
}
