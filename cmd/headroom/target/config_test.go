package target

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestDefaultIsValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Errorf("Default().Validate() = %v, want nil", err)
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string // "" for a valid configuration
	}{
		{"any free port", func(c *Config) { c.Addr = ":0" }, ""},
		{"IPv6", func(c *Config) { c.Addr = "[::1]:8080" }, ""},
		{"no port", func(c *Config) { c.Addr = "127.0.0.1" }, `--port: got "127.0.0.1", want an address such as 127.0.0.1:8080, with a port 0..65535`},
		{"port too high", func(c *Config) { c.Addr = "127.0.0.1:65536" }, `--port: got "127.0.0.1:65536", want an address such as 127.0.0.1:8080, with a port 0..65535`},
		{"port negative", func(c *Config) { c.Addr = ":-1" }, `--port: got ":-1", want an address such as 127.0.0.1:8080, with a port 0..65535`},
		{"no name", func(c *Config) { c.Hostname = "" }, `$HOSTNAME: got "", want a name for this replica`},
		{"no service time", func(c *Config) { c.ServiceTime = 0 }, ""},
		{"service time negative", func(c *Config) { c.ServiceTime = -time.Second }, "--service-time: got -1s, want 0s..1h"},
		{"service time too long", func(c *Config) { c.ServiceTime = 2 * time.Hour }, "--service-time: got 2h0m0s, want 0s..1h"},
		{"exponential", func(c *Config) { c.Distribution = Exponential }, ""},
		{"distribution", func(c *Config) { c.Distribution = "normal" }, `--distribution: got "normal", want constant or exponential`},
		{"concurrency zero", func(c *Config) { c.Concurrency = 0 }, "--concurrency: got 0, want 1..10000"},
		{"concurrency too high", func(c *Config) { c.Concurrency = 10_001 }, "--concurrency: got 10001, want 1..10000"},
		{"startup negative", func(c *Config) { c.Startup = -1 }, "--startup: got -1ns, want 0s..1h"},
		{"all fail", func(c *Config) { c.FailRate = 1 }, ""},
		{"fail rate too high", func(c *Config) { c.FailRate = 1.5 }, "--fail-rate: got 1.5, want 0..1"},
		{"fail rate not a number", func(c *Config) { c.FailRate = math.NaN() }, "--fail-rate: got NaN, want 0..1"},
		{"every problem", func(c *Config) { *c = Config{Concurrency: -1, FailRate: -1} }, strings.Join([]string{
			`--port: got "", want an address such as 127.0.0.1:8080, with a port 0..65535`,
			`$HOSTNAME: got "", want a name for this replica`,
			`--distribution: got "", want constant or exponential`,
			"--concurrency: got -1, want 1..10000",
			"--fail-rate: got -1, want 0..1",
		}, "\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Default()
			tt.change(&c)
			got := ""
			if err := c.Validate(); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Validate(%+v) =\n%s\nwant\n%s", c, got, tt.want)
			}
			if _, err := New(c); (err == nil) != (tt.want == "") {
				t.Errorf("New(%+v) error = %v, want what Validate says", c, err)
			}
		})
	}
}
