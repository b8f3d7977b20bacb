package report

import (
	"slices"
	"strings"

	"headroom/profiles"
)

// secretHeaders are those whose values let somebody in.
var secretHeaders = []string{"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}

// withoutSecrets is a command line with the values of such headers hidden, the
// passwords in URLs, and what stands behind the URL of a list of workers.
func withoutSecrets(command []string) []string {
	out := make([]string, len(command))
	before := ""
	for i, arg := range command {
		flag, value, attached := strings.Cut(arg, "=")
		if attached = attached && strings.HasPrefix(arg, "--"); !attached {
			flag, value = before, arg
		}
		switch flag {
		case "--header":
			value = hideHeader(value)
		case "--workers-url":
			if address, _, ok := strings.Cut(value, "?"); ok {
				value = address + "?" + profiles.Hidden
			}
		}
		out[i] = profiles.HidePasswords(value)
		if attached {
			out[i] = flag + "=" + out[i]
		}
		before = arg
	}
	return out
}

// hideHeader hides the value of a header that is a secret.
func hideHeader(header string) string {
	name, _, ok := strings.Cut(header, ":")
	if ok && slices.Contains(secretHeaders, strings.ToLower(strings.TrimSpace(name))) {
		return name + ": " + profiles.Hidden
	}
	return header
}
