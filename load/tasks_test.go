package load

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headroom/probe"
	"headroom/profiles"
)

func scenario(t testing.TB, text string) *profiles.Scenario {
	t.Helper()
	s, err := profiles.ParseScenario([]byte("version: headroom/v1\n"+text), profiles.Surroundings{
		Getenv:   func(string) (string, bool) { return "", false },
		ReadFile: func(string) ([]byte, error) { return []byte("name\na\nb\nc\n"), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// In virtual time: how often what is sent, and how far apart.
func TestTasksByWeight(t *testing.T) {
	plan := closedPlan(40, 1000, 100*time.Second)
	plan.Scenario = scenario(t, `
on_start: [{name: login, get: /login}]
tasks:
  - {name: hello, get: /, wait: 900ms}
  - {name: chat, weight: 3, post: /chat}
  - {name: rare, get: /rare}
wait: {pacing: 1s}
users:
  - {name: readers, weight: 3, tasks: [hello]}
  - {name: writers, tasks: [chat, rare]}
`)
	r := run(t, plan, fake(100*time.Millisecond, nil), nil)
	count := map[string]int64{}
	for _, s := range r.Requests {
		count[s.Name] = s.Count
	}
	if count["login"] != 40 {
		t.Errorf("%d times login, want 40: once a user", count["login"])
	}
	// 30 readers and 10 writers send once a second each.
	if n := count["hello"]; n < 2960 || n > 3030 {
		t.Errorf("%d times hello, want about 3000", n)
	}
	if n := count["chat"] + count["rare"]; n < 980 || n > 1020 {
		t.Errorf("%d times chat and rare, want about 1000", n)
	}
	if share := float64(count["chat"]) / float64(count["chat"]+count["rare"]); share < 0.7 || share > 0.8 {
		t.Errorf("chat is %.2f of its class, want 0.75", share)
	}
	if r.Total.Count != count["login"]+count["hello"]+count["chat"]+count["rare"] || r.Total.Name != "all" {
		t.Errorf("%d requests called %q in all, and %v", r.Total.Count, r.Total.Name, count)
	}
}

// An objective for a task is judged on its requests alone, those included that
// wait for their answer.
func TestObjectivesOfATask(t *testing.T) {
	o := fake(0, nil)
	o.SLO = mustSLO(t, "p95<1s,hello.p99<50ms,chat.p99<1s,chat.ttft.p50<500ms,chat.gap.p90<800ms,hello.ttft.p50<1s,hello.rps>10")
	o.NewConn = streaming(map[string]play{"chat": {first: 300 * time.Millisecond, gaps: []time.Duration{time.Second, 700 * time.Millisecond}}})
	const tasks = "tasks: [{name: hello, get: /}, {name: chat, get: /chat}]\nusers: [{name: h, tasks: [hello]}, {name: c, tasks: [chat]}]\nwait: {pacing: 1s}\n"
	for _, c := range []struct {
		name   string
		length time.Duration
		want   []bool // which hold
		waited int64  // that no chat has answered
	}{
		{"answered", 60 * time.Second, []bool{false, true, false, true, false, false, true}, 0},
		{"no chat answered", 1500 * time.Millisecond, []bool{false, true, false, true, false, false, true}, 50},
	} {
		plan := closedPlan(100, 1e6, c.length)
		plan.Scenario = scenario(t, tasks)
		if plan.StopGrace = 0; c.waited == 0 {
			plan.StopGrace = 10 * time.Second
		}
		r := run(t, plan, o, nil)
		for i, objective := range r.SLO {
			if objective.Holds != c.want[i] {
				t.Errorf("%s: %s holds: %v at %s, want %v", c.name, objective.Name, objective.Holds, objective.Format(), c.want[i])
			}
		}
		if got := r.SLO[2].Unanswered; got != c.waited || r.SLO[1].Unanswered != 0 {
			t.Errorf("%s: %d chats and %d hellos without an answer are over the limit, want %d and 0", c.name, got, r.SLO[1].Unanswered, c.waited)
		}
		hello, chat := r.Requests[0], r.Requests[1]
		if hello.Streams != nil || c.waited == 0 && (chat.Streams.Count != chat.Count || chat.Streams.Events != 3*chat.Count) {
			t.Errorf("%s: streams %+v and %+v, want those of the %d chats", c.name, hello.Streams, chat.Streams, chat.Count)
		}
	}
}

// A feed that is read once ends the load with its last row, in both models.
func TestFeedReadOnce(t *testing.T) {
	for _, plan := range []profiles.Plan{closedPlan(2, 100, time.Hour), openPlan(5, profiles.Even, time.Hour)} {
		plan.Scenario = scenario(t, "feeds: [{name: f, file: x, order: once}]\ntasks: [{get: \"/${f.name}\"}]\n")
		r := run(t, plan, fake(100*time.Millisecond, nil), nil)
		if r.Total.Count != 3 || r.Elapsed > time.Minute || r.Spent != "f" {
			t.Errorf("open %v: %d requests in %v, spent %q, want 3 at once of feed f", plan.Open(), r.Total.Count, r.Elapsed, r.Spent)
		}
	}
}

// What a login captures goes into later requests; a login that fails is tried
// again.
func TestCapturesAndChecks(t *testing.T) {
	var logins atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/api/login":
			if logins.Add(1) == 1 {
				io.WriteString(w, `{"error":"not yet"}`)
				return
			}
			var in struct {
				User int
				Name string
			}
			if err := json.Unmarshal(body, &in); err != nil || r.Header.Get("Content-Type") != "application/json" {
				w.WriteHeader(400)
			}
			fmt.Fprintf(w, `{"data":{"token":"%s-%d"},"fill":%q}`, in.Name, in.User, strings.Repeat("x", 20_000))
		case "/api/item":
			w.Header().Set("X-Next", r.Header.Get("Authorization")+"|"+r.URL.Query().Get("q"))
			w.WriteHeader(201)
			io.WriteString(w, "made it")
		}
	}))
	defer server.Close()
	text := `
feeds: [{name: f, file: x}]
on_start:
  - {name: login, post: /login, json: {user: "${user}", name: "${f.name}"}, capture: [{name: token, json: data.token}]}
tasks:
  - name: item
    get: /item
    query: {q: "${token}&"}
    headers: {Authorization: "Bearer ${token}"}
    check: {status: 201, contains: made, header: {X-Next: "Bearer b-1|b-1&"}, time: 10s}
`
	for _, cookies := range []bool{false, true} { // with cookies net/http sends
		logins.Store(0)
		plan := closedPlan(1, 1, 0)
		plan.Target, plan.Requests, plan.Cookies, plan.Scenario = server.URL+"/api/", 12, cookies, scenario(t, text)
		e, err := New(plan, Options{})
		if err != nil {
			t.Fatal(err)
		}
		r, err := e.Run(t.Context())
		if err != nil || r.Total.Count != 12 || r.Requests[0].Count != 2 || r.Requests[1].Count != 10 || r.Requests[1].Failed != 0 {
			t.Errorf("Run = %+v, %v; want 2 logins and 10 items", r.Requests, err)
		}
		if len(r.Failures) != 1 || r.Failures[0].Failure != Check || r.Failures[0].Example != "login: capture token: the answer has nothing for it" {
			t.Errorf("failures %+v, want one login that captured nothing", r.Failures)
		}
	}
	wrong := strings.NewReplacer("status: 201", "status: 200").Replace(text)
	plan := closedPlan(1, 1, 0)
	plan.Target, plan.Scenario = server.URL+"/api", scenario(t, wrong)
	var got []string
	if err := Once(t.Context(), plan, probe.NewIdentifier(nil), func(x Exchange) { got = append(got, fmt.Sprint(x.Name, " ", x.Sample.Status, " ", x.Err)) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{"login 200 <nil>", "item 201 check: item: check status: got 201, want 200"}; !slices.Equal(got, want) {
		t.Errorf("Once shows %q, want %q", got, want)
	}
}

// A request of a scenario that never changes costs what one of a plan costs,
// its checks of status, time and text included.
func TestAStaticTaskAllocatesNothing(t *testing.T) {
	plan := closedPlan(1, 1, 0)
	plan.Scenario = scenario(t, "tasks: [{get: /a, weight: 2, check: {status: 200, time: 1m, contains: pod}}, {get: /b}]\n")
	tasks, err := newTasks(plan)
	if err != nil {
		t.Fatal(err)
	}
	c := connTo(t, listen(t, echo), nil)
	a := tasks.newActor(0, rand.New(rand.NewPCG(1, 1)))
	request := func() {
		a.next()
		s := Sample{}
		if err := c.httpConn.Do(&s, &a.message); err != nil {
			t.Fatal(err)
		}
		a.done(s.OK())
	}
	learn(request)
	if n := testing.AllocsPerRun(500, request); n != 0 {
		t.Errorf("%v allocations per request, want 0", n)
	}
}

// A feed that ends the load has not sent what found it empty.
func TestSentEndsWithTheFeed(t *testing.T) {
	plan := openPlan(50, profiles.Even, 10*time.Second)
	plan.Scenario = scenario(t, `
feeds: [{name: people, file: people.csv, order: once}]
tasks: [{get: "/${people.name}"}]
`)
	r := run(t, plan, fake(time.Millisecond, nil), nil)
	if r.Total.Count != 3 || r.Health.Sent != 3 {
		t.Errorf("%d requests, %d sent; want 3, a row each", r.Total.Count, r.Health.Sent)
	}
}
