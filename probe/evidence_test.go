package probe

import (
	"fmt"
	"strings"
	"testing"
)

// That each connection has one replica is only said where a connection had
// several answers: one answer cannot name two.
func TestEvidenceOfConnections(t *testing.T) {
	for _, tt := range []struct {
		name    string
		perConn int // answers of a connection
		want    bool
	}{{"an answer each", 1, false}, {"four answers each", 4, true}} {
		e := newEvidence()
		for i := range 64 {
			conn := i / tt.perConn
			e.add(&Answer{Status: 200, Body: fmt.Appendf(nil, `{"hostname":"web-%d"}`, conn%3), Conn: int64(conn)})
		}
		f, ok := e.best(nil)
		if got := strings.Contains(f.why, "each connection with one of them"); !ok || got != tt.want {
			t.Errorf("%s: best says %q, %v; want that of connections: %v", tt.name, f.why, ok, tt.want)
		}
	}
}
