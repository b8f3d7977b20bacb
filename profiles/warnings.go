package profiles

import "fmt"

// Warnings are what there is to know about a policy that is valid, a sentence
// each.
func (p Policy) Warnings() []string {
	var out []string
	for i, m := range p.Metrics {
		if m.Kind == Latency {
			out = append(out, fmt.Sprintf("metrics[%d]: latency says that something is wrong, not how many replicas are missing", i))
		}
	}
	return out
}
