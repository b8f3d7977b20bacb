package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/probe"
	"headroom/profiles"
)

// parsed is a flag whose value one of our parsers reads.
type parsed[T any] struct {
	to    *T
	parse func(string) (T, error)
	kind  string // shown in the help
	text  string
}

func (p *parsed[T]) String() string { return p.text }
func (p *parsed[T]) Type() string   { return p.kind }
func (p *parsed[T]) Set(s string) error {
	v, err := p.parse(s)
	if err != nil {
		return err
	}
	*p.to, p.text = v, s
	return nil
}

func flagVar[T any](f *pflag.FlagSet, to *T, name, short, value, kind, help string, parse func(string) (T, error)) {
	f.VarP(&parsed[T]{to: to, parse: parse, kind: kind, text: value}, name, short, help)
}

// durationVar is a duration of more than 0.
func durationVar(f *pflag.FlagSet, to *time.Duration, name, short, help string) {
	durationFlag(f, to, name, short, help, func(s string) (time.Duration, error) {
		d, err := profiles.ParseDuration(s)
		if err == nil && d == 0 {
			err = fmt.Errorf("got %q, want more than 0", s)
		}
		return d, err
	})
}

// pauseVar is a duration of 0 or more.
func pauseVar(f *pflag.FlagSet, to *time.Duration, name, short, help string) {
	durationFlag(f, to, name, short, help, profiles.ParseDuration)
}

func durationFlag(f *pflag.FlagSet, to *time.Duration, name, short, help string, parse func(string) (time.Duration, error)) {
	text := ""
	if *to > 0 {
		text = profiles.Duration(*to).String()
	}
	flagVar(f, to, name, short, text, "duration", help, parse)
}

// countVar is a whole number of 1 or more.
func countVar(f *pflag.FlagSet, to *int, name, short, help string) {
	flagVar(f, to, name, short, fmt.Sprint(*to), "count", help, profiles.ParseCount)
}

// loadFlags are those that say what is requested and how much of it.
type loadFlags struct {
	plan    profiles.Plan
	host    string
	headers []string
	body    string
	pem     pemFlags
	slo     profiles.SLO
	source  *probe.Source
	given   *pflag.FlagSet // of the command; nil where it has no workload
}

func newLoadFlags() *loadFlags {
	return &loadFlags{plan: profiles.DefaultPlan()}
}

// request adds the flags that describe one request.
func (l *loadFlags) request(f *pflag.FlagSet) {
	f.StringArrayVar(&l.headers, "header", nil, "request header `NAME: VALUE` (repeatable)")
	f.StringVarP(&l.plan.Method, "method", "m", l.plan.Method, "request method")
	f.StringVarP(&l.body, "body", "b", "", "request body, or `@FILE`")
	durationVar(f, &l.plan.Timeout, "timeout", "", "limit of one request")
	flagVar(f, &l.slo, "slo", "", "", "slo", "objectives such as p95<300ms,errors<1%", profiles.ParseSLO)
	flagVar(f, &l.source, "replica-from", "", "", "source", "where answers name their replica: json:FIELD or header:NAME (default: found by itself)",
		func(s string) (*probe.Source, error) {
			source, err := probe.ParseSource(s)
			return &source, err
		})
	f.Uint64Var(&l.plan.Seed, "seed", l.plan.Seed, "seed of everything random")
	l.connections(f)
}

// workload adds the flags that say how much is requested.
func (l *loadFlags) workload(f *pflag.FlagSet) {
	p := &l.plan
	l.given = f
	f.StringVarP(&l.host, "host", "H", "", "target `URL`, instead of the argument")
	countVar(f, &p.Users, "users", "u", "number of users, each waits for its answer")
	flagVar(f, &p.SpawnRate, "spawn-rate", "r", "1", "rate", "users started per second", profiles.ParseRate)
	durationVar(f, &p.RunTime, "run-time", "t", "stop after this long, such as 30s or 1h30m")
	pauseVar(f, &p.StopGrace, "stop-timeout", "s", "how long answers may still come after the end")
	flagVar(f, &p.Requests, "requests", "n", "", "count", "stop after so many requests", profiles.ParseCount)
	flagVar(f, &p.Rate, "rate", "", "", "rate", "arrivals at this rate (50, 50/1s) instead of users", profiles.ParseRate)
	flagVar(f, &p.Arrivals, "arrivals", "", string(p.Arrivals), "process", "how arrivals are spread: poisson or constant", parseArrivals)
	countVar(f, &p.MaxUsers, "max-users", "", "most requests under way at once, with --rate")
	flagVar(f, &p.Wait, "wait", "", "", "wait", "think time of a user: 1s, 1s..3s, or pacing:1s from start to start", parseWait)
}

// finish completes the plan for a target.
func (l *loadFlags) finish(target string) (profiles.Plan, error) {
	p := l.plan
	if before, _, ok := strings.Cut(l.host, ":"); ok && !strings.HasPrefix(l.host, "http") && !strings.Contains(before, "/") {
		return p, usage("--host: got %q, want a URL; a request header is given with --header", l.host)
	}
	switch {
	case target != "" && l.host != "":
		return p, usage("target: got both %q and --host %q, want one", target, l.host)
	case target == "":
		target = l.host
	}
	p.Target = target
	if err := l.checkModel(); err != nil {
		return p, err
	}
	if err := l.fillRequest(&p); err != nil {
		return p, err
	}
	if err := p.Validate(); err != nil {
		return p, &exit{exitUsage, err}
	}
	return p, nil
}

// checkModel refuses flags of the open model in the closed one, and the other
// way round: they would change nothing.
func (l *loadFlags) checkModel() error {
	if l.given == nil {
		return nil
	}
	others, why := []string{"arrivals", "max-users"}, "without --rate, want both or neither"
	if l.plan.Rate > 0 {
		others, why = []string{"users", "spawn-rate", "wait"}, "and --rate, want one: users wait for their answers, a rate does not"
	}
	for _, name := range others {
		if f := l.given.Lookup(name); f.Changed {
			return usage("--%s: got %s %s", name, f.Value, why)
		}
	}
	return nil
}

// fillRequest takes over headers and body.
func (l *loadFlags) fillRequest(p *profiles.Plan) error {
	p.Method = strings.ToUpper(p.Method)
	p.Header = http.Header{}
	for _, h := range l.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || strings.TrimSpace(name) == "" || strings.ContainsAny(name, " \t") {
			return usage("--header: got %q, want NAME: VALUE", h)
		}
		p.Header.Add(name, strings.TrimSpace(value))
	}
	p.Body = []byte(l.body)
	if file, ok := strings.CutPrefix(l.body, "@"); ok {
		data, err := os.ReadFile(file)
		if err != nil {
			return usage("--body: %w", err)
		}
		p.Body = data
	}
	return l.fillPEM(p)
}

func parseArrivals(s string) (profiles.Arrivals, error) {
	switch a := profiles.Arrivals(s); a {
	case profiles.Poisson, profiles.Even:
		return a, nil
	}
	return "", fmt.Errorf("got %q, want %s or %s", s, profiles.Poisson, profiles.Even)
}

func parseWait(s string) (profiles.Wait, error) {
	text, pacing := strings.CutPrefix(s, "pacing:")
	low, high, between := strings.Cut(text, "..")
	if !between {
		high = low
	}
	min, err1 := profiles.ParseDuration(low)
	max, err2 := profiles.ParseDuration(high)
	if err1 != nil || err2 != nil || max < min || pacing && between {
		return profiles.Wait{}, fmt.Errorf("got %q, want a time such as 1s, 1s..3s, or pacing:1s", s)
	}
	return profiles.Wait{Min: min, Max: max, Pacing: pacing}, nil
}

// adviceFlags say what advice is for and how long it may be measured.
type adviceFlags struct {
	traffic  profiles.Traffic
	headroom profiles.Ratio
	interval time.Duration
	budget   time.Duration
	verify   time.Duration
	replicas int
}

func newAdviceFlags() *adviceFlags {
	return &adviceFlags{headroom: 200, budget: 5 * time.Minute, verify: 3 * time.Minute, replicas: 1}
}

func (v *adviceFlags) sizing(f *pflag.FlagSet) {
	flagVar(f, &v.traffic, "traffic", "", "", "low..high", "requests per second to be carried, such as 50..200", profiles.ParseTraffic)
	flagVar(f, &v.headroom, "headroom", "", v.headroom.String(), "share", "share of the capacity that is kept free", profiles.ParseRatio)
	durationVar(f, &v.interval, "interval", "", "time between decisions of the advised policy (default: derived from the start-up time)")
}

func (v *adviceFlags) measuring(f *pflag.FlagSet) {
	durationVar(f, &v.budget, "budget", "", "time the measurement may take")
}

// noArguments refuses what a command does not take, in our words.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("argument: got %q, want none", args[0])
	}
	return nil
}

// oneArgument takes exactly one, described by what.
func oneArgument(what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usage("arguments: got %d, want one: %s", len(args), what)
		}
		return nil
	}
}
