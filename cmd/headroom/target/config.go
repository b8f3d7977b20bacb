package target

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// The distributions of the service time.
const (
	Constant    = "constant"
	Exponential = "exponential"
)

const (
	maxConcurrency = 10_000
	maxTime        = time.Hour // of one service time, start-up or interval
)

// Config says how the service behaves. It is a value; start from Default.
type Config struct {
	Addr         string         // listen address, such as 127.0.0.1:8080
	Hostname     string         // names the replica in every answer
	ServiceTime  time.Duration  // mean service time of /request, 0..1h
	Distribution string         // of the service time: Constant or Exponential
	Concurrency  int            // requests served at a time, 1..10000; the others wait, oldest first
	Startup      time.Duration  // from New until it listens, 0..1h; until then every answer of the handler is a 503
	FailRate     float64        // share of /request answers that are a 500, 0..1; they take their service time too
	Listening    func(net.Addr) // optional; called once, when it listens
	Seed         uint64         // of the random numbers; replicas of other names draw others from it
	HTTP2        bool           // HTTP/2 without TLS too
	Misbehaviour Misbehaviour
}

// Default is the model of the gibbs documentation: one request at a time,
// 250 ms each. "unknown" is how an application without $HOSTNAME names itself
// in the fastapi-serve documentation.
func Default() Config {
	return Config{
		Addr:         "127.0.0.1:8080",
		Hostname:     "unknown",
		ServiceTime:  250 * time.Millisecond,
		Distribution: Constant,
		Concurrency:  1,
		Seed:         1,
	}
}

// Validate returns every problem, each as "--flag: got X, want Y".
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if !validAddr(c.Addr) {
		bad("--port: got %q, want an address such as 127.0.0.1:8080, with a port 0..65535", c.Addr)
	}
	if c.Hostname == "" {
		bad("$HOSTNAME: got %q, want a name for this replica", c.Hostname)
	}
	if c.ServiceTime < 0 || c.ServiceTime > maxTime {
		bad("--service-time: got %v, want 0s..1h", c.ServiceTime)
	}
	if c.Distribution != Constant && c.Distribution != Exponential {
		bad("--distribution: got %q, want %s or %s", c.Distribution, Constant, Exponential)
	}
	if c.Concurrency < 1 || c.Concurrency > maxConcurrency {
		bad("--concurrency: got %d, want 1..%d", c.Concurrency, maxConcurrency)
	}
	if c.Startup < 0 || c.Startup > maxTime {
		bad("--startup: got %v, want 0s..1h", c.Startup)
	}
	if !(c.FailRate >= 0 && c.FailRate <= 1) { // NaN too
		bad("--fail-rate: got %v, want 0..1", c.FailRate)
	}
	c.Misbehaviour.problems(bad)
	return errors.Join(errs...)
}

func validAddr(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}
