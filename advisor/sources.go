package advisor

import (
	"context"
	"errors"
	"time"

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
	if err != nil {
		report = probe.Report{}
	}
	if from == probe.FromWorkers {
		s.workers = report.Replicas
	}
	if err != nil && s.said[from].Error == "" {
		s.log(now, NoticeEvent, "%v", err)
	}
	s.hear(now, from, report, err)
}

// hear takes over what an origin says, or why it does not. mu is held.
func (s *Session) hear(now time.Time, from probe.Origin, report probe.Report, err error) {
	said := s.said[from]
	if said.Origin = from; err != nil {
		s.said[from] = said.Fails(err)
		return
	}
	if said.At.IsZero() {
		s.meet(report.Replicas)
	}
	s.said[from] = said.Says(now, report)
}

// join makes one fleet of all that is known of it. mu is held.
func (s *Session) join(now time.Time) probe.Fleet {
	var said []probe.Statement
	for _, from := range []probe.Origin{probe.FromScaler, probe.FromWorkers, probe.FromDNS} {
		if st, ok := s.said[from]; ok {
			said = append(said, st)
		}
	}
	if s.engine == nil {
		return probe.Join(s.fleet, s.workers, nil, said)
	}
	l := s.engine.Snapshot()
	answers := l.Fleet()
	own := probe.Statement{Origin: probe.FromAnswers}
	if len(answers) == 0 && l.Unnamed > 0 {
		own = own.Fails(errUnnamed)
	} else {
		of := probe.ReportOf(answers)
		*of.Ready = probe.Fleet{Replicas: answers}.Answering()
		own = own.Says(now, of)
	}
	return probe.Join(s.fleet, s.workers, answers, append(said, own))
}

var errUnnamed = errors.New("no answer names the replica that gave it")
