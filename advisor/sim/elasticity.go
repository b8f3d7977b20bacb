package sim

// Elasticity says how well a supply of replicas follows the demand, both taken
// once a second (Herbst and others 2013). Shares are 0..1, of the time or, for
// the accuracies, of the demand on average over the time; they may exceed 1.
//
//	underAccuracy  mean of (demand-supply)/demand where the supply is short
//	overAccuracy   mean of (supply-demand)/demand where there is too much
//	underTime      share of the time in which the supply is short
//	overTime       share of the time in which there is too much
//	instability    share of the steps in which the two do not move the same way
//	jitter         adaptations per second of the supply beyond those of the demand:
//	               above 0 nervous, below 0 sluggish
type Elasticity struct {
	UnderAccuracy float64 `json:"underAccuracy"` // theta_U
	OverAccuracy  float64 `json:"overAccuracy"`  // theta_O
	UnderTime     float64 `json:"underTime"`     // tau_U
	OverTime      float64 `json:"overTime"`      // tau_O
	Instability   float64 `json:"instability"`   // upsilon
	Jitter        float64 `json:"jitter"`        // j, per second
}

// Compare is the elasticity of two series of the same length. A demand of 0
// counts as one of 1 in what too much is related to.
func Compare(demand, supply []int) (e Elasticity) {
	n := len(demand)
	if n == 0 {
		return e
	}
	unlike, moves := 0, 0
	for i, d := range demand {
		switch s := supply[i]; {
		case s < d:
			e.UnderTime++
			e.UnderAccuracy += float64(d-s) / float64(d)
		case s > d:
			e.OverTime++
			e.OverAccuracy += float64(s-d) / float64(max(d, 1))
		}
		if i == 0 {
			continue
		}
		wanted, made := sign(d-demand[i-1]), sign(supply[i]-supply[i-1])
		if wanted != made {
			unlike++
		}
		moves += made*made - wanted*wanted
	}
	for _, share := range []*float64{&e.UnderAccuracy, &e.OverAccuracy, &e.UnderTime, &e.OverTime} {
		*share /= float64(n)
	}
	e.Jitter = float64(moves) / float64(n)
	if n > 1 {
		e.Instability = float64(unlike) / float64(n-1)
	}
	return e
}

func sign(n int) int {
	switch {
	case n > 0:
		return 1
	case n < 0:
		return -1
	}
	return 0
}
