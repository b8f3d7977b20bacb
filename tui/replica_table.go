package tui

import (
	"slices"
	"strings"
	"time"

	"headroom/advisor"
	"headroom/probe"
	"headroom/profiles"
)

var replicaSigns = map[probe.State]struct {
	sign string
	tone tone
}{
	probe.Starting: {"◆", accent},
	probe.Ready:    {"✓", plain},
	probe.Suspect:  {"!", warn},
	probe.New:      {"◆", good},
	probe.Serving:  {"✓", good},
	probe.Quiet:    {"·", dim},
	probe.Draining: {"▼", dim},
	probe.Failing:  {"✗", bad},
	probe.Gone:     {"·", dim},
}

// replicaColumn is a column of the table of replicas, and what stands there of
// one: nothing where nothing is known.
type replicaColumn struct {
	column
	of func(r probe.Replica) cell
}

// replicaTable has a row a replica, with more columns behind those that always
// are there.
func replicaTable(st advisor.State, more ...replicaColumn) table {
	columns := answerColumns(st)
	if st.Managed {
		columns = append(columns, scalerColumns...)
	}
	if slices.ContainsFunc(st.Fleet.Replicas, func(r probe.Replica) bool { return r.Parts != nil }) {
		columns = append(columns, partColumns...)
	}
	columns = append(columns, more...)
	var t table
	for _, c := range columns {
		t.columns = append(t.columns, c.column)
	}
	for _, r := range st.Fleet.Replicas {
		var row []cell
		for _, c := range columns {
			of := c.of(r)
			switch {
			case of.text == "":
				of = toned(dim, none)
			case r.State == probe.Gone:
				of.tone = dim
			}
			row = append(row, of)
		}
		t.rows = append(t.rows, row)
	}
	return t
}

// answerColumns are those that say what a replica is, and what its answers tell
// of it.
func answerColumns(st advisor.State) []replicaColumn {
	// answered is what answers tell, of a replica that gave some.
	answered := func(of func(r probe.Replica) cell) func(r probe.Replica) cell {
		return func(r probe.Replica) cell {
			if !r.Answered {
				return cell{}
			}
			return of(r)
		}
	}
	quantile := func(of func(r probe.Replica) time.Duration) func(r probe.Replica) cell {
		return answered(func(r probe.Replica) cell {
			if r.P99 <= 0 {
				return cell{} // no answer was a success
			}
			return number(of(r), millis(of(r)))
		})
	}
	columns := []replicaColumn{
		{column{title: "replica", width: 12, left: true, grows: true, name: true}, func(r probe.Replica) cell { return text(r.ID) }},
		{column{title: "state", width: 10, left: true}, func(r probe.Replica) cell {
			look := replicaSigns[r.State]
			return toned(look.tone, look.sign+" "+string(r.State))
		}},
		{column{title: "share", width: 7}, answered(func(r probe.Replica) cell { return number(r.Share, percent(r.Share)) })},
		{column{title: "req/s", width: 6}, answered(func(r probe.Replica) cell { return number(r.Rate, figure(r.Rate)) })},
		{column{title: "p50 ms", width: 6}, quantile(func(r probe.Replica) time.Duration { return r.P50 })},
		{column{title: "p95 ms", width: 6}, quantile(func(r probe.Replica) time.Duration { return r.P95 })},
		{column{title: "p99 ms", width: 6, rank: 5}, quantile(func(r probe.Replica) time.Duration { return r.P99 })},
		{column{title: "errors", width: 6, rank: 1}, answered(func(r probe.Replica) cell {
			return number(r.Failed, count(r.Failed)).in(toneIf(r.Failed > 0, bad))
		})},
		{column{title: "in flight", width: 9, rank: 6}, inFlight},
		{column{title: "conns", width: 5, rank: 3}, answered(func(r probe.Replica) cell {
			if r.Conns == nil {
				return cell{}
			}
			return number(*r.Conns, count(*r.Conns))
		})},
		{column{title: "first", width: 5, rank: 4}, answered(func(r probe.Replica) cell {
			if st.Load.Started.IsZero() || r.FirstSeen.IsZero() {
				return cell{}
			}
			since := r.FirstSeen.Sub(st.Load.Started)
			return number(since, clock(since))
		})},
	}
	if slices.ContainsFunc(st.Fleet.Replicas, func(r probe.Replica) bool { return r.ColdStart != nil }) {
		columns = append(columns, replicaColumn{column{title: "cold start", width: 10, rank: 4}, func(r probe.Replica) cell {
			if r.ColdStart == nil {
				return cell{}
			}
			return number(r.ColdStart.Penalty(), "+"+span(r.ColdStart.Penalty())).in(warn)
		}})
	}
	return columns
}

// inFlight is what a replica has in flight: as its scaler says or, with a ~, as
// its answers suggest.
func inFlight(r probe.Replica) cell {
	switch {
	case r.Managed:
		return number(r.InFlight, count(r.InFlight))
	case r.InFlightEstimate == nil:
		return cell{}
	case *r.InFlightEstimate < 9.95:
		return number(*r.InFlightEstimate, "~"+figure(*r.InFlightEstimate))
	}
	return number(*r.InFlightEstimate, "~"+count(int64(*r.InFlightEstimate+0.5)))
}

// scalerColumns are those of what only a scaler knows.
var scalerColumns = []replicaColumn{
	{column{title: "started in", width: 10, rank: 2}, told(func(r probe.Replica) (cell, bool) { return number(r.StartedIn, span(r.StartedIn)), r.StartedIn > 0 })},
	{column{title: "cpu time", width: 8, rank: 7}, told(func(r probe.Replica) (cell, bool) { return number(r.CPU, span(r.CPU)), r.CPU > 0 })},
	{column{title: "memory", width: 8, rank: 8}, told(func(r probe.Replica) (cell, bool) {
		return number(r.Memory, profiles.FormatSize(r.Memory)), r.Memory > 0
	})},
}

// told is a figure of a scaler where it has one.
func told(of func(r probe.Replica) (figure cell, ok bool)) func(r probe.Replica) cell {
	return func(r probe.Replica) cell {
		if figure, ok := of(r); ok && r.Managed {
			return figure
		}
		return cell{}
	}
}

// partColumns are those of the means of what a service time is made of.
var partColumns = []replicaColumn{
	{column{title: "network ms", width: 10, rank: 9}, meanOf(func(m *probe.Means) *time.Duration { return m.Network })},
	{column{title: "queue ms", width: 8, rank: 9}, meanOf(func(m *probe.Means) *time.Duration { return m.Queue })},
	{column{title: "compute ms", width: 10, rank: 9}, meanOf(func(m *probe.Means) *time.Duration { return m.Compute })},
}

// meanOf is one of the means of a replica whose answers tell them.
func meanOf(of func(m *probe.Means) *time.Duration) func(r probe.Replica) cell {
	return func(r probe.Replica) cell {
		if r.Parts == nil || of(r.Parts) == nil {
			return cell{}
		}
		return number(*of(r.Parts), millis(*of(r.Parts)))
	}
}

const barWidth = 20

// shareBars are the shares of the replicas beside the largest.
func shareBars(f probe.Fleet) replicaColumn {
	largest := 0.0
	for _, r := range f.Replicas {
		largest = max(largest, r.Share)
	}
	return replicaColumn{column{title: "of the largest share", width: barWidth, left: true, rank: 10}, func(r probe.Replica) cell {
		if r.Share <= 0 {
			return cell{}
		}
		return number(r.Share, bar(r.Share/largest, barWidth)).in(accent)
	}}
}

// bar is a share of 0..1 as a bar of at most w cells.
func bar(share float64, w int) string {
	n := int(min(max(share, 0), 1)*float64(w) + 0.5)
	return strings.Repeat("█", n)
}
