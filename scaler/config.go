package scaler

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"headroom/probe"
	"headroom/profiles"
	"headroom/profiles/document"
	"headroom/scaler/httpapi"
)

// ReplicaVariable is in the environment of a replica, and of what it starts: the
// scaler and the replica that it belongs to.
const ReplicaVariable = "HEADROOM_REPLICA"

// Config says what to run and how. The zero value of a field means its
// default; only Command and Policy have none.
type Config struct {
	// Name names the runtime file, through which other programs find the
	// scaler. Default "default".
	Name string

	// Command is the program and its arguments. "{port}" is replaced in each
	// of them, and PORT and HOSTNAME are set in its environment.
	Command []string

	// Env holds further KEY=VALUE pairs for the replicas, on top of the
	// environment of this process.
	Env []string

	// Listen is the address of the service, default 127.0.0.1:8000. Port 0
	// takes any free one.
	Listen string

	// API is the address of the control API, default 127.0.0.1:8001. It must
	// be a loopback address. Port 0 takes any free one.
	API string

	// Policy decides how many replicas there are.
	Policy profiles.Policy

	// Concurrency is the number of requests that a replica gets at once,
	// default 1.
	Concurrency int

	// MaxQueue is the number of requests that may wait for a replica, default
	// 1000. Those beyond are answered 503.
	MaxQueue int

	// MaxWait is how long a request may wait for a replica, default 120 s. One
	// that waits for longer is answered 503.
	MaxWait time.Duration

	// Dispatch is the order in which replicas get requests, default
	// profiles.Pack.
	Dispatch profiles.Dispatch

	// ReadyPath is the path that a ready replica answers with 2xx or 3xx.
	// Without it any answer to / below 500 will do; with "tcp" it is enough
	// that the port accepts.
	ReadyPath string

	// LiveInterval is the time between two looks at whether an idle replica
	// still accepts (and answers ReadyPath, where there is one), default 10 s.
	LiveInterval time.Duration

	// StartTimeout is how long a replica may take to become ready, default
	// 60 s. One that does not counts as failed.
	StartTimeout time.Duration

	// Timeout is how long a replica may take to begin its answer once it has
	// the request, or to go on with it, default 120 s; later it is answered
	// 504. The request keeps its slot for as long again, or until the replica
	// answers after all. It also limits how long a client may take to go on
	// with its upload, or with reading its answer, and how long a replica that
	// must go finishes what it has.
	Timeout time.Duration

	// Grace is the time between SIGTERM and SIGKILL for a replica, default
	// 5 s. At shutdown it also limits how long requests may finish.
	Grace time.Duration

	// CPULimit is the number of cores that a replica may use, and MemoryLimit
	// the bytes; 0 is no limit. They need cgroups v2 that this process may
	// write to.
	CPULimit    profiles.Milli
	MemoryLimit int64

	// LogDir, where given, is a folder that gets a file NAME-replica-1.log for
	// each replica with everything that it prints; at 64 MiB the file is renamed
	// to .log.1. The files of the last 20 replicas that are gone stay. The folder
	// is made if it is missing.
	LogDir string

	// PolicyFile, where given, is rewritten when the policy changes while the
	// scaler runs, so that the next start goes on with it; and it is watched.
	PolicyFile string

	// ConfigMap, where given, is a file of settings as EverAI has them, which
	// are applied on top of the policy, and again whenever it changes.
	ConfigMap string

	// RuntimeDir holds the runtime files. Default $XDG_RUNTIME_DIR/headroom,
	// or headroom-UID in the folder for temporary files.
	RuntimeDir string

	// Log, when set, is called with each event, one after the other in their
	// order. It must not block, and must not wait for the scaler.
	Log func(Event)
}

// Event is something that happened to the fleet.
type Event struct {
	N        int64              `json:"n"` // counted from 1 by each scaler
	At       time.Time          `json:"at"`
	Kind     string             `json:"kind"` // one of the Event... constants
	Text     string             `json:"text"`
	Replica  string             `json:"replica,omitempty"`  // of EventReplica: its ID,
	State    probe.State        `json:"state,omitempty"`    // and what it is since then
	Decision *profiles.Decision `json:"decision,omitempty"` // of EventDecision
}

// The kinds of an Event.
const (
	EventReplica  = "replica"  // a replica changed its state
	EventDecision = "decision" // the wanted size changed
	EventPolicy   = "policy"   // another policy is followed
	EventPin      = "pin"      // the size was pinned or unpinned
)

// withDefaults returns c with every empty field set to its default.
func (c Config) withDefaults() Config {
	c.Name = cmp.Or(c.Name, "default")
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:8000")
	c.API = cmp.Or(c.API, "127.0.0.1:8001")
	c.Concurrency = cmp.Or(c.Concurrency, 1)
	c.MaxQueue = cmp.Or(c.MaxQueue, 1000)
	c.MaxWait = cmp.Or(c.MaxWait, 120*time.Second)
	c.Dispatch = cmp.Or(c.Dispatch, profiles.Pack)
	c.LiveInterval = cmp.Or(c.LiveInterval, 10*time.Second)
	c.StartTimeout = cmp.Or(c.StartTimeout, 60*time.Second)
	c.Timeout = cmp.Or(c.Timeout, 120*time.Second)
	c.Grace = cmp.Or(c.Grace, 5*time.Second)
	c.RuntimeDir = cmp.Or(c.RuntimeDir, httpapi.DefaultDir())
	if c.Log == nil {
		c.Log = func(Event) {}
	}
	return c
}

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// Validate returns all problems at once, each naming the flag that sets the
// value, and changes nothing.
func (c Config) Validate() error {
	c = c.withDefaults()
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	if !validName.MatchString(c.Name) {
		bad("--name: got %q, want lower-case letters, digits and dashes, such as web-1", c.Name)
	}
	if len(c.Command) == 0 || c.Command[0] == "" {
		bad("command: got nothing, want a command after --, such as -- uvicorn main:app --port {port}")
	}
	for _, pair := range c.Env {
		if key, _, ok := strings.Cut(pair, "="); !ok || key == "" {
			bad("environment: got %q, want KEY=VALUE", pair)
		}
	}
	listen, err := httpapi.SplitAddress(c.Listen)
	if err != nil {
		bad("--listen: got %q, want HOST:PORT such as 127.0.0.1:8000", c.Listen)
	}
	api, apiErr := httpapi.SplitAddress(c.API)
	if apiErr != nil || !httpapi.IsLoopback(api.Host) {
		bad("--api: got %q, want HOST:PORT on a loopback address such as 127.0.0.1:8001", c.API)
	}
	if err == nil && apiErr == nil && listen == api && api.Port != 0 {
		bad("--api: got %q, want another address than --listen", c.API)
	}
	if _, _, err := c.decider(c.Policy); err != nil {
		for _, problem := range httpapi.Problems(err) {
			bad("policy: %s", problem)
		}
	}
	if c.Concurrency < 1 {
		bad("--concurrency: got %d, want 1 or more", c.Concurrency)
	}
	if c.MaxQueue < 1 {
		bad("--max-queue: got %d, want 1 or more", c.MaxQueue)
	}
	if _, err := profiles.ParseDispatch(string(c.Dispatch)); err != nil {
		bad("--dispatch: %w", err)
	}
	if c.ReadyPath != "" && c.ReadyPath != readyTCP && !strings.HasPrefix(c.ReadyPath, "/") {
		bad("--ready-path: got %q, want a path such as /healthz, or tcp", c.ReadyPath)
	}
	if c.CPULimit != 0 && c.CPULimit < leastCPU {
		bad("--cpu-limit: got %s, want %s cores or more", c.CPULimit, leastCPU)
	}
	if c.MemoryLimit != 0 && c.MemoryLimit < leastMemory {
		bad("--memory-limit: got %s, want %s or more", profiles.FormatExactSize(c.MemoryLimit), profiles.FormatExactSize(leastMemory))
	}
	for _, d := range []struct {
		flag  string
		value time.Duration
	}{{"--max-wait", c.MaxWait}, {"--live-interval", c.LiveInterval}, {"--start-timeout", c.StartTimeout}, {"--timeout", c.Timeout}, {"--grace", c.Grace}} {
		if d.value < 0 {
			bad("%s: got %s, want more than 0", d.flag, profiles.Duration(d.value))
		}
	}
	return errors.Join(errs...)
}

// The least that a replica can be limited to. The kernel takes no smaller share
// of a core, and no program runs in less memory.
const (
	leastCPU    profiles.Milli = 10
	leastMemory int64          = 1 << 20
)

// maxReplicas is the most of them on one machine: a slip of the finger must not
// start thousands of processes. It is the max of a policy that has none.
const maxReplicas = 1000

// decider is the decider of a policy that this scaler can follow, and the
// timetable of its policies.
func (c Config) decider(p profiles.Policy) (profiles.Decider, *profiles.Timetable, error) {
	if p.Replicas.Max == profiles.Unlimited && p.Replicas.Min <= maxReplicas {
		p.Replicas.Max = maxReplicas
	}
	times, err := profiles.NewTimetable(p)
	if err != nil {
		return nil, nil, err
	}
	d, err := times.Decider()
	if err != nil {
		return nil, nil, err
	}
	var found []document.Problem
	bad := func(key, format string, args ...any) {
		found = append(found, document.Problem{Key: key, Text: fmt.Sprintf(format, args...)})
	}
	sized := func(prefix string, r profiles.Bounds) {
		switch {
		case r.Min > maxReplicas:
			bad(prefix+"min", "got %d, want at most %d on one machine", r.Min, maxReplicas)
		case r.Max == profiles.Unlimited || r.Max > maxReplicas:
			bad(prefix+"max", "got %s, want at most %d on one machine", r.Max, maxReplicas)
		}
	}
	sized("replicas.", p.Replicas)
	for i, s := range p.Schedules {
		sized(fmt.Sprintf("schedules[%d].", i), p.During(s).Replicas)
	}
	for i, m := range p.Metrics {
		key := fmt.Sprintf("metrics[%d].", i)
		switch {
		case m.Kind == profiles.Custom:
			bad(key+"kind", "got %s, want another: the built-in scaler measures requests and processes, and asks nobody else", m.Kind)
		case m.Kind == profiles.Memory && m.In("%") && c.MemoryLimit == 0:
			bad(key+"unit", "got %%, want MiB, or a limit to take a share of: --memory-limit")
		}
	}
	if found != nil {
		return nil, nil, document.Join(found)
	}
	return d, times, nil
}
