package profiles

import (
	"strings"
	"testing"
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

func FuzzDraftOfOpenAPI(f *testing.F) {
	f.Add([]byte(exampleOpenAPI))
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, err := DraftOfOpenAPI(data); err == nil {
			reread(t, d)
		}
	})
}
