package probe

import (
	"fmt"
	"strings"
	"testing"
)

func TestParseSource(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Source
		ok   bool
	}{
		{"json:hostname", Source{JSONField, "hostname"}, true},
		{"header:X-Served-By", Source{Header, "X-Served-By"}, true},
		{"json:", Source{}, false},
		{"cookie:x", Source{}, false},
		{"hostname", Source{}, false},
		{`json:a"b`, Source{}, false},
		{"", Source{}, false},
	} {
		got, err := ParseSource(c.in)
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("ParseSource(%q) = %v, %v; want %v, ok %v", c.in, got, err, c.want, c.ok)
		}
	}
}

func TestSourceValue(t *testing.T) {
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-served-by:  pod-7 \r\nVia: X-Served-By: no\r\n\r\n"
	for _, c := range []struct{ name, source, body, want string }{
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
		{"header without case", "header:X-Served-By", ``, "pod-7"},
		{"header missing", "header:X-Pod-Name", ``, ""},
	} {
		source, err := ParseSource(c.source)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(source.value([]byte(head), []byte(c.body))); got != c.want {
			t.Errorf("%s: %s in %q = %q, want %q", c.name, c.source, c.body, got, c.want)
		}
	}
}

func TestIdentifierFindsASource(t *testing.T) {
	for _, c := range []struct{ name, head, body, want string }{
		{"field of the service before header of the proxy", "X-Served-By: proxy-1\r\n", `{"hostname":"pod-1"}`, "json:hostname"},
		{"header alone", "HTTP/1.1 200 OK\r\nX-Served-By: r1\r\n", "hello", "header:X-Served-By"},
		{"nothing", "HTTP/1.1 200 OK\r\nServer: nginx\r\n", "<html>", ""},
	} {
		i := NewIdentifier(nil)
		n := i.Identify(200, []byte(c.head), []byte(c.body))
		source, given, ok := i.Source()
		if c.want == "" {
			if ok || n != Unknown {
				t.Errorf("%s: found %v, replica %d; want none", c.name, source, n)
			}
			continue
		}
		if !ok || given || source.String() != c.want || n != 0 {
			t.Errorf("%s: found %v (given %v, ok %v), replica %d; want %s, 0", c.name, source, given, ok, n, c.want)
		}
	}
}

func TestIdentifierNumbersAndLimit(t *testing.T) {
	i := NewIdentifier(&Source{JSONField, "hostname"})
	answer := func(n int) []byte { return fmt.Appendf(nil, `{"hostname":"r%d"}`, n) }
	for n := range 1000 {
		want := int32(min(n, maxReplicas-1))
		if got := i.Identify(200, nil, answer(n)); got != want {
			t.Fatalf("Identify(r%d) = %d, want %d", n, got, want)
		}
	}
	if got := i.Identify(200, nil, answer(3)); got != 3 {
		t.Errorf("Identify(r3) again = %d, want 3", got)
	}
	names := i.Names()
	if len(names) != maxReplicas || names[0] != "r0" || names[maxReplicas-1] != Others {
		t.Errorf("Names() = %d names, first %q, last %q; want %d, r0, %s", len(names), names[0], names[len(names)-1], maxReplicas, Others)
	}
	body := answer(3)
	if n := testing.AllocsPerRun(100, func() { i.Identify(200, nil, body) }); n != 0 {
		t.Errorf("a known replica costs %v allocations, want 0", n)
	}
}

// The page of an error may come from a proxy; what it says is used only once
// it is known where to look.
func TestIdentifierLearnsFromGoodAnswers(t *testing.T) {
	i := NewIdentifier(nil)
	head := []byte("HTTP/1.1 502 Bad Gateway\r\nX-Served-By: proxy\r\n\r\n")
	if n := i.Identify(502, head, nil); n != Unknown {
		t.Errorf("Identify(502) = %d, want unknown", n)
	}
	if n := i.Identify(200, head, []byte(`{"hostname":"pod-1"}`)); n != 0 || i.Names()[0] != "pod-1" {
		t.Errorf("Identify(200) = %d, names %v; want pod-1", n, i.Names())
	}
	if n := i.Identify(500, nil, []byte(`{"hostname":"pod-1"}`)); n != 0 {
		t.Errorf("Identify(500) of a known replica = %d, want 0", n)
	}
}

func TestNamesCannotSteerATerminal(t *testing.T) {
	i := NewIdentifier(&Source{Header, "X-Id"})
	n := i.Identify(200, []byte("X-Id: a\x1b[2Jb\r\n"), nil)
	if got := i.Names()[n]; got != "a\uFFFD[2Jb" {
		t.Errorf("name %q, want the escape replaced", got)
	}
	if again := i.Identify(200, []byte("X-Id: a\x1b[2Jb\r\n"), nil); again != n {
		t.Errorf("the same name again is replica %d, want %d", again, n)
	}
	n = i.Identify(200, []byte("X-Id: "+strings.Repeat("x", 500)+"\r\n"), nil)
	if got := []rune(i.Names()[n]); len(got) != longestName {
		t.Errorf("a name of 500 is shown with %d characters, want %d", len(got), longestName)
	}
}
