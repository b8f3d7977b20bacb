package report

import (
	"net/url"
	"slices"
	"strings"
)

// hidden stands in place of a secret.
const hidden = "***"

// secretHeaders are those whose values let somebody in.
var secretHeaders = []string{"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"}

// withoutSecrets is a command line with the values of such headers hidden,
// and the passwords in URLs.
func withoutSecrets(command []string) []string {
	out := make([]string, len(command))
	for i, arg := range command {
		value, flag := arg, ""
		if strings.HasPrefix(arg, "--header=") {
			flag, value = "--header=", strings.TrimPrefix(arg, "--header=")
		}
		if flag != "" || i > 0 && command[i-1] == "--header" {
			value = hideHeader(value)
		}
		out[i] = flag + withoutPassword(value)
	}
	return out
}

// hideHeader hides the value of a header that is a secret.
func hideHeader(header string) string {
	name, _, ok := strings.Cut(header, ":")
	if ok && slices.Contains(secretHeaders, strings.ToLower(strings.TrimSpace(name))) {
		return name + ": " + hidden
	}
	return header
}

// withoutPassword hides the password of a URL; what is none stays as it is.
func withoutPassword(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return text
	}
	if _, ok := u.User.Password(); !ok {
		return text
	}
	return strings.Replace(u.Redacted(), ":xxxxx@", ":"+hidden+"@", 1)
}
