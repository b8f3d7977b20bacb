package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"

	"headroom/profiles"
	"headroom/scaler"
)

// backend is the scaler that a command works with, if any.
type backend struct {
	client *scaler.Client // nil: the target is not ours to scale
	policy profiles.Policy
}

// findBackend returns the running scaler whose service the target is, or none.
func findBackend(ctx context.Context, target string) (backend, error) {
	address, err := addressOf(target)
	if err != nil {
		return backend{}, err
	}
	client, err := scaler.FindByService("", address)
	if errors.Is(err, scaler.ErrNotFound) {
		return backend{}, nil
	}
	if err != nil {
		return backend{}, err
	}
	return ask(ctx, client, address)
}

// givenBackend is the scaler of a name, or of the URL of its control API.
func givenBackend(ctx context.Context, given string) (backend, error) {
	s := runningScaler{name: given}
	if strings.Contains(given, ":") {
		s = runningScaler{url: given}
	}
	client, err := s.find()
	if err != nil {
		return backend{}, err
	}
	return ask(ctx, client, given)
}

// ask learns the policy of a scaler.
func ask(ctx context.Context, client *scaler.Client, which string) (backend, error) {
	policy, _, err := client.Policy(ctx)
	if err != nil {
		return backend{}, fmt.Errorf("ask the scaler of %s: %w", which, err)
	}
	return backend{client: client, policy: policy}, nil
}

// scalerFlags are those of a scaler that runs a command.
func scalerFlags(f *pflag.FlagSet, c *scaler.Config) {
	c.Concurrency, c.MaxQueue, c.MaxWait, c.StartTimeout, c.LiveInterval = 1, 1000, 2*time.Minute, time.Minute, 10*time.Second
	countVar(f, &c.Concurrency, "concurrency", "", "requests a replica gets at once")
	countVar(f, &c.MaxQueue, "max-queue", "", "requests that may wait; those beyond get 503")
	durationVar(f, &c.MaxWait, "max-wait", "", "how long a request may wait for a replica; then 503")
	flagVar(f, &c.Dispatch, "dispatch", "", string(profiles.Pack), "order",
		"which replica gets the next request: pack (the others stay idle and can go), least-connections, round-robin or random", profiles.ParseDispatch)
	f.StringVar(&c.ReadyPath, "ready-path", "", "`path` that a ready replica answers with 2xx or 3xx, or tcp: it accepts (default: / with anything below 500)")
	durationVar(f, &c.StartTimeout, "start-timeout", "", "how long a replica may take until it is ready")
	durationVar(f, &c.LiveInterval, "live-interval", "", "time between two looks at whether an idle replica still answers, for which it has 5s")
	flagVar(f, &c.CPULimit, "cpu-limit", "", "", "cores", "CPU limit of a replica, such as 0.5 (Linux, cgroups v2)", profiles.ParseMilli)
	flagVar(f, &c.MemoryLimit, "memory-limit", "", "", "size", "memory limit of a replica, such as 512MiB (Linux, cgroups v2)", profiles.ParseSize)
	f.StringVar(&c.LogDir, "log-dir", "", "`folder` that gets a file for each replica with all that it prints")
}

// newScaler is a scaler that has not started yet.
func newScaler(c scaler.Config) (*scaler.Scaler, error) {
	s, err := scaler.New(c)
	if err != nil {
		return nil, &exit{exitUsage, err}
	}
	return s, nil
}

// startScaler runs a scaler within this process and returns when its replicas
// are ready; an interrupt ends the start.
func startScaler(signals *signals, s *scaler.Scaler) (*scalerHere, error) {
	ctx, cancel := context.WithCancel(signals.now)
	r := &scalerHere{cancel: cancel, ended: make(chan struct{})}
	go func() {
		defer close(r.ended)
		r.err = s.Run(ctx)
	}()
	select {
	case <-s.Ready():
		return r, nil
	case <-signals.stop.Done():
		return nil, errors.Join(context.Canceled, r.stop())
	case <-r.ended:
		cancel()
		return nil, startError(r.err)
	}
}

// scalerHere is a scaler of this process that is ready.
type scalerHere struct {
	cancel context.CancelFunc
	ended  chan struct{} // closed when it has ended, by itself or stopped
	err    error         // why it ended; nil: it was stopped
}

// stop ends it, if it has not, and waits until nothing is left of it.
func (r *scalerHere) stop() error {
	r.cancel()
	<-r.ended
	return r.err
}

// addressOf is the HOST:PORT of a URL; one without a port means that of its
// scheme.
func addressOf(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", usage("target: got %q: %w", target, err)
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	return net.JoinHostPort(u.Hostname(), port), nil
}

// checkReachable finds out before anything starts that nobody listens there.
func checkReachable(ctx context.Context, plan profiles.Plan) error {
	address, err := addressOf(plan.Target)
	if err != nil {
		return err
	}
	d := net.Dialer{Timeout: 5 * time.Second}
	nc, err := d.DialContext(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return nil // out of local ports: the load will say so, and may have other addresses to send from
	}
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		return usage("target: got %q, where nothing answers (%s): start the service first, or correct the URL",
			plan.ShownTarget(), strings.TrimPrefix(err.Error(), "connect: "))
	}
	return nc.Close()
}
