package platform

import (
	"testing"

	"headroom/profiles"
)

// A service of Kubernetes gives a request to any replica at once. What holds
// requests back until a replica has room for them has one queue.
func TestBalancer(t *testing.T) {
	want := map[string]string{
		"policy": "pack, one queue before all replicas", "everai": "pack, one queue before all replicas",
		"cloudrun": "random, one queue before all replicas", "rayserve": "least-connections, one queue before all replicas",
		"fly": "least-connections, a queue at each replica",
		"aws": "round-robin, a queue at each replica", "nomad": "round-robin, a queue at each replica",
	}
	for _, pl := range All() {
		text := want[pl.Name]
		if text == "" {
			text = "random, a queue at each replica"
		}
		b := pl.Balancer()
		if got := b.String(); got != text {
			t.Errorf("%s: Balancer() = %s, want %s", pl.Name, got, text)
		}
		if _, err := profiles.ParseDispatch(string(b.Dispatch)); err != nil && pl.Name != Own {
			t.Errorf("%s: Balancer(): %v", pl.Name, err)
		}
	}
}
