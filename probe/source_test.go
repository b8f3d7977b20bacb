package probe

import (
	"strconv"
	"strings"
	"testing"
)

func TestParseSource(t *testing.T) {
	for _, tt := range []struct {
		in     string
		places int // 0: refused
	}{
		{"json:hostname", 1},
		{"json:meta.hosts.0", 1},
		{"header:X-Served-By", 1},
		{"cookie:SERVERID", 1},
		{"text:Hostname: *", 1},
		{"text:by * at", 1},
		{"text:1+* +2", 1},
		{"addr", 1},
		{"json:hostname+json:pid", 2},
		{"addr+header:X-Pod-Name+text:a+*", 3},
		{"header:X-Pod-Name+addr", 2},
		{"", 0}, {"json:", 0}, {"json:a..b", 0}, {"json:.a", 0}, {`json:a"b`, 0}, {"hostname", 0}, {"header:a:b", 0},
		{"cookie:a=b", 0}, {"text:no star", 0}, {"text:*", 0}, {"text:a*b*c", 0}, {"addr:x", 0}, {"json:a+", 0}, {"json:a+b", 0}, {"json:a+header:", 0},
	} {
		got, err := ParseSource(tt.in)
		if len(got) != tt.places || (err == nil) != (tt.places > 0) {
			t.Errorf("ParseSource(%q) = %q, %v; want %d places", tt.in, got, err, tt.places)
		}
		if err == nil && got.String() != tt.in {
			t.Errorf("ParseSource(%q) is written %q", tt.in, got)
		}
		if err != nil && (!strings.Contains(err.Error(), strconv.Quote(tt.in)) || strings.Contains(err.Error(), "\n")) {
			t.Errorf("ParseSource(%q): %v, want one line that names it", tt.in, err)
		}
	}
}

func TestSourceFindsTheName(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-served-by:  pod-7 \r\nVia: X-Served-By: no\r\n" +
		"Set-Cookie: theme=dark\r\nset-cookie: SERVERID=s2; path=/\r\nSet-Cookie: quoted=\"q 1\"\r\n\r\n"
	for _, tt := range []struct{ name, source, body, want string }{
		{"fastapi-serve", "json:hostname", `{"cpu_time":0.11,"result":499999500000,"hostname":"gateway-gr6sc"}`, "gateway-gr6sc"},
		{"spaces", "json:hostname", "{\n  \"hostname\" : \"a\"\n}", "a"},
		{"number", "json:pid", `{"pid": 4711, "x": 1}`, "4711"},
		{"negative number", "json:pid", `{"pid":-4}`, "-4"},
		{"number cut off", "json:pid", `{"pid": 47`, ""},
		{"fraction", "json:pid", `{"pid": 4.5}`, ""},
		{"nested", "json:hostname", `{"meta":{"hostname":"b"}}`, "b"},
		{"value, not key", "json:hostname", `{"x":"hostname","hostname":"c"}`, "c"},
		{"escaped quotes", "json:hostname", `{"text":"\"hostname\":\"no\"","hostname":"d"}`, "d"},
		{"longer key", "json:hostname", `{"hostnames":"no"}`, ""},
		{"null", "json:hostname", `{"hostname":null}`, ""},
		{"empty", "json:hostname", `{"hostname":""}`, ""},
		{"escape in the value", "json:hostname", `{"hostname":"a\"b"}`, ""},
		{"cut off", "json:hostname", `{"hostname":"abc`, ""},
		{"cut off in the key", "json:hostname", `{"hostname"`, ""},
		{"no body", "json:hostname", ``, ""},
		{"beyond the first 4 KiB", "json:hostname", `{"x":"` + strings.Repeat("x", MostBody) + `","hostname":"a"}`, ""},
		{"path", "json:meta.host", `{"host":"no","x":{"meta":{"host":"no"}},"meta":{"x":[1,{"host":"no"}],"host":"e"}}`, "e"},
		{"path with positions", "json:hosts.1.name", `{"hosts":[{"name":"a"}, {"n":0,"name":"b"}]}`, "b"},
		{"path to a number", "json:a.pids.0", `{"a":{"pids":[12,13]}}`, "12"},
		{"path of a list", "json:1.host", `["x", {"host":"f"}]`, "f"},
		{"path that ends early", "json:a.b", `{"a":"b"}`, ""},
		{"path beyond a list", "json:a.2", `{"a":[0,1]}`, ""},
		{"path, cut off", "json:a.b", `{"a":{"x":"long`, ""},
		{"path over strings with quotes", "json:a.b", `{"x\"":"}{","a":{"s":"\\","b":"g"}}`, "g"},
		{"not JSON", "json:a.b", `<html>`, ""},
		{"header without case", "header:X-Served-By", ``, "pod-7"},
		{"header missing", "header:X-Pod-Name", ``, ""},
		{"cookie", "cookie:SERVERID", ``, "s2"},
		{"cookie in quotes", "cookie:quoted", ``, "q 1"},
		{"cookie missing", "cookie:SERVER", ``, ""},
		{"text", "text:Hostname: *", "Name: x\nHostname: 8f3b\nIP: 127.0.0.1\n", "8f3b"},
		{"text up to a tag", "text:served by *", "<p>served by node-1</p>", "node-1"},
		{"text between", "text:by * at", "served by node 1 at 12:00", "node 1"},
		{"text without its end", "text:by *!", "served by node 1", ""},
		{"text from the beginning", "text:*: ready", "node-3: ready", "node-3"},
		{"text missing", "text:Hostname: *", "hostname: x", ""},
		{"address", "addr", ``, "10.0.0.7:80"},
		{"joined", "json:hostname+json:pid", `{"pid":7,"hostname":"h"}`, "h/7"},
		{"joined with an address", "addr+header:X-Served-By", ``, "10.0.0.7:80/pod-7"},
		{"joined, one missing", "json:hostname+json:pid", `{"hostname":"h"}`, ""},
	} {
		source, err := ParseSource(tt.source)
		if err != nil {
			t.Fatal(err)
		}
		a := &Answer{Head: []byte(head), Body: []byte(tt.body), Remote: "10.0.0.7:80"}
		if got := string(source.appendName(nil, a)); got != tt.want {
			t.Errorf("%s: %s in %.80q = %q, want %q", tt.name, source, tt.body, got, tt.want)
		}
		var buf [64]byte
		if n := testing.AllocsPerRun(10, func() { source.appendName(buf[:0], a) }); n != 0 {
			t.Errorf("%s: %s allocates %v times, want 0", tt.name, source, n)
		}
	}
}

// Whatever an answer is, looking at it ends, and finds parts of it.
func FuzzSource(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\n\r\n", `{"a":{"b":[1,"x"]}}`, "json:a.b.1+cookie:a+text:x*")
	f.Add("", `{"a":`, "json:a")
	f.Fuzz(func(t *testing.T, head, body, source string) {
		a := &Answer{Status: 200, Head: []byte(head), Body: []byte(body), Remote: "r"}
		newEvidence().add(a)
		s, err := ParseSource(source)
		if err != nil {
			return
		}
		for _, p := range s {
			if p.Kind == Remote {
				continue
			}
			if got := string(p.value(a)); !strings.Contains(body, got) && !strings.Contains(head, got) {
				t.Errorf("%s = %q, which is not in the answer", p, got)
			}
		}
	})
}
