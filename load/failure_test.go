package load

import (
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
)

// What this machine ran out of is its own class, and says what to raise.
func TestWhatThisMachineLacks(t *testing.T) {
	for _, c := range []struct {
		call string
		err  syscall.Errno
		want string
	}{
		{"connect", syscall.EADDRNOTAVAIL, "net.ipv4.ip_local_port_range"},
		{"bind", syscall.EADDRNOTAVAIL, "--source-ip"},
		{"socket", syscall.EMFILE, "ulimit -n"},
		{"socket", syscall.ENFILE, "fs.file-max"},
	} {
		dial := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError(c.call, c.err)}
		for _, err := range []error{dial, &url.Error{Op: "Get", URL: "http://x/", Err: dial}} {
			if got := classify(err); got != Local {
				t.Errorf("classify(%v) = %v, want %v", err, got, Local)
			}
			if got := describe(err, 0); !strings.Contains(got, c.want) || strings.Contains(got, "http://x/") {
				t.Errorf("describe(%v) = %q, want something with %q and no URL", err, got, c.want)
			}
		}
	}
}
