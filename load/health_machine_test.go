package load

import (
	"runtime"
	"testing"
	"time"
)

func TestParsesWhatTheKernelShows(t *testing.T) {
	const sockstat = "sockets: used 40\nTCP: inuse 21 orphan 0 tw 30 alloc 21 mem 9\nUDP: inuse 0 mem 0\n"
	steal := func(b []byte) figure { f, _ := parseStat(b); return f }
	ticks := func(b []byte) figure { _, f := parseStat(b); return f }
	for _, c := range []struct {
		name  string
		parse func([]byte) figure
		in    string
		want  figure
	}{
		{"pressure", parsePressure, "some avg10=0.00 avg60=1.20 avg300=9.99 total=8123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n", known(8123)},
		{"pressure", parsePressure, "", figure{}},
		{"pressure", parsePressure, "full avg10=0 total=7", figure{}},
		{"steal", steal, "cpu  20 11 46 31 1 0 44 56 5 3\ncpu0 1 1 1 1 1 1 1 1\n", known(56)},
		{"ticks", ticks, "cpu  20 11 46 31 1 0 44 56 5 3\n", known(209)},
		{"steal", steal, "cpu  20 11 46 31\n", figure{}},
		{"ports", parsePortRange, "32768\t60999\n", known(28232)},
		{"ports", parsePortRange, "32768\n", figure{}},
		{"sockets", parseSockstat, sockstat, known(51)},
		{"sockets", parseSockstat, "TCP: inuse\n", figure{}},
	} {
		if got := c.parse([]byte(c.in)); got.valid != c.want.valid || got.valid && got.value != c.want.value {
			t.Errorf("%s of %q = %+v, want %+v", c.name, c.in, got, c.want)
		}
	}
}

func TestMachineMeter(t *testing.T) {
	start := time.Now()
	m := &machineMeter{sources: 1, first: machine{
		at: start, ran: 1, gc: 0, pressure: known(100), steal: known(5), ticks: known(1000), ports: known(9),
	}}
	var h Health
	m.fill(&h)
	if h != (Health{}) {
		t.Errorf("fill before a reading = %+v, want nothing known", h)
	}
	m.last = machine{
		at: start.Add(10 * time.Second), ran: 3, gc: 0.1,
		pressure: known(2_000_100), steal: known(105), ticks: known(2000),
	}
	m.ports = fewer(fewer(fewer(m.ports, known(7)), figure{}), known(8))
	m.fill(&h)
	if *h.GC != 0.05 || *h.Pressure != 0.2 || *h.Steal != 0.1 || *h.Ports != 7 || h.Files != nil {
		t.Errorf("fill = %s, want 5 %% garbage, 7 connections, pressure 20 %%, steal 10 %%", h.Resources())
	}
}

// All sockets of the machine are counted against the ports of one address. When
// they are as many, that says nothing, and surely not that none is left.
func TestNoPortsLeftIsNotKnown(t *testing.T) {
	m := &machineMeter{last: machine{at: time.Now()}, ports: known(0)}
	var h Health
	if m.fill(&h); h.Ports != nil {
		t.Errorf("fill = %v ports left, want none known", *h.Ports)
	}
}

func TestMachineMeterReadsThisOne(t *testing.T) {
	m := newMachineMeter(time.Now(), 0)
	m.read(time.Now())
	if runtime.GOOS == "linux" && (!m.ports.valid || !m.last.ticks.valid) {
		t.Errorf("read = %+v, want ports and ticks", m.last)
	}
}

// Collections are never more than all that a process does.
func TestCollectedShareOfThisProcess(t *testing.T) {
	ranBefore, before := processorTime()
	for range 20 {
		runtime.GC()
	}
	ran, collecting := processorTime()
	if gc, all := collecting-before, ran-ranBefore; gc <= 0 || all <= 0 {
		t.Errorf("%v s of collections in %v s, want some of both", gc, all)
	}
	for _, c := range []struct{ collecting, ran, want float64 }{
		{0, 0, 0}, {0, 4, 0}, {1, 4, 0.25}, {4, 4, 1}, {5, 4, 1}, {1, 0, 1}, {-1, 4, 0},
	} {
		if got := collectedShare(c.collecting, c.ran); got != c.want {
			t.Errorf("collectedShare(%v, %v) = %v, want %v", c.collecting, c.ran, got, c.want)
		}
	}
}
