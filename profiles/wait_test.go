package profiles

import (
	"testing"
	"time"
)

func TestParseWait(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		in   string
		want Wait
		text string // how it is written again; empty: it is refused
	}{
		{"0", Wait{}, "0s"},
		{"1s", Wait{Min: s, Max: s}, "1s"},
		{"2", Wait{Min: 2 * s, Max: 2 * s}, "2s"},
		{"1s..3s", Wait{Min: s, Max: 3 * s}, "1s..3s"},
		{"pacing:1s", Wait{Min: s, Max: s, Pacing: true}, "pacing:1s"},
		{"throughput:0.5", Wait{Min: 2 * s, Max: 2 * s, Pacing: true}, "pacing:2s"},
		{"throughput:30/1m", Wait{Min: 2 * s, Max: 2 * s, Pacing: true}, "pacing:2s"},
		{"throughput:", Wait{}, ""},
		{"throughput:0", Wait{}, ""},
		{"throughput:1e12", Wait{}, ""},
		{"throughput:1..2", Wait{}, ""},
		{"3s..1s", Wait{}, ""},
		{"pacing:0s", Wait{}, ""},
		{"pacing:1s..2s", Wait{}, ""},
		{"-1s", Wait{}, ""},
		{"soon", Wait{}, ""},
		{"", Wait{}, ""},
	} {
		got, err := ParseWait(c.in)
		if (err == nil) != (c.text != "") || err == nil && (got != c.want || got.String() != c.text) {
			t.Errorf("ParseWait(%q) = %+v (%s), %v; want %+v (%s)", c.in, got, got, err, c.want, c.text)
		}
	}
}

// A scenario has the same ones, and keys for them.
func TestWaitOfAScenario(t *testing.T) {
	for in, want := range map[string]string{
		"2s": "2s", "5": "5s", "1s..3s": "1s..3s", "pacing:5s": "pacing:5s",
		"{between: [1s, 3]}": "1s..3s", "{pacing: 5s}": "pacing:5s", "{throughput: 0.5}": "pacing:2s",
	} {
		s := mustScenario(t, "version: headroom/v1\nwait: "+in+"\ntasks: [{get: /}]\n")
		if got := s.Classes[0].Tasks[0].Wait.String(); got != want {
			t.Errorf("wait: %s is %s, want %s", in, got, want)
		}
	}
}
