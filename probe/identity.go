package probe

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
)

// Unknown is the replica of an answer that names none.
const Unknown int32 = -1

// maxReplicas is how many replicas are told apart; names that come later
// share one entry.
const maxReplicas = 256

// Others is the name of the entry that names beyond the first 256 share.
const Others = "others"

// Identity says where the names of the replicas come from. It is a value.
type Identity struct {
	Source Source   // empty while there is none
	Given  bool     // by the user, rather than found
	Sure   Sureness // of what was found
	Why    string   // what speaks for the source or, without one, why there is none; empty before the first answer
}

// Identifier names the replica behind each answer. Without a Source it finds
// one in the first answers, and judges it again when new names come. It is safe for concurrent use; naming a replica
// that is already known takes no lock and allocates nothing.
type Identifier struct {
	state atomic.Pointer[state]

	mu       sync.Mutex // serialises those who change the state, and guards the rest
	evidence *evidence  // nil where there is nothing to go by any more
	dropped  map[Place]bool
	why      string // the last source was dropped
}

// state is never changed once it is published.
type state struct {
	Identity
	learning bool // the answers are looked at
	trial    *trial
	index    map[string]int32
	others   int32    // the number of what is not in a full index; 0 before it is full
	list     []string // names by number, "" where the source turned out to name none
}

// trial watches whether the names of a source come back, when there are many.
type trial struct {
	answers atomic.Int32
	fresh   map[string]struct{} // names that are in no index; guarded by the identifier's lock
}

// A source with trialFrom names is on trial over trialOver answers, and again
// when it has more names than are told apart: it is given up when more than
// half of the answers bring a name that was not there before.
const (
	trialFrom = 64
	trialOver = 2048
)

// ComeBack reports whether so many names are worth a row each, given how many
// answers have brought one of them: where there are as many as request ids soon
// are, each must have come twice on average.
func ComeBack(names int, answers int64) bool {
	return names < trialFrom || answers >= 2*int64(names)
}

// mostDropped is how many sources are given up before the search is.
const mostDropped = 4

// NewIdentifier returns an identifier that looks at source, or that finds one
// by itself when source is empty.
func NewIdentifier(source Source) *Identifier {
	i := &Identifier{dropped: map[Place]bool{}}
	s := &state{Identity: Identity{Source: source, Given: len(source) > 0}, index: map[string]int32{}}
	if len(source) == 0 {
		i.evidence = newEvidence()
		s.learning = true
	}
	i.state.Store(s)
	return i
}

// Identify returns the number of the replica that gave an answer, or Unknown.
// Numbers count from 0 in the order of first appearance. It learns where the
// names stand from good answers only: the page of an error may come from a
// proxy in front.
func (i *Identifier) Identify(a *Answer) int32 {
	s := i.state.Load()
	if s.learning && a.Status < 400 {
		s = i.learn(a)
	}
	if len(s.Source) == 0 {
		return Unknown
	}
	var buf [128]byte
	name := s.Source.appendName(buf[:0], a)
	if len(name) == 0 {
		return Unknown
	}
	n, ok := s.index[string(name)]
	if s.trial != nil {
		if s = i.try(s, name, ok); len(s.Source) == 0 {
			return Unknown
		}
	}
	switch {
	case ok:
		return n
	case s.others > 0:
		return s.others
	}
	return i.add(string(name), a)
}

// Again looks at the next answers once more, where nothing was found in the
// first: a target with one replica shows nothing that differs.
func (i *Identifier) Again() {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.state.Load()
	if s.learning || len(s.Source) > 0 || s.Given || len(i.dropped) >= mostDropped {
		return
	}
	next := *s
	i.evidence, next.learning = newEvidence(), true
	i.state.Store(&next)
}

// Names returns the names of all replicas seen, by number; "" for those whose
// source was given up. The slice must not be changed.
func (i *Identifier) Names() []string { return i.state.Load().list }

// Identity returns where the names come from.
func (i *Identifier) Identity() Identity { return i.state.Load().Identity }

// learn takes an answer into account and returns what follows.
func (i *Identifier) learn(a *Answer) *state {
	i.mu.Lock()
	defer i.mu.Unlock()
	s := i.state.Load()
	if !s.learning {
		return s
	}
	e := i.evidence
	e.add(a)
	// Often at first, as names are wanted early; and at the end.
	if n := e.answers; n != 1 && n != 8 && n%16 != 0 {
		return s
	}
	var next state
	if e.only == nil {
		next = i.find(s)
	} else {
		next = *s
		next.Sure, next.Why = e.again()
	}
	if next.learning = e.answers < e.until; !next.learning {
		if i.evidence = nil; len(next.Source) > 0 {
			i.evidence = e.about(next.Source[0])
		}
	}
	i.state.Store(&next)
	return &next
}

// find is a state with what the evidence says is the best source.
func (i *Identifier) find(s *state) state {
	next := *s
	f, ok := i.evidence.best(i.dropped)
	switch {
	case ok && len(s.Source) > 0 && s.Source[0] == f.place:
	case ok:
		next = next.without()
		next.Source = Source{f.place}
	default:
		next = next.without()
		if i.why != "" {
			f.why = i.why
		}
	}
	next.Sure, next.Why = f.sure, f.why
	return next
}

// without is a state whose names are no names.
func (s state) without() state {
	s.Source, s.Sure, s.trial, s.index, s.others, s.list = nil, "", nil, map[string]int32{}, 0, make([]string, len(s.list))
	return s
}

// try counts an answer for the trial of a source and returns what follows.
func (i *Identifier) try(s *state, name []byte, known bool) *state {
	answers := s.trial.answers.Add(1)
	if known && answers < trialOver {
		return s
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	now := i.state.Load()
	if now.trial != s.trial {
		return now
	}
	if !known {
		s.trial.fresh[string(name)] = struct{}{}
	}
	if answers < trialOver {
		return now
	}
	next := *now
	next.trial = nil
	if fresh := int32(len(s.trial.fresh)); 2*fresh > answers {
		next = next.without()
		i.why = fmt.Sprintf("%s was given up: %d of %d answers brought a name that was never there before, as request ids do", s.Source, fresh, answers)
		next.Why = i.why
		for _, p := range s.Source {
			i.dropped[p] = true
		}
		i.evidence, next.learning = nil, false
		if !s.Given && len(i.dropped) < mostDropped {
			i.evidence, next.learning = newEvidence(), true
		}
	}
	i.state.Store(&next)
	return &next
}

// add numbers the name that stands in an answer.
func (i *Identifier) add(name string, a *Answer) int32 {
	i.mu.Lock()
	defer i.mu.Unlock()
	old := i.state.Load()
	if n, ok := old.index[name]; ok {
		return n
	}
	if len(old.Source) == 0 {
		return Unknown // given up in this moment
	}
	if old.others > 0 {
		return old.others
	}
	next := *old
	n := int32(len(old.list))
	if len(old.index) == maxReplicas-1 {
		name, next.others = Others, n
	}
	next.index = maps.Clone(old.index)
	next.index[name] = n
	next.list = append(old.list[:n:n], printable(name))
	if len(next.index) == trialFrom || next.others > 0 {
		next.trial = &trial{fresh: map[string]struct{}{}}
	}
	if !next.Given && !next.learning { // what was said of the source spoke of fewer names
		next.learning, i.evidence.until = true, i.evidence.answers+learnOver
		if a.Status < 400 {
			i.evidence.add(a)
		}
	}
	i.state.Store(&next)
	return n
}

// longestName is how much of a name is shown.
const longestName = 80

// printable is a name as a terminal may show it: it comes from the target, and
// must not be able to steer what it is printed on.
func printable(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, name)
	if r := []rune(name); len(r) > longestName {
		return string(r[:longestName-1]) + "…"
	}
	return name
}
