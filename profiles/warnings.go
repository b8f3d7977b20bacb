package profiles

import "fmt"

// Warnings are what a valid policy asks for and is likely to regret, one
// sentence each. They refuse nothing.
func (p Policy) Warnings() (out []string) {
	for i, m := range p.Metrics {
		switch {
		case m.Kind == Latency:
			out = append(out, fmt.Sprintf("metrics[%d]: latency says that something is wrong, not how many replicas are missing: "+
				"it hardly changes until they are full, and more of them do not lower it where something else is slow; scale on in_flight or rps, and keep latency as the SLO", i))
		case m.Kind == FreeWorkers && Milli(p.Replicas.Min)*1000 < m.Target:
			out = append(out, fmt.Sprintf("metrics[%d]: replicas.min %d is less than the %s free workers to be kept: "+
				"the built-in scaler never gets down to it, and EverAI takes idle workers away that it starts again at once", i, p.Replicas.Min, m.Target))
		}
	}
	return out
}
