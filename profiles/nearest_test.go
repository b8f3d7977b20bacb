package profiles

import "testing"

func TestNearest(t *testing.T) {
	flags := []string{"requests", "rate", "run-time", "spawn-rate", "users", "url", "max-users"}
	for _, c := range []struct {
		got, want string
	}{
		{"rat", "rate"},
		{"user", "users"},
		{"Users", "users"},
		{"runtime", "run-time"},
		{"spawnrate", "spawn-rate"},
		{"sp", "spawn-rate"}, // begins only that
		{"reqeusts", "requests"},
		{"r", ""}, // may be any of three
		{"nonsense", ""},
		{"", ""},
	} {
		got, ok := Nearest(c.got, flags)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", c.got, got, ok, c.want)
		}
	}
}

func TestOneOf(t *testing.T) {
	for got, want := range map[string]string{
		"kdea": `got "kdea", want one of hpa, keda: did you mean keda?`,
		"moon": `got "moon", want one of hpa, keda`,
	} {
		if err := OneOf(got, []string{"hpa", "keda"}); err.Error() != want {
			t.Errorf("OneOf(%q) = %v, want %s", got, err, want)
		}
	}
}
