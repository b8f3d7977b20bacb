package profiles

import (
	"slices"
	"strings"
	"testing"
)

// reread is a draft read back as a scenario.
func reread(t testing.TB, d Draft) *Scenario {
	t.Helper()
	s, err := ParseScenario(d.YAML(), Surroundings{
		Getenv:   func(string) (string, bool) { return "", false },
		ReadFile: func(name string) ([]byte, error) { return []byte("content of " + name), nil },
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, d.YAML())
	}
	return s
}

// sent is a request in one line.
func sent(s *Scenario, r Request) string {
	line := r.Method + " " + s.Target + string(r.Path.Append(nil, &Values{}))
	for _, h := range r.Header {
		line += " " + h.Name + ": " + string(h.Value.Append(nil, &Values{}))
	}
	return line + " | " + string(r.Body.Append(nil, &Values{}))
}

func TestDraftOfCurl(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"http://a/b?c=d e"}, "GET http://a/b?c=d%20e | "},
		{[]string{"-sS", "a:8000"}, "GET http://a:8000/ | "},
		{[]string{"-XPUT", "-H", "x-a: 1", "--header=unknown"}, ""},
		{[]string{"-XPUT", "-H", "x-a: ${b}", "https://a/"}, "PUT https://a/ X-A: ${b} | "},
		{[]string{"http://a/", "-d", "x=1", "--data-urlencode", "y=a b"}, "POST http://a/ Content-Type: application/x-www-form-urlencoded | x=1&y=a+b"},
		{[]string{"http://a/", "-G", "-d", "x=1"}, "GET http://a/?x=1 | "},
		{[]string{"http://a/", "--json", "{\"a\":\"b\tc\\n\"}"}, "POST http://a/ Content-Type: application/json Accept: application/json | {\"a\":\"b\tc\\n\"}"},
		{[]string{"http://a/", "-d", "@body.json", "-H", "Content-Type: text/plain"}, "POST http://a/ Content-Type: text/plain | content of body.json"},
		{[]string{"-u", "me:secret", "http://a/"}, "GET http://a/ Authorization: Basic bWU6c2VjcmV0 | "},
		{[]string{"-sSLo", "/dev/null", "-I", "http://a/"}, "HEAD http://a/ | "},
		{[]string{"-X", "PURGE", "http://a/"}, "PURGE http://a/ | "},
		{[]string{"-T", "dir/body.bin", "http://a/x"}, "PUT http://a/x | content of dir/body.bin"},
		{[]string{"-T", "dir/a b", "http://a/x/"}, "PUT http://a/x/a%20b | content of dir/a b"},
		{[]string{"-T", "-", "http://a/"}, ""},
		{[]string{"-d", "x", "-T", "f", "http://a/"}, ""},
		{[]string{}, ""},
		{[]string{"http://a/", "http://b/"}, ""},
		{[]string{"ftp://a/"}, ""},
		{[]string{"-X", " ", "http://a/"}, ""},
		{[]string{"-F", "a=b", "http://a/"}, ""},
		{[]string{"http://a/", "-X"}, ""},
		{[]string{"http://a/", "-b", "jar.txt"}, ""},
	} {
		d, err := DraftOfCurl(c.args)
		if err != nil {
			if c.want != "" {
				t.Errorf("curl %q: %v", c.args, err)
			}
			continue
		}
		s := reread(t, d)
		if got := sent(s, s.Classes[0].Tasks[0].Request); got != c.want {
			t.Errorf("curl %q sends\n%s, want\n%s", c.args, got, c.want)
		}
	}
}

const exampleHAR = `{"log":{"entries":[
{"request":{"method":"GET","url":"https://a.test/x?q=1","headers":[{"name":":authority","value":"a.test"},{"name":"Accept","value":"*/*"},{"name":"sec-ch-ua","value":"b"},{"name":"Cookie","value":"c"}]}},
{"request":{"method":"GET","url":"https://cdn.test/y","headers":[]}},
{"request":{"method":"POST","url":"https://a.test/z","headers":[{"name":"content-type","value":"application/json"},{"name":"authorization","value":"Bearer t"}],"postData":{"text":"{\"a\": \"${b}\"}"}}},
{"request":{"method":"GET","url":"https://a.test/x?q=1","headers":[]}}]}}`

func TestDraftOfHAR(t *testing.T) {
	d, err := DraftOfHAR([]byte(exampleHAR))
	if err != nil {
		t.Fatal(err)
	}
	s := reread(t, d)
	var got []string
	for _, task := range s.Classes[0].Tasks {
		got = append(got, sent(s, task.Request))
	}
	want := []string{`GET https://a.test/x?q=1 Accept: */* | `, `POST https://a.test/z Content-Type: application/json Authorization: Bearer t | {"a": "${b}"}`}
	if !slices.Equal(got, want) || s.Classes[0].Tasks[0].Weight != 2 {
		t.Errorf("sends %q, want %q, the first twice as often", got, want)
	}
	if notes := strings.Join(d.Notes, "\n"); !strings.Contains(notes, "1 request not to https://a.test") || !strings.Contains(notes, "holds the header Authorization") {
		t.Errorf("notes %q", d.Notes)
	}
	if s.Classes[0].Tasks[0].Wait != nil {
		t.Errorf("waits %v, want nothing said: the recording has no times", s.Classes[0].Tasks[0].Wait)
	}
	timed, err := DraftOfHAR([]byte(`{"log":{"entries":[
		{"startedDateTime":"2026-01-02T03:04:05.000Z","request":{"method":"GET","url":"http://a/"}},
		{"startedDateTime":"2026-01-02T03:04:06.000Z","request":{"method":"GET","url":"http://a/x"}},
		{"startedDateTime":"2026-01-02T03:04:08.000Z","request":{"method":"GET","url":"http://a/?a=1&b=2"}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := reread(t, timed).Classes[0].Tasks[0].Wait; got == nil || got.String() != "pacing:1.5s" || !strings.Contains(string(timed.YAML()), `"/?a=1&b=2"`) {
		t.Errorf("waits %v, want the mean of the recording, pacing:1.5s; and the URL as it was:\n%s", got, timed.YAML())
	}
	odd, err := DraftOfHAR([]byte(`{"log":{"entries":[{"request":{"method":"GET","url":"http://a","headers":[{"name":"!","value":""},{"name":"a b","value":"x"}]}}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if s := reread(t, odd); sent(s, s.Classes[0].Tasks[0].Request) != "GET http://a/ !:  | " {
		t.Errorf("odd names of headers become\n%s", odd.YAML())
	}
	for _, bad := range []string{"", "[]", `{"log":{"entries":[{"request":{"method":"GET","url":"https://:"}}]}}`, `{"log":{"entries":[]}}`, `{"log":{"entries":[{"request":{"method":"G T","url":"http://a"}}]}}`} {
		if _, err := DraftOfHAR([]byte(bad)); err == nil {
			t.Errorf("DraftOfHAR(%q) is no error", bad)
		}
	}
}

func TestHoldsRequests(t *testing.T) {
	for text, want := range map[string]string{
		`{"log":{}}`: "HAR", `{"openapi":"3.1.0"}`: "OpenAPI", "info: {}\nopenapi: 3.0.0\n": "OpenAPI",
		"name,age\na,1\n": "", `{"kind":"Deployment"}`: "", "": "", "kind: HPA\nx: {openapi: 3}\n": "",
	} {
		if got := HoldsRequests([]byte(text)); got != want {
			t.Errorf("HoldsRequests(%q) = %q, want %q", text, got, want)
		}
	}
}

// Whatever is recorded, the scenario made of it can be read.
func FuzzDraftOfHAR(f *testing.F) {
	f.Add([]byte(exampleHAR))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := DraftOfHAR(data); err == nil {
			reread(t, d)
		}
	})
}

func FuzzDraftOfCurl(f *testing.F) {
	f.Add("-XPOST\x00http://a/b?c\x00-d\x00x=1\x00-H\x00a: b")
	f.Fuzz(func(t *testing.T, line string) {
		if d, err := DraftOfCurl(strings.Split(line, "\x00")); err == nil {
			reread(t, d)
		}
	})
}
