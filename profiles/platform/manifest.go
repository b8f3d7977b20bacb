package platform

import (
	"regexp"
	"slices"
	"strings"

	"headroom/profiles/document"
)

// object is the head of a Kubernetes object.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
}

// is reports whether the object is of a group, whatever the version, and one
// of the kinds.
func (o object) is(group string, kinds ...string) bool {
	if !strings.HasPrefix(o.APIVersion, group+"/") {
		return false
	}
	for _, k := range kinds {
		if o.Kind == k {
			return true
		}
	}
	return false
}

// unknownKeys are the keys of a section that the struct out does not have, over
// which the document is read: misspelt ones, to a platform that has only those
// and the others given, with what is below them.
func unknownKeys(d document.Document, out any, section string, others ...string) (losses []Loss) {
	for _, key := range d.Unknown(out) {
		other := slices.ContainsFunc(others, func(o string) bool { return o == indexes.ReplaceAllString(key, "") })
		if strings.HasPrefix(key, section+".") && !other {
			losses = append(losses, unknownKey("", key, nil))
		}
	}
	return losses
}

// indexes are those of lists in a key.
var indexes = regexp.MustCompile(`\[\d+\]`)

// refuseText finds numbers that are written as text, which the API server
// refuses.
func refuseText(d document.Document, bad *problems, keys ...string) {
	var o struct {
		Spec map[string]any `yaml:"spec"`
	}
	_, _ = d.Decode(&o, document.Lax) // the caller reads it too, and tells
	for _, key := range keys {
		if text, ok := o.Spec[key].(string); ok {
			bad.bad("spec."+key, "got %q, want a number without quotes", text)
		}
	}
}

// findObject returns the first document of a file with the head that is
// wanted. A file that is not YAML has none.
func findObject(text []byte, wanted func(object) bool) (document.Document, bool) {
	docs, err := document.Split(text)
	if err != nil {
		return document.Document{}, false
	}
	for _, d := range docs {
		var o object
		if _, err := d.Decode(&o, document.Lax); err == nil && wanted(o) {
			return d, true
		}
	}
	return document.Document{}, false
}
