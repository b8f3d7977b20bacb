package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"headroom/load"
	"headroom/probe"
	"headroom/profiles"
)

// readScenario takes over the scenario of --scenario, and its target where
// none is given.
func (l *loadFlags) readScenario(p *profiles.Plan) error {
	if l.scenario == "" {
		return nil
	}
	switch {
	case l.body != "":
		return usage("--body: got it and --scenario, want one: its tasks have their own")
	case p.Method != http.MethodGet:
		return usage("--method: got %s and --scenario, want one: its tasks have their own", p.Method)
	}
	s, err := profiles.ReadScenario(l.scenario)
	if err != nil {
		return usage("%s", prefixed("--scenario: ", err))
	}
	if p.Scenario = s; p.Target == "" {
		p.Target = s.Target
	}
	return nil
}

// listTasks prints what the users of a scenario do.
func (a *app) listTasks(l *loadFlags) error {
	if l.scenario == "" {
		return usage("--list: got it without --scenario, want both")
	}
	if _, err := l.hidden(); err != nil {
		return err
	}
	p := l.plan
	if err := l.readScenario(&p); err != nil {
		return err
	}
	p.Protect(l.secrets, os.Getenv)
	s := p.Scenario
	table := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(table, printable(p.Secrets.Hide(strings.Join(cells, "\t")))) }
	row("USERS", "SHARE", "TASK", "METHOD", "PATH", "WAIT")
	users := 0
	for _, c := range s.Classes {
		users += c.Weight
	}
	for _, c := range s.Classes {
		total := 0
		for _, t := range c.Tasks {
			total += t.Weight
		}
		class := fmt.Sprintf("%s %s", c.Name, percent(c.Weight, users))
		for _, t := range c.OnStart {
			row(class, "first", t.Name, t.Method, t.Path.String(), waitText(t.Wait))
			class = ""
		}
		for _, t := range c.Tasks {
			row(class, percent(t.Weight, total), t.Name, t.Method, t.Path.String(), waitText(t.Wait))
			class = ""
		}
	}
	return table.Flush()
}

func percent(part, of int) string {
	return fmt.Sprintf("%.0f%%", 100*float64(part)/float64(of))
}

func waitText(w *profiles.Wait) string {
	if w == nil {
		return "-"
	}
	return w.String()
}

// once sends each task once and prints the exchanges. The exit code is that of
// requests that failed.
func (a *app) once(ctx context.Context, plan profiles.Plan, source probe.Source, failureCode int) error {
	failed, first := false, true
	err := load.Once(ctx, plan, probe.NewIdentifier(source), func(x load.Exchange) {
		if !first {
			write(a.out, "\n")
		}
		first = false
		failed = failed || x.Err != nil || !x.Sample.OK()
		write(a.out, exchangeText(x, plan.HTTP2, plan.Secrets))
	})
	switch {
	case err != nil:
		return &exit{exitUsage, err}
	case failed && failureCode != 0:
		return &exit{code: failureCode, err: errors.New("a request failed")}
	}
	return nil
}

// exchangeText is one request with its answer, and how it got there. What it
// has that is secret is learned and hidden.
func exchangeText(x load.Exchange, http2 bool, secrets *profiles.Secrets) string {
	for name, value := range x.Taken {
		if secrets.Named(name) {
			secrets.Learn(value)
		}
	}
	for _, text := range []*[]byte{&x.Request, &x.Head, &x.Body} {
		secrets.LearnFrom(string(*text))
	}
	for _, text := range []*[]byte{&x.Request, &x.Head, &x.Body} {
		*text = []byte(secrets.Hide(string(*text)))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "=== %s", x.Name)
	if x.Class != "" {
		fmt.Fprintf(&b, " (%s)", x.Class)
	}
	b.WriteString("\n")
	request := x.Request
	if http2 {
		request = bytes.Replace(request, []byte(" HTTP/1.1\r\n"), []byte(" HTTP/2\r\n"), 1)
	}
	quote(&b, "> ", request)
	quote(&b, "< ", x.Head)
	quote(&b, "< ", x.Body)
	b.WriteString(routeText(x))
	if s := x.Sample.Stream; s != nil {
		fmt.Fprintf(&b, "a stream of %s", profiles.Plural(s.Events, "event", "events"))
		if s.Events > 0 {
			fmt.Fprintf(&b, ", the first after %s", profiles.FormatLatency(s.First-x.Sample.Sent))
		}
		b.WriteString("\n")
	}
	if x.Sample.Status > 0 {
		replica := "the answer names no replica"
		if x.Replica != "" {
			replica = "answered by replica " + printable(secrets.Hide(x.Replica))
		}
		b.WriteString(replica + "\n")
	}
	switch {
	case x.Err != nil:
		fmt.Fprintf(&b, "failed: %s\n", printable(secrets.Hide(x.Err.Error())))
	case !x.Sample.OK():
		fmt.Fprintf(&b, "failed: %s %d\n", x.Sample.Failure, x.Sample.Status)
	}
	return b.String()
}

// routeText is where a request went, and over what. A host that is an address
// itself is not resolved.
func routeText(x load.Exchange) string {
	r, text := x.Route, ""
	if _, err := netip.ParseAddr(r.Host); err != nil && len(r.Addresses) > 0 {
		addresses := make([]string, len(r.Addresses))
		for i, a := range r.Addresses {
			addresses[i] = a.String()
		}
		text = fmt.Sprintf("%s resolves to %s\n", r.Host, strings.Join(addresses, ", "))
	}
	if r.Remote == "" {
		return text
	}
	text += "sent to " + r.Remote
	if r.Protocol != "" {
		text += " over " + r.Protocol
	}
	if r.TLS != 0 {
		text += ", " + tls.VersionName(r.TLS)
	}
	if x.Sample.Status > 0 {
		text += fmt.Sprintf(", %s to the last byte, %s received", profiles.FormatLatency(x.Sample.Service()), profiles.FormatSize(x.Sample.Bytes))
	}
	return text + "\n"
}

// mostShown is how much of a message is printed, in bytes.
const mostShown = 2000

// quote writes text with a mark before each line.
func quote(b *strings.Builder, mark string, text []byte) {
	cut := len(text) > mostShown
	if cut {
		text = text[:mostShown]
	}
	for line := range strings.Lines(string(text)) {
		b.WriteString(strings.TrimRight(mark+printable(strings.TrimRight(line, "\r\n")), " ") + "\n")
	}
	if cut {
		b.WriteString(mark + "...\n")
	}
}

// printable is text from the target without what could steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
