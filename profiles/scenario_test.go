package profiles

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const exampleScenario = `version: headroom/v1
kind: scenario
headers: {Authorization: "Bearer ${env.TOKEN}"}
wait: {between: [1s, 3s]}
feeds:
  - {name: people, file: people.csv}
on_start:
  - name: login
    post: /login
    json: {user: "${people.email}", number: "${user}", flags: [true, 1.5, null]}
    capture: [{name: token, json: data.token}]
tasks:
  - {name: hello, get: /, wait: 5s}
  - name: chat
    weight: 3
    post: /v1/chat/completions
    query: {q: "a b ${token}"}
    headers: {X-Request: "${counter}"}
    json: {model: m, stream: true, messages: [{role: user, content: "${random.text 20}"}]}
    stream: sse
    check: {status: 200, time: 2s, header: {Content-Type: null}, json: [{path: ok, equals: true}]}
users:
  - {name: reader, weight: 3, tasks: [hello]}
  - {name: writer, wait: {pacing: 2s}}
`

func around(t testing.TB) Surroundings {
	files := map[string]string{"people.csv": "email,city\na@b.c,Ulm\nd@e.f,Bern\n", "raw": "${not a template}"}
	return Surroundings{
		Getenv: func(name string) (string, bool) { return `t"1`, name == "TOKEN" },
		ReadFile: func(name string) ([]byte, error) {
			if text, ok := files[name]; ok {
				return []byte(text), nil
			}
			return nil, errors.New("open " + name + ": no such file")
		},
	}
}

func mustScenario(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := ParseScenario([]byte(text), around(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseScenario(t *testing.T) {
	s := mustScenario(t, exampleScenario)
	if want := []string{"login", "hello", "chat"}; !slices.Equal(s.Rows, want) {
		t.Errorf("rows %q, want %q", s.Rows, want)
	}
	values := &Values{User: 7, Counter: 3, Random: rand.New(rand.NewPCG(1, 2)), Rows: [][]string{{"x\"y", "Ulm"}}, Captured: []string{"s&t"}}
	login, chat := s.Classes[1].OnStart[0], s.Classes[1].Tasks[1]
	for _, c := range []struct {
		name string
		of   Template
		want string
	}{
		{"JSON", login.Body, `{"flags":[true,1.5,null],"number":7,"user":"x\"y"}`},
		{"path and query", chat.Path, "/v1/chat/completions?q=a+b+s%26t"},
		{"a header of the scenario", chat.Header[0].Value, `Bearer t"1`},
		{"a header of the task", chat.Header[1].Value, "3"},
		{"what JSON suggests", chat.Header[2].Value, "application/json"},
		{"what a stream suggests", chat.Header[3].Value, "text/event-stream"},
	} {
		if got := string(c.of.Append(nil, values)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if got := string(chat.Body.Append(nil, values)); len(got) != len(`{"messages":[{"content":"","role":"user"}],"model":"m","stream":true}`)+20 {
		t.Errorf("the body is %s", got)
	}
	second := time.Second
	for _, c := range []struct {
		name      string
		got, want *Wait
	}{
		{"of the task", s.Classes[0].Tasks[0].Wait, &Wait{Min: 5 * second, Max: 5 * second}},
		{"of the class", chat.Wait, &Wait{Min: 2 * second, Max: 2 * second, Pacing: true}},
		{"in on_start", login.Wait, nil},
	} {
		if d := cmp.Diff(c.want, c.got); d != "" {
			t.Errorf("wait %s: %s", c.name, d)
		}
	}
	if got, want := s.Turns(), []int{0, 0, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("Turns() = %v, want %v", got, want)
	}
	if len(chat.Needs) != 1 || !chat.Counts || len(login.Feeds) != 1 {
		t.Errorf("chat needs %v, counts %v; login feeds %v", chat.Needs, chat.Counts, login.Feeds)
	}
}

// Each problem is one line with where it is, what was found and what is
// allowed.
func TestScenarioProblems(t *testing.T) {
	const head = "version: headroom/v1\n"
	for _, c := range []struct{ file, want string }{
		{head + "tasks: []\n", "tasks: got none, want one or more"},
		{head + "taks: []\n", "line 2: taks: unknown key, want version,"},
		{"tasks: [{get: /}]\n", `version: got "", want "headroom/v1"`},
		{head + "kind: policy\ntasks: [{get: /}]\n", `line 2: kind: got "policy", want "scenario"`},
		{head + "target: ftp://x\ntasks: [{get: /}]\n", "line 2: target: got"},
		{head + "tasks: [{name: x}]\n", "line 2: tasks[0]: got nothing, want one of get,"},
		{head + "tasks: [{get: /, post: /}]\n", "tasks[0]: got get, post, want one of"},
		{head + "tasks: [{get: x}]\n", `tasks[0].get: got "x", want a path that begins with /`},
		{head + "tasks: [{get: \"/a b\"}]\n", "tasks[0].get: got \"/a b\", want a path as a URL has it"},
		{head + "tasks: [{method: \"G T\", path: /}]\n", "tasks[0].method: got"},
		{head + "tasks: [{get: /, weight: 0}]\n", "tasks[0].weight: got 0, want 1 to 1000"},
		{head + "tasks: [{get: \"/${nobody}\"}]\n", `tasks[0].get: got "${nobody}", want one of env.NAME, user, counter`},
		{head + "tasks: [{get: \"/${user\"}]\n", "want a } behind it"},
		{head + "tasks: [{get: \"/${env.NONE}\"}]\n", `got "${env.NONE}", want a variable that is set in the environment`},
		{head + "tasks: [{get: \"/${random.int 5 1}\"}]\n", "want two whole numbers, the lower first"},
		{head + "tasks: [{get: \"/${random.text x}\"}]\n", "want a length of 1 to"},
		{head + "tasks: [{get: \"/${random.choice}\"}]\n", "want words to choose from"},
		{head + "feeds: [{name: p, file: people.csv}]\ntasks: [{get: \"/${p.street}\"}]\n", "want a column of the feed: email, city"},
		{head + "feeds: [{name: p, file: none.csv}]\ntasks: [{get: /}]\n", "feeds[0].file: open none.csv"},
		{head + "feeds: [{name: user, file: people.csv, order: up}]\ntasks: [{get: /}]\n", "feeds[0].order: got \"up\", want sequential, random or once"},
		{head + "tasks: [{get: /, body: x, json: {}}]\n", "tasks[0]: got body and json, want one of them"},
		{head + "tasks: [{get: /, stream: udp}]\n", `tasks[0].stream: got "udp", want sse or ndjson`},
		{head + "tasks: [{get: /, headers: {Content-Length: 5}}]\n", "tasks[0].headers: got Content-Length, want none"},
		{head + "tasks: [{get: /, headers: {X: \"a\\nb\"}}]\n", "with a line break, want one line"},
		{head + "tasks: [{get: /, check: {status: 99}}]\n", "tasks[0].check.status: got \"99\", want a status of 100 to 599"},
		{head + "tasks: [{get: /, check: {json: [{path: \"a[x]\"}]}}]\n", "tasks[0].check.json[0].path: got \"a[x]\""},
		{head + "tasks: [{get: /, capture: [{name: a}]}]\n", "tasks[0].capture[0]: got 0 of json, header and regexp, want one"},
		{head + "tasks: [{get: /, capture: [{name: a, regexp: \"(\"}]}]\n", "tasks[0].capture[0].regexp: got \"(\", want a regular expression"},
		{head + "tasks: [{get: /, capture: [{name: user, json: a}]}]\n", "${user} has a meaning already"},
		{head + "tasks: [{get: \"/${a}\", capture: [{name: a, json: a}]}]\n", `got "GET /${a}" with ${a}, which nothing that users of class "user" send before captures`},
		{head + "tasks: [{get: /, name: x}]\nusers: [{name: a, tasks: [y]}]\n", `users[0].tasks[0]: got "y", want the name of a task`},
		{head + "tasks: [{get: /, name: x}, {get: /y}]\nusers: [{name: a, tasks: [x]}]\n", `tasks[1]: got "GET /y", which no users perform`},
		{head + "tasks: [{get: /, check: {time: 0s}}]\n", "line 2: tasks[0].check.time: got 0s, want more than 0"},
		{head + "wait: {between: [3s, 1s]}\ntasks: [{get: /}]\n", `line 2: wait: got {"between": ["3s", "1s"]}, want 2s, {between: [1s, 3s]}`},
		{head + "wait: {sometimes: 1s}\ntasks: [{get: /}]\n", `line 2: wait: got {"sometimes": "1s"}, want 2s, {between: [1s, 3s]}`},
		{head + "wait: {pacing: 0s}\ntasks: [{get: /}]\n", `line 2: wait: got {"pacing": "0s"}, want 2s,`},
	} {
		_, err := ParseScenario([]byte(c.file), around(t))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\ngot  %v\nwant %s", c.file, err, c.want)
		}
	}
}

// One mistake is one problem, and each line of it names the file.
func TestScenarioProblemsOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.yaml")
	text := "version: headroom/v1\nfeeds: [{name: p, file: none.csv}]\ntasks: [{get: \"/${p.street}\"}, {get: x}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := ReadScenario(path)
	lines := strings.Split(fmt.Sprint(err), "\n")
	want := []string{path + ": line 2: feeds[0].file: ", path + ": line 3: tasks[1].get: "}
	if len(lines) != len(want) {
		t.Fatalf("ReadScenario: %v, want %d lines", err, len(want))
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("line %d is %q, want it to begin with %q", i+1, lines[i], want[i])
		}
	}
}

// What fills in a place is escaped for the part of the URL that it is in.
func TestPlacesOfAURL(t *testing.T) {
	values := &Values{Rows: [][]string{{"R&D +?/", "a b"}}}
	for _, c := range []struct{ task, want string }{
		{`get: "/${p.email}/x"`, "/R&D%20+%3F%2F/x"},
		{`get: "/search?q=${p.email}&e=${p.city}"`, "/search?q=R%26D+%2B%3F%2F&e=a+b"},
		{`get: "/${p.city}?q=${p.city}", query: {r: "${p.city}"}`, "/a%20b?q=a+b&r=a+b"},
		{`get: "/${random.choice a?b}/${p.city}"`, "/a%3Fb/a%20b"},
		{`get: "/${env.TOKEN}?t=${env.TOKEN}"`, "/t%221?t=t%221"},
	} {
		s := mustScenario(t, "version: headroom/v1\nfeeds: [{name: p, file: people.csv}]\ntasks: [{"+c.task+"}]\n")
		values.Random = rand.New(rand.NewPCG(1, 2))
		if got := string(s.Classes[0].Tasks[0].Path.Append(nil, values)); got != c.want {
			t.Errorf("%s sends %s, want %s", c.task, got, c.want)
		}
	}
}

// An answer that was cut is not called what it may not be.
func TestJudgeACutAnswer(t *testing.T) {
	s := mustScenario(t, "version: headroom/v1\ntasks:\n"+
		"  - {get: /a, check: {json: [{path: a}]}}\n  - {get: /b, check: {contains: end}}\n  - {get: /c, capture: [{name: x, regexp: end}]}\n")
	body := []byte(`{"a": 1, "b": "` + strings.Repeat("x", 100))
	for i, want := range []string{
		`GET /a: check json: got "{\"a\": 1, \"b\": \"` + strings.Repeat("x", 45) + `...", of which checks see the first 115 B, and JSON is read whole`,
		`GET /b: check contains "end": got "{\"a\": 1, \"b\": \"` + strings.Repeat("x", 45) + `...", of which checks see the first 115 B`,
		"GET /c: capture x: the first 115 B of the body have nothing for it",
	} {
		r := s.Classes[0].Tasks[i].Request
		if err := r.Judge(Answer{Status: 200, Body: body, Cut: true}, make([]string, 1)); err == nil || err.Error() != want {
			t.Errorf("Judge(%s) = %v, want %s", r.Name, err, want)
		}
	}
}

// Places have the form they promise.
func TestTemplatePlaces(t *testing.T) {
	words := vocabulary{getenv: func(string) (string, bool) { return "", false }}
	v := &Values{User: 4, Counter: 9, Random: rand.New(rand.NewPCG(3, 4))}
	for _, c := range []struct {
		text string
		ok   func(string) bool
	}{
		{"$${user} costs $5", func(s string) bool { return s == "${user} costs $5" }},
		{"u${user}c${counter}", func(s string) bool { return s == "u4c9" }},
		{"${random.int -2 2}", func(s string) bool { return slices.Contains([]string{"-2", "-1", "0", "1", "2"}, s) }},
		{"${random.choice a b}", func(s string) bool { return s == "a" || s == "b" }},
		{"${random.text 5}", func(s string) bool { return len(s) == 5 && strings.Trim(s, letters) == "" }},
		{"${random.uuid}", func(s string) bool {
			return len(s) == 36 && s[14] == '4' && strings.Contains("89ab", s[19:20]) && strings.Trim(s, "0123456789abcdef-") == ""
		}},
	} {
		parsed, err := words.parse(c.text, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if got := string(parsed.Append(nil, v)); !c.ok(got) {
				t.Errorf("%s became %q", c.text, got)
			}
		}
	}
}

func FuzzParseScenario(f *testing.F) {
	f.Add([]byte(exampleScenario))
	f.Add([]byte("version: headroom/v1\ntasks: [{get: \"/${user\"}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseScenario(data, around(t))
		if err != nil {
			return
		}
		v := &Values{User: 1, Random: rand.New(rand.NewPCG(1, 1)), Captured: make([]string, len(s.Captures))}
		for _, feed := range s.Feeds {
			v.Rows = append(v.Rows, feed.Rows[0])
		}
		for _, c := range s.Classes {
			for _, task := range slices.Concat(c.OnStart, c.Tasks) {
				if path := task.Path.Append(nil, v); len(path) == 0 || path[0] != '/' || strings.ContainsAny(string(path), " \r\n") {
					t.Errorf("path %q", path)
				}
				for _, h := range task.Header {
					if value := h.Value.Append(nil, v); strings.ContainsAny(string(value), "\r\n") {
						t.Errorf("header %q", value)
					}
				}
			}
		}
	})
}
