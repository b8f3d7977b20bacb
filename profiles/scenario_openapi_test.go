package profiles

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// exampleOpenAPI is what FastAPI serves, shortened.
const exampleOpenAPI = `{"openapi":"3.1.0","info":{"title":"x","version":"1"},"servers":[{"url":"/"},{"url":"https://api.test:8443/v1/"}],"paths":{
"/items/{item_id}":{"get":{"parameters":[
  {"name":"item_id","in":"path","required":true,"schema":{"type":"integer","minimum":5}},
  {"name":"q","in":"query","required":true,"schema":{"type":"string","default":"a b"}},
  {"name":"page","in":"query","required":false,"schema":{"type":"integer"}}],"responses":{"200":{"description":"ok"}}}},
"/predict":{"post":{"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/In"}}}},"responses":{"200":{"description":"ok"}}}}},
"components":{"schemas":{"In":{"type":"object","properties":{
  "x":{"type":"integer"},"id":{"type":"string","format":"uuid"},"note":{"anyOf":[{"type":"string"},{"type":"null"}]},
  "mode":{"enum":["fast","${slow}"]},"more":{"$ref":"#/components/schemas/In"}}}}}}`

func TestDraftOfOpenAPI(t *testing.T) {
	d, err := DraftOfOpenAPI([]byte(exampleOpenAPI))
	if err != nil {
		t.Fatal(err)
	}
	s := reread(t, d)
	if s.Target != "https://api.test:8443" || len(s.Rows) != 2 {
		t.Errorf("target %s, rows %q", s.Target, s.Rows)
	}
	get, post := s.Classes[0].Tasks[0].Request, s.Classes[0].Tasks[1].Request
	if got, want := get.Path.String(), "/v1/items/${random.int 5 100}?q=a+b"; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	for _, want := range []string{`"x":${random.int 1 100}`, `"id":"${random.uuid}"`, `"note":"${random.text 8}"`, `"mode":"fast"`} {
		if !strings.Contains(post.Body.String(), want) {
			t.Errorf("body %s, want %s in it", post.Body.String(), want)
		}
	}
	for _, bad := range []string{"", "[]", `{"openapi":"3.0.0","info":{"title":"x","version":"1"},"paths":{}}`} {
		if _, err := DraftOfOpenAPI([]byte(bad)); err == nil {
			t.Errorf("DraftOfOpenAPI(%q) is no error", bad)
		}
	}
}

// awkwardOpenAPI has what a URL, a header and a form each write in another way,
// and what a scenario has no place for.
const awkwardOpenAPI = `{"openapi":"3.1.0","info":{"title":"x","version":"1"},"security":[{"key":[]}],"paths":{
"/items/{id}/{other}":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"integer"}}],"get":{"parameters":[
  {"name":"id","in":"path","required":true,"example":"a b+c/d","schema":{"type":"string"}},
  {"name":"tag","in":"query","required":true,"schema":{"type":"array","items":{"type":"string"}},"example":["x&y","${z}"]},
  {"name":"n","in":"query","required":true,"explode":false,"schema":{"type":"array","items":{"type":"integer"}}},
  {"name":"any","in":"query","required":true,"schema":{"title":"any"}},
  {"name":"X-Note","in":"header","required":true,"schema":{"type":"string","default":"50% of a/b"}},
  {"name":"session","in":"cookie","required":true,"schema":{"type":"string"}},
  {"name":"filter","in":"query","required":true,"schema":{"type":"object","properties":{"a":{"type":"string"}}}}],"responses":{}}},
"/json":{"post":{"security":[],"requestBody":{"content":{"text/plain":{},"application/json; charset=utf-8":{"example":{"q":"a&b"}}}},"responses":{}}},
"/token":{"post":{"security":[{"login":[]}],"requestBody":{"content":{"application/x-www-form-urlencoded":{"schema":{"type":"object","required":["username","pass word"],
  "properties":{"grant_type":{"type":"string"},"username":{"type":"string","example":"a b&${c}"},"pass word":{"type":"string"}}}}}},"responses":{}}},
"/upload":{"post":{"security":[{}],"requestBody":{"content":{"multipart/form-data":{"schema":{"type":"object"}}}},"responses":{}}}},
"components":{"securitySchemes":{"key":{"type":"apiKey","in":"header","name":"X-Key"},"login":{"type":"oauth2","flows":{}}}}}`

func TestDraftOfAwkwardOpenAPI(t *testing.T) {
	d, err := DraftOfOpenAPI([]byte(awkwardOpenAPI))
	if err != nil {
		t.Fatal(err)
	}
	s := reread(t, d)
	var got []string
	for _, task := range s.Classes[0].Tasks {
		line := task.Method + " " + task.Path.String()
		for _, h := range task.Header {
			line += " " + h.Name + ": " + h.Value.String()
		}
		got = append(got, line+" | "+task.Body.String())
	}
	want := []string{
		`GET /items/a%20b+c%2Fd/${random.text 8}?tag=x%26y&tag=%24%7Bz%7D&n=${random.int 1 100}&any=${random.text 8} X-Note: 50% of a/b | `,
		`POST /json Content-Type: application/json; charset=utf-8 | {"q":"a&b"}`,
		`POST /token Content-Type: application/x-www-form-urlencoded | pass+word=${random.text 8}&username=a+b%26%24%7Bc%7D`,
		`POST /upload | `,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("sends (-want +got):\n%s", d)
	}
	want = []string{
		`GET /items/{id}/{other}: left out the cookie "session"`,
		`GET /items/{id}/{other}: left out the object "filter" of the query`,
		"POST /upload: left out the body, which is multipart/form-data: a scenario has JSON, forms and text",
		`left out the secret of "key", which 1 task wants: give it with --header 'X-Key: ...'`,
		`left out the secret of "login", which 1 task wants: give it with --header 'Authorization: Bearer ...'`,
		"3 tasks may change what the service keeps: look through the tasks",
	}
	if d := cmp.Diff(want, d.Notes); d != "" {
		t.Errorf("notes (-want +got):\n%s", d)
	}
}

func FuzzDraftOfOpenAPI(f *testing.F) {
	f.Add([]byte(exampleOpenAPI))
	f.Add([]byte(awkwardOpenAPI))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := DraftOfOpenAPI(data); err == nil {
			reread(t, d)
		}
	})
}
