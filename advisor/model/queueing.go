package model

import "math"

// ErlangB is the share of requests that find c servers busy where none may
// wait, by its recursion in the number of servers (Erlang 1917). The load is in
// Erlangs: arrivals per second times seconds of service.
func ErlangB(c int, load float64) float64 {
	b := 1.0
	for i := 1; i <= c; i++ {
		b = load * b / (float64(i) + load*b)
	}
	return b
}

// ErlangC is the share of requests that have to wait for one of c servers where
// all may (Erlang 1917); 1 from a load of c on, where the queue grows for ever.
func ErlangC(c int, load float64) float64 {
	rho := load / float64(c)
	if rho >= 1 {
		return 1
	}
	b := ErlangB(c, load)
	return b / (1 - rho*(1-b))
}

// Station is a queue in front of servers that are alike, oldest request first.
type Station struct {
	Servers int
	Rate    float64 // arrivals per second
	Service float64 // mean service time, seconds

	// Squared coefficients of variation, (deviation/mean)²: 0 for what is
	// constant, 1 for Poisson arrivals and for exponential service times.
	ArrivalVariation, ServiceVariation float64
}

// load is in Erlangs.
func (s Station) load() float64 { return s.Rate * s.Service }

// Waiting is how long the requests at a station wait for a server.
type Waiting struct {
	Share float64 // of those that wait at all, 0..1
	Mean  float64 // of all, seconds; infinite where the queue grows for ever
}

// Waiting is by Allen and Cunneen (Allen 1990, section 5.3). With C from ErlangC,
// S the service time, c the servers, a the load and Ca² and Cs² the variations:
//
//	E W = C S/(c-a) (Ca²+Cs²)/2
//
// It is exact for M/M/c and, in the mean, for M/G/1.
func (s Station) Waiting() Waiting {
	c, spare := ErlangC(s.Servers, s.load()), float64(s.Servers)-s.load()
	if spare <= 0 {
		return Waiting{Share: 1, Mean: math.Inf(1)}
	}
	return Waiting{Share: c, Mean: c * s.Service / spare * (s.ArrivalVariation + s.ServiceVariation) / 2}
}

// Over is the share of requests that wait for longer than t seconds: of those
// that wait at all, as many as of an exponential time with their mean,
//
//	P(W > t) = C exp(-t C/E W)
//
// which is exact for M/M/c. Below 0 it is 1.
func (w Waiting) Over(t float64) float64 {
	switch {
	case t < 0 || math.IsInf(w.Mean, 1):
		return 1
	case w.Mean == 0:
		return 0
	}
	return w.Share * math.Exp(-t*w.Share/w.Mean)
}
