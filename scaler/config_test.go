package scaler

import (
	"slices"
	"testing"
	"time"

	"headroom/profiles"
	"headroom/scaler/httpapi"
)

func TestConfigValidate(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Config)
		want []string
	}{
		{"defaults", func(c *Config) {}, nil},
		{"port 0 twice", func(c *Config) { c.Listen, c.API = "127.0.0.1:0", "127.0.0.1:0" }, nil},
		{"any interface for the service", func(c *Config) { c.Listen = ":8000" }, nil},
		{"the least limits", func(c *Config) { c.CPULimit, c.MemoryLimit, c.ReadyPath = leastCPU, leastMemory, "tcp" }, nil},
		{"a negative limit", func(c *Config) { c.CPULimit = -500 }, []string{`--cpu-limit: got -0.5, want 0.01 cores or more`}},
		{"IPv6 API", func(c *Config) { c.API = "[::1]:8001" }, nil},
		{"as many replicas as may be", func(c *Config) { c.Policy = profiles.FixedPolicy(maxReplicas) }, nil},
		{"a policy without a limit", func(c *Config) { c.Policy = rpsPolicy(1, int(profiles.Unlimited)) }, nil},
		{"too many replicas", func(c *Config) { c.Policy = profiles.FixedPolicy(1_000_000) },
			[]string{`policy: replicas.min: got 1000000, want at most 1000 on one machine`}},
		{"too many of them without a limit", func(c *Config) { c.Policy = rpsPolicy(1001, int(profiles.Unlimited)) },
			[]string{`policy: replicas.min: got 1001, want at most 1000 on one machine`}},
		{"too many at some hours", func(c *Config) {
			c.Policy = rpsPolicy(1, 5000)
			c.Policy.Schedules = []profiles.Schedule{{Match: "* 9 * * *", Min: 2000, Max: 3000}, {Match: "* 8 * * *", Max: 4}, {Match: "* 7 * * *", Set: profiles.Settings{{Key: "replicas.max", Value: "unlimited"}}}}
		}, []string{
			`policy: replicas.max: got 5000, want at most 1000 on one machine`,
			`policy: schedules[0].min: got 2000, want at most 1000 on one machine`,
			`policy: schedules[2].max: got unlimited, want at most 1000 on one machine`,
		}},
		{"everything wrong", func(c *Config) {
			*c = Config{
				Name: "Web 1", Env: []string{"A=1", "B", "=2"}, Listen: "8000", API: "0.0.0.0:8001",
				Policy:      profiles.Policy{Version: profiles.Version, Kind: "policy", Down: profiles.Behavior{Order: "newest"}, OnMetricError: profiles.Hold, Combine: "highest"},
				Concurrency: -1, MaxQueue: -1, MaxWait: -1, Dispatch: "fair", ReadyPath: "healthz", LiveInterval: -time.Second, StartTimeout: -1, Timeout: -time.Second, Grace: -time.Minute,
				CPULimit: 9, MemoryLimit: 1000,
			}
		}, []string{
			`--name: got "Web 1", want lower-case letters, digits and dashes, such as web-1`,
			`command: got nothing, want a command after --, such as -- uvicorn main:app --port {port}`,
			`environment: got "B", want KEY=VALUE`,
			`environment: got "=2", want KEY=VALUE`,
			`--listen: got "8000", want HOST:PORT such as 127.0.0.1:8000`,
			`--api: got "0.0.0.0:8001", want HOST:PORT on a loopback address such as 127.0.0.1:8001`,
			`policy: replicas.min: got 0, want 1 or more, or 0 together with toZero`,
			`policy: replicas.max: got nothing, want replicas.min or more, or unlimited`,
			`policy: interval: got 0s, want 1s to 1h`,
			`--concurrency: got -1, want 1 or more`,
			`--max-queue: got -1, want 1 or more`,
			`--dispatch: got "fair", want pack, least-connections, round-robin or random`,
			`--ready-path: got "healthz", want a path such as /healthz, or tcp`,
			`--cpu-limit: got 0.009, want 0.01 cores or more`,
			`--memory-limit: got 1 kB, want 1 MiB or more`,
			`--max-wait: got -1ns, want more than 0`,
			`--live-interval: got -1s, want more than 0`,
			`--start-timeout: got -1ns, want more than 0`,
			`--timeout: got -1s, want more than 0`,
			`--grace: got -1m, want more than 0`,
		}},
		{"API on every interface", func(c *Config) { c.API = ":8001" },
			[]string{`--api: got ":8001", want HOST:PORT on a loopback address such as 127.0.0.1:8001`}},
		{"one address for both", func(c *Config) { c.API = "127.0.0.1:8000" },
			[]string{`--api: got "127.0.0.1:8000", want another address than --listen`}},
		{"a port that is none", func(c *Config) { c.Listen = "127.0.0.1:65536" },
			[]string{`--listen: got "127.0.0.1:65536", want HOST:PORT such as 127.0.0.1:8000`}},
		{"an empty program", func(c *Config) { c.Command = []string{""} },
			[]string{`command: got nothing, want a command after --, such as -- uvicorn main:app --port {port}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := Config{Command: []string{"serve"}, Policy: profiles.FixedPolicy(1)}
			tt.edit(&cfg)
			err := cfg.Validate()
			var got []string
			if err != nil {
				got = httpapi.Problems(err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("Validate:\n got %q\nwant %q", got, tt.want)
			}
			if s, newErr := New(cfg); (newErr == nil) != (err == nil) || (s == nil) != (err != nil) {
				t.Errorf("New: got %v, %v, want the error of Validate, %v", s, newErr, err)
			}
		})
	}
}
