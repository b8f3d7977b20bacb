package platform

import (
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
