package main

import (
	"cmp"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// asciiFlag is that of the commands with a dashboard.
func (a *app) asciiFlag(f *pflag.FlagSet) {
	f.BoolVar(&a.ascii, "ascii", false, "nothing but ASCII on the dashboard; so too where the locale is not UTF-8")
}

// onlyASCII reports whether the screen must do with ASCII.
func (a *app) onlyASCII() bool { return a.ascii || !unicodeLocale(os.Getenv) }

// unicodeLocale reports whether a terminal may be sent more than ASCII, by the
// first variable that POSIX would take the characters from. Where none is set,
// as in many containers, the terminal in front of it nearly always takes UTF-8.
func unicodeLocale(get func(name string) string) bool {
	locale := strings.ToLower(cmp.Or(get("LC_ALL"), get("LC_CTYPE"), get("LANG")))
	return locale == "" || strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
}
