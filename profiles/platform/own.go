package platform

import (
	"headroom/profiles"
	"headroom/profiles/document"
)

// Own is the name of our own format.
const Own = "policy"

// policyFile is our own format, for the built-in scaler.
var policyFile = Platform{
	Name: Own, Title: "Headroom's own policy file", File: "policy.yaml",
	begin: func(*writer) string { return "" },
	write: func(w *writer, _ []byte) ([]byte, error) { return w.policy.YAML() },
	read: func(text []byte) (settings, error) {
		p, err := profiles.ParsePolicy(text)
		return builtIn{p}, err
	},
	recognise: func(text []byte) bool {
		var head struct {
			Version string `yaml:"version"`
			Kind    string `yaml:"kind"`
		}
		_, err := document.Decode(text, &head, document.Lax)
		return err == nil && head.Version == profiles.Version && (head.Kind == "" || head.Kind == "policy")
	},
}

// builtIn is a policy that the built-in scaler follows as it stands.
type builtIn struct{ p profiles.Policy }

func (b builtIn) policy() (profiles.Policy, []Loss)  { return b.p, nil }
func (b builtIn) decider() (profiles.Decider, error) { return b.p.Decider() }
