package model

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Throughput is what N users that wait for their answers get, in requests per
// second.
type Throughput struct{ N, X float64 }

// Curve is a model of the throughput over the number of users, fitted:
//
//	linear  X = λN                              nothing saturates
//	hinge   X = min(λN, M)                      one resource saturates (asymptotic bounds)
//	amdahl  X = λN / (1 + σ(N-1))               work is done one after the other
//	usl     X = λN / (1 + σ(N-1) + κN(N-1))     and the more, the slower (Gunther 1993)
type Curve struct {
	Model  string  `json:"model"`
	Lambda float64 `json:"lambda"`          // requests per second of one user
	Sigma  float64 `json:"sigma,omitempty"` // contention, 0..1
	Kappa  float64 `json:"kappa,omitempty"` // coherency
	Max    float64 `json:"max,omitempty"`   // highest throughput; 0: the model has none
	Peak   float64 `json:"peak,omitempty"`  // users where it is reached; 0: it is only approached, or kept
	AICc   float64 `json:"aicc"`            // Akaike's criterion for few points; lower is better
}

// mostSteps bounds the refinement of a fit.
const mostSteps = 20

// FitCurves fits all models that there are enough points for, the best first:
// the one of lowest AICc (Hurvich and Tsai 1989), which charges for each
// parameter. A model needs two points more than parameters and one more for
// the noise. A fit says nothing of more than twice the users that were tried.
func FitCurves(points []Throughput) []Curve {
	var out []Curve
	add := func(c Curve, parameters int) {
		m, k := float64(len(points)), float64(parameters+1) // and the variance
		if m-k-1 <= 0 {
			return
		}
		sum, mean := 0.0, 0.0
		for _, p := range points {
			sum += (p.X - c.At(p.N)) * (p.X - c.At(p.N))
			mean += p.X / m
		}
		sum = max(sum, m*1e-12*mean*mean) // no measurement is exact
		c.AICc = m*math.Log(sum/m) + 2*k + 2*k*(k+1)/(m-k-1)
		out = append(out, c)
	}
	if len(points) == 0 {
		return nil
	}
	add(fitLinear(points), 1)
	add(fitHinge(points), 2)
	add(fitUSL(points, false), 2)
	add(fitUSL(points, true), 3)
	slices.SortStableFunc(out, func(a, b Curve) int { return cmp.Compare(a.AICc, b.AICc) })
	return out
}

// At is the throughput of n users, in requests per second.
func (c Curve) At(n float64) float64 {
	x := c.Lambda * n / (1 + c.Sigma*(n-1) + c.Kappa*n*(n-1))
	if c.Model == "hinge" {
		return min(x, c.Max)
	}
	return x
}

func fitLinear(points []Throughput) Curve {
	nx, nn := 0.0, 0.0
	for _, p := range points {
		nx += p.N * p.X
		nn += p.N * p.N
	}
	return Curve{Model: "linear", Lambda: nx / nn}
}

// fitHinge tries every split into points on the slope and on the plateau.
func fitHinge(points []Throughput) Curve {
	sorted := slices.SortedFunc(slices.Values(points), func(a, b Throughput) int { return cmp.Compare(a.N, b.N) })
	best, least := Curve{}, math.Inf(1)
	for split := 1; split < len(sorted); split++ {
		c := fitLinear(sorted[:split])
		c.Model = "hinge"
		for _, p := range sorted[split:] {
			c.Max += p.X / float64(len(sorted)-split)
		}
		c.Peak = c.Max / c.Lambda
		sum := 0.0
		for _, p := range sorted {
			sum += (p.X - c.At(p.N)) * (p.X - c.At(p.N))
		}
		if sum < least {
			best, least = c, sum
		}
	}
	return best
}

// fitUSL fits N/X = A + B(N-1) + C N(N-1), which is linear, with weights X²/N
// that undo the transformation, and refines λ = 1/A, σ = B/A and κ = C/A by
// Levenberg-Marquardt on X. Neither σ nor κ may be negative: where one would
// be, it is left out.
func fitUSL(points []Throughput, coherency bool) Curve {
	name := "amdahl"
	if coherency {
		name = "usl"
	}
	free := []bool{true, coherency} // σ, κ
	for {
		c, ok := transformed(points, free)
		if !ok {
			break
		}
		if c = refine(points, c, free); c.Sigma < 0 && free[0] {
			free[0] = false
			continue
		} else if c.Kappa < 0 && free[1] {
			free[1] = false
			continue
		}
		c.Model = name
		switch {
		case c.Kappa > 0:
			c.Peak = math.Sqrt(max(0, 1-c.Sigma) / c.Kappa)
			c.Max = c.At(max(1, c.Peak))
		case c.Sigma > 0:
			c.Max = c.Lambda / c.Sigma
		}
		return c
	}
	c := fitLinear(points)
	c.Model = name
	return c
}

// transformed is the fit of the linear form.
func transformed(points []Throughput, free []bool) (Curve, bool) {
	rows, values := mat.NewDense(len(points), 1+count(free), nil), mat.NewVecDense(len(points), nil)
	for i, p := range points {
		weight := p.X * p.X / p.N
		terms := []float64{1}
		if free[0] {
			terms = append(terms, p.N-1)
		}
		if free[1] {
			terms = append(terms, p.N*(p.N-1))
		}
		for k, t := range terms {
			rows.Set(i, k, weight*t)
		}
		values.SetVec(i, weight*p.N/p.X)
	}
	var solution mat.VecDense
	if err := solution.SolveVec(rows, values); err != nil || solution.AtVec(0) <= 0 {
		return Curve{}, false
	}
	a := solution.AtVec(0)
	c := Curve{Lambda: 1 / a}
	next := 1
	for k, to := range []*float64{&c.Sigma, &c.Kappa} {
		if free[k] {
			*to = solution.AtVec(next) / a
			next++
		}
	}
	return c, true
}

// refine minimises the squares of X itself.
func refine(points []Throughput, c Curve, free []bool) Curve {
	squares := func(c Curve) float64 {
		sum := 0.0
		for _, p := range points {
			sum += (p.X - c.At(p.N)) * (p.X - c.At(p.N))
		}
		return sum
	}
	damping := 1e-3
	now := squares(c)
	k := 1 + count(free)
	for range mostSteps {
		normal, gradient := mat.NewSymDense(k, nil), mat.NewVecDense(k, nil)
		for _, p := range points {
			d := 1 + c.Sigma*(p.N-1) + c.Kappa*p.N*(p.N-1)
			x := c.Lambda * p.N / d
			slopes := []float64{p.N / d}
			if free[0] {
				slopes = append(slopes, -x*(p.N-1)/d)
			}
			if free[1] {
				slopes = append(slopes, -x*p.N*(p.N-1)/d)
			}
			for i := range slopes {
				gradient.SetVec(i, gradient.AtVec(i)+slopes[i]*(p.X-x))
				for j := i; j < k; j++ {
					normal.SetSym(i, j, normal.At(i, j)+slopes[i]*slopes[j])
				}
			}
		}
		for i := range k {
			normal.SetSym(i, i, normal.At(i, i)*(1+damping))
		}
		var step mat.VecDense
		if step.SolveVec(normal, gradient) != nil {
			break
		}
		next := c
		next.Lambda += step.AtVec(0)
		at := 1
		for i, to := range []*float64{&next.Sigma, &next.Kappa} {
			if free[i] {
				*to += step.AtVec(at)
				at++
			}
		}
		if then := squares(next); then < now {
			c, now, damping = next, then, damping/10
		} else {
			damping *= 10
		}
	}
	return c
}

func count(free []bool) int {
	n := 0
	for _, f := range free {
		if f {
			n++
		}
	}
	return n
}
