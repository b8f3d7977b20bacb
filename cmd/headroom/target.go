package main

import (
	"cmp"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"headroom/cmd/headroom/target"
	"headroom/profiles"
)

func (a *app) targetCommand() *cobra.Command {
	c := target.Default()
	host, port := "127.0.0.1", cmp.Or(os.Getenv("PORT"), "8080")
	cmd := &cobra.Command{
		Use:   "target",
		Short: "Serve the demo target: /request?x=N waits, /load/N burns CPU, /sse streams, /stats tells what it measured",
		Long: "Serve the demo target, on this machine alone unless --host says otherwise.\n\n" +
			"GET /request?x=N answers N² after the service time, --concurrency requests at a time; GET /load/N sums up N numbers;\n" +
			"GET /sse streams events, and POST /v1/chat/completions answers as OpenAI's API does, whole or as a stream,\n" +
			"both with ?events=N&interval=20ms; GET /stats gives the mean service time it measured itself;\n" +
			"/healthz and / answer at once.\n" +
			"HOSTNAME names the replica in every answer, PORT is the default of --port.",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Addr = net.JoinHostPort(host, port)
			c.Hostname = os.Getenv("HOSTNAME")
			if c.Hostname == "" {
				c.Hostname, _ = os.Hostname()
			}
			c.Listening = func(addr net.Addr) { write(a.err, fmt.Sprintf("%s serves http://%s\n", c.Hostname, addr)) }
			server, err := target.New(c)
			if err != nil {
				return &exit{exitUsage, err}
			}
			a.signals.expect()
			if err := server.Run(a.signals.stop); err != nil {
				return usage("--host and --port: got %s: %w", c.Addr, err)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&host, "host", host, "address to listen on; 0.0.0.0 is all of this machine's")
	f.StringVar(&port, "port", port, "port to listen on")
	durationVar(f, &c.ServiceTime, "service-time", "", "mean service time of /request")
	f.StringVar(&c.Distribution, "distribution", c.Distribution, "of the service time: constant or exponential")
	countVar(f, &c.Concurrency, "concurrency", "", "requests served at a time; the others wait")
	pauseVar(f, &c.Startup, "startup", "", "how long it takes before it listens")
	f.Float64Var(&c.FailRate, "fail-rate", 0, "share of /request answers that are a 500, 0..1")
	f.Uint64Var(&c.Seed, "seed", c.Seed, "seed of the random numbers")
	f.BoolVar(&c.HTTP2, "http2", false, "HTTP/2 without TLS too")
	m := &c.Misbehaviour
	f.Int64Var(&m.Leak, "leak", 0, "misbehave: `bytes` that every request leaves behind")
	flagVar(f, &m.Drift, "drift", "", "", "share", "misbehave: share by which the service time grows per minute, such as 10%", func(s string) (float64, error) {
		r, err := profiles.ParseRatio(s)
		return r.Float(), err
	})
	f.IntVar(&m.Batch, "batch", 0, "misbehave: serve so many requests together, within one service time")
	f.IntVar(&m.SharedLimit, "shared-limit", 0, "misbehave: requests at a time over all targets of this machine with the same limit, as a database would have it")
	flagVar(f, &m.Freeze, "freeze", "", "", "time@every", "misbehave: freeze again and again, such as 2s@5s", target.ParseFreeze)
	f.BoolVar(&m.Chaos, "chaos", false, "misbehave: one request in ten is refused, delayed, reset, cut off or truncated, stalls, or gets garbage, 1 MB of headers or an endless body; /request?chaos=KIND gets that one")
	return cmd
}
