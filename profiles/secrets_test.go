package profiles

import "testing"

func TestHidePasswords(t *testing.T) {
	for text, want := range map[string]string{
		"http://ann:secret@h:1/x?y=1": "http://ann:***@h:1/x?y=1",
		"http://:secret@h/":           "http://:***@h/",
		"http://ann@h/":               "http://ann@h/",
		"http://h/a:b@c":              "http://h/a:b@c",
		"ann:secret@h":                "ann:secret@h",
		"--host=http://a:b@h and -Hhttp://c:d@i:8000/": "--host=http://a:***@h and -Hhttp://c:***@i:8000/",
		"http://h:8000/users:a@b":                      "http://h:8000/users:a@b",
		"http://h/?at=x:y@z":                           "http://h/?at=x:y@z",
		"--slo":                                        "--slo",
		"":                                             "",
	} {
		if got := HidePasswords(text); got != want {
			t.Errorf("HidePasswords(%q) = %q, want %q", text, got, want)
		}
	}
}
