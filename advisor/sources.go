package advisor

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"headroom/load"
	"headroom/probe"
)

// Lister says what there is of a target, beside its scaler and its answers. Its
// errors name it.
type Lister interface {
	List(ctx context.Context) (probe.Report, error)
}

const (
	listEvery    = 3 * time.Second // between questions to a Lister
	listPatience = 5 * time.Second // for an answer
)

// listers are those that there are to ask.
func (c Config) listers() map[probe.Origin]Lister {
	out := map[probe.Origin]Lister{}
	if c.Workers != nil {
		out[probe.FromWorkers] = c.Workers
	}
	if c.Name != nil {
		out[probe.FromDNS] = c.Name
	}
	return out
}

// watchList asks a Lister until ctx ends, one question at a time.
func (s *Session) watchList(ctx context.Context, from probe.Origin, l Lister) {
	ticker := time.NewTicker(listEvery)
	defer ticker.Stop()
	for {
		asking, cancel := context.WithTimeout(ctx, listPatience)
		report, err := l.List(asking)
		cancel()
		if ctx.Err() != nil {
			return // whoever asked has gone, which says nothing of the list
		}
		s.noteReport(time.Now(), from, report, err)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Session) noteReport(now time.Time, from probe.Origin, report probe.Report, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.trouble[from]
	s.hear(now, from, report, err)
	switch {
	case err != nil && (before == nil || trouble(before) != trouble(err)):
		s.log(now, NoticeEvent, "%v", err)
	case err == nil && before != nil:
		s.log(now, NoticeEvent, "%s: it answers again", from.Name())
	}
	if err == nil && from == probe.FromWorkers {
		s.workers = probe.Since(now, s.workers, report.Replicas)
	}
}

// nearEnd is this end of a connection in an error.
var nearEnd = regexp.MustCompile(`\S+->`)

// trouble is an error without what differs each time.
func trouble(err error) string { return nearEnd.ReplaceAllString(err.Error(), "") }

// hear takes over what an origin says, or why it does not: then what it said
// last is kept, as old. mu is held.
func (s *Session) hear(now time.Time, from probe.Origin, report probe.Report, err error) {
	said := s.said[from]
	said.Origin = from
	if err != nil {
		s.trouble[from] = err
	} else {
		delete(s.trouble, from)
		said = said.Says(now, report)
	}
	s.said[from] = said
}

// look is the present or the latest load, and one fleet of all that is known of
// it; ok is false where there was no load. mu is held.
func (s *Session) look(now time.Time) (l load.Snapshot, f probe.Fleet, ok bool) {
	var answers []probe.Replica
	if ok = s.engine != nil; ok {
		s.engine.KnowReady(readySince(s.workers, s.fleet.Replicas))
		l = s.engine.Snapshot()
		answers = l.Fleet()
		var unnamed error
		if len(answers) == 0 && l.Unnamed > 0 {
			unnamed = errUnnamed
		}
		of := probe.ReportOf(answers)
		*of.Ready = probe.Fleet{Replicas: answers}.Answering()
		s.hear(now, probe.FromAnswers, of, unnamed)
	}
	var said []probe.Statement
	for _, from := range []probe.Origin{probe.FromScaler, probe.FromWorkers, probe.FromDNS, probe.FromAnswers} {
		st, asked := s.said[from]
		if err := s.trouble[from]; err != nil {
			st = st.Fails(err)
		}
		if asked {
			said = append(said, st)
		}
	}
	return l, probe.Join(s.fleet, s.workers, answers, said), ok
}

// readySince is since when replicas have been ready, by their names; what a later
// source says goes before an earlier one.
func readySince(sources ...[]probe.Replica) map[string]time.Time {
	out := map[string]time.Time{}
	for _, replicas := range sources {
		for _, r := range replicas {
			if at, ok := r.ReadyAt(); ok {
				out[r.ID] = at
			}
		}
	}
	return out
}

var errUnnamed = errors.New("no answer names the replica that gave it")

// during is a fleet without the replicas that had gone before a load began and
// so are no part of it.
func during(f probe.Fleet, began time.Time) probe.Fleet {
	f.Replicas = slices.DeleteFunc(slices.Clone(f.Replicas), func(r probe.Replica) bool {
		return r.State == probe.Gone && !r.Answered && r.Since.Before(began)
	})
	return f
}
