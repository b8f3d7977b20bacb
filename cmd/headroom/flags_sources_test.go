package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headroom/advisor"
	"headroom/profiles"
)

func TestWorkersFlags(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		w.Write([]byte(`[]`))
	}))
	t.Cleanup(server.Close)
	t.Setenv("WORKERS_TOKEN", "hidden")
	file := func(text string) string {
		path := filepath.Join(t.TempDir(), "headers")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return "@" + path
	}
	for _, c := range []struct {
		name    string
		url     string
		headers []string
		want    string // Authorization and X-Space; or part of the error
		wrong   bool
	}{
		{"no header", server.URL, nil, "|", false},
		{"the environment", server.URL, []string{"Authorization: Bearer ${env.WORKERS_TOKEN}"}, "Bearer hidden|", false},
		{"a file", server.URL, []string{file("Authorization: Bearer hidden\nX-Space: blue\n")}, "Bearer hidden|blue", false},
		{"in plain text", server.URL, []string{"Authorization: Bearer hidden"}, "got Authorization with a value in plain text", true},
		{"not set", server.URL, []string{"Authorization: ${env.NO_SUCH_TOKEN}"}, "got ${env.NO_SUCH_TOKEN}, which is not set", true},
		{"no name", server.URL, []string{file("hidden")}, "got a line that is no header, want NAME: VALUE", true},
		{"no file", server.URL, []string{"@no-such-file"}, "--workers-header: open no-such-file", true},
		{"a header without a list", "", []string{file("A: b")}, "got it without --workers-url", true},
		{"a path", "/workers?token=hidden", nil, `--workers-url: got "/workers", want a URL such as`, true},
		{"a password that cannot be read", "http://me:p%zzhidden@host/workers", nil, "--workers-url: got one that is none, want a URL such as", true},
		{"a password with a question mark", "me:p?hidden@host", nil, "--workers-url: got one that is none", true},
		{"a password", "http://me:hidden@host/workers", nil, "--workers-url: got one with a name or password", true},
	} {
		list, err := sourceFlags{workers: c.url, headers: c.headers}.list()
		if c.wrong {
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%s: %v, want an error with %q that tells no secret", c.name, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if _, err := list.List(t.Context()); err != nil {
			t.Errorf("%s: List: %v", c.name, err)
		}
		if text := got.Get("Authorization") + "|" + got.Get("X-Space"); text != c.want {
			t.Errorf("%s: asked with %q, want %q", c.name, text, c.want)
		}
	}
}

// A scaler that is given beside the target's own is refused, unless it is that.
func TestConnectKeepsToTheTargetsOwnScaler(t *testing.T) {
	api := func() string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewEncoder(w).Encode(profiles.FixedPolicy(3))
		}))
		t.Cleanup(server.Close)
		return strings.TrimPrefix(server.URL, "http://")
	}
	service := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(service.Close)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	dir := filepath.Join(t.TempDir(), "headroom")
	t.Setenv("XDG_RUNTIME_DIR", filepath.Dir(dir))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	apis := map[string]string{"shop": api(), "side": api()}
	for name, at := range map[string]string{"shop": strings.TrimPrefix(service.URL, "http://"), "side": "127.0.0.1:1"} {
		entry := fmt.Sprintf(`{"version":%q,"name":%q,"pid":%d,"service":%q,"api":%q,"token":"secret"}`, profiles.Version, name, os.Getpid(), at, apis[name])
		if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(entry), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, target, scaler string
		behind               bool
		want                 string // of the error
	}{
		{"its own, found", service.URL, "", false, ""},
		{"its own, by name", service.URL, "shop", false, ""},
		{"its own, by URL", service.URL, "http://" + apis["shop"], false, ""},
		{"another", service.URL, "side", false, "--scaler: got side, want none: the target is the service of the scaler at http://" + apis["shop"]},
		{"that of a balancer", other.URL, "side", true, ""},
		{"none", other.URL, "", false, ""},
	} {
		config := advisor.Config{Plan: profiles.Plan{Target: c.target}}
		err := connect(t.Context(), &config, sourceFlags{scaler: c.scaler})
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want || config.Behind != c.behind {
			t.Errorf("%s: connect: %q, behind %v; want %q, %v", c.name, got, config.Behind, c.want, c.behind)
		}
		if has := config.Scaler != nil; err == nil && has != (c.name != "none") {
			t.Errorf("%s: connect: scaler %v", c.name, has)
		}
	}
	code, _, err := execute(t, "watch", service.URL, "--workers-url", other.URL)
	if want := "headroom: --workers-url: got it for the service of a scaler, want another target"; code != exitUsage || !strings.HasPrefix(err, want) {
		t.Errorf("watch of its service with a list: exit %d, %q, want %d, %s", code, err, exitUsage, want)
	}
}
