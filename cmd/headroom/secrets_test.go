package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/advisor/report"
)

// echo answers with everything that it is told, in the body and in a header.
func echo(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Set-Cookie", "id=cookie-of-the-target")
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		if r.URL.Query().Has("login") {
			fmt.Fprint(w, `{"access": "captured-marker", "hostname": "a"}`)
			return
		}
		fmt.Fprintf(w, "{\"hostname\": \"a\"} %s %v %s", r.URL, r.Header, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// markers are what no output may have in it. Each is a secret by another rule.
var markers = []string{"bearer-marker", "cookie-marker", "query-marker", "body-marker", "variable-marker", "password-marker", "cookie-of-the-target", "captured-marker"}

// secretFlags give them to a command.
var secretFlags = []string{
	"--header", "Authorization: Bearer bearer-marker", "--header", "Cookie: session=cookie-marker", "--header", "X-Variable: ${env.SECRET_VARIABLE}",
	"--secret", "pin", "--secret", "SECRET_VARIABLE", "--secret", "access",
}

func withoutMarkers(t *testing.T, what, text string) {
	t.Helper()
	for _, marker := range markers {
		if at := strings.Index(text, marker); at >= 0 {
			t.Errorf("%s has %s in it: %s", what, marker, text[max(0, at-200):min(len(text), at+100)])
		}
	}
}

func TestSecretsAreInNoOutput(t *testing.T) {
	inFolder(t, nil)
	t.Setenv("SECRET_VARIABLE", "variable-marker")
	t.Setenv(stepSummary, "step.md")
	target := strings.Replace(echo(t), "http://", "http://ann:password-marker@", 1) + "/path?pin=query-marker"
	line := append([]string{"run", target, "--body", `{"pin": "body-marker"}`, "-n", "3", "--headless", "--csv", "locust"}, secretFlags...)
	for _, f := range fileFlags {
		line = append(line, "--"+f.name, f.name+".out")
	}
	arguments := os.Args
	os.Args = append([]string{"headroom"}, line...) // reports show the command line
	defer func() { os.Args = arguments }()

	code, out, said := execute(t, line...)
	if code == exitUsage || !strings.Contains(out, "pin=***") {
		t.Fatalf("run: exit code %d, prints %s, says %s", code, out, said)
	}
	withoutMarkers(t, "run", out+said)
	files, err := filepath.Glob("*")
	if err != nil || len(files) < len(fileFlags)+len(report.LocustFiles) {
		t.Fatalf("run wrote %v, %v", files, err)
	}
	for _, file := range files {
		withoutMarkers(t, file, read(t, file))
	}
	for _, format := range formats.Names(false) {
		_, out, said := execute(t, "report", "save.out", "--format", format)
		withoutMarkers(t, "report --format "+format, out+said)
	}
	for _, more := range [][]string{{"--json"}, {"--once"}, {"--users", "0"}, {"--host", target}} {
		_, out, said := execute(t, append(line, more...)...)
		withoutMarkers(t, more[0], out+said)
	}
	for _, format := range []string{asText, asJSON, asYAML} {
		_, out, said := execute(t, append([]string{"config", "-o", format}, line...)...)
		if !strings.Contains(out, "${env.SECRET_VARIABLE}") {
			t.Errorf("config -o %s lacks where a secret comes from: %s%s", format, out, said)
		}
		withoutMarkers(t, "config -o "+format, out+said)
	}
}

// What an answer of a login holds is hidden in it, and wherever it is sent.
func TestSecretsOfAScenario(t *testing.T) {
	inFolder(t, map[string]string{"scenario.yaml": `version: headroom/v1
kind: scenario
headers: {Cookie: "session=cookie-marker"}
tasks:
  - get: /?login=1
    capture: [{name: access, json: access}]
  - get: "/open?pin=${env.SECRET_VARIABLE}&again=${env.SECRET_VARIABLE}"
    headers: {Authorization: "Bearer ${access}"}
`})
	t.Setenv("SECRET_VARIABLE", "variable-marker")
	target := echo(t)
	for _, mode := range []string{"--once", "--list", "--json"} {
		line := append([]string{"run", target, "--scenario", "scenario.yaml", "-n", "6", mode}, secretFlags...)
		code, out, said := execute(t, line...)
		if code == exitUsage || !strings.Contains(out, "***") && !strings.Contains(out, "${env.SECRET_VARIABLE}") {
			t.Errorf("%s: exit code %d, prints %s, says %s", mode, code, out, said)
		}
		withoutMarkers(t, mode, out+said)
	}
}

func TestSecretFlagRefuses(t *testing.T) {
	inFolder(t, map[string]string{"empty": "\n", "bad": "Authorization bearer-marker\n"})
	for line, want := range map[string]string{
		"--secret=":                           `--secret: got "", want a name such as X-Session`,
		"--secret=a:b":                        `--secret: got "a:b", want a name such as X-Session`,
		"--header=@none":                      "--header: open none: no such file or directory",
		"--header=@empty":                     "--header: got empty without a header, want NAME: VALUE on each line",
		"--header=@bad":                       "--header: got a line that is no header, want NAME: VALUE",
		"--header=A: ${env.NO_SUCH_VARIABLE}": "--header: got ${env.NO_SUCH_VARIABLE}, which is not set in the environment",
	} {
		code, out, said := execute(t, "run", "http://127.0.0.1:1/", "-n", "1", line)
		if code != exitUsage || out != "" || said != "headroom: "+want+"\n" {
			t.Errorf("%s: exit code %d, prints %q, says %q, want %q", line, code, out, said, want)
		}
	}
}
