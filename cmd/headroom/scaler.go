package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"headroom/profiles"
	"headroom/scaler"
)

func (a *app) scalerCommand() *cobra.Command {
	c := scaler.Config{Timeout: 120 * time.Second, Grace: 5 * time.Second}
	var settings []string
	cmd := &cobra.Command{
		Use:   "scaler [flags] -- COMMAND...",
		Short: "Run a command as replicas behind one address, scaled by a policy",
		Long: "Run a command as replicas behind one address, scaled by a policy.\n\n" +
			"Each replica gets its own PORT and HOSTNAME in its environment; {port} in the arguments is replaced.\n" +
			"A replica is ready when its port accepts and / is answered with anything below 500.\n" +
			"Without --policy it keeps one replica. Ctrl-C stops every replica.\n\n" +
			"What headroom apply changes is saved to the file of --policy. That file and the one of --configmap are watched:\n" +
			"an edit takes effect within seconds, and one that is wrong changes nothing. The last change holds.",
		Example: "  headroom scaler --policy policy.yaml -- uvicorn main:app --port {port}\n" +
			"  headroom scaler --set min_workers=1 --set max_workers=5 --set min_free_workers=1 -- ./serve {port}",
		Args: commandAfterDash,
		RunE: func(cmd *cobra.Command, args []string) error {
			c.Command, c.Policy = args, profiles.FixedPolicy(1)
			var err error
			if c.PolicyFile != "" {
				if c.Policy, err = readPolicy(c.PolicyFile); err != nil {
					return err
				}
			}
			if c.Policy, err = withSettings(c.Policy, settings); err != nil {
				return err
			}
			return a.serve(c)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&c.PolicyFile, "policy", "", "policy `FILE`; it is watched, and keeps what is applied")
	setFlag(f, &settings)
	f.StringVar(&c.ConfigMap, "configmap", "", "`FILE` of settings, as EverAI has them, on top of the policy; it is watched")
	f.StringVar(&c.Name, "name", "default", "name by which other commands find it")
	f.StringVar(&c.Listen, "listen", "127.0.0.1:8000", "`address` of the service")
	f.StringVar(&c.API, "api", "127.0.0.1:8001", "loopback `address` of the control API")
	scalerFlags(f, &c)
	durationVar(f, &c.Timeout, "timeout", "", "how long a replica may take to answer; then 504")
	durationVar(f, &c.Grace, "grace", "", "time between SIGTERM and SIGKILL for a replica")
	return cmd
}

// leaveProcessors has this process use a quarter of the processors, one at
// least, unless its environment says how many: the others are for the replicas.
// One passes on some 20,000 requests/s, and a request that stays on it is
// answered sooner than one that is handed from thread to thread.
func leaveProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/4))
	}
}

// serve runs a scaler until it is interrupted.
func (a *app) serve(c scaler.Config) error {
	leaveProcessors()
	events := &eventLog{out: a.err}
	c.Log = events.add
	s, err := newScaler(c)
	if err != nil {
		return err
	}
	a.warn(s.Warnings())
	patience := time.AfterFunc(startPatience, events.release)
	defer patience.Stop()
	running, err := startScaler(a.signals, s)
	if err != nil {
		return err
	}
	a.signals.expect()
	events.release()
	write(a.err, fmt.Sprintf("service %s, control API %s (headroom workers, queue, apply --name %s); Ctrl-C stops everything\n",
		s.URL(), s.Client().URL(), c.Name))
	select {
	case <-a.signals.stop.Done():
	case <-running.ended: // its service failed
	}
	return running.stop()
}

// startPatience is how long a start may fail with its reason as the only
// word; one that takes longer is shown as it goes.
const startPatience = 2 * time.Second

// eventLog writes the events of a scaler, one line each. It holds them back
// until it is released, in their order.
type eventLog struct {
	out io.Writer

	mu       sync.Mutex // guards the fields below
	held     []scaler.Event
	released bool
}

func (l *eventLog) add(e scaler.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.released {
		l.held = append(l.held, e)
		return
	}
	l.print(e)
}

func (l *eventLog) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.released = true
	for _, e := range l.held {
		l.print(e)
	}
	l.held = nil
}

func (l *eventLog) print(e scaler.Event) {
	write(l.out, fmt.Sprintf("%s  %-8s %s\n", e.At.Format(time.TimeOnly), e.Kind, e.Text))
}

// commandAfterDash wants "-- COMMAND..." and nothing before it.
func commandAfterDash(cmd *cobra.Command, args []string) error {
	switch at := cmd.ArgsLenAtDash(); {
	case at < 0 || len(args) == at:
		return usage("command: got nothing after --, want one such as -- uvicorn main:app --port {port}")
	case at > 0:
		return usage("argument: got %q before --, want only flags there", args[0])
	}
	return nil
}
