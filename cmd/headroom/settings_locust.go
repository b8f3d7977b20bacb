package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"headroom/profiles/document"
)

// locustFlags are the settings of Locust that mean the same here, by the name
// that both have.
var locustFlags = []string{
	"host", "users", "spawn-rate", "run-time", "stop-timeout", "headless", "csv", "html", "json", "json-file", "exit-code-on-error",
}

// locustOnly are those that have no counterpart, in the order of Locust's
// documentation, with what there is instead.
var locustOnly = []struct{ names, instead string }{
	{"locustfile tags exclude-tags class-picker equal-weights config-users iterations", "what users do is in a --scenario"},
	{"master master-host master-port master-bind-host master-bind-port expect-workers expect-workers-max-wait enable-rebalancing worker processes",
		"one process makes the load"},
	{"web-host web-port web-base-path web-login tls-cert tls-key autostart autoquit", "the dashboard is on the terminal, and --api serves it"},
	{"csv-full-history", "--csv always writes the history of all requests"},
	{"print-stats only-summary show-task-ratio show-task-ratio-json list", "--list shows the tasks, and a summary is always printed"},
	{"reset-stats", "the timeline tells the start from the rest"},
	{"skip-log-setup loglevel logfile", "stderr says what happens"},
	{"profile config version", "it has no meaning here"},
}

// insteadOf is what there is instead of a setting of Locust; ok is false where
// Locust has none of that name.
func insteadOf(name string) (instead string, ok bool) {
	for _, o := range locustOnly {
		if slices.Contains(strings.Fields(o.names), name) {
			return o.instead, true
		}
	}
	return "", false
}

// locustEnvironment is what Locust's variables say.
func locustEnvironment() (out []setting, notes []string) {
	variable := func(name string) string { return "LOCUST_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")) }
	for _, name := range locustFlags {
		if value := os.Getenv(variable(name)); value != "" {
			out = append(out, setting{name, []string{locustValue(value)}, variable(name)})
		}
	}
	for _, o := range locustOnly {
		for name := range strings.FieldsSeq(o.names) {
			if os.Getenv(variable(name)) != "" {
				notes = append(notes, fmt.Sprintf("%s: not used: %s", variable(name), o.instead))
			}
		}
	}
	return out, notes
}

// locustValue is a value with Locust's words for true and false in ours.
func locustValue(text string) string {
	switch strings.ToLower(text) {
	case "yes", "on":
		return "true"
	case "no", "off":
		return "false"
	}
	return text
}

// locustLine is a line as ConfigArgParse reads it: KEY = VALUE, KEY: VALUE, KEY
// VALUE, or KEY alone, which is true; then perhaps a comment.
var locustLine = regexp.MustCompile(`^(?:--)?([^\s:=;#]+)(?:\s*[:=]\s*|\s+|$)(.*?)(?:\s[;#].*)?$`)

// readLocustConf reads a locust.conf. What Locust does not know is refused;
// what it has and we do not is noted.
func readLocustConf(path string, _ *pflag.FlagSet) (settingsFile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return settingsFile{}, usage("--config: %w", err)
	}
	var out settingsFile
	var problems []document.Problem
	lines := bufio.NewScanner(bytes.NewReader(text))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.ContainsAny(line[:1], "#;[") || strings.HasPrefix(line, "---") {
			continue
		}
		at := fmt.Sprintf("%s:%d", path, number)
		m := locustLine.FindStringSubmatch(line)
		if m == nil {
			problems = append(problems, document.Problem{Line: number, Text: fmt.Sprintf("got %q, want KEY = VALUE", document.Excerpt(line))})
			continue
		}
		name, value := m[1], strings.Trim(m[2], `"'`)
		instead, known := insteadOf(name)
		switch {
		case slices.Contains(locustFlags, name):
			if value == "" {
				value = "true"
			}
			out.settings = append(out.settings, setting{name, []string{locustValue(value)}, at})
		case known:
			out.notes = append(out.notes, fmt.Sprintf("%s: %s is not used: %s", at, name, instead))
		default:
			problems = append(problems, document.Problem{Line: number, Key: document.Excerpt(name), Text: "unknown key, want one of Locust's"})
		}
	}
	if err := lines.Err(); err != nil {
		return out, usage("%s: %w", path, err)
	}
	if len(problems) > 0 {
		return out, located(path, problems)
	}
	return out, nil
}
