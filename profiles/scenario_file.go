package profiles

import (
	"fmt"
	"strconv"
	"strings"
	"time"

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
	Time     Duration        `yaml:"time"`
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

// UnmarshalTree reads a wait of a scenario: 2s, {between: [1s, 3s]},
// {pacing: 5s} or {throughput: 0.5}.
func (w *Wait) UnmarshalTree(tree any) error {
	const want = "want 2s, {between: [1s, 3s]}, {pacing: 5s} or {throughput: 0.5}"
	if text, ok := tree.(string); ok {
		d, err := ParseDuration(text)
		*w = Wait{Min: d, Max: d}
		return err
	}
	items, ok := tree.(yaml.MapSlice)
	if !ok || len(items) != 1 {
		return fmt.Errorf("got something else, %s", want)
	}
	text, _ := items[0].Value.(string)
	switch items[0].Key {
	case "between":
		ends, _ := items[0].Value.([]any)
		if len(ends) != 2 {
			return fmt.Errorf("between: want two times, as in [1s, 3s]")
		}
		low, _ := ends[0].(string)
		high, _ := ends[1].(string)
		least, err1 := ParseDuration(low)
		most, err2 := ParseDuration(high)
		if err1 != nil || err2 != nil || most < least {
			return fmt.Errorf("between: got %q and %q, want two times, the lower first, as in [1s, 3s]", low, high)
		}
		*w = Wait{Min: least, Max: most}
	case "pacing":
		d, err := ParseDuration(text)
		if err != nil || d == 0 {
			return badValue(text, "a time above 0, as in {pacing: 5s}")
		}
		*w = Wait{Min: d, Max: d, Pacing: true}
	case "throughput":
		var err error
		*w, err = ThroughputWait(text)
		return err
	default:
		return badValue(strings.TrimSpace(fmt.Sprint(items[0].Key)), want[len("want "):])
	}
	return nil
}

// ThroughputWait is the pacing of a user that sends so many requests per second,
// as text.
func ThroughputWait(text string) (Wait, error) {
	perSecond, err := ParseRate(text)
	if err != nil || perSecond < 1e-6 {
		return Wait{}, badValue(text, "a rate of a user such as 0.5, which is a request every 2s")
	}
	apart := time.Duration(float64(time.Second) / perSecond)
	return Wait{Min: apart, Max: apart, Pacing: true}, nil
}
