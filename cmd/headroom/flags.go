package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/advisor"
	"headroom/probe"
	"headroom/profiles"
)

// parsed is a flag whose value one of our parsers reads.
type parsed[T any] struct {
	to    *T
	parse func(string) (T, error)
	kind  string // shown in the help
	text  string
	many  bool // each value comes to those before
}

func (p *parsed[T]) String() string   { return p.text }
func (p *parsed[T]) Type() string     { return p.kind }
func (p *parsed[T]) repeatable() bool { return p.many }
func (p *parsed[T]) Set(s string) error {
	v, err := p.parse(s)
	if err != nil {
		return err
	}
	if p.many && p.text != "" {
		s = p.text + "," + s
	}
	*p.to, p.text = v, s
	return nil
}

func flagVar[T any](f *pflag.FlagSet, to *T, name, short, value, kind, help string, parse func(string) (T, error)) {
	f.VarP(&parsed[T]{to: to, parse: parse, kind: kind, text: value}, name, short, help)
}

// durationVar is a duration of more than 0.
func durationVar(f *pflag.FlagSet, to *time.Duration, name, short, help string) {
	durationFlag(f, to, name, short, help, profiles.ParseLength)
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
	plan       profiles.Plan
	host       string
	headers    []string
	secrets    []string
	body       string
	scenario   string
	pem        pemFlags
	slo        profiles.SLO
	thresholds []profiles.Threshold
	source     probe.Source
	sources    sourceFlags
	shape      shapeFlags
	given      *pflag.FlagSet // of the command; nil where it has no workload
}

func newLoadFlags() *loadFlags {
	return &loadFlags{plan: profiles.DefaultPlan()}
}

// request adds the flags that describe the requests and how they are judged.
func (l *loadFlags) request(f *pflag.FlagSet) {
	f.StringVarP(&l.host, "host", "H", "", "target `URL`, instead of the argument")
	l.message(f)
	f.StringVar(&l.scenario, "scenario", "", "send the tasks of the scenario in `FILE` instead of one request")
	flagVar(f, &l.slo, "slo", "", "", "slo", "objectives such as p95<300ms,errors<1%", profiles.ParseSLO)
	f.Uint64Var(&l.plan.Seed, "seed", l.plan.Seed, "seed of everything random")
	l.connections(f)
}

// judging adds the flags that judge a run beside its SLO.
func (l *loadFlags) judging(f *pflag.FlagSet) {
	f.Var(&thresholdFlag{to: &l.thresholds}, "threshold", "a condition in k6's words such as 'http_req_duration: p(95)<200', with abortOnFail, delay=10s and every=30s behind it (repeatable)")
}

// thresholdFlag adds a threshold to the others. It is a pflag.SliceValue, since
// commas may be in one.
type thresholdFlag struct {
	to    *[]profiles.Threshold
	texts []string // of those that were given
}

func (f *thresholdFlag) String() string     { return strings.Join(f.texts, "; ") }
func (f *thresholdFlag) Type() string       { return "threshold" }
func (f *thresholdFlag) GetSlice() []string { return f.texts }
func (f *thresholdFlag) Set(text string) error {
	t, err := profiles.ParseThreshold(text)
	if err == nil {
		*f.to, f.texts = append(*f.to, t), append(f.texts, text)
	}
	return err
}

// Append is Set.
func (f *thresholdFlag) Append(text string) error { return f.Set(text) }

// Replace sets these and no others.
func (f *thresholdFlag) Replace(texts []string) error {
	*f.to, f.texts = nil, nil
	for _, text := range texts {
		if err := f.Set(text); err != nil {
			return err
		}
	}
	return nil
}

// message adds the flags that describe one request, and who answered it.
func (l *loadFlags) message(f *pflag.FlagSet) {
	f.StringArrayVar(&l.headers, "header", nil, "request header `NAME: VALUE`, with ${env.NAME} for what is in the environment, or @FILE with one a line (repeatable)")
	f.StringArrayVar(&l.secrets, "secret", nil, "`NAME` of a header, query parameter, field or variable whose value is never shown or saved, as those of Authorization and Cookie are (repeatable)")
	f.StringVarP(&l.plan.Method, "method", "m", l.plan.Method, "request method")
	f.StringVarP(&l.body, "body", "b", "", "request body, or `@FILE`")
	durationVar(f, &l.plan.Timeout, "timeout", "", "limit of one request")
	flagVar(f, &l.source, "replica-from", "", "", "source", "where answers name their replica: json:PATH, header:NAME, cookie:NAME, text:'BEFORE * AFTER', addr, or several joined by + (default: found by itself)", probe.ParseSource)
}

// workload adds the flags that say how much is requested.
func (l *loadFlags) workload(f *pflag.FlagSet) {
	p := &l.plan
	l.given = f
	countVar(f, &p.Users, "users", "u", "number of users, each waits for its answer")
	flagVar(f, &p.SpawnRate, "spawn-rate", "r", "1", "rate", "users started per second", profiles.ParseRate)
	durationVar(f, &p.RunTime, "run-time", "t", "stop after this long, such as 30s or 1h30m")
	pauseVar(f, &p.StopGrace, "stop-timeout", "s", "how long answers may still come after the end")
	flagVar(f, &p.Requests, "requests", "n", "", "count", "stop after so many requests", profiles.ParseCount)
	flagVar(f, &p.Rate, "rate", "", "", "rate", "arrivals at this rate (50, 50/1s) instead of users", profiles.ParseRate)
	l.shape.add(f)
	flagVar(f, &p.Arrivals, "arrivals", "", string(p.Arrivals), "process", "how arrivals are spread: poisson or constant (default of a --trace: as recorded)", parseArrivals)
	countVar(f, &p.MaxUsers, "max-users", "", "most requests under way at once, of arrivals")
	flagVar(f, &p.OnBusy, "on-busy", "", string(p.OnBusy), "fate", "what an arrival does that finds no free user: wait (part of its latency) or drop", parseOnBusy)
	flagVar(f, &p.Wait, "wait", "", "", "wait", "think time of a user: 1s, 1s..3s, pacing:1s from start to start, or throughput:0.5 requests/s", profiles.ParseWait)
}

// finish completes the plan for a target.
func (l *loadFlags) finish(target string) (profiles.Plan, error) {
	p := l.plan
	secrets, err := l.hidden()
	if err != nil {
		return p, err
	}
	if before, _, ok := strings.Cut(l.host, ":"); ok && !strings.HasPrefix(l.host, "http") && !strings.Contains(before, "/") {
		return p, usage("--host: got %q, want a URL; a request header is given with --header", secrets.Hide(l.host))
	}
	switch {
	case target != "" && l.host != "":
		return p, usage("target: got both %q and --host %q, want one", secrets.Hide(target), secrets.Hide(l.host))
	case target == "":
		target = l.host
	}
	p.Target = target
	if err := l.readScenario(&p); err != nil {
		return p, err
	}
	if err := errors.Join(l.slo.CheckTasks(p.TaskNames()), profiles.CheckThresholds(l.thresholds, p.TaskNames())); err != nil {
		return p, &exit{exitUsage, err}
	}
	if err := l.shape.apply(&p, l.given); err != nil {
		return p, err
	}
	if err := l.checkModel(p); err != nil {
		return p, err
	}
	if err := l.fillRequest(&p); err != nil {
		return p, err
	}
	p.Protect(l.secrets, os.Getenv)
	if err := p.Validate(); err != nil {
		return p, usage("%s", p.Secrets.Hide(err.Error()))
	}
	return p, nil
}

// hidden are the secrets that are known before there is a plan.
func (l *loadFlags) hidden() (*profiles.Secrets, error) {
	for _, name := range l.secrets {
		if name == "" || strings.ContainsAny(name, " \t:=&\"'") {
			return nil, usage("--secret: got %q, want a name such as X-Session", name)
		}
	}
	return profiles.NewSecrets(l.secrets...), nil
}

// checkModel refuses flags of the open model in the closed one, and the other
// way round: they would change nothing.
func (l *loadFlags) checkModel(p profiles.Plan) error {
	if l.given == nil {
		return nil
	}
	_, stamps := p.Shape.(profiles.Stamps)
	for _, c := range []struct {
		wrong bool
		flags []string
		why   string
	}{
		{!p.Open(), []string{"arrivals", "max-users", "on-busy"}, "without a rate, want both or neither"},
		{p.Open(), []string{"users", "spawn-rate", "wait"}, "and a rate, want one: users wait for their answers, a rate does not"},
		{p.UserShape != nil, []string{"spawn-rate"}, "and a shape, want one: the shape says when users start"},
		{p.Scenario != nil && p.Scenario.Waits(), []string{"wait"}, "and a --scenario that says itself how long its users wait, want one"},
		{stamps, []string{"arrivals"}, "and a --trace of single arrivals, want one: they come as they came"},
	} {
		for _, name := range c.flags {
			if f := l.given.Lookup(name); c.wrong && f.Changed {
				return usage("--%s: got %s %s", name, f.Value, c.why)
			}
		}
	}
	return nil
}

// fillRequest takes over headers and body.
func (l *loadFlags) fillRequest(p *profiles.Plan) error {
	p.Method = strings.ToUpper(p.Method)
	p.Header = http.Header{}
	for _, h := range l.headers {
		if err := (headerFlag{"--header", true}).add(p.Header, h); err != nil {
			return err
		}
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

// adviceFlags say what advice is for and how long it may be measured.
type adviceFlags struct {
	traffic  profiles.Traffic
	wanted   advisor.Sizing
	budget   time.Duration
	verify   time.Duration
	replicas int
	trace    shapeFlags
	zone     string
	within   string // --for
	given    *pflag.FlagSet
}

func newAdviceFlags() *adviceFlags {
	return &adviceFlags{wanted: advisor.Sizing{Headroom: 200}, budget: 5 * time.Minute, verify: 3 * time.Minute, replicas: 1, zone: "UTC"}
}

func (v *adviceFlags) sizing(f *pflag.FlagSet) {
	flagVar(f, &v.traffic, "traffic", "", "", "low..high", "requests per second to be carried, such as 50..200", profiles.ParseTraffic)
	s := &v.wanted
	flagVar(f, &s.Headroom, "headroom", "", s.Headroom.String(), "share", "least share of the capacity that is kept free", profiles.ParseRatio)
	durationVar(f, &s.Starts, "start-up", "", "how long a replica takes to start, where that was not measured")
	flagVar(f, &s.Rise, "rise", "", "", "rate", "requests per second by which the traffic may grow each second, such as 0.5", profiles.ParseMilli)
	durationVar(f, &s.Doubles, "doubles", "", "time in which the traffic may double, again and again")
	flagVar(f, &s.Jump, "jump", "", "", "rate", "requests per second that may come on top of the quiet hours at once, such as 40", profiles.ParseMilli)
	flagVar(f, &s.Growth, "growth", "", "", "share", "by how much the busy hours may outgrow the traffic, such as 20%", profiles.ParseRatio)
	f.BoolVar(&s.Spare, "spare", false, "survive the loss of a replica in the quiet hours")
	flagVar(f, &s.Metric, "metric", "", "", "name", "scale on rps, in_flight, queue, free_workers or cpu (default: what the measured steps speak for)", parseMetric)
	durationVar(f, &s.Interval, "interval", "", "time between decisions of the advised policy (default: derived from the start-up time)")
}

func parseMetric(s string) (profiles.Kind, error) {
	kind := profiles.Kind(s)
	if err := (advisor.Sizing{Metric: kind}).Validate(); err != nil {
		return "", errors.New(strings.TrimPrefix(err.Error(), "--metric: "))
	}
	return kind, nil
}

// refuseReplicas refuses a number of replicas beside a scaler, which sets it.
func (v *adviceFlags) refuseReplicas(cmd *cobra.Command, c advisor.Config) error {
	if c.Scaler != nil && cmd.Flags().Changed("replicas") {
		return usage("--replicas: got %d, want it only for a target without a scaler: this one has a scaler, which is told how many to run", v.replicas)
	}
	return nil
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

// oneTarget takes one, or none where --host names it.
func oneTarget(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usage("arguments: got %q, want one target", strings.Join(args, " "))
	}
	return nil
}

// first is the argument, if there is one.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
