package profiles

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// YAML writes the policy as a file that ParsePolicy reads back to the same
// value.
func (p Policy) YAML() ([]byte, error) {
	platforms := p.Platforms
	p.Platforms = nil
	text, err := encodeYAML(p)
	if err != nil || len(platforms) == 0 {
		return text, err
	}
	text = append(text, "platforms:\n"...)
	for _, name := range slices.Sorted(maps.Keys(platforms)) {
		section, err := encodeSection(name, platforms[name])
		if err != nil {
			return nil, err
		}
		text = append(text, indent(section)...)
	}
	return text, nil
}

func encodeYAML(v any) ([]byte, error) {
	return yaml.MarshalWithOptions(v, yaml.Indent(2), yaml.IndentSequence(true))
}

// encodeSection writes the section of a platform. A document stands there line
// by line, to be read, or in quotes; the library would lose tabs, blanks and
// line ends of some.
func encodeSection(name string, section any) (string, error) {
	document, ok := section.(string)
	switch {
	case !ok || !plainName.MatchString(name):
		text, err := encodeYAML(map[string]any{name: section})
		return string(text), err
	case asLines.MatchString(document):
		return name + ": |\n" + indent(document), nil
	}
	quoted, err := json.Marshal(document) // what JSON quotes, YAML reads
	return name + ": " + string(quoted) + "\n", err
}

const seen = `[\pL\pM\pN\pP\pS]` // a character that is neither a blank nor a control character

var (
	plainName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	// asLines are documents that a literal block holds to the byte: lines that
	// neither begin nor end with a blank the reader could take for its own,
	// without control characters, and one line end at the end.
	asLines = regexp.MustCompile(`^` + seen + `( *` + seen + `)*\n(\n* *` + seen + `( *` + seen + `)*\n)*$`)
)

// indent moves the lines that are not empty by two columns.
func indent(text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		if strings.TrimSpace(line) != "" {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "")
}
