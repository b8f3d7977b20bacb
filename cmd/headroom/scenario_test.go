package main

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"headroom/load"
)

// scenarioText has two tasks of which one fails.
const scenarioText = `version: headroom/v1
tasks:
  - {name: hello, get: "/?n=${counter}"}
  - {name: gone, weight: 3, get: /gone, wait: 2ms}
`

func TestListAndSendTasks(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Served-By", "pod-9")
		if r.URL.Path != "/" {
			w.WriteHeader(404)
		}
		w.Write([]byte("hello \x1b[2J" + r.URL.RawQuery))
	}))
	defer server.Close()
	secure := httptest.NewTLSServer(server.Config.Handler)
	defer secure.Close()
	named := strings.Replace(secure.URL, "127.0.0.1", "localhost", 1)
	path := newFile(t, "scenario.yaml", scenarioText)
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"run", "--scenario", path, "--list"}, 0, []string{"user 100%  25%    hello  GET     /?n=${counter}  -", "75%    gone   GET     /gone           2ms"}},
		{[]string{"run", "--scenario", path, "--once", server.URL}, 1, []string{
			"=== hello (user)", "> GET /?n=1 HTTP/1.1", "< HTTP/1.1 200 OK", "< hello \ufffd[2Jn=1", "answered by replica pod-9",
			"=== gone (user)", "failed: status 404", "sent to " + strings.TrimPrefix(server.URL, "http://") + " over HTTP/1.1, ",
		}},
		{[]string{"run", "--once", "-k", named}, 0, []string{"localhost resolves to ", "sent to " + strings.TrimPrefix(secure.URL, "https://") + " over HTTP/1.1, TLS 1.3, "}},
		{[]string{"run", "--scenario", path, "-n", "20", "--wait", "1ms", "--headless", server.URL}, 1, []string{"hello", "gone", "all"}},
		{[]string{"run", "--list"}, 2, []string{"--list: got it without --scenario, want both"}},
		{[]string{"run", "--scenario", path, "--once"}, 2, []string{"target: got nothing"}},
		{[]string{"run", "--scenario", path, "-b", "x", server.URL, "-n", "1"}, 2, []string{"--body: got it and --scenario, want one"}},
		{[]string{"run", "--scenario", path, "-m", "PUT", server.URL, "-n", "1"}, 2, []string{"--method: got PUT and --scenario, want one"}},
		{[]string{"run", "--scenario", newFile(t, "scenario.yaml", scenarioText+"wait: {pacing: 1s}\n"), "--wait", "2s", server.URL, "-n", "1"}, 2, []string{"--wait: got 2s and a --scenario that says itself how long its users wait, want one"}},
		{[]string{"run", "--scenario", path, server.URL, "-n", "1", "--slo", "bye.p95<1s"}, 2, []string{"--slo: got bye.p95<1s, want one for a task of the scenario: hello, gone"}},
		{[]string{"run", server.URL, "-n", "1", "--slo", "bye.p95<1s"}, 2, []string{"--slo: got bye.p95<1s without --scenario, want an objective for all"}},
		{[]string{"run", "--scenario", path, "-n", "20", "--headless", server.URL, "--slo", "hello.errors<=0%,gone.errors>=100%"}, 0, []string{"SLO hello.errors<=0%: 0% ✓", "SLO gone.errors>=100%: 100% ✓"}},
		{[]string{"run", "--scenario", path, server.URL + "/?x=1", "-n", "1"}, 2, []string{"want a URL without a query"}},
		{[]string{"run", "--scenario", newFile(t, "scenario.yaml", "version: headroom/v1\ntasks: [{get: x}]\n"), server.URL}, 2, []string{"line 2: tasks[0].get: got \"x\""}},
		{[]string{"import", "--", "curl", "-u", "a:b", "http://h/x"}, 0, []string{"target: http://h\n", "get: /x\n", "note: the scenario holds the header Authorization"}},
		{[]string{"import", "--as", "scenario", newFile(t, "x.har", `{"log":{"entries":[{"request":{"method":"GET","url":"http://h/y"}}]}}`)}, 0, []string{"get: /y\n"}},
		{[]string{"import", "--as", "scenario", path}, 2, []string{path + ": got neither, want an OpenAPI document (version 3, JSON or YAML), or a HAR file"}},
		{[]string{"import", newFile(t, "openapi.json", `{"openapi":"3.1.0"}`)}, 2, []string{"openapi.json: got OpenAPI, want --as scenario with it"}},
		{[]string{"import", "--", "wget", "http://h/x"}, 2, []string{"want a file, or -- curl"}},
		{[]string{"import", "--as", "poem", path}, 2, []string{"--as: got \"poem\", want policy or scenario"}},
		{[]string{"schema", "scenario"}, 0, []string{"Headroom scenario"}},
	} {
		code, out, said := execute(t, c.args...)
		out += said
		busy := code == exitInconclusive && strings.Contains(out, "INCONCLUSIVE") // the machine, for which the scenario cannot help
		if code != c.code && !busy {
			t.Errorf("headroom %q exits with %d, want %d:\n%s", c.args, code, c.code, out)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("headroom %q: got\n%s\nwant %q in it", c.args, out, want)
			}
		}
	}
}

func TestRouteText(t *testing.T) {
	addresses := func(list ...string) (out []netip.Addr) {
		for _, a := range list {
			out = append(out, netip.MustParseAddr(a))
		}
		return out
	}
	answered := load.Sample{Status: 200, Done: 2 * time.Millisecond, Bytes: 10}
	for _, c := range []struct {
		name string
		x    load.Exchange
		want string
	}{
		{"not sent", load.Exchange{}, ""},
		{"unknown name", load.Exchange{Route: load.Route{Host: "service"}}, ""},
		{"refused", load.Exchange{Route: load.Route{Host: "service", Addresses: addresses("192.0.2.1", "2001:db8::1")}}, "service resolves to 192.0.2.1, 2001:db8::1\n"},
		{"an address", load.Exchange{Sample: answered, Route: load.Route{Host: "192.0.2.1", Addresses: addresses("192.0.2.1"), Remote: "192.0.2.1:80", Protocol: "HTTP/1.0"}},
			"sent to 192.0.2.1:80 over HTTP/1.0, 2ms to the last byte, 10 B received\n"},
		{"all of it", load.Exchange{Sample: answered, Route: load.Route{
			Host: "service", Addresses: addresses("192.0.2.1", "192.0.2.2"), Remote: "192.0.2.2:443", Protocol: "HTTP/2.0", TLS: tls.VersionTLS12}},
			"service resolves to 192.0.2.1, 192.0.2.2\nsent to 192.0.2.2:443 over HTTP/2.0, TLS 1.2, 2ms to the last byte, 10 B received\n"},
		{"no answer", load.Exchange{Route: load.Route{Host: "192.0.2.1", Addresses: addresses("192.0.2.1"), Remote: "192.0.2.1:80"}}, "sent to 192.0.2.1:80\n"},
	} {
		if got := routeText(c.x); got != c.want {
			t.Errorf("%s: routeText = %q, want %q", c.name, got, c.want)
		}
	}
}
