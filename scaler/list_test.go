package scaler

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/probe"
)

func TestWorkersOfEachState(t *testing.T) {
	var got strings.Builder
	at := time.Date(2024, 7, 29, 4, 42, 50, 0, time.FixedZone("", 2*3600))
	list := workers(probe.Fleet{Replicas: []probe.Replica{
		{ID: "replica-1", State: probe.Ready, InFlight: 1, Created: at},
		{ID: "replica-2", State: probe.Ready, Created: at},
		{ID: "replica-3", State: probe.Starting, Created: at},
		{ID: "replica-4", State: probe.Failing, Failures: 2, Created: at, Deleted: at, Retry: at.Add(time.Second)},
		{ID: "replica-9", State: probe.Failing, Failures: 3, Created: at, Deleted: at, Retry: at.Add(time.Second)},
		{ID: "replica-8", State: probe.Suspect, InFlight: 1, Created: at},
		{ID: "replica-5", State: probe.Draining, InFlight: 1, Created: at},
		{ID: "a-replica-with-a-very-long-name", State: probe.Gone, Created: at, Deleted: at.Add(time.Minute)},
	}})
	if err := WriteWorkers(&got, list); err != nil {
		t.Fatal(err)
	}
	want := `
ID                               STATUS       DETAIL_STATUS    CREATED_AT                DELETED_AT
-------------------------------  -----------  ---------------  ------------------------  ------------------------
replica-1                        RUNNING      BUSY             2024-07-29T02:42:50+0000
replica-2                        RUNNING      FREE             2024-07-29T02:42:50+0000
replica-3                        PENDING      IN_FLIGHT        2024-07-29T02:42:50+0000
replica-4                        ERROR        CRASHED          2024-07-29T02:42:50+0000
replica-9                        ERROR        CRASH_LOOP       2024-07-29T02:42:50+0000
replica-8                        UNAVAILABLE  BUSY             2024-07-29T02:42:50+0000
replica-5                        TERMINATING  REMOVE           2024-07-29T02:42:50+0000
a-replica-with-a-very-long-name  TERMINATED                    2024-07-29T02:42:50+0000  2024-07-29T02:43:50+0000
`
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestWriteTables(t *testing.T) {
	at := time.Date(2024, 7, 29, 2, 42, 50, 0, time.UTC)
	tests := []struct {
		name  string
		write func(io.Writer) error
		want  string
	}{
		{"the worker of seed 001", func(w io.Writer) error {
			return WriteWorkers(w, []Worker{{ID: "5LJtBqJsRYgT67ZEuMAt88", Status: "RUNNING", Detail: "FREE", Created: at}})
		}, `
ID                      STATUS    DETAIL_STATUS    CREATED_AT                DELETED_AT
----------------------  --------  ---------------  ------------------------  ------------
5LJtBqJsRYgT67ZEuMAt88  RUNNING   FREE             2024-07-29T02:42:50+0000
`},
		{"no queue", func(w io.Writer) error { return WriteQueue(w, nil) }, `
QUEUE_INDEX    CREATE_AT                 QUEUE_REASON
-------------  ------------------------  --------------
`},
		{"a queue", func(w io.Writer) error {
			return WriteQueue(w, []Waiting{{0, at, reasonBusy}, {1, at.Add(time.Second), reasonNone}})
		}, `
QUEUE_INDEX    CREATE_AT                 QUEUE_REASON
-------------  ------------------------  --------------
0              2024-07-29T02:42:50+0000  WorkerBusy
1              2024-07-29T02:42:51+0000  NoWorker
`},
		{"a wide queue", func(w io.Writer) error {
			return WriteQueueWide(w, []Waiting{{0, at, reasonBusy}, {1, at.Add(time.Second), reasonNone}}, at.Add(72123*time.Millisecond))
		}, `
QUEUE_INDEX    CREATE_AT                 QUEUE_REASON    WAITED
-------------  ------------------------  --------------  ------
0              2024-07-29T02:42:50+0000  WorkerBusy      1m12s
1              2024-07-29T02:42:51+0000  NoWorker        1m11s
`},
		{"wide workers: one that starts, is busy, is stuck, crashes, is gone", func(w io.Writer) error {
			return WriteWorkersWide(w, []Worker{
				{ID: "replica-1", Status: "PENDING", Detail: "IN_FLIGHT", Created: at},
				{ID: "replica-2", Status: "RUNNING", Detail: "BUSY", Created: at, PID: 17, Address: "127.0.0.1:4000", StartedIn: 1.25,
					InFlight: 2, Stuck: 1, Since: at.Add(time.Minute), Served: 12, CPU: 3.5, Memory: 48e6},
				{ID: "replica-3", Status: "ERROR", Detail: "CRASH_LOOP", Created: at, Deleted: at.Add(time.Second), PID: 18, Address: "127.0.0.1:4001",
					Restarts: 3, Retry: at.Add(93 * time.Second), LastError: "it ended with exit code 1"},
			}, at.Add(90*time.Second), 0)
		}, `
ID                      STATUS    DETAIL_STATUS    CREATED_AT                DELETED_AT    PID  ADDRESS         UPTIME  STARTED_IN  IN_FLIGHT  STUCK  REQUEST_AGE  SERVED  RESTARTS  CPU_TIME  MEMORY   LAST_ERROR
----------------------  --------  ---------------  ------------------------  ------------  ---  --------------  ------  ----------  ---------  -----  -----------  ------  --------  --------  -------  --------------------------------------
replica-1               PENDING   IN_FLIGHT        2024-07-29T02:42:50+0000                                     1m30s               0          0                   0       0
replica-2               RUNNING   BUSY             2024-07-29T02:42:50+0000                17   127.0.0.1:4000  1m30s   1.25s       2          1      30s          12      0         3.50s     48.0 MB
replica-3               ERROR     CRASH_LOOP       2024-07-29T02:42:50+0000                18                                       0          0                   0       3                            it ended with exit code 1; again in 3s
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got strings.Builder
			if err := tt.write(&got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), got.String()); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
	if err := WriteWorkers(failingWriter{}, nil); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("to a closed pipe: got error %v, want io.ErrClosedPipe", err)
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A narrow terminal shows what makes a wide table wide.
func TestWriteWorkersWideFits(t *testing.T) {
	at := time.Date(2024, 7, 29, 2, 42, 50, 0, time.UTC)
	list := []Worker{
		{ID: "replica-1", Status: "RUNNING", Detail: "BUSY", Created: at, PID: 17, Address: "127.0.0.1:4000", StartedIn: 1.25, InFlight: 2, Served: 12, CPU: 3.5, Memory: 48e6},
		{ID: "replica-2", Status: "ERROR", Detail: "CRASH_LOOP", Created: at, Deleted: at, Retry: at.Add(9 * time.Second), LastError: "exit code 1"},
	}
	for width, want := range map[int]string{
		80: `
ID         STATUS   DETAIL_STATUS  UPTIME  IN_FLIGHT  LAST_ERROR
---------  -------  -------------  ------  ---------  ------------------------
replica-1  RUNNING  BUSY           6s      2
replica-2  ERROR    CRASH_LOOP             0          exit code 1; again in 3s
`,
		20: `
ID         STATUS   DETAIL_STATUS  IN_FLIGHT  LAST_ERROR
---------  -------  -------------  ---------  ------------------------
replica-1  RUNNING  BUSY           2
replica-2  ERROR    CRASH_LOOP     0          exit code 1; again in 3s
`,
	} {
		var got strings.Builder
		if err := WriteWorkersWide(&got, list, at.Add(6*time.Second), width); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), got.String()); diff != "" {
			t.Errorf("%d columns (-want +got):\n%s", width, diff)
		}
	}
	if slices.ContainsFunc(workerWide, func(c column) bool { return c.width != len(c.title) }) {
		t.Errorf("the columns for the next table are %v, want them as they were", workerWide)
	}
}
