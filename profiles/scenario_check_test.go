package profiles

import (
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const checkedScenario = `version: headroom/v1
tasks:
  - name: item
    get: /
    capture: [{name: token, json: token}]
    check: {status: [200, 201], time: 2s, contains: price, header: {Content-Type: text/plain, X-Id: null},
            json: [{path: "items[0].id"}, {path: ok, equals: true}]}
`

// What an answer missed is named, with what came and what was wanted.
func TestJudgeSaysWhatWasMissed(t *testing.T) {
	request := &mustScenario(t, checkedScenario).Classes[0].Tasks[0].Request
	const head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Id: 1\r\n\r\n"
	const body = `{"price": 1, "items": [{"id": 7}], "ok": true, "token": "t"}`
	long := strings.Repeat("x", 100)
	for _, c := range []struct {
		name       string
		status     int
		head, body string
		took       time.Duration
		want       string
	}{
		{"good", 200, head, body, time.Second, ""},
		{"status", 302, head, body, 0, "item: check status: got 302, want 200 201"},
		{"time", 201, head, body, 2345 * ms, "item: check time: took 2.35s, want at most 2s"},
		{"header missing", 200, "X-Id: 1\r\n", body, 0, `item: check header Content-Type: got nothing, want "text/plain"`},
		{"header", 200, "Content-Type: " + long, body, 0, `item: check header Content-Type: got "` + long[:60] + `...", want "text/plain"`},
		{"header of any value", 200, "Content-Type: text/plain", body, 0, "item: check header X-Id: got nothing"},
		{"contains", 200, head, long, 0, `item: check contains "price": got "` + long[:60] + `..."`},
		{"nothing", 200, head, "", 0, `item: check contains "price": got an empty body`},
		{"no JSON", 200, head, "price", 0, `item: check json: got "price", which is not JSON`},
		{"more", 200, head, `"price" 1`, 0, `item: check json: got "\"price\" 1", which is more than one JSON value`},
		{"no value", 200, head, `{"price": 1}`, 0, "item: check json items[0].id: got nothing"},
		{"value", 200, head, strings.Replace(body, "true", `"no"`, 1), 0, `item: check json ok: got "no", want "true"`},
		{"capture", 200, head, strings.Replace(body, "token", "taken", 1), 0, "item: capture token: the answer has nothing for it"},
	} {
		captured := make([]string, 1)
		err := request.Judge(Answer{Status: c.status, Head: []byte(c.head), Body: []byte(c.body), Took: c.took}, captured)
		if got := text(err); got != c.want || (err == nil) != (captured[0] == "t") {
			t.Errorf("%s: Judge = %q, captured %q; want %q", c.name, got, captured, c.want)
		}
	}
}

// The name of a check does not depend on the answer, or rows of failures would
// have no end.
func TestChecksHaveFewNames(t *testing.T) {
	request := &mustScenario(t, checkedScenario).Classes[0].Tasks[0].Request
	names := map[string]bool{
		"item: check status": true, "item: check time": true, "item: check header Content-Type": true, "item: check header X-Id": true,
		`item: check contains "price"`: true, "item: check json": true, "item: check json items[0].id": true, "item: check json ok": true,
		"item: capture token": true,
	}
	rapid.Check(t, func(t *rapid.T) {
		status := rapid.SampledFrom([]int{200, 204, 301, 404, 500}).Draw(t, "status")
		head := rapid.SampledFrom([]string{"", "Content-Type: text/plain\r\n", "X-Id: 3\r\nContent-Type: text/plain\r\n"}).Draw(t, "head") + rapid.String().Draw(t, "rest")
		body := rapid.SampledFrom([]string{"", "price", `{"price":1,"items":[{"id":2}],"ok":true}`, `{"price":1,"items":[{"id":2}],"ok":1}`}).Draw(t, "body") + rapid.String().Draw(t, "more")
		took := time.Duration(rapid.Int64Range(0, int64(3*time.Second)).Draw(t, "took"))
		err := request.Judge(Answer{Status: status, Head: []byte(head), Body: []byte(body), Took: took}, make([]string, 1))
		var missed *Missed
		if err != nil && (!errors.As(err, &missed) || !names[missed.Check] || len(err.Error()) > 1000) {
			t.Fatalf("Judge = %v, want one of the checks in a line", err)
		}
	})
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
