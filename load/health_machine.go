package load

import (
	"bytes"
	"os"
	"runtime/metrics"
	"strconv"
	"time"
)

// machine is what this process and the machine had used up at one moment.
// What the system does not show is invalid.
type machine struct {
	at       time.Time
	ran, gc  float64 // processor time of this process as the Go runtime counts it, and of it what collected garbage, in s
	pressure figure  // µs in which some task of the machine waited for a processor
	steal    figure  // ticks that the host took from this virtual machine
	ticks    figure  // of all processors, in every state
	files    figure  // that this process may still open
	ports    figure  // that connections to one address may still use, at least; 0 says nothing
}

// figure is a number that may be unknown.
type figure struct {
	value float64
	valid bool
}

func known(v float64) figure { return figure{v, true} }

// of is what f is of another one, as far as both are known.
func (f figure) of(g figure) figure {
	return figure{f.value / g.value, f.valid && g.valid && g.value > 0}
}

// since is how much f has grown since it was from.
func (f figure) since(from figure) figure { return figure{f.value - from.value, f.valid && from.valid} }

// pointer is how f goes into a Health: nil for what is unknown.
func (f figure) pointer() *float64 {
	if !f.valid {
		return nil
	}
	return &f.value
}

// machineMeter follows the machine during a load from so many addresses.
type machineMeter struct {
	sources     int
	first, last machine
	files       figure // fewest left so far
	ports       figure
}

func newMachineMeter(now time.Time, sources int) *machineMeter {
	m := &machineMeter{sources: max(1, sources)}
	m.first = readMachine(now, m.sources)
	return m
}

// read takes a reading. Four small files of /proc are not much once a second.
func (m *machineMeter) read(now time.Time) {
	m.last = readMachine(now, m.sources)
	m.files, m.ports = fewer(m.files, m.last.files), fewer(m.ports, m.last.ports)
}

func fewer(a, b figure) figure {
	if !a.valid || b.valid && b.value < a.value {
		return b
	}
	return a
}

// fill writes the readings so far into h.
func (m *machineMeter) fill(h *Health) {
	if m.last.at.IsZero() {
		return
	}
	elapsed := m.last.at.Sub(m.first.at)
	h.GC = new(collectedShare(m.last.gc-m.first.gc, m.last.ran-m.first.ran))
	h.Pressure = m.last.pressure.since(m.first.pressure).of(known(float64(elapsed.Microseconds()))).pointer()
	h.Steal = m.last.steal.since(m.first.steal).of(m.last.ticks.since(m.first.ticks)).pointer()
	h.Files, h.Ports = m.files.pointer(), m.ports.pointer()
	if m.ports.value == 0 {
		h.Ports = nil // the sockets that were counted may go to other addresses, or be of others
	}
}

func readMachine(now time.Time, sources int) machine {
	m := machine{at: now}
	m.ran, m.gc = processorTime()
	m.pressure = parsePressure(content("/proc/pressure/cpu"))
	m.steal, m.ticks = parseStat(content("/proc/stat"))
	m.files = filesLeft()
	all := parsePortRange(content("/proc/sys/net/ipv4/ip_local_port_range"))
	used := parseSockstat(content("/proc/net/sockstat"))
	m.ports = figure{max(0, all.value*float64(sources)-used.value), all.valid && used.valid}
	return m
}

// filesLeft is how many more files this process may open.
func filesLeft() figure {
	limit, ok := fileLimit()
	// Since Linux 6.2 the size of this folder is the number of open files.
	folder, err := os.Stat("/proc/self/fd")
	if !ok || err != nil || folder.Size() == 0 {
		return figure{}
	}
	return known(max(0, float64(limit)-float64(folder.Size())))
}

// content is that of a file; nothing where there is none.
func content(path string) []byte {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return b
}

// processorTime is how long this process ran on its processors, and how much of
// that it collected garbage because it had to, without the work of processors
// that had nothing else to do; in seconds. The runtime counts the time of
// processors, not of the CPU, so neither compares with what the system says;
// and it counts at the end of a collection.
func processorTime() (ran, collecting float64) {
	samples := []metrics.Sample{
		{Name: "/cpu/classes/total:cpu-seconds"},
		{Name: "/cpu/classes/idle:cpu-seconds"},
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
		{Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
	}
	metrics.Read(samples)
	of := func(i int) float64 { return samples[i].Value.Float64() }
	return of(0) - of(1), of(2) - of(3)
}

// collectedShare is the part of the processor time that collected garbage,
// 0..1. Estimates may disagree by a little, and without a collection there is
// nothing of either.
func collectedShare(collecting, ran float64) float64 {
	if collecting <= 0 {
		return 0
	}
	return collecting / max(ran, collecting)
}

// parsePressure takes the total from "some avg10=0.00 … total=123" of
// /proc/pressure/cpu.
func parsePressure(b []byte) figure {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	_, total, found := bytes.Cut(line, []byte("total="))
	return parseFigure(total, found && bytes.HasPrefix(line, []byte("some ")))
}

// parseStat takes the eighth time and the sum of the first eight from the
// first line of /proc/stat; those behind it are parts of the first two.
func parseStat(b []byte) (steal, all figure) {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	fields := bytes.Fields(line)
	if len(fields) < 9 || string(fields[0]) != "cpu" {
		return figure{}, figure{}
	}
	all.valid = true
	for _, field := range fields[1:9] {
		steal = parseFigure(field, true)
		all = figure{all.value + steal.value, all.valid && steal.valid}
	}
	return steal, all
}

// parsePortRange takes how many ports there are from "32768 60999".
func parsePortRange(b []byte) figure {
	fields := bytes.Fields(b)
	if len(fields) != 2 {
		return figure{}
	}
	low, high := parseFigure(fields[0], true), parseFigure(fields[1], true)
	return figure{high.value - low.value + 1, low.valid && high.valid}
}

// parseSockstat takes from /proc/net/sockstat how many TCP sockets hold a
// port: those in use, both ends of a connection on this machine, and those
// that wait for late segments.
func parseSockstat(b []byte) figure {
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) < 7 || string(fields[0]) != "TCP:" || string(fields[1]) != "inuse" || string(fields[5]) != "tw" {
			continue
		}
		inUse, waiting := parseFigure(fields[2], true), parseFigure(fields[6], true)
		return figure{inUse.value + waiting.value, inUse.valid && waiting.valid}
	}
	return figure{}
}

func parseFigure(b []byte, there bool) figure {
	n, err := strconv.ParseUint(string(bytes.TrimSpace(b)), 10, 63)
	return figure{float64(n), there && err == nil}
}
