package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"headroom/profiles"
)

// A stream that outlives the run went over a connection, left late or in time,
// and came from a replica, like any other.
func TestWhatIsKnownOfRequestsThatAreCutOff(t *testing.T) {
	target := listen(t, func(nc net.Conn) {
		hear(nc)
		fmt.Fprint(nc, sseHead+"X-Served-By: pod-7\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n")
		io.Copy(io.Discard, nc)
	})
	for name, edit := range map[string]func(*profiles.Plan){
		"over sockets":  func(*profiles.Plan) {},
		"over net/http": func(p *profiles.Plan) { p.Cookies = true },
	} {
		plan := closedPlan(3, 1000, 0)
		plan.Target = target
		edit(&plan)
		e, err := New(plan, Options{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer cancel()
			for {
				if st := e.Snapshot().Total.Streams; st != nil && st.Events == 3 || t.Context().Err() != nil {
					return
				}
				sleep(10 * time.Millisecond)
			}
		}()
		r, err := e.Run(ctx)
		if err != nil || r.Total.Aborted != 3 || r.Total.Count != 0 || r.Total.OpenStreams() != 3 {
			t.Fatalf("%s: Run = %d aborted, %d open, %v; want 3 streams", name, r.Total.Aborted, r.Total.OpenStreams(), err)
		}
		if c := r.Conns; c.Opened != 3 || c.Dial.Count != 3 || len(c.Remotes) != 1 || c.Remotes[0].Opened != 3 || c.Remotes[0].Count != 3 {
			t.Errorf("%s: connections %+v, want 3 to one address", name, c)
		}
		if r.Health.LagP99 == 0 {
			t.Errorf("%s: no lag is known, want that of 3 requests", name)
		}
		if len(r.Replicas) != 1 || r.Replicas[0].Name != "pod-7" || r.Replicas[0].Count != 3 || r.Replicas[0].Failed != 0 || r.Replicas[0].Latency.Count != 0 {
			t.Errorf("%s: replicas %+v, want 3 answers of pod-7, none failed or timed", name, r.Replicas)
		}
	}
}
