package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

func TestConnectionFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "both.pem")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		err  string // part of it; empty: none
		want []any  // source addresses, lengths of --cacert, --cert, --key
	}{
		{"", "", []any{"[]", 0, 0, 0}},
		{"--source-ip 127.0.0.1,127.0.0.1 --source-ip 127.0.0.1", "", []any{"[127.0.0.1 127.0.0.1 127.0.0.1]", 0, 0, 0}},
		{"--source-ip lo", `got "lo", want addresses of this machine`, nil},
		{"--source-ip 192.0.2.1", `got "192.0.2.1", want addresses of this machine`, nil}, // which is nobody's (RFC 5737)
		{"--cert " + file, "", []any{"[]", 0, 4, 4}},
		{"--cacert " + file, "", []any{"[]", 4, 0, 0}},
		{"--cacert no-such-file", "--cacert: open no-such-file", nil},
		{"--key " + file, "--key: got " + file + " without --cert, want both", nil},
		{"--cert " + file + " --key no-such-file", "--key: open no-such-file", nil},
		{"--conn-max-requests 0", "got \"0\"", nil},
		{"--conn-max-age 0", "want a duration of more than 0", nil},
	} {
		l, f := newLoadFlags(), pflag.NewFlagSet("", pflag.ContinueOnError)
		l.connections(f)
		err := f.Parse(strings.Fields(c.args))
		p := l.plan
		if err == nil {
			err = l.fillPEM(&p)
		}
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want an error with %q", c.args, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		addresses := make([]string, len(p.SourceIPs))
		for i, a := range p.SourceIPs {
			addresses[i] = a.String()
		}
		got := []any{"[" + strings.Join(addresses, " ") + "]", len(p.CACert), len(p.Cert), len(p.Key)}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.args, diff)
		}
	}
}
