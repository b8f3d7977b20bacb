package profiles

import "regexp"

// Hidden stands in place of a secret.
const Hidden = "***"

// password is what stands between the name and the host of a URL.
var password = regexp.MustCompile(`(://[^/?#@:\s]*:)[^/?#@\s]+@`)

// HidePasswords is a text with the passwords of the URLs in it hidden.
func HidePasswords(text string) string {
	return password.ReplaceAllString(text, "${1}"+Hidden+"@")
}
