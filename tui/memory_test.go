package tui

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"headroom/advisor"
	"headroom/load"
)

// inUse is the memory that something holds, after what nobody holds has gone.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers held on to
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// After an hour of States, and of looking around, the screen holds less than 20
// MB, the State that it shows included.
func TestMemoryAfterAnHour(t *testing.T) {
	const most = 20_000_000
	before := inUse()
	m := showing(advisedState(), plainStyles(), viewDashboard, 200, 60)
	st := advisedState()
	for tick := range 4 * 3600 {
		st.At = began.Add(time.Duration(tick) * time.Second / 4)
		st.Fleet.Replicas = slices.Clone(st.Fleet.Replicas)
		st.Fleet.Replicas[0].ID = fmt.Sprintf("replica-%d", tick/40) // ever new ones
		if tick%4 == 0 {
			p := advisor.Point{At: st.At.Sub(began), Phase: advisor.Swarming, Users: 50, Rate: 400, P50: ms, P95: 2 * ms, P99: 3 * ms, Up: 3, Wanted: 3}
			st.Points = load.Coarsen(append(st.Points, p), func(p advisor.Point) time.Duration { return p.At })
		}
		m.take(st)
		if tick%100 == 0 {
			m.Update(keyMsg([]string{"tab", "z", "o", "j"}[tick/100%4]))
			m.View()
		}
	}
	if held := int64(inUse()) - int64(before); held > most {
		t.Errorf("%d bytes held after an hour, want %d at most", held, most)
	}
	runtime.KeepAlive(m)
}
