package report

import (
	"strings"

	"headroom/profiles"
)

// withoutSecrets is a command line with what is secret in it hidden: also the
// value of a flag that has the name of a secret, and what stands behind the URL
// of a list of workers.
func withoutSecrets(command []string, secrets *profiles.Secrets) []string {
	out := make([]string, len(command))
	before := ""
	for i, arg := range command {
		flag, value, attached := strings.Cut(arg, "=")
		if attached = attached && strings.HasPrefix(arg, "--"); !attached {
			flag, value = before, arg
		}
		name := strings.TrimLeft(flag, "-")
		switch {
		case name != flag && secrets.Named(name):
			value = profiles.Hidden
		case flag == "--workers-url":
			if address, _, ok := strings.Cut(value, "?"); ok {
				value = address + "?" + profiles.Hidden
			}
		}
		out[i] = secrets.Hide(value)
		if attached {
			out[i] = flag + "=" + out[i]
		}
		before = arg
	}
	return out
}
