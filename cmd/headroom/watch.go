package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"

	"headroom/advisor"
	"headroom/advisor/report"
	"headroom/probe"
	"headroom/profiles"
)

// mostWatched is the highest rate of a watch, in requests per second: what is
// more is a load.
const mostWatched = 50

func (a *app) watchCommand() *cobra.Command {
	l, json, failureCode := newLoadFlags(), false, 0
	p := &l.plan
	p.Rate, p.OnBusy = 2, profiles.Dropped
	p.Arrivals = profiles.Poisson // even ones keep step with others, such as health checks, and may never meet the replica that those get
	p.Seed = rand.Uint64()        // nor two watches with each other
	p.DisableKeepAlive = true     // else it would ask the same replica again and again
	p.Timeout, p.StopGrace = 10*time.Second, 0
	cmd := &cobra.Command{
		Use:   "watch URL",
		Short: "A small steady rate of fresh connections: which replicas answer, which appear, which go",
		Long: "Send a small steady rate of requests, each over a connection of its own, and show which\n" +
			"replicas answer, how fast, and when one appears, fails or goes. It waits for a target\n" +
			"that is not there yet, and goes on until Ctrl-C. Times are those of the last minute, in the\n" +
			"summary of the whole watch.",
		Example: "  headroom watch http://127.0.0.1:8000/\n" +
			"  headroom watch https://shop.example/healthz --rate 10 -t 5m --exit-code-on-error 1\n" +
			"  headroom watch https://shop.example/ --workers-url https://api.example/shop/workers --workers-header @headers.txt\n" +
			"  headroom watch http://127.0.0.1:8000/ --json | jq -r 'select(.type == \"change\") | .text'",
		Args: oneArgument("the URL to watch"),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case failureCode < 0 || failureCode > 125:
				return usage("--exit-code-on-error: got %d, want 0 to 125", failureCode)
			case p.Rate > mostWatched:
				return usage("--rate: got %s/s, want %d/s at most: a load is what headroom run is for", profiles.FormatRate(p.Rate), mostWatched)
			}
			plan, err := l.finish(args[0])
			if err != nil {
				return err
			}
			workers, err := l.sources.list()
			if err != nil {
				return err
			}
			return a.watch(plan, l.source, workers, a.newWatchOutput(json), failureCode)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	flagVar(f, &p.Rate, "rate", "", "2/1s", "rate", fmt.Sprintf("requests per second, %d at most", mostWatched), profiles.ParseRate)
	durationVar(f, &p.RunTime, "run-time", "t", "stop after this long, such as 30s or 1h30m (default: Ctrl-C)")
	f.BoolVar(&json, "json", false, "print a line of JSON for each change, one a second for the state, and one at the end")
	f.IntVar(&failureCode, "exit-code-on-error", failureCode, "exit code when some requests failed; when all did it is 1")
	l.message(f)
	l.sources.addList(f)
	l.reach(f)
	return cmd
}

// watch shows a plan until it ends or an interrupt, which is its regular end.
// workers is a list of the replicas, nil where there is none.
func (a *app) watch(plan profiles.Plan, source probe.Source, workers *probe.Workers, out watchOutput, failureCode int) error {
	a.signals.expect()
	config := advisor.Config{Plan: plan, Source: source, Lately: report.WatchedLately}
	chosen := isService(a.signals.stop, plan.Target)
	if workers != nil {
		if chosen {
			return usage("--workers-url: got it for the service of a scaler, want another target: headroom workers --watch shows those")
		}
		config.Workers = workers
	}
	if name, ok := probe.NewName(plan.Target); ok {
		config.Name = name
	}
	session, err := advisor.NewSession(config)
	if err != nil {
		return &exit{exitUsage, err}
	}
	end := start(a.signals.now, session)
	defer end()
	if err := session.Start(); err != nil {
		return err
	}
	w := &watcher{plan: plan, out: out, chosen: chosen}
	states := session.States() // only now, so that an idle State is one after the watch
	stop := a.signals.stop.Done()
	for {
		select {
		case s := <-states:
			if err := w.show(s); err != nil {
				return err
			}
			if s.Phase == advisor.Idle {
				return w.conclude(s, failureCode)
			}
		case <-stop:
			stop = nil
			session.Stop()
		case <-session.Done():
			return nil
		}
	}
}

// watcher turns the States of a session into what a watch shows.
type watcher struct {
	plan    profiles.Plan
	out     watchOutput
	chosen  bool // the target is the service of a scaler of ours
	watch   probe.Watch
	changes []probe.Change // the latest ones
	logged  int            // number of the last event of the session that was taken over
	picture report.Watch   // the latest
}

// mostChanges is how many changes are kept to be shown.
const mostChanges = 100

// show takes a State. One before the first request has nothing to show.
func (w *watcher) show(s advisor.State) error {
	if s.Load.Started.IsZero() {
		return nil
	}
	latest := s.Load.LatestFailure()
	fresh := w.watch.Observe(s.At, probe.Look{
		Replicas: s.Load.Fleet(), Source: s.Load.Identity, Why: s.Load.Why,
		Requests: s.Load.Total.Count, Failed: s.Load.Total.Failed, Chosen: w.chosen,
		Problem: latest.Words(), First: s.Load.Started.Add(latest.First), Last: s.Load.Started.Add(latest.Last),
	})
	for _, e := range s.Events {
		if e.N > w.logged && e.Kind == advisor.NoticeEvent {
			fresh = append(fresh, probe.Change{At: e.At, Kind: probe.ChangeNotice, Text: e.Text})
		}
		w.logged = max(w.logged, e.N)
	}
	w.changes = append(w.changes, fresh...)
	w.changes = w.changes[max(0, len(w.changes)-mostChanges):]
	notices := s.Notices
	quiet, gone := w.watch.Patience()
	if w.chosen {
		notices, quiet, gone = append([]probe.Notice{{Kind: probe.NoticeChosen, Text: chosenText}}, notices...), 0, 0
	}
	w.picture = report.Watch{
		At: s.At, Target: w.plan.ShownTarget(), Rate: w.plan.Rate, Load: s.Load, Name: s.Fleet.Statement(probe.FromDNS), Workers: s.Fleet.Statement(probe.FromWorkers), Replicas: w.watch.Replicas(s.Fleet.Unanswered()...), Unseen: w.watch.Unseen(),
		Quiet: quiet, Gone: gone, Down: w.watch.Down(), Problem: latest.Words(), Changes: w.changes, Notices: notices,
	}
	return w.out.show(w.picture, fresh)
}

const chosenText = "the scaler chooses who answers and leaves others idle on purpose, so nobody is called quiet or gone here: headroom workers --watch shows them all"

// isService reports whether the target is the service of a running scaler of
// ours. One that does not answer is taken for none: the watch says what it sees.
func isService(ctx context.Context, target string) bool {
	back, err := findBackend(ctx, target)
	return err == nil && back.client != nil
}

// conclude writes the summary and sets the exit code.
func (w *watcher) conclude(s advisor.State, failureCode int) error {
	if err := problem(s); err != nil {
		return err
	}
	if err := w.out.end(w.picture); err != nil {
		return err
	}
	switch t := s.Load.Total; {
	case t.Count > 0 && t.Failed == t.Count:
		return &exit{code: exitFailures}
	case t.Failed > 0 && failureCode != 0:
		return &exit{code: failureCode}
	}
	return nil
}
