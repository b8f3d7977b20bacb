package profiles

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"headroom/profiles/document"
)

// Setting is one value of a policy that is given by its key. The key is the
// path that the problems of a policy name, such as replicas.max, up.step or
// metrics[0].target, or one of EverAI's names: min_workers, max_workers,
// min_free_workers, max_queue_size, scale_up_step and max_idle_time. The value
// is written as in a policy file; lists and sections in the flow style, such
// as [{kind: rps, target: 10}]. An empty value leaves the key out, as a file
// may do.
type Setting struct{ Key, Value string }

// String is the setting as ParseSetting reads it.
func (s Setting) String() string { return s.Key + "=" + s.Value }

// ParseSetting reads "key=value". Whether there is such a key With says.
func ParseSetting(text string) (Setting, error) {
	key, value, ok := strings.Cut(text, "=")
	if key = strings.TrimSpace(key); !ok || key == "" {
		return Setting{}, badValue(text, "key=value such as replicas.max=5 or max_workers=5")
	}
	return Setting{key, strings.TrimSpace(value)}, nil
}

// ParseSettings reads settings from a mapping in YAML or JSON, in its order.
// Mappings within it become keys with dots, lists are one value, and null is
// an empty value, as in a JSON merge patch. A ConfigMap file, of EverAI or of
// Kubernetes, holds the settings in its data.
func ParseSettings(data []byte) ([]Setting, error) {
	docs, err := document.Split(data)
	switch {
	case err != nil:
		return nil, err
	case len(docs) == 0:
		return nil, errors.New("the file is empty")
	case len(docs) > 1:
		return nil, errors.New("got more than one document, want one")
	}
	tree, err := docs[0].Tree()
	if err != nil {
		return nil, err
	}
	if inner, ok := configMap(tree); ok {
		tree = inner
	}
	var out Settings
	err = out.UnmarshalTree(tree)
	return out, err
}

// configMap is the data of a ConfigMap file.
func configMap(tree any) (data any, ok bool) {
	items, _ := tree.(yaml.MapSlice)
	for _, item := range items {
		switch item.Key {
		case "data":
			_, ok = item.Value.(yaml.MapSlice)
			data = item.Value
		case "name", "apiVersion", "kind", "metadata": // EverAI's, or Kubernetes'
		default:
			return nil, false
		}
	}
	return data, ok
}

// Settings are several of them, which a file writes as a mapping. Of two with
// the same key the later one holds.
type Settings []Setting

// UnmarshalTree reads a mapping.
func (s *Settings) UnmarshalTree(tree any) error {
	items, ok := tree.(yaml.MapSlice)
	if !ok {
		return fmt.Errorf("got %s, want keys with values such as {max_workers: 5}", document.Excerpt(document.Flow(tree)))
	}
	*s = nil
	s.add("", items)
	return nil
}

func (s *Settings) add(prefix string, items yaml.MapSlice) {
	for _, item := range items {
		key := prefix + item.Key.(string)
		switch v := item.Value.(type) {
		case yaml.MapSlice:
			s.add(key+".", v)
		case string:
			*s = append(*s, Setting{key, v})
		case nil:
			*s = append(*s, Setting{Key: key})
		default:
			*s = append(*s, Setting{key, document.Flow(v)})
		}
	}
}

// MarshalYAML writes a mapping in the same order.
func (s Settings) MarshalYAML() (any, error) { return s.tree(), nil }

// MarshalJSON writes an object in the same order.
func (s Settings) MarshalJSON() ([]byte, error) { return []byte(document.Flow(s.tree())), nil }

// UnmarshalJSON reads an object.
func (s *Settings) UnmarshalJSON(data []byte) error {
	docs, err := document.Split(data)
	if err != nil || len(docs) == 0 {
		return err
	}
	tree, err := docs[0].Tree()
	if err != nil {
		return err
	}
	return s.UnmarshalTree(tree)
}

func (s Settings) tree() yaml.MapSlice {
	out := yaml.MapSlice{}
	for _, one := range s {
		item := yaml.MapItem{Key: one.Key, Value: one.Value}
		if i := slices.IndexFunc(out, func(m yaml.MapItem) bool { return m.Key == one.Key }); i >= 0 {
			out[i] = item
		} else {
			out = append(out, item)
		}
	}
	return out
}

// String is the settings on one line.
func (s Settings) String() string {
	texts := make([]string, len(s))
	for i, one := range s {
		texts[i] = one.String()
	}
	return strings.Join(texts, " ")
}
