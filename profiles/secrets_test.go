package profiles

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHidesPasswords(t *testing.T) {
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
		if got := hidePasswords(text); got != want {
			t.Errorf("hidePasswords(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSecretsHideByName(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Authorization: Bearer abc", "Authorization: ***"},
		{"X: 1\r\ncookie:  a=b; c=d\r\nY: 2", "X: 1\r\ncookie:  ***\r\nY: 2"},
		{"--header=Authorization: abc", "--header=Authorization: ***"},
		{"GET /x?a=1&PIN=2&b=3 HTTP/1.1", "GET /x?a=1&PIN=***&b=3 HTTP/1.1"},
		{"http://ann:pw@h/?pin=2#top", "http://ann:***@h/?pin=***#top"},
		{`{"pin": "a\"b", "n": 1}`, `{"pin": "***", "n": 1}`},
		{`{"a": {"pin": 12}}`, `{"a": {"pin": ***}}`},
		{`{"pin": "cut of`, `{"pin": "***"`},
		{"a=b&pin=cut", "a=b&pin=***"},
		{"Authorization: Bearer ${env.TOKEN}", "Authorization: Bearer ${env.TOKEN}"},
		{"GET /x?pin=${env.PIN}", "GET /x?pin=${env.PIN}"},
		{"spinning=5 pin-code=7 pin", "spinning=5 pin-code=7 pin"},
		{"", ""},
	} {
		if got := NewSecrets("Pin", "").Hide(c.text); got != c.want {
			t.Errorf("Hide(%q) = %q, want %q", c.text, got, c.want)
		}
	}
	var usual *Secrets
	if got := usual.Hide("pin=1 Cookie: x"); got != "pin=1 Cookie: ***" {
		t.Errorf("a nil Secrets hides %q", got)
	}
}

// What a plan sends is hidden wherever it comes back, in each form it may have.
func TestPlanProtect(t *testing.T) {
	p := DefaultPlan()
	p.Target = "http://ann:password@h/x?pin=query+marker&short=1"
	p.Header = http.Header{"Authorization": {"Bearer token-marker"}, "Cookie": {"session=cookie-marker; theme=dark-marker"}}
	p.Body = []byte(`{"pin": "body \"marker\"", "short": 1}`)
	p.Protect([]string{"pin", "VARIABLE", "short"}, func(name string) string {
		return map[string]string{"VARIABLE": "variable-marker"}[name]
	})
	echo := `{"auth": "token-marker", "jar": {"session": "cookie-marker", "theme": "dark-marker"}, "q": "query marker", "e": "query%20marker",
		"b": "body \"marker\"", "basic": "YW5uOnBhc3N3b3Jk", "v": "variable-marker", "1": 1}`
	want := `{"auth": "***", "jar": {"session": "***", "theme": "***"}, "q": "***", "e": "***",
		"b": "***", "basic": "***", "v": "***", "1": 1}`
	if got := p.Secrets.Hide(echo); got != want {
		t.Errorf("Hide gives\n%s\nwant\n%s", got, want)
	}
	if got := p.ShownTarget(); got != "http://ann:***@h/x?pin=***&short=***" {
		t.Errorf("ShownTarget = %s", got)
	}
}

// Requests that differ in a secret alone share a row, and the scenario that was
// read stays as it is.
func TestPlanProtectNamesOfRequests(t *testing.T) {
	request := func(row int, path string) Task {
		return Task{Request: Request{Name: "GET " + path, Row: row, Method: "GET", Path: Literal(path)}, Weight: 1}
	}
	read := &Scenario{
		Rows:    []string{"GET /a?pin=first", "GET /b", "GET /a?pin=second"},
		Classes: []Class{{Weight: 1, OnStart: []Task{request(0, "/a?pin=first")}, Tasks: []Task{request(1, "/b"), request(2, "/a?pin=second")}}},
	}
	p := Plan{Scenario: read}
	p.Protect([]string{"pin"}, func(string) string { return "" })
	if diff := cmp.Diff([]string{"GET /a?pin=***", "GET /b"}, p.Scenario.Rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	tasks := p.Scenario.Classes[0].Tasks
	if tasks[0].Row != 1 || tasks[1].Row != 0 || tasks[1].Name != "GET /a?pin=***" {
		t.Errorf("tasks %+v", tasks)
	}
	if path, _ := tasks[1].Path.Static(); path != "/a?pin=second" || read.Rows[2] != "GET /a?pin=second" || read.Classes[0].Tasks[1].Row != 2 {
		t.Errorf("path %s, and the scenario that was read is %+v", path, read)
	}
}

func TestSecretsStrip(t *testing.T) {
	secrets := NewSecrets("pin")
	secrets.Learn("s3cret")
	for _, test := range []struct {
		secrets   *Secrets
		url, want string
	}{
		{nil, "http://me:pass@h/path?x=7&y=1", "http://h/path?x=7&y=1"},
		{nil, "http://h/?x=7&api_key=abc&sig=1&pin=9", "http://h/?x=7&pin=9"},
		{secrets, "http://h/?x=7&PIN=9&who=s3cret", "http://h/?x=7"},
		{secrets, "http://h/?token=1", "http://h/"},
	} {
		if got, err := test.secrets.Strip(test.url); got != test.want || err != nil {
			t.Errorf("Strip(%q) = %q, %v, want %q", test.url, got, err, test.want)
		}
	}
	if got, err := secrets.Strip("http://h:x/"); err == nil {
		t.Errorf("Strip of what is no URL = %q, want an error", got)
	}
}
