package main

import "testing"

func TestUnicodeLocale(t *testing.T) {
	for _, test := range []struct {
		all, ctype, lang string
		want             bool
	}{
		{"", "", "", true},
		{"", "", "en_GB.UTF-8", true},
		{"", "", "C.utf8", true},
		{"", "", "C", false},
		{"", "", "de_DE.ISO-8859-1", false},
		{"", "POSIX", "en_GB.UTF-8", false},
		{"C.UTF-8", "C", "C", true},
		{"C", "", "en_GB.UTF-8", false},
	} {
		get := func(name string) string {
			return map[string]string{"LC_ALL": test.all, "LC_CTYPE": test.ctype, "LANG": test.lang}[name]
		}
		if got := unicodeLocale(get); got != test.want {
			t.Errorf("LC_ALL=%q LC_CTYPE=%q LANG=%q: unicodeLocale = %v, want %v", test.all, test.ctype, test.lang, got, test.want)
		}
	}
}
