package profiles

import (
	"fmt"
	"strconv"

	"github.com/goccy/go-yaml"
)

// scenarioFile is a scenario as it is written.
type scenarioFile struct {
	Version string      `yaml:"version"`
	Kind    string      `yaml:"kind"`
	Target  string      `yaml:"target"`
	Headers fields      `yaml:"headers"`
	Wait    *Wait       `yaml:"wait"`
	Feeds   []feedFile  `yaml:"feeds"`
	OnStart []taskFile  `yaml:"on_start"`
	Tasks   []taskFile  `yaml:"tasks"`
	Users   []classFile `yaml:"users"`
}

type feedFile struct {
	Name  string `yaml:"name"`
	File  string `yaml:"file"`
	Order Order  `yaml:"order"`
}

type classFile struct {
	Name    string     `yaml:"name"`
	Weight  *int       `yaml:"weight"`
	Wait    *Wait      `yaml:"wait"`
	OnStart []taskFile `yaml:"on_start"`
	Tasks   []string   `yaml:"tasks"`
}

type taskFile struct {
	Name    string        `yaml:"name"`
	Weight  *int          `yaml:"weight"`
	Get     string        `yaml:"get"`
	Head    string        `yaml:"head"`
	Post    string        `yaml:"post"`
	Put     string        `yaml:"put"`
	Patch   string        `yaml:"patch"`
	Delete  string        `yaml:"delete"`
	Options string        `yaml:"options"`
	Method  string        `yaml:"method"`
	Path    string        `yaml:"path"`
	Headers fields        `yaml:"headers"`
	Query   fields        `yaml:"query"`
	Body    *string       `yaml:"body"`
	JSON    any           `yaml:"json"`
	File    string        `yaml:"file"`
	Wait    *Wait         `yaml:"wait"`
	Stream  string        `yaml:"stream"`
	Capture []captureFile `yaml:"capture"`
	Check   checkFile     `yaml:"check"`
}

type captureFile struct {
	Name   string `yaml:"name"`
	JSON   string `yaml:"json"`
	Header string `yaml:"header"`
	Regexp string `yaml:"regexp"`
}

type checkFile struct {
	Status   statuses        `yaml:"status"`
	JSON     []jsonCheckFile `yaml:"json"`
	Contains string          `yaml:"contains"`
	Header   fields          `yaml:"header"`
	Time     *Duration       `yaml:"time"`
}

type jsonCheckFile struct {
	Path   string  `yaml:"path"`
	Equals *string `yaml:"equals"`
}

// fields are names with values, in the order of the file. A name without a
// value has nil.
type fields []field

type field struct {
	name  string
	value *string
}

// UnmarshalTree reads keys with single values.
func (f *fields) UnmarshalTree(tree any) error {
	items, ok := tree.(yaml.MapSlice)
	if !ok {
		return fmt.Errorf("want names with values, such as {X-Name: value}")
	}
	for _, item := range items {
		one := field{name: fmt.Sprint(item.Key)}
		if text, ok := item.Value.(string); ok {
			one.value = &text
		} else if item.Value != nil {
			return fmt.Errorf("%s: got a list or keys, want a single value", one.name)
		}
		*f = append(*f, one)
	}
	return nil
}

// statuses is one status, or a list of them.
type statuses []int

// UnmarshalTree reads either.
func (s *statuses) UnmarshalTree(tree any) error {
	list, ok := tree.([]any)
	if !ok {
		list = []any{tree}
	}
	for _, item := range list {
		text, _ := item.(string)
		n, err := strconv.Atoi(text)
		if err != nil || n < 100 || n > 599 {
			return badValue(text, "a status of 100 to 599, or a list of them")
		}
		*s = append(*s, n)
	}
	return nil
}
