package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"headroom/advisor"
)

// followed is a load in three steps: the start, a jump that two replicas were
// started for, and a ramp down after which one had to go.
func followed() []advisor.Episode {
	const load = 100 * time.Second
	at := func(seconds float64) time.Duration { return load + time.Duration(seconds*float64(time.Second)) }
	known := func(seconds float64) *time.Duration { return new(at(seconds)) }
	return []advisor.Episode{
		{Load: load, At: at(0), Settled: at(1), Until: known(30), Cause: advisor.Began, To: 10, Arrivals: []advisor.Arrival{{ID: "a", Answered: known(0.1)}}},
		{Load: load, At: at(30), Settled: at(31), Until: known(70), Cause: advisor.Planned, From: 10, To: 50,
			Moves: []advisor.Move{{At: at(32.1), From: 1, To: 3, Why: "rps 28.4 with a target of 10 per replica asks for 3"}, {At: at(40), From: 3, To: 4}},
			Arrivals: []advisor.Arrival{{ID: "b", Created: known(32.1), Ready: known(39.8), Answered: known(39.9)},
				{ID: "c", Created: known(32.2), Ready: known(40.2), Answered: known(41)}, {ID: "d", Created: known(40.1)}},
			Lost: known(33.1), Regained: known(44), Outside: 8 * time.Second},
		{Load: load, At: at(70), Settled: at(80), Cause: advisor.ByHand, From: 50, To: 10, Missed: true, Lost: known(75), Outside: 5 * time.Second,
			Leaving: []advisor.Departure{{ID: "b", Leaving: at(78)}}, Failures: new(int64(12))},
	}
}

func TestTimelineOnPaper(t *testing.T) {
	var b bytes.Buffer
	if err := WriteTimeline(&b, "replicas over the load", followed(), 100); err != nil {
		t.Fatal(err)
	}
	want := `
replicas over the load, with times from each step
00:00  0 -> 10 users          first answer of 1 after 0.1s
00:30  10 -> 50 users         decided after 2.1s: 1 -> 3: rps 28.4 with a target of 10 per replica
                              asks for 3; 1 more change, to 4 after 10.0s
                              3 started, 2 ready after 9.8s to 10.2s; first answers of 2 after 9.9s
                              to 11.0s
                              SLO lost after 3.1s, regained after 14.0s, between them lost for 8.0s
                              in all
01:10  50 -> 10 users in 10s  1 replica had to go after 8.0s; 12 requests failed meanwhile
                              SLO still lost from before; SLO lost after 5.0s, not regained
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, line := range strings.Split(b.String(), "\n") {
		if n := len([]rune(line)); n > 100 {
			t.Errorf("a line of %d columns, want 100 or fewer: %q", n, line)
		}
	}
}

// A load beside which nothing happened is not worth a line, and of many steps
// the first are.
func TestTimelineSaysNoMoreThanThereIs(t *testing.T) {
	var b bytes.Buffer
	if err := WriteTimeline(&b, "replicas", followed()[:1], 80); err != nil || b.Len() > 0 {
		t.Errorf("wrote %q, %v; want nothing", b.String(), err)
	}
	var many []advisor.Episode
	for range 25 {
		many = append(many, followed()[1])
	}
	if err := WriteTimeline(&b, "replicas", many, 0); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.String(), "10 -> 50 users"); got != fewSteps || !strings.HasSuffix(b.String(), "5 later steps are in the JSON\n") {
		t.Errorf("%d steps in\n%s\nwant %d, and that there are 5 more", got, b.String(), fewSteps)
	}
}

// What has not happened yet says so.
func TestTimelineOfAnEpisodeUnderWay(t *testing.T) {
	e := followed()[1]
	e.Moves, e.Lost, e.Regained = nil, nil, nil
	e.Arrivals = []advisor.Arrival{{ID: "b", Created: e.Until}}
	var b bytes.Buffer
	if err := WriteTimeline(&b, "replicas", []advisor.Episode{e}, 0); err != nil {
		t.Fatal(err)
	}
	if want := "00:30  10 -> 50 users  1 started, none ready yet\n"; !strings.HasSuffix(b.String(), want) {
		t.Errorf("got %q, want it to end with %q", b.String(), want)
	}
}

// What went by itself, and what came after that, says nothing of the load.
func TestTimelineOfWhatWentByItself(t *testing.T) {
	e := followed()[0]
	at := func(seconds float64) time.Duration { return e.At + time.Duration(seconds*float64(time.Second)) }
	e.Leaving = []advisor.Departure{{ID: "a", Leaving: at(7.2), ByItself: true}}
	e.Arrivals = append(e.Arrivals, advisor.Arrival{ID: "b", Answered: new(at(17.5)), InPlace: true})
	e.Failures, e.Missed, e.Regained = new(int64(4)), true, new(at(0.4))
	want := `00:00  0 -> 10 users  first answer of 1 after 0.1s
                      1 replica stopped answering after 7.2s, 1 came in place after 17.5s; 4 requests failed meanwhile
                      SLO still lost from before, regained after 0.4s
`
	var b bytes.Buffer
	if err := WriteTimeline(&b, "replicas", []advisor.Episode{e}, 0); err != nil || !strings.HasSuffix(b.String(), want) {
		t.Errorf("got %v\n%s\nwant it to end with\n%s", err, b.String(), want)
	}
}
