package probe

import (
	"slices"
	"time"
)

// Look is what answers say of a target at one moment, from the first one on.
type Look struct {
	Replicas []Replica // that have answered, in the order of their first answers
	Source   string    // where they name themselves; empty: they do not
	Why      string    // why that, or why not
	Requests int64     // answers and failures
	Failed   int64     // of them
	Problem  string    // why the latest failure failed
	First    time.Time // when the first one failed for that reason
	Last     time.Time // and the latest one
	Chosen   bool      // a scaler chooses who answers and leaves others idle on purpose, so a silence says nothing
}

// NoticeChosen is the notice of a watch whose Looks are Chosen.
const NoticeChosen NoticeKind = "chosen"

// Watch follows a target at a low rate: it says when a replica appears, falls
// silent or fails, and when the target does. It is not safe for concurrent use.
type Watch struct {
	at       time.Time // of the latest Look
	source   string    // where the tracks name themselves
	proven   bool      // names of the source have come back
	held     []Change  // to be told when they have
	tracks   []*track  // in the order of their first answers
	named    int64     // answers that name a replica, as of the latest Look
	moved    int64     // of them, before replicas last came or went
	recent   []string  // whose the latest of them since then were, a ring
	next     int       // place in the ring
	requests int64
	failed   int64     // at no replica
	others   outcomes  // of all requests, those that failed at no replica set
	broken   time.Time // when the latest of them began to fail in a row; zero: the last one succeeded
	down     time.Time // since when every request fails; zero: some succeed
	causes   []string  // of that, as told
}

// track is what is known of a replica that answered.
type track struct {
	Replica
	since  int64 // answers of all before those that its share is taken of
	given  int64 // its own before them
	until  int64 // of all, up to its latest
	latest outcomes
}

// sharesOver is the number of the latest answers that shares are taken of.
const sharesOver = 200

// Observe takes a Look and returns what has changed since the one before.
func (w *Watch) Observe(now time.Time, l Look) []Change {
	c := &changes{now: now}
	w.drop(c, l)
	w.observeTarget(c, l)
	w.at = now
	r := &changes{now: now, list: w.held}
	w.observeReplicas(r, l)
	if !l.Chosen {
		w.judge(r)
	}
	if w.held = r.list; w.prove() {
		c.list, w.held = append(c.list, w.held...), nil
	}
	return c.list
}

// drop forgets the replicas where they are no longer named as they were.
func (w *Watch) drop(c *changes, l Look) {
	if w.source == "" || w.source == l.Source {
		return
	}
	if l.Source == "" {
		c.add(ChangeSource, "", time.Time{}, "replicas are no longer told apart: %s", l.Why)
	}
	*w = Watch{at: w.at, requests: w.requests, failed: l.Failed - failedAt(l.Replicas), others: w.others, broken: w.broken, down: w.down, causes: w.causes}
}

// prove reports whether names come back. Request ids do not: of each replica
// there must have been two answers on average before any is told.
func (w *Watch) prove() bool {
	w.proven = w.proven || w.named >= 2*int64(len(w.tracks))
	return w.proven
}

func failedAt(replicas []Replica) (n int64) {
	for _, r := range replicas {
		n += r.Failed
	}
	return n
}

// observeTarget follows the requests that fail at no replica: those that get no
// answer, and those that a balancer answers itself.
func (w *Watch) observeTarget(c *changes, l Look) {
	failed := l.Failed - failedAt(l.Replicas)
	first := w.requests == 0
	w.others.add(l.Requests-w.requests, failed-w.failed)
	w.requests, w.failed = l.Requests, failed
	switch {
	case w.others.streak() == 0:
		w.broken = time.Time{}
	case w.broken.IsZero():
		if w.broken = l.First; !l.First.After(w.at) {
			w.broken = l.Last
		}
	}
	switch {
	case !w.down.IsZero() && w.broken.IsZero():
		c.add(ChangeUp, "", w.down, "requests succeed, after %s", span(w.down, c.now))
		w.down, w.causes, w.others = time.Time{}, nil, outcomes{}
		return
	case !w.down.IsZero():
		if !slices.Contains(w.causes, l.Problem) {
			c.add(ChangeFailing, "", w.down, "every request fails, now: %s", l.Problem)
			w.causes = append(w.causes, l.Problem)
		}
		return
	case w.others.ended(), first && !w.broken.IsZero():
		w.down, w.causes = w.broken, []string{l.Problem}
		c.add(ChangeDown, "", w.down, "every request fails: %s", l.Problem)
		for _, t := range w.tracks {
			if t.State == Serving {
				t.State = Quiet
			}
		}
		return
	}
	switch w.others.turn() {
	case failing:
		c.add(ChangeFailing, "", time.Time{}, "%d of the last %d requests failed: %s", w.others.failed(), w.others.n, l.Problem)
	case recovered:
		c.add(ChangeRecovered, "", time.Time{}, "the last %d requests succeeded", w.others.n)
	}
}

// span is the time between two moments as a text tells it.
func span(from, to time.Time) time.Duration { return to.Sub(from).Round(time.Second) }

// observeReplicas takes over what replicas have answered.
func (w *Watch) observeReplicas(c *changes, l Look) {
	before := w.named
	w.named = 0
	for _, r := range l.Replicas {
		w.named += r.Requests
	}
	if w.source == "" && len(l.Replicas) > 0 {
		w.source = l.Source
		c.add(ChangeSource, "", time.Time{}, "replicas are named by %s", l.Source)
	}
	alive := w.alive()
	for _, r := range l.Replicas {
		t := w.find(r.ID)
		if t == nil {
			t = &track{Replica: Replica{State: Serving}, since: before}
			w.tracks = append(w.tracks, t)
			// Had it been there all along, it would hardly have been missed.
			if !chanceMisses(alive+1, before) {
				c.add(ChangeAppears, r.ID, r.FirstSeen, "%s appears", r.ID)
				w.move(before)
			} else {
				c.add(ChangeMet, r.ID, r.FirstSeen, "%s answers", r.ID)
			}
		}
		w.answered(c, t, r, before)
	}
}

// answered takes over what a replica answered since the Look before, when
// there were so many answers.
func (w *Watch) answered(c *changes, t *track, r Replica, before int64) {
	answers := r.Requests - t.Requests
	t.latest.add(answers, r.Failed-t.Failed)
	state := t.State
	if answers > 0 {
		t.until = w.named
		if state != Serving {
			c.add(ChangeAgain, r.ID, t.LastSeen, "%s answers again, after %s", r.ID, span(t.LastSeen, r.LastSeen))
		}
		if state == Gone {
			w.move(before)
		}
		if state != Serving { // chance did not explain that, so its share is another now
			t.since, t.given = before, t.Requests
		}
		state = Serving
	}
	w.note(r.ID, answers)
	t.Replica, t.State = r, state
	switch t.latest.turn() {
	case failing:
		c.add(ChangeFailing, r.ID, time.Time{}, "%d of the last %d answers of %s failed", t.latest.failed(), t.latest.n, r.ID)
	case recovered:
		c.add(ChangeRecovered, r.ID, time.Time{}, "the last %d answers of %s were good", t.latest.n, r.ID)
	}
}

// judge finds the replicas that have fallen silent.
func (w *Watch) judge(c *changes) {
	for _, t := range w.tracks {
		state := w.silence(t)
		if t.State == Gone || state == t.State || state == Serving {
			continue
		}
		t.State = state
		last := t.LastSeen.Format(time.TimeOnly)
		if state == Quiet {
			c.add(ChangeQuiet, t.ID, t.LastSeen, "%s has been quiet since %s", t.ID, last)
			continue
		}
		w.move(w.named)
		c.add(ChangeGone, t.ID, t.LastSeen, "%s is gone: nothing since %s, in %d answers", t.ID, last, w.named-t.until)
	}
}

// silence is the state that a replica's silence speaks for. The first of its
// answers says nothing of how often it gives one: it is why anybody looks.
func (w *Watch) silence(t *track) State {
	silent := w.named - t.until
	if silent <= 0 {
		return Serving
	}
	return Silence(t.Requests-t.given-1, t.until-t.since-1, w.alive(), silent)
}

// alive is the number of replicas that are not gone.
func (w *Watch) alive() int {
	n := 0
	for _, t := range w.tracks {
		if t.State != Gone {
			n++
		}
	}
	return n
}

func (w *Watch) find(id string) *track {
	for _, t := range w.tracks {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// move notes that replicas came or went after so many answers.
func (w *Watch) move(named int64) { w.moved, w.recent, w.next = named, nil, 0 }

// note remembers whose the latest answers were.
func (w *Watch) note(id string, answers int64) {
	for range min(answers, sharesOver) {
		if len(w.recent) < sharesOver {
			w.recent = append(w.recent, id)
			continue
		}
		w.recent[w.next] = id
		w.next = (w.next + 1) % sharesOver
	}
}

// Replicas returns what is known of the replicas: those that are there first,
// in the order of their first answers, then those that are known without an
// answer, then those that went, the latest first. Share is that of the latest 200
// answers since replicas last came or went.
func (w *Watch) Replicas(unanswered ...Replica) []Replica {
	count := map[string]int{}
	for _, id := range w.recent {
		count[id]++
	}
	out := make([]Replica, 0, len(w.tracks)+len(unanswered))
	for _, t := range w.tracks {
		r := t.Replica
		r.Share = float64(count[r.ID]) / float64(max(1, len(w.recent)))
		out = append(out, r)
	}
	out = append(out, unanswered...)
	slices.SortStableFunc(out, func(a, b Replica) int {
		switch {
		case a.State == Gone && b.State == Gone:
			return b.LastSeen.Compare(a.LastSeen)
		case a.State == Gone:
			return 1
		case b.State == Gone:
			return -1
		}
		return 0
	})
	return out
}

// Unseen judges how many replicas there are from the answers since replicas
// last came or went, and from who gave them.
func (w *Watch) Unseen() Unseen {
	alive, met := 0, 0
	for _, t := range w.tracks {
		if t.State == Gone {
			continue
		}
		alive++
		if t.until > w.moved {
			met++
		}
	}
	u := EstimateUnseen(met, w.named-w.moved)
	u.Seen, u.Total, u.Low = alive, max(u.Total, alive), max(u.Low, alive)
	if u.High > 0 {
		u.High = max(u.High, alive)
	}
	return u
}

// Patience is the number of answers after which one of the replicas counts as
// quiet, and as gone, where each gives as many and has given many; 0 for fewer
// than two.
func (w *Watch) Patience() (quiet, gone int64) {
	n := w.alive()
	if n < 2 {
		return 0, 0
	}
	return QuietAfter(1 / float64(n)), GoneAfter(1 / float64(n))
}

// Down is since when every request has failed; zero while some succeed.
func (w *Watch) Down() time.Time { return w.down }
