package profiles

import (
	"testing"
	"time"
)

func TestDecideStabilisation(t *testing.T) {
	windows := func(up, down time.Duration) func(*Policy) {
		return func(p *Policy) {
			p.Up.Stabilization, p.Down.Stabilization = Duration(up), Duration(down)
		}
	}
	const long = -6000 * second // a first tick then is older than any window: the start hold is over
	runScripts(t, []script{
		{"no windows", windows(0, 0), 5, []tick{
			{0, 0, of(100), 10, AboveTarget, ""},
			{0, 0, of(10), 1, BelowTarget, ""},
		}},

		// During its first window a decider has not seen enough.
		{"start hold down", windows(0, 300*second), 10, []tick{
			{0, 0, of(20), 10, BelowTarget, DownStabilized},
			{150 * second, 0, of(20), 10, BelowTarget, DownStabilized},
			{300*second - 1, 0, of(20), 10, BelowTarget, DownStabilized},
			{300 * second, 0, of(20), 2, BelowTarget, ""},
		}},
		{"start hold up", windows(60*second, 0), 2, []tick{
			{0, 0, of(100), 2, AboveTarget, UpStabilized},
			{60*second - 1, 0, of(100), 2, AboveTarget, UpStabilized},
			{60 * second, 0, of(100), 10, AboveTarget, ""},
		}},
		{"what was seen during the hold counts", windows(60*second, 300*second), 10, []tick{
			{0, 0, of(20), 10, BelowTarget, DownStabilized},
			{30 * second, 5, of(70), 5, AboveTarget, UpStabilized},
			{60 * second, 5, of(90), 7, AboveTarget, UpStabilized},
			{200 * second, 10, of(50), 10, BelowTarget, DownStabilized},
			{300 * second, 10, of(20), 9, BelowTarget, DownStabilized}, // the 9 of 60 s
		}},
		{"the down hold lets it grow", windows(0, 300*second), 2, []tick{
			{0, 0, of(100), 10, AboveTarget, ""},
			{10 * second, 0, of(200), 20, AboveTarget, ""},
		}},
		{"the up hold lets it shrink", windows(300*second, 0), 20, []tick{
			{0, 0, of(100), 10, BelowTarget, ""},
			{10 * second, 0, of(50), 5, BelowTarget, ""},
		}},
		{"the hold begins with the first decision of any kind", windows(0, 300*second), 10, []tick{
			{0, 0, of(lost), 10, NoData, ""},
			{300*second - 1, 0, of(20), 10, BelowTarget, DownStabilized},
			{300 * second, 0, of(20), 2, BelowTarget, ""},
		}},
		{"C1 C3 C5", windows(60*second, 60*second), 1, []tick{
			{0, 1, of(0), 1, BelowTarget, MinLimit},
			{1 * second, 1, of(50), 1, AboveTarget, UpStabilized},
			{2 * second, 2, of(50), 2, AboveTarget, UpStabilized},
			{3 * second, 5, of(20), 5, BelowTarget, DownStabilized},
		}},

		{"a short rest does not shrink", windows(0, 300*second), 10, []tick{
			{long, 0, of(100), 10, AtTarget, ""},
			{0, 0, of(100), 10, AtTarget, ""},
			{100 * second, 0, of(20), 10, BelowTarget, DownStabilized},
			{200 * second, 0, of(50), 10, BelowTarget, DownStabilized},
			{300*second - 1, 0, of(20), 10, BelowTarget, DownStabilized},
			{300 * second, 0, of(20), 5, BelowTarget, DownStabilized}, // the 10 has left, the 5 has not
			{500*second - 1, 0, of(20), 5, BelowTarget, DownStabilized},
			{500 * second, 0, of(20), 2, BelowTarget, ""},
		}},
		{"a short peak does not grow", windows(60*second, 0), 2, []tick{
			{long, 0, of(20), 2, AtTarget, ""},
			{0, 0, of(20), 2, AtTarget, ""},
			{30 * second, 0, of(100), 2, AboveTarget, UpStabilized},
			{60 * second, 0, of(50), 5, AboveTarget, ""},
			{90 * second, 0, of(100), 5, AboveTarget, UpStabilized},
			{120 * second, 0, of(100), 10, AboveTarget, ""},
		}},
		{"up to the lowest of the window", windows(60*second, 0), 2, []tick{
			{long, 0, of(20), 2, AtTarget, ""},
			{0, 0, of(40), 4, AboveTarget, ""},
			{30 * second, 0, of(70), 4, AboveTarget, UpStabilized},
			{60 * second, 0, of(90), 7, AboveTarget, UpStabilized},
		}},
		{"each direction has its own window", windows(60*second, 300*second), 5, []tick{
			{long, 0, of(50), 5, AtTarget, ""},
			{0, 0, of(80), 8, AboveTarget, ""},
			{61 * second, 0, of(90), 9, AboveTarget, ""},              // the 8 is too old to hold growth
			{120 * second, 0, of(50), 9, BelowTarget, DownStabilized}, // but not to hold a fleet
			{300 * second, 0, of(50), 9, BelowTarget, DownStabilized},
			{361 * second, 0, of(50), 5, BelowTarget, ""},
		}},
		{"what was limited is what is remembered", func(p *Policy) {
			windows(0, 300*second)(p)
			p.Down.Step = 4
		}, 20, []tick{
			{long, 0, of(200), 20, AtTarget, ""},
			{0, 0, of(50), 16, BelowTarget, StepLimit},
			{299 * second, 0, of(50), 16, BelowTarget, DownStabilized},
			{300 * second, 0, of(50), 12, BelowTarget, StepLimit},
			{600 * second, 0, of(50), 8, BelowTarget, StepLimit},
		}},

		// scaling.md, section 1.6. A remembered of n is made by a tick of
		// n replicas at their target.
		{"S6", windows(0, 0), 1, []tick{{0, 100, of(50), 5, BelowTarget, ""}}},
		{"S2 S7", windows(0, 180*second), 1, []tick{
			{long, 1, of(10), 1, AtTarget, ""},
			{-120 * second, 4, of(40), 4, AtTarget, ""},
			{-60 * second, 5, of(50), 5, AtTarget, ""},
			{0, 100, of(30), 5, BelowTarget, DownStabilized},
		}},
		{"S3", windows(0, 300*second), 1, []tick{
			{long, 1, of(10), 1, AtTarget, ""},
			{-120 * second, 1, of(10), 1, AtTarget, ""},
			{-60 * second, 2, of(20), 2, AtTarget, ""},
			{0, 100, of(30), 3, BelowTarget, ""},
		}},
		{"S4", windows(0, 300*second), 1, []tick{
			{-600 * second, 10, of(100), 10, AtTarget, ""},
			{-540 * second, 9, of(90), 9, AtTarget, ""},
			{0, 100, of(30), 3, BelowTarget, ""},
		}},
		{"S8", windows(300*second, 0), 1, []tick{
			{long, 1, of(10), 1, AtTarget, ""},
			{-120 * second, 4, of(40), 4, AtTarget, ""},
			{-60 * second, 5, of(50), 5, AtTarget, ""},
			{0, 1, of(70), 4, AboveTarget, UpStabilized},
		}},
		{"S10", windows(0, 300*second), 1, []tick{
			{-120 * second, 4, of(40), 4, AtTarget, ""},
			{-60 * second, 5, of(50), 5, AtTarget, ""},
			{0, 1, of(30), 3, AboveTarget, ""},
		}},
		{"S11", windows(0, 0), 1, []tick{
			{-600 * second, 10, of(100), 10, AtTarget, ""},
			{-540 * second, 9, of(90), 9, AtTarget, ""},
			{0, 1, of(1000), 100, AboveTarget, ""},
		}},
		{"S14, never up because the demand fell", windows(300*second, 300*second), 1, []tick{
			{long, 2, of(20), 2, AtTarget, ""},
			{-180 * second, 3, of(30), 3, AtTarget, ""},
			{0, 2, of(10), 2, BelowTarget, DownStabilized},
		}},
		{"S14 mirrored, never down because it rose", windows(300*second, 300*second), 1, []tick{
			{long, 2, of(20), 2, AtTarget, ""},
			{-180 * second, 2, of(20), 2, AtTarget, ""},
			{0, 5, of(70), 5, AboveTarget, UpStabilized},
		}},
	})
}
