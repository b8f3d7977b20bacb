package platform

import (
	"fmt"
	"strings"

	"headroom/profiles"
)

// Options adjust an export.
type Options struct {
	Round bool // round a target down to what the platform can say; reported as a loss
}

// Loss is something of the policy that the document does not say.
type Loss struct {
	Field  string // of the policy
	Reason string
}

// Document is a configuration file and what it leaves out.
type Document struct {
	Text   []byte
	Losses []Loss
}

// Platform is one format to export to.
type Platform struct {
	Name   string
	Title  string // one line for listings
	File   string // what the file is usually called
	Export func(profiles.Policy, Options) (Document, error)
}

// All lists the platforms in the order of their names.
func All() []Platform {
	return []Platform{
		{"jcloud", "Jina AI Cloud, fastapi-serve", "jcloud.yml", exportJCloud},
		{"policy", "Headroom's own policy file", "policy.yaml", exportPolicy},
	}
}

// Names are the names of All.
func Names() []string {
	var out []string
	for _, p := range All() {
		out = append(out, p.Name)
	}
	return out
}

// Find returns the platform of that name.
func Find(name string) (Platform, error) {
	for _, p := range All() {
		if p.Name == name {
			return p, nil
		}
	}
	return Platform{}, fmt.Errorf("platform: got %q, want one of %s", name, strings.Join(Names(), ", "))
}

func exportPolicy(p profiles.Policy, _ Options) (Document, error) {
	text, err := p.YAML()
	return Document{Text: text}, err
}
