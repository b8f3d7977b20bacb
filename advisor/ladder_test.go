package advisor

import (
	"strings"
	"testing"
	"time"

	"headroom/advisor/model"
)

// Saturation is what all rungs near the best one served together; a rung far
// below it is not on the plateau.
func TestThroughput(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []model.Tally
		want  float64
	}{
		{"one", []model.Tally{{All: 100, Seconds: 5}}, 20},
		{"the longer weighs more", []model.Tally{{All: 110, Seconds: 5}, {All: 300, Seconds: 15}}, 20.5},
		{"one below the plateau", []model.Tally{{All: 50, Seconds: 5}, {All: 100, Seconds: 5}}, 20},
	} {
		if got := throughput(c.steps); got != c.want {
			t.Errorf("%s: %v/s, want %v", c.name, got, c.want)
		}
	}
}

// A rung is lengthened where the answers of the ladder vary too much to be sure of
// saturation, and never for more than its share.
func TestLadderIsLengthened(t *testing.T) {
	for _, c := range []struct {
		name        string
		exponential bool
		budget      time.Duration
		want        bool
	}{
		{"constant service", false, 5 * time.Minute, false},
		{"exponential service", true, 5 * time.Minute, true},
		{"exponential, no time for more", true, 20 * time.Second, false},
	} {
		s := &simulated{service: 25 * time.Millisecond, servers: 1, exponential: c.exponential, slo: mustSLO(t, "p95<250ms")}
		got, err := Search(t.Context(), s, SearchOptions{SLO: s.slo, Budget: c.budget})
		if err != nil {
			t.Fatalf("%s: Search = %v", c.name, err)
		}
		lengthened, spent := 0, time.Duration(0)
		for _, o := range rungs(got.Steps) {
			spent += o.Took
			if strings.HasSuffix(o.Trial.Name, ", longer") {
				lengthened++
			}
		}
		if want := map[bool]int{true: 1}[c.want]; lengthened != want || spent > time.Duration(ladderShare*float64(c.budget))+time.Second {
			t.Errorf("%s: %d rungs lengthened, %v in all; want %d and no more than %g of %v", c.name, lengthened, spent, want, ladderShare, c.budget)
		}
	}
}
