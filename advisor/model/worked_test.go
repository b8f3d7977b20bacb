package model

import (
	"math"
	"testing"
)

// Cases that were worked by hand, or that come with the source of a formula. The
// numbers are those of one list, of which other packages have the rest.
func TestWorked(t *testing.T) {
	t.Run("case 10", workedErlang)
	t.Run("case 11", workedCisco)
	t.Run("case 12", workedNetwork)
	t.Run("case 13", workedKnee)
	t.Run("case 14", workedVerdicts)
	t.Run("case 22", workedBetween)
}

// 2.8 Erlangs on four servers of 250 ms, and ten Erlangs on as many as it takes.
func workedErlang(t *testing.T) {
	near(t, "ErlangC(4, 2.8)", ErlangC(4, 2.8), 0.42865, 5e-6)
	near(t, "ErlangC(10, 8)", ErlangC(10, 8), 0.40918, 5e-6)
	enough := 11
	for ErlangC(enough, 10) > 0.05 {
		enough++
	}
	near(t, "servers for 10 Erlangs with 5 % waiting", float64(enough), 17, 0)
	four := Station{Servers: 4, Rate: 11.2, Service: 0.25, ArrivalVariation: 1, ServiceVariation: 1}
	near(t, "M/M/4 wait", four.Waiting().Mean, 0.0893, 5e-5)
	four.ServiceVariation = 0
	near(t, "M/D/4 wait", four.Waiting().Mean, 0.0447, 5e-5)
}

// cisco is the benchmark that Gunther's USL is usually shown on, as in the
// tests of usl4j.
var cisco = []float64{955.16, 1878.91, 2688.01, 3548.68, 4315.54, 5130.43, 5931.37, 6531.08, 7219.8, 7867.61, 8278.71, 8646.7,
	9047.84, 9426.55, 9645.37, 9897.24, 10097.6, 10240.5, 10532.39, 10798.52, 11151.43, 11518.63, 11806, 12089.37, 12075.41,
	12177.29, 12211.41, 12158.93, 12155.27, 12118.04, 12140.4, 12074.39}

func workedCisco(t *testing.T) {
	points := make([]Throughput, len(cisco))
	for i, x := range cisco {
		points[i] = Throughput{float64(i + 1), x}
	}
	curves := FitCurves(points)
	c := curves[0]
	for name, v := range map[string]struct{ got, want float64 }{
		"λ": {c.Lambda, 995.6488}, "σ": {c.Sigma, 0.0267159}, "κ": {c.Kappa, 7.69094e-4}, "peak": {c.Peak, 35.57}, "max": {c.Max, 12341.7},
	} {
		near(t, name, v.got, v.want, 2e-4*v.want)
	}
	if c.Model != "usl" || len(curves) != 4 {
		t.Errorf("best of %d models is %s, want usl of 4", len(curves), c.Model)
	}
}

// along are the throughputs of a curve at these numbers of users.
func along(curve func(n float64) float64, users ...float64) []Throughput {
	out := make([]Throughput, len(users))
	for i, n := range users {
		out[i] = Throughput{n, curve(n)}
	}
	return out
}

// Four replicas of 250 ms, of which each request goes to any: X = 4N/(S(N+3)).
func workedNetwork(t *testing.T) {
	c := FitCurves(along(func(n float64) float64 { return 4 * n / (0.25 * (n + 3)) }, 1, 2, 4, 8, 12, 16))[0]
	near(t, "λ", c.Lambda, 4, 1e-6)
	near(t, "σ", c.Sigma, 0.25, 1e-6)
	near(t, "κ", c.Kappa, 0, 1e-9)
	near(t, "with any number of users", c.Max, 16, 1e-5)
}

// X = min(4N, 16) bends at four users; a straight line does not.
func workedKnee(t *testing.T) {
	users := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	bent := FitCurves(along(func(n float64) float64 { return min(4*n, 16) }, users...))[0]
	near(t, "knee", bent.Peak, 4, 1e-6)
	straight := FitCurves(along(func(n float64) float64 { return 4 * n }, users...))[0]
	if bent.Model != "hinge" || straight.Model != "linear" || straight.Peak != 0 {
		t.Errorf("a hinge is a %s, a line is a %s with its knee at %g; want none", bent.Model, straight.Model, straight.Peak)
	}
}

// At p95, and how many requests it takes to pass p99 at a risk of 1 %.
func workedVerdicts(t *testing.T) {
	for _, c := range []struct {
		over, of float64
		want     Verdict
	}{{15, 500, Pass}, {25, 500, Unsure}, {38, 500, Fail}, {0, 58, Unsure}, {0, 59, Pass}} {
		if got := Judge(c.over, c.of, 0.05); got != c.want {
			t.Errorf("Judge(%g, %g, 0.05) = %s, want %s", c.over, c.of, got, c.want)
		}
	}
	for _, c := range []struct{ over, enough float64 }{{0, 459}, {1, 662}} {
		before, at := upperBound(c.over, c.enough-1, 0.01), upperBound(c.over, c.enough, 0.01)
		if before <= 0.01 || at > 0.01 {
			t.Errorf("with %g over, the share is at most %.5f of %g and %.5f of %g; want it to pass 0.01 there", c.over, before, c.enough-1, at, c.enough)
		}
	}
}

// Between 7.0 ms with one request in the batch and 8.7 ms with 64 there are
// 0.02698 ms a request: 38 of them are within 8 ms, and 39 are not.
func workedBetween(t *testing.T) {
	at := func(n float64) float64 { return Interpolate([]float64{1, 64}, []float64{7, 8.7}, n) }
	near(t, "a request", at(3)-at(2), 0.02698, 5e-6)
	near(t, "none", at(2)-2*(at(3)-at(2)), 6.973, 5e-4)
	if at(38) > 8 || at(39) <= 8 {
		t.Errorf("%.4f ms with 38 and %.4f with 39, want 8 ms between them", at(38), at(39))
	}
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s: got %g, want %g ± %g", what, got, want, within)
	}
}
