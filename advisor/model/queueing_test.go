package model

import (
	"math"
	"testing"
)

func TestErlang(t *testing.T) {
	near(t, "ErlangB(1, 1)", ErlangB(1, 1), 0.5, 1e-12)
	near(t, "ErlangB(2, 1)", ErlangB(2, 1), 0.2, 1e-12)
	near(t, "ErlangC(1, 0.3)", ErlangC(1, 0.3), 0.3, 1e-12)
	near(t, "ErlangC(4, 5)", ErlangC(4, 5), 1, 0)
}

func TestStation(t *testing.T) {
	four := Station{Servers: 4, Rate: 11.2, Service: 0.25, ArrivalVariation: 1, ServiceVariation: 1}
	near(t, "M/M/4 waiting at all", four.Waiting().Over(0), 0.42865, 5e-6)
	near(t, "M/M/4 waiting for over 0.1 s", four.Waiting().Over(0.1), 0.42865*math.Exp(-1.2*0.1/0.25), 1e-5)

	// Pollaczek and Khinchine: rho S/(1-rho) (1+Cs²)/2.
	one := Station{Servers: 1, Rate: 3.2, Service: 0.25, ArrivalVariation: 1}
	near(t, "M/D/1 wait", one.Waiting().Mean, 0.5, 1e-12)
	even := Station{Servers: 1, Rate: 3.2, Service: 0.25}
	near(t, "D/D/1 waiting", even.Waiting().Over(0), 0, 0)
	near(t, "before it waits", one.Waiting().Over(-1), 1, 0)
	full := Station{Servers: 1, Rate: 4, Service: 0.25, ArrivalVariation: 1}
	near(t, "a full one, waiting for over an hour", full.Waiting().Over(3600), 1, 0)
	if got := full.Waiting().Mean; !math.IsInf(got, 1) {
		t.Errorf("a full one: Waiting().Mean = %g, want infinite", got)
	}
}
