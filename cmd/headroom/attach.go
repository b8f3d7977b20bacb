package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"headroom/advisor"
	"headroom/advisor/remote"
	"headroom/advisor/report"
	"headroom/profiles"
	"headroom/scaler"
	"headroom/scaler/httpapi"
	"headroom/tui"
)

func (a *app) attachCommand() *cobra.Command {
	tokenFile := ""
	cmd := &cobra.Command{
		Use:   "attach [URL | NAME]",
		Short: "Show the dashboard of a run, or the replicas of a scaler, somewhere else",
		Long: "Show the dashboard of a run that was started with --api, on this machine or another one, or the replicas of a scaler.\n\n" +
			"Without an argument it takes the only one that runs here. Leaving does not end the run. Keys that change it work where it\n" +
			"was started with --control. Off a terminal it prints lines, and the summary when the run has ended; a run that does not\n" +
			"answer for 10 s is given up with exit code 3.",
		Example: "  headroom run http://127.0.0.1:8000/ -t 10m --headless --api 127.0.0.1:9000 --control\n" +
			"  headroom attach\n" +
			"  headroom attach http://load.internal:9000 --token-file token",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("arguments: got %q, want one URL or NAME", strings.Join(args, " "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			url, token, err := findAPI(strings.Join(args, ""), tokenFile)
			if err != nil {
				return err
			}
			// What a reader has to say when it is cut off does not matter.
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			client, err := remote.Attach(ctx, url, token)
			switch {
			case errors.Is(err, remote.ErrNoRun):
				return a.attachScaler(ctx, scaler.NewClient(url, token))
			case err != nil:
				return &exit{exitUsage, err}
			}
			return a.attachRun(ctx, client)
		},
	}
	a.asciiFlag(cmd.Flags())
	cmd.Flags().StringVar(&tokenFile, "token-file", "", "`FILE` with the token of the API, of a run or scaler of another machine or user; or put it into "+tokenVariable)
	return cmd
}

// findAPI returns the URL of the API that was named, and what opens it.
func findAPI(given, tokenFile string) (url, token string, err error) {
	running, err := httpapi.Entries("")
	if err != nil {
		return "", "", &exit{exitUsage, err}
	}
	token = os.Getenv(tokenVariable)
	if tokenFile != "" {
		if token, err = readToken("--token-file", tokenFile); err != nil {
			return "", "", err
		}
	}
	if strings.Contains(given, ":") {
		return findAt(running, given, token)
	}
	var names []string
	for _, e := range running {
		if e.Name == given || given == "" && len(running) == 1 {
			return "http://" + e.API, cmp.Or(token, e.Token), nil
		}
		names = append(names, e.Name)
	}
	got := fmt.Sprintf("got %q", given)
	if given == "" {
		got = "got nothing"
	}
	if len(names) == 0 {
		return "", "", usage("run: %s, and nothing with an API runs here: want a URL such as http://127.0.0.1:9000, or a run with --api", got)
	}
	return "", "", usage("run: %s, want a URL or one of %s", got, strings.Join(names, ", "))
}

// findAt finds the token of an API by its address, unless one is given.
func findAt(running []httpapi.Entry, given, token string) (string, string, error) {
	address, url, err := apiAddress("run", given)
	if err != nil || token != "" {
		return url, token, err
	}
	want, err := httpapi.SplitAddress(address)
	if err != nil {
		return "", "", usage("run: got %q, want a URL such as http://127.0.0.1:9000", given)
	}
	for _, e := range running {
		if have, err := httpapi.SplitAddress(e.API); err == nil && have.Serves(want) {
			return url, e.Token, nil
		}
	}
	return "", "", usage("run: got %s, whose token is not known here: want --token-file, or the token in %s", given, tokenVariable)
}

// attachRun shows a run elsewhere, and its summary where it ends meanwhile.
func (a *app) attachRun(ctx context.Context, c *remote.Client) error {
	following, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(following)
	}()
	defer func() {
		stop()
		<-done
	}()
	var err error
	if a.draws() {
		o := tui.Options{Attached: true}
		if !c.MayControl() {
			o.ReadOnly = "this run is read-only: it was started without --control"
		}
		err = a.dashboard(c, o)
		a.signals.expect() // leaving ends nothing
	} else {
		err = a.attachLines(c)
	}
	if err != nil {
		return err
	}
	st := c.State()
	switch {
	case st.Lost != "":
		write(a.err, "left the run at "+c.URL()+", which did not answer any more\n")
		return nil
	case !st.Ended:
		write(a.err, "left the run at "+c.URL()+"; it goes on without this\n")
		return nil
	case st.Swarm == nil:
		return a.writeFindings(st)
	}
	st.Load = *st.Swarm
	return report.WriteText(a.out, report.NewRun(st, programVersion(), nil), a.columns())
}

// writeFindings writes what a session without a swarm came to: the advice, which
// has its steps, or else the steps alone.
func (a *app) writeFindings(st advisor.State) error {
	if st.Advice != nil || st.Search == nil || st.Search.Capacity == nil {
		return report.WriteFindings(a.out, st.Advice, st.Before, st.After)
	}
	err := report.WriteSteps(a.out, *st.Search.Capacity)
	if st.Refusal != nil {
		write(a.out, "\n")
		err = errors.Join(err, report.WriteRefusal(a.out, st.Refusal))
	}
	return err
}

// patience is how long a lost connection is tried again where nobody looks: a
// script is better told soon.
const patience = 10 * time.Second

// attachLines prints what a headless run does, until the run has ended or an
// interrupt.
func (a *app) attachLines(c *remote.Client) error {
	p := newProgress(a.err, c.State().Load.Ends, events)
	defer p.end()
	var lost time.Time // since when; zero: it is not
	for {
		select {
		case st := <-c.States():
			switch {
			case st.Lost != "" && lost.IsZero():
				lost = time.Now()
				p.line("%s", st.Lost)
			case st.Lost != "" && time.Since(lost) > patience:
				return &exit{exitInconclusive, fmt.Errorf("the run at %s has not answered for %v, and how it ends is not known: %s", c.URL(), patience, st.Lost)}
			case st.Lost == "" && !lost.IsZero():
				lost = time.Time{}
				p.line("connected again")
			}
			p.show(st)
			if st.Ended {
				return nil
			}
		case <-a.signals.stop.Done():
			return nil
		}
	}
}

// attachScaler shows a scaler that nobody loads from here: what a session sees
// of one while it does nothing.
func (a *app) attachScaler(ctx context.Context, c *scaler.Client) error {
	if _, _, err := c.Status(ctx); err != nil {
		return &exit{exitUsage, err}
	}
	plan := profiles.DefaultPlan()
	plan.Target = c.URL()
	session, err := advisor.NewSession(advisor.Config{Plan: plan, Scaler: c})
	if err != nil {
		return err
	}
	end := start(ctx, session)
	defer end()
	a.signals.expect() // leaving ends nothing
	if a.draws() {
		return a.dashboard(session, tui.Options{
			Attached: true, FleetOnly: true, ReadOnly: "a scaler alone has no load: headroom run has one for its service",
		})
	}
	p, states, said, seen := newProgress(a.err, 0, events), session.States(), "", time.Now()
	defer p.end()
	for {
		select {
		case st := <-states:
			p.show(st)
			if st.ScalerError == "" {
				seen = st.At
			} else if st.At.Sub(seen) > patience {
				return &exit{exitInconclusive, fmt.Errorf("the scaler at %s has not answered for %v: %s", c.URL(), patience, st.ScalerError)}
			}
			f := st.Fleet
			if now := fmt.Sprintf("replicas %d/%d  in flight %d  queued %d", f.Up(), f.Wanted, f.InFlight, f.Queue); now != said && st.Managed {
				p.line("%s  %s", st.At.Format(time.TimeOnly), now)
				said = now
			}
		case <-a.signals.stop.Done():
			return nil
		}
	}
}
