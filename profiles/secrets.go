package profiles

import (
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Hidden stands in place of a secret.
const Hidden = "***"

// password is what stands between the name and the host of a URL.
var password = regexp.MustCompile(`(://[^/?#@:\s]*:)[^/?#@\s]+@`)

// hidePasswords is a text with the passwords of the URLs in it hidden.
func hidePasswords(text string) string {
	return password.ReplaceAllString(text, "${1}"+Hidden+"@")
}

// secretNames are those of headers whose values let somebody in.
var secretNames = []string{"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "api-key", "x-auth-token"}

// leastSecret is how long a value must be to be hidden wherever it stands, in
// bytes: a shorter one is part of too much else. Behind its name any is.
const leastSecret = 4

// Secrets tell what must not be shown: the passwords of URLs, what stands
// behind the names of secrets, and values that were learned. A nil *Secrets
// knows the headers that usually hold some. It is not safe to learn while
// another goroutine hides.
type Secrets struct {
	names  []string       // lower case
	named  *regexp.Regexp // a name with its value
	values []string       // longest first
}

// usualSecrets are those of a nil *Secrets.
var usualSecrets = NewSecrets()

// NewSecrets are secrets with these names, of headers, query parameters, fields
// of bodies or variables, besides the usual ones. Case does not matter.
func NewSecrets(names ...string) *Secrets {
	s := &Secrets{names: slices.Clone(secretNames)}
	for _, n := range names {
		if n = strings.ToLower(n); n != "" && !slices.Contains(s.names, n) {
			s.names = append(s.names, n)
		}
	}
	quoted := make([]string, len(s.names))
	for i, n := range s.names {
		quoted[i] = regexp.QuoteMeta(n)
	}
	name := "(?:" + strings.Join(quoted, "|") + ")"
	s.named = regexp.MustCompile(`(?im)` +
		`"` + name + `"\s*:\s*("(?:[^"\\]|\\.)*"?|[^,}\]\s]+)` + // in JSON
		`|(?:^|[\s'"=])` + name + `\s*:[ \t]*([^\r\n]+)` + // a header
		`|(?:^|[^\w-])` + name + `=("[^"]*"?|[^&#\s"';,]+)`) // in a query, a form or a cookie
	return s
}

// Named reports whether something of that name is a secret.
func (s *Secrets) Named(name string) bool {
	return slices.Contains(s.orUsual().names, strings.ToLower(name))
}

func (s *Secrets) orUsual() *Secrets {
	if s == nil {
		return usualSecrets
	}
	return s
}

// filledIn is a value that says only where the secret comes from.
var filledIn = regexp.MustCompile(`^"?(?:[A-Za-z]+ +)?\$\{[^}]*\}"?$`)

// each calls do with the place of every value that stands behind its name.
func (s *Secrets) each(text string, do func(from, to int)) {
	for _, m := range s.named.FindAllStringSubmatchIndex(text, -1) {
		for i := 2; i < len(m); i += 2 {
			if m[i] >= 0 && !filledIn.MatchString(text[m[i]:m[i+1]]) {
				do(m[i], m[i+1])
			}
		}
	}
}

// suspicious is the name of a part of a query that may let somebody in. Many
// that do not are called so too, so their values are shown; but they are not
// kept.
var suspicious = regexp.MustCompile(`(?i)key|token|secret|pass|pwd|auth|sig|cred|session|code`)

// Strip is a URL to be kept: without its user and password, and without the
// parameters that hold a secret, or whose names speak of one.
func (s *Secrets) Strip(target string) (string, error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", err
	}
	u.User = nil
	var kept []string
	for parameter := range strings.SplitSeq(u.RawQuery, "&") {
		if name, _, _ := strings.Cut(parameter, "="); !suspicious.MatchString(name) && s.Hide(parameter) == parameter {
			kept = append(kept, parameter)
		}
	}
	u.RawQuery = strings.Join(kept, "&")
	return u.String(), nil
}

// Hide is a text without what is secret in it.
func (s *Secrets) Hide(text string) string {
	s = s.orUsual()
	text = hidePasswords(text)
	var b strings.Builder
	at := 0
	s.each(text, func(from, to int) {
		hidden := Hidden
		if text[from] == '"' {
			hidden = `"` + Hidden + `"`
		}
		b.WriteString(text[at:from] + hidden)
		at = to
	})
	b.WriteString(text[at:])
	text = b.String()
	for _, value := range s.values {
		text = strings.ReplaceAll(text, value, Hidden)
	}
	return text
}

// LearnFrom finds the secrets of a text by their names, so that they are hidden
// wherever else they stand, as in the answer of a target that repeats them.
func (s *Secrets) LearnFrom(text string) {
	s.each(text, func(from, to int) {
		value := text[from:to]
		if unquoted := ""; json.Unmarshal([]byte(value), &unquoted) == nil {
			value = unquoted
		}
		s.Learn(value)
		if _, credentials, ok := strings.Cut(value, " "); ok { // behind a scheme such as Bearer
			s.Learn(strings.TrimSpace(credentials))
		}
		for pair := range strings.SplitSeq(value, ";") { // of cookies
			if _, single, ok := strings.Cut(pair, "="); ok {
				s.Learn(strings.TrimSpace(single))
			}
		}
	})
}

// Learn adds a value that is secret wherever it stands, also as a URL or JSON
// has it.
func (s *Secrets) Learn(value string) {
	plain, err := url.QueryUnescape(value)
	if err != nil {
		plain = value
	}
	for _, form := range []string{
		value, url.QueryEscape(value), url.PathEscape(value), inJSON(value),
		plain, url.QueryEscape(plain), url.PathEscape(plain), inJSON(plain),
	} {
		if len(form) >= leastSecret && !slices.Contains(s.values, form) {
			s.values = append(s.values, form)
		}
	}
	slices.SortStableFunc(s.values, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
}
