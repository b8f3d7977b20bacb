//go:build unix

package scaler

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"headroom/profiles"
	"headroom/scaler/again"
)

// supported says why scaling is not possible on this system, if it is not.
func supported() error {
	if os.Getenv(supervisedBy) != "" {
		return errors.New("scaler: main must call scaler.IsSupervisor and scaler.Supervise before anything else")
	}
	return nil
}

// launcher starts replicas as processes. It is safe for concurrent use.
type launcher struct {
	name    string // of the scaler
	command []string
	env     []string
	mark    string // tells the replicas of this scaler from those of others
	logDir  string // or ""
	limits  limits
	groups  *groups // nil without limits
	log     func(Event)
	reapers sync.WaitGroup
	old     oldLogs

	mu    sync.Mutex // guards the fields below
	ports map[int]bool
}

func newLauncher(cfg Config) *launcher {
	return &launcher{
		name:    cfg.Name,
		mark:    rand.Text(),
		command: cfg.Command,
		logDir:  cfg.LogDir,
		limits:  limits{cfg.CPULimit, cfg.MemoryLimit},
		log:     cfg.Log,
		env:     append(append(os.Environ(), cfg.Env...), supervisedBy+"="+strconv.Itoa(os.Getpid())),
		ports:   map[int]bool{},
	}
}

// open makes ready what all replicas share; close undoes it. An error names
// the flag that asked for it.
func (l *launcher) open() error {
	if l.logDir != "" {
		if err := makeLogDir(l.logDir); err != nil {
			return err
		}
	}
	if l.limits == (limits{}) {
		return nil
	}
	groups, err := openGroups(l.limits)
	if err != nil {
		return l.limits.refused(err)
	}
	l.groups = groups
	return nil
}

// close is called when nothing that was launched is left.
func (l *launcher) close() {
	if l.groups != nil {
		l.groups.close()
	}
}

// launch starts the command under a supervisor, and returns when it runs, or
// an error when it does not, or ctx is done before.
func (l *launcher) launch(ctx context.Context, id string) (*instance, error) {
	port, err := l.reserve()
	if err != nil {
		return nil, err
	}
	p, err := l.spawn(id, port)
	if err != nil {
		l.free(port)
		return nil, err
	}
	life, end := context.WithCancelCause(context.Background())
	l.reapers.Go(func() {
		cause := p.wait()
		l.free(port)
		if l.logDir != "" {
			l.old.add(logPath(l.logDir, l.name, id))
		}
		end(cause)
	})
	pid, err := p.started(ctx)
	if err != nil {
		p.stop(0, life.Done())
		return nil, err
	}
	return &instance{
		address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		pid:     pid,
		root:    p.cmd.Process.Pid,
		output:  p.output,
		life:    life,
		stop:    func(grace time.Duration) { p.stop(grace, life.Done()) },
	}, nil
}

// wait returns when everything that was launched has ended.
func (l *launcher) wait() { l.reapers.Wait() }

// reserve finds a port that nobody listens on and that no other replica was
// given. Somebody else can still take it before the replica does; then the
// replica fails, and another one gets another port.
func (l *launcher) reserve() (int, error) {
	for {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, fmt.Errorf("find a free port: %w", err)
		}
		port := listener.Addr().(*net.TCPAddr).Port
		listener.Close()
		l.mu.Lock()
		taken := l.ports[port]
		l.ports[port] = true
		l.mu.Unlock()
		if !taken {
			return port, nil
		}
	}
}

func (l *launcher) free(port int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.ports, port)
}

// proc is a supervisor with its command.
type proc struct {
	cmd    *exec.Cmd
	life   *os.File // while this is open, the supervisor lets the command live
	report *os.File
	output *output
	mark   string   // in the environment of the command and of what it starts
	group  chan int // gets the process group of the command; capacity 1
	groups *groups  // nil without limits
	cgroup string   // where the limits are
}

// spawn starts a supervisor. The ends of the pipes that stay here are closed
// on exec, so that no other process can hold them open.
func (l *launcher) spawn(id string, port int) (_ *proc, err error) {
	p := &proc{
		output: l.newOutput(id), group: make(chan int, 1), groups: l.groups,
		mark: ReplicaVariable + "=" + l.mark + "/" + id,
	}
	defer func() {
		if err != nil {
			p.release()
		}
	}()
	if p.cmd, err = again.Command(supervisorArg); err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	if l.groups != nil {
		if p.cgroup, err = l.groups.make(id); err != nil {
			return nil, fmt.Errorf("make a control group: %w", err)
		}
	}
	var lifeEnd, reportEnd *os.File
	if lifeEnd, p.life, err = os.Pipe(); err != nil {
		return nil, err
	}
	defer lifeEnd.Close()
	if p.report, reportEnd, err = os.Pipe(); err != nil {
		return nil, err
	}
	defer reportEnd.Close()

	for _, arg := range l.command {
		p.cmd.Args = append(p.cmd.Args, strings.ReplaceAll(arg, "{port}", strconv.Itoa(port)))
	}
	p.cmd.Env = append(l.env[:len(l.env):len(l.env)], p.mark, "PORT="+strconv.Itoa(port), "HOSTNAME="+id, cgroupVar+"="+p.cgroup)
	p.cmd.ExtraFiles = []*os.File{lifeEnd, reportEnd} // lifeFD and reportFD
	p.cmd.Stdout, p.cmd.Stderr = p.output.stream(false), p.output.stream(true)
	p.cmd.WaitDelay = time.Second // a process that left the group may hold them open
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		p.report.Close()
		return nil, fmt.Errorf("start a supervisor: %w", err)
	}
	return p, nil
}

// newOutput keeps what a replica prints. A log file that cannot be opened is
// not worth a replica.
func (l *launcher) newOutput(id string) *output {
	if l.logDir == "" {
		return &output{}
	}
	giveUp := func(err error) {
		l.log(Event{At: time.Now(), Kind: EventReplica, Replica: id, Text: fmt.Sprintf("the log file of %s is given up: %v", id, err)})
	}
	file, err := openLog(logPath(l.logDir, l.name, id), logFileSize, giveUp)
	if err != nil {
		giveUp(err)
	}
	return &output{file: file}
}

// release gives back what a supervisor needed.
func (p *proc) release() {
	p.life.Close()
	p.output.close()
	if p.cgroup != "" {
		p.groups.remove(p.cgroup)
	}
}

// started waits until the supervisor has started the command, or ctx is done.
func (p *proc) started(ctx context.Context) (pid int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second) // it takes milliseconds
	defer cancel()
	defer p.report.Close()
	defer context.AfterFunc(ctx, func() { p.report.SetReadDeadline(time.Now()) })()
	line, err := bufio.NewReader(p.report).ReadString('\n')
	line = strings.TrimSpace(line)
	if number, ok := strings.CutPrefix(line, "pid "); ok {
		if pid, err = strconv.Atoi(number); err == nil {
			p.group <- pid
			return pid, nil
		}
	}
	if line != "" {
		return 0, errors.New(line)
	}
	return 0, fmt.Errorf("the supervisor did not start the command: %w", err)
}

// wait collects the supervisor and says why it ended.
func (p *proc) wait() error {
	defer p.release()
	p.cmd.Wait() // its error is told from the state below
	p.cmd.Stdout.(*lineWriter).Close()
	p.cmd.Stderr.(*lineWriter).Close()

	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	var text string
	switch code := status.ExitStatus(); {
	case status.Signaled():
		// It could not end anything. Linux has killed the command, but not
		// what that started.
		select {
		case group := <-p.group:
			syscall.Kill(-group, syscall.SIGKILL)
		default:
		}
		endMarked(p.mark)
		text = "its supervisor was killed"
	case p.cgroup != "" && ranOut(p.cgroup):
		text = "killed: out of memory, limit " + profiles.FormatExactSize(p.groups.memory)
	case code > 128 && code < 128+65:
		signal := syscall.Signal(code - 128)
		text = fmt.Sprintf("ended by signal %d (%s)", code-128, signal)
	default:
		text = fmt.Sprintf("exited with status %d", code)
	}
	switch last := p.output.last(); {
	case last == "":
	case status.ExitStatus() > 128: // what it said had nothing to do with it
		text += "; its last line: " + last
	default:
		text += ": " + last
	}
	return errors.New(text)
}

// stop ends the command: SIGTERM, after the grace SIGKILL to everything, and
// if the supervisor itself hangs, that too.
func (p *proc) stop(grace time.Duration, gone <-chan struct{}) {
	if grace > 0 {
		p.cmd.Process.Signal(syscall.SIGTERM)
		if within(gone, grace) {
			return
		}
	}
	p.life.Close()
	if within(gone, 2*time.Second) {
		return
	}
	p.cmd.Process.Kill() // wait kills the group then
	<-gone
}
