package probe

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// balanced is answers of a target: n of them over so many connections, each
// given by write with a random replica.
func balanced(i *Identifier, n, conns, replicas int, pinned bool, write func(n, replica int) (head, body string)) {
	random := rand.New(rand.NewPCG(7, 7))
	for k := range n {
		conn := random.IntN(conns)
		replica := random.IntN(replicas)
		if pinned {
			replica = conn % replicas
		}
		head, body := write(k, replica)
		i.Identify(&Answer{Status: 200, Head: []byte("HTTP/1.1 200 OK\r\n" + head + "\r\n"), Body: []byte(body), Conn: int64(conn), Task: k % 2, Remote: "127.0.0.1:80"})
	}
}

func date(n int) string {
	return fmt.Sprintf("Date: Sun, 22 Nov 2026 09:%02d:%02d GMT\r\n", n/20/60%60, n/20%60)
}

// A place that is known names replicas from the first answer on, however they
// come: none of these orders says that it does not.
func TestIdentifierKeepsAKnownPlace(t *testing.T) {
	for name, replica := range map[string]func(n int) int{
		"one, then another":   func(n int) int { return n / 100 },
		"one, and rarely two": func(n int) int { return (n % 50) / 49 },
		"a new one each time": func(n int) int { return n % 30 },
		"two in turn":         func(n int) int { return n % 2 },
	} {
		i := NewIdentifier(nil)
		for n := range 300 {
			if i.Identify(&Answer{Status: 200, Body: fmt.Appendf(nil, `{"hostname":"pod-%d"}`, replica(n)), Task: n % 4 / 2}) == Unknown {
				t.Errorf("%s: answer %d has no name: %s", name, n, i.Identity().Why)
				break
			}
		}
	}
}

// What servers and frameworks send, and whether that names the replica.
func TestIdentifierFindsTheSource(t *testing.T) {
	id := func(n int) string { return fmt.Sprintf("%016x", uint64(n)*0x9E3779B97F4A7C15) }
	pod := func(r int) string { return "web-7d4b9c6f5-" + []string{"x2x9k", "q8w7z", "lm4tn", "bb5cd"}[r] }
	for _, tt := range []struct {
		name   string
		pinned bool
		write  func(n, r int) (head, body string)
		want   string // "": none
		sure   Sureness
		why    string // a part of it
	}{
		{"FastAPI with a hostname", false, func(n, r int) (string, string) {
			return "server: uvicorn\r\n" + strings.ToLower(date(n)), fmt.Sprintf(`{"cpu_time":0.%d,"result":499999500000,"hostname":"%s"}`, n, pod(r))
		}, "json:hostname", Sure, "4 values in 256 answers"},
		{"the same, each connection with one", true, func(n, r int) (string, string) {
			return "server: uvicorn\r\n", fmt.Sprintf(`{"hostname":"%s"}`, pod(r))
		}, "json:hostname", Sure, "each connection with one of them"},
		{"one replica", false, func(n, r int) (string, string) { return "", `{"hostname":"web-1"}` }, "json:hostname", Likely, "one replica, or one connection to it"},
		{"FastAPI that says nothing", false, func(n, r int) (string, string) {
			return "server: uvicorn\r\n", fmt.Sprintf(`{"result":%d,"took_ms":%d,"ok":true}`, n%3, n%17)
		}, "", "", "nothing in the answers"},
		{"a nested field with a name of its own", false, func(n, r int) (string, string) {
			return date(n), fmt.Sprintf(`{"meta":{"run_on":"%s","at":%d},"label":"%s"}`, pod(r), 1764000000+n/10, []string{"cat", "dog"}[n%2])
		}, "json:run_on", Likely, "look like those of machines"},
		{"labels of a model", false, func(n, r int) (string, string) {
			return date(n), fmt.Sprintf(`{"label":"%s","score":0.%d}`, []string{"cat", "dog", "horse"}[n*7%3], n)
		}, "", "", "nothing"},
		{"what was asked for, said again", false, func(n, r int) (string, string) {
			return date(n), fmt.Sprintf(`{"node":"/path-%d"}`, n%2)
		}, "", "", "it follows from what was asked for"},
		{"Flask with a container id in a header", false, func(n, r int) (string, string) {
			return "Server: Werkzeug/3.0\r\nX-Container: " + []string{"3f4e5d6c7b8a", "0a1b2c3d4e5f", "9f8e7d6c5b4a", "111111111111"}[r] + "\r\n", "hello"
		}, "header:X-Container", Sure, ""},
		{"Express with request ids", false, func(n, r int) (string, string) {
			return "X-Powered-By: Express\r\nETag: W/\"c-" + id(n%3) + "\"\r\nX-Request-Id: " + id(n) + "\r\nX-Correlation-Id: " + id(n) + "\r\n", "Hello World!"
		}, "", "", "nothing"},
		{"Express behind a sticky session", true, func(n, r int) (string, string) {
			return "X-Powered-By: Express\r\nSet-Cookie: connect.sid=s%3A" + id(r) + "; Path=/\r\n", "Hello World!"
		}, "", "", "nothing"},
		{"HAProxy with a cookie", false, func(n, r int) (string, string) {
			return "set-cookie: SERVERID=" + fmt.Sprintf("s%d", r+1) + "; path=/\r\n", "x"
		}, "cookie:SERVERID", Sure, ""},
		{"nginx that adds the upstream", false, func(n, r int) (string, string) {
			return "Server: nginx/1.22.1\r\n" + date(n) + fmt.Sprintf("X-Upstream-Addr: 10.0.3.%d:8000\r\n", r+4), "<html>"
		}, "header:X-Upstream-Addr", Sure, ""},
		{"nginx with a static site", false, func(n, r int) (string, string) {
			return "Server: nginx/1.22.1\r\n" + date(n) + "Last-Modified: Sun, 22 Nov 2026 01:00:00 GMT\r\nETag: \"65-1\"\r\nAccept-Ranges: bytes\r\nX-Cache: " + []string{"HIT", "MISS"}[n%2] + "\r\n", "<html><h1>It works</h1>"
		}, "", "", "nothing"},
		{"Envoy", false, func(n, r int) (string, string) {
			return fmt.Sprintf("server: envoy\r\nx-envoy-upstream-service-time: %d\r\nx-request-id: %s\r\n", n%7, id(n)), "ok"
		}, "", "", "nothing"},
		{"Envoy with a host header", false, func(n, r int) (string, string) {
			return fmt.Sprintf("server: envoy\r\nx-envoy-upstream-service-time: %d\r\nx-envoy-upstream-host: 10.1.0.%d:80\r\n", n%7, r), "ok"
		}, "header:x-envoy-upstream-host", Sure, ""},
		{"traefik/whoami", false, func(n, r int) (string, string) {
			return date(n), fmt.Sprintf("Hostname: %s\nIP: 10.0.0.%d\nRemoteAddr: 10.9.0.1:%d\nGET / HTTP/1.1\n", pod(r), r, 30000+n)
		}, "text:Hostname: *", Sure, ""},
		{"IIS", false, func(n, r int) (string, string) {
			return "Server: Microsoft-IIS/10.0\r\nX-Powered-By: ASP.NET\r\nX-AspNet-Version: 4.0.30319\r\n", "<html>"
		}, "", "", "nothing"},
		{"IIS that names its machine", false, func(n, r int) (string, string) {
			return fmt.Sprintf("Server: Microsoft-IIS/10.0\r\nX-MachineName: WEB0%d\r\n", r), "<html>"
		}, "header:X-MachineName", Sure, ""},
		{"a page with random ids", false, func(n, r int) (string, string) {
			return "Content-Type: text/html\r\n" + date(n), `<input name="csrf" value="` + id(n) + `"><div id="` + id(n*31) + `">`
		}, "", "", "nothing"},
		{"uvicorn, as FastAPI sends", false, func(n, r int) (string, string) {
			return strings.ToLower(date(n)) + "server: uvicorn\r\ncontent-length: 17\r\ncontent-type: application/json\r\nx-process-time: 0.00" + fmt.Sprint(n) + "\r\n", `{"Hello":"World"}`
		}, "", "", "nothing"},
		{"uvicorn with a process id", false, func(n, r int) (string, string) {
			return strings.ToLower(date(n)) + "server: uvicorn\r\n", fmt.Sprintf(`{"id":"%s","pid":%d}`, id(n), 4711+r)
		}, "json:pid", Sure, ""},
		{"Flask", false, func(n, r int) (string, string) {
			return "Server: Werkzeug/3.0.1 Python/3.11.4\r\n" + date(n) + "Content-Type: text/html; charset=utf-8\r\nContent-Length: 20\r\nVary: Cookie\r\n" +
				"Set-Cookie: session=eyJuIjoi" + id(n) + "In0.ZW1.x; HttpOnly; Path=/\r\nConnection: close\r\n", "<p>Hello, World!</p>"
		}, "", "", "nothing"},
		{"Express", false, func(n, r int) (string, string) {
			return "X-Powered-By: Express\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 12\r\nETag: W/\"c-Lve95gjOVATpfV8EL5X4nxwjKHE\"\r\n" +
				date(n) + "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n", "Hello World!"
		}, "", "", "nothing"},
		{"Traefik that passes on what Go sends", false, func(n, r int) (string, string) {
			return "Content-Length: 3\r\nContent-Type: text/plain; charset=utf-8\r\n" + date(n), "ok\n"
		}, "", "", "nothing"},
		{"Traefik with a sticky cookie, whose values are hashes", true, func(n, r int) (string, string) {
			return date(n) + "Set-Cookie: lb=" + id(r) + "; Path=/\r\n", "ok"
		}, "", "", "nothing"},
		{"IIS behind Azure, which names instances by hashes", false, func(n, r int) (string, string) {
			return "Server: Microsoft-IIS/10.0\r\nX-Powered-By: ASP.NET\r\n" + date(n) + "Set-Cookie: ARRAffinity=" + strings.Repeat(id(r+1), 4) + ";Path=/;HttpOnly;Domain=x.azurewebsites.net\r\n", "<html>"
		}, "cookie:ARRAffinity", Likely, "look like those of machines"},
		{"Django with a token for each page", false, func(n, r int) (string, string) {
			return "Server: gunicorn\r\n" + date(n) + "X-Frame-Options: DENY\r\nVary: Cookie\r\nSet-Cookie: csrftoken=" + id(n) + "; Path=/\r\n", `<div id="` + id(n) + `">`
		}, "", "", "nothing"},
		{"Rails", false, func(n, r int) (string, string) {
			return "X-Request-Id: " + id(n) + "\r\nX-Runtime: 0.0" + fmt.Sprint(n) + "\r\nETag: W/\"" + id(n%5) + "\"\r\nCache-Control: max-age=0, private\r\n", "<html>"
		}, "", "", "nothing"},
		{"JSON with random ids where names stand", false, func(n, r int) (string, string) { return "", `{"instance_id":"` + id(n) + `"}` }, "", "", "as request ids and times do"},
		{"a clock that stands still for a while", false, func(n, r int) (string, string) {
			return "", fmt.Sprintf(`{"host_time":"%d"}`, 1764000000+n/16)
		}, "", "", "do not come back"},
		{"a header of a proxy and a field of the service", false, func(n, r int) (string, string) {
			return "X-Served-By: proxy-1\r\n", fmt.Sprintf(`{"hostname":"%s"}`, pod(r))
		}, "json:hostname", Sure, ""},
		{"the host of the proxy stays, another field differs", false, func(n, r int) (string, string) {
			return "", fmt.Sprintf(`{"worker":"%s"}`, pod(r))
		}, "json:worker", Sure, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i := NewIdentifier(nil)
			balanced(i, learnOver, 8, 4, tt.pinned, tt.write)
			got := i.Identity()
			if got.Source.String() != tt.want || got.Sure != tt.sure || got.Given || !strings.Contains(got.Why, tt.why) || got.Why == "" {
				t.Errorf("got %q (%s: %s), want %q (%s: … %s …)", got.Source, got.Sure, got.Why, tt.want, tt.sure, tt.why)
			}
			named := 0
			for _, name := range i.Names() {
				if name != "" {
					named++
				}
			}
			if tt.want == "" && named > 0 || tt.want != "" && named == 0 {
				t.Errorf("got names %q", i.Names())
			}
		})
	}
}

// A well-known place is used from the first answer on.
func TestIdentifierNamesTheFirstAnswer(t *testing.T) {
	i := NewIdentifier(nil)
	if n := i.Identify(&Answer{Status: 200, Body: []byte(`{"hostname":"a"}`)}); n != 0 || i.Names()[0] != "a" || i.Identity().Sure != Likely {
		t.Errorf("got %d of %q, %+v; want a at once, likely", n, i.Names(), i.Identity())
	}
}

// One that was found too early makes place for a better one, and its names go.
func TestIdentifierCorrectsItself(t *testing.T) {
	i := NewIdentifier(nil)
	balanced(i, learnOver, 4, 3, false, func(n, r int) (string, string) {
		return fmt.Sprintf("X-Instance-Id: %x\r\nX-Backend-Server: b%d\r\n", n*n+7, r), ""
	})
	if got := i.Identity(); got.Source.String() != "header:X-Backend-Server" {
		t.Errorf("got %+v, want header:X-Backend-Server", got)
	}
	seen := map[string]int{}
	for _, name := range i.Names() {
		seen[name]++
	}
	if delete(seen, ""); len(seen) != 3 || seen["b0"] != 1 {
		t.Errorf("got names %q, want b0 to b2", i.Names())
	}
}

// A target that names every answer differently names no replica: neither
// memory nor the table may grow.
func TestIdentifierGivesUpNamesThatNeverRepeat(t *testing.T) {
	for _, given := range []Source{nil, {{JSONField, "hostname"}}} {
		i := NewIdentifier(given)
		for n := range 100_000 {
			body := fmt.Appendf(nil, `{"hostname":"h%d"}`, n%4) // looks good while it is learned
			if n >= learnOver || given != nil {
				body = fmt.Appendf(nil, `{"hostname":"req-%d"}`, n)
			}
			i.Identify(&Answer{Status: 200, Body: body, Conn: int64(n % 8)})
		}
		got := i.Identity()
		if len(got.Source) > 0 || !strings.Contains(got.Why, "json:hostname was given up") && !strings.Contains(got.Why, "as request ids") {
			t.Errorf("given %q: got %+v, want it given up with a reason", given, got)
		}
		if names := i.Names(); len(names) > mostDropped*maxReplicas || strings.Join(names, "") != "" {
			t.Errorf("given %q: %d names are left, such as %q", given, len(names), strings.Join(names, "")[:20])
		}
	}
}

func TestIdentifierNumbersAndLimit(t *testing.T) {
	i := NewIdentifier(Source{{JSONField, "hostname"}})
	answer := func(n int) *Answer { return &Answer{Status: 200, Body: fmt.Appendf(nil, `{"hostname":"r%d"}`, n)} }
	for range 3 {
		for n := range 1000 {
			for range 3 { // each comes more than once
				want := int32(min(n, maxReplicas-1))
				if got := i.Identify(answer(n)); got != want {
					t.Fatalf("Identify(r%d) = %d, want %d", n, got, want)
				}
			}
		}
	}
	names := i.Names()
	if len(names) != maxReplicas || names[0] != "r0" || names[maxReplicas-1] != Others {
		t.Errorf("Names() = %d names, first %q, last %q; want %d, r0, %s", len(names), names[0], names[len(names)-1], maxReplicas, Others)
	}
	a := answer(3)
	if n := testing.AllocsPerRun(100, func() { i.Identify(a) }); n != 0 {
		t.Errorf("a known replica costs %v allocations, want 0", n)
	}
}

// The page of an error may come from a proxy; what it says is used only once
// it is known where to look.
func TestIdentifierLearnsFromGoodAnswers(t *testing.T) {
	i := NewIdentifier(nil)
	head := []byte("HTTP/1.1 502 Bad Gateway\r\nX-Served-By: proxy\r\n\r\n")
	if n := i.Identify(&Answer{Status: 502, Head: head}); n != Unknown {
		t.Errorf("Identify(502) = %d, want unknown", n)
	}
	if n := i.Identify(&Answer{Status: 200, Head: head, Body: []byte(`{"hostname":"pod-1"}`)}); n != 0 || i.Names()[0] != "pod-1" {
		t.Errorf("Identify(200) = %d, names %v; want pod-1", n, i.Names())
	}
	if n := i.Identify(&Answer{Status: 500, Body: []byte(`{"hostname":"pod-1"}`)}); n != 0 {
		t.Errorf("Identify(500) of a known replica = %d, want 0", n)
	}
}

// A target of one replica shows nothing that differs; a second one does.
func TestIdentifierLooksAgain(t *testing.T) {
	i := NewIdentifier(nil)
	for replicas := 1; replicas <= 2; replicas++ {
		balanced(i, learnOver, 8, replicas, false, func(n, r int) (string, string) { return "X-Box: box-" + "12"[r:r+1] + "\r\n", "" })
		if got, want := i.Identity().Source.String(), []string{"", "header:X-Box"}[replicas-1]; got != want {
			t.Errorf("%d replicas: got %q, want %q", replicas, got, want)
		}
		i.Again()
	}
}

// What is said of a source follows what it names later, and costs nothing once
// that is known.
func TestIdentifierJudgesAgainWhenNamesCome(t *testing.T) {
	i := NewIdentifier(nil)
	answer := func(n, replica int) {
		i.Identify(&Answer{Status: 200, Body: fmt.Appendf(nil, `{"hostname":"web-%d"}`, replica), Conn: int64(n % 8), Task: n % 3})
	}
	said := func(when string, sure Sureness, why string) {
		t.Helper()
		if got := i.Identity(); got.Source.String() != "json:hostname" || got.Sure != sure || !strings.Contains(got.Why, why) || i.state.Load().learning {
			t.Errorf("%s: %s is %s: %s; want json:hostname, %s: … %s …, and that it is not looked at any more", when, got.Source, got.Sure, got.Why, sure, why)
		}
	}
	for n := range learnOver {
		answer(n, 1)
	}
	said("one replica", Likely, "the same in all 256 answers")
	for n := range 10 * learnOver {
		answer(n, 1+n%100/99) // the second one is rare
	}
	said("a second one", Sure, "2 values in 512 answers, which come back")
	for n := range 10 * learnOver {
		answer(n, n%20)
	}
	said("many", Sure, "20 values in ")
	if names := i.Names(); len(names) != 20 {
		t.Errorf("%d names, want 20: none may be lost", len(names))
	}
}

// Where what comes later speaks against a source, its names stay, and that is
// said.
func TestIdentifierDoubtsLater(t *testing.T) {
	i := NewIdentifier(nil)
	for n := range 2 * learnOver {
		i.Identify(&Answer{Status: 200, Head: fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nX-Instance-Id: service-%d\r\n\r\n", n/learnOver), Task: n / learnOver})
	}
	got := i.Identity()
	if got.Source.String() != "header:X-Instance-Id" || got.Sure != Likely || !strings.Contains(got.Why, "since then: it follows from what was asked for") || len(i.Names()) != 2 {
		t.Errorf("got %+v of %q, want it kept, with the doubt", got, i.Names())
	}
}

func TestNamesCannotSteerATerminal(t *testing.T) {
	i := NewIdentifier(Source{{Header, "X-Id"}})
	escape := &Answer{Status: 200, Head: []byte("X-Id: a\x1b[2Jb\r\n")}
	n := i.Identify(escape)
	if got := i.Names()[n]; got != "a\uFFFD[2Jb" {
		t.Errorf("name %q, want the escape replaced", got)
	}
	if again := i.Identify(escape); again != n {
		t.Errorf("the same name again is replica %d, want %d", again, n)
	}
	n = i.Identify(&Answer{Status: 200, Head: []byte("X-Id: " + strings.Repeat("x", 500) + "\r\n")})
	if got := []rune(i.Names()[n]); len(got) != longestName {
		t.Errorf("a name of 500 is shown with %d characters, want %d", len(got), longestName)
	}
}

// What naming costs for each answer, of the some 10 µs that a request does.
func BenchmarkIdentify(b *testing.B) {
	head := []byte("HTTP/1.1 200 OK\r\nserver: uvicorn\r\ndate: Sun, 22 Nov 2026 09:00:00 GMT\r\ncontent-length: 70\r\ncontent-type: application/json\r\nx-served-by: web-1\r\n\r\n")
	body := []byte(`{"cpu_time":0.1123,"result":499999500000,"meta":{"pid":12},"hostname":"gateway-gr6sc"}`)
	for _, s := range []string{"json:hostname", "json:meta.pid", "header:X-Served-By", "text:hostname\":\"*\"", "json:hostname+json:pid", ""} {
		b.Run(s, func(b *testing.B) {
			source, _ := ParseSource(s)
			i := NewIdentifier(source)
			if s == "" { // nothing was found
				balanced(i, learnOver, 2, 2, false, func(int, int) (string, string) { return "", "x" })
			}
			a := &Answer{Status: 200, Head: head, Body: body}
			b.ReportAllocs()
			for b.Loop() {
				i.Identify(a)
			}
		})
	}
}

// What few answers say is the same words while they come and when they end.
func TestIdentityOfFewAnswers(t *testing.T) {
	i := NewIdentifier(nil)
	for n := range 5 {
		i.Identify(&Answer{Status: 200, Body: []byte(`{"hostname":"web-1"}`), Conn: int64(n)})
	}
	if got, want := i.Identity().Why, "a place where replicas name themselves, known from few answers"; got != want {
		t.Errorf("5 answers: Why = %q, want %q", got, want)
	}
}
