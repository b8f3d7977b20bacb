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

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

func TestAddressOf(t *testing.T) {
	for target, want := range map[string]string{
		"http://example.com/": "example.com:80", "https://example.com": "example.com:443", "HTTP://example.com": "example.com:80",
		"http://example.com:8000/x": "example.com:8000", "http://[::1]/": "[::1]:80", "https://[::1]:8443/": "[::1]:8443",
	} {
		if got, err := addressOf(target); err != nil || got != want {
			t.Errorf("addressOf(%q) = %q, %v; want %q", target, got, err, want)
		}
	}
}

// A target is served by our scaler also where its URL leaves the port to the
// scheme.
func TestFindBackend(t *testing.T) {
	policy := profiles.FixedPolicy(3)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/policy" || r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("the scaler is asked for %s with %q", r.URL, r.Header.Get("Authorization"))
		}
		_ = json.NewEncoder(w).Encode(policy)
	}))
	t.Cleanup(api.Close)
	dir := filepath.Join(t.TempDir(), "headroom")
	t.Setenv("XDG_RUNTIME_DIR", filepath.Dir(dir))
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, port := range map[string]string{"plain": "80", "other": "8000"} {
		entry := fmt.Sprintf(`{"version":%q,"name":%q,"pid":%d,"service":"127.0.0.1:%s","api":%q,"token":"secret"}`,
			profiles.Version, name, os.Getpid(), port, strings.TrimPrefix(api.URL, "http://"))
		if err := os.WriteFile(filepath.Join(dir, name+".json"), []byte(entry), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for target, found := range map[string]bool{
		"http://127.0.0.1/": true, "http://localhost/x?y=1": true, "http://127.0.0.1:80": true, "http://127.0.0.1:8000/": true,
		"http://127.0.0.1:8001/": false, "https://127.0.0.1/": false, "http://example.com/": false,
	} {
		back, err := findBackend(t.Context(), target)
		if err != nil || (back.client != nil) != found {
			t.Errorf("findBackend(%q) = %+v, %v; want found %v", target, back, err, found)
		}
		if diff := cmp.Diff(policy, back.policy); found && diff != "" {
			t.Errorf("findBackend(%q), policy (-want +got):\n%s", target, diff)
		}
	}
}
