package profiles

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

func compileSchema(t *testing.T, text []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validateFile(s *jsonschema.Schema, file []byte) error {
	data, err := yaml.YAMLToJSON(file)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// What the program writes, the schema allows.
func TestSchemaAllowsPolicies(t *testing.T) {
	s := compileSchema(t, PolicySchema)
	for name, file := range map[string]string{"the design's example": exampleFile, "the minimal policy": minimalFile} {
		if err := validateFile(s, []byte(file)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		p.Platforms = nil // opaque
		file, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if err := validateFile(s, file); err != nil {
			t.Fatalf("%v\n%s", err, file)
		}
	})
}

// What stands in one key alone and is refused, the schema refuses too.
func TestSchemaRefuses(t *testing.T) {
	s := compileSchema(t, PolicySchema)
	for _, file := range []string{
		"replicas: {min: 1, max: 1}\n",
		minimalFile + "intervall: 3s\n",
		minimalFile + "interval: soon\n",
		edit("min: 1", "min: 1.5"), edit("max: 10", "max: many"), edit("in_flight", "vibes"), edit("target: 1", "target: -1"),
		minimalFile + "down: {order: random}\n",
		minimalFile + "schedules: [{start: x, end: y}]\n",
		minimalFile + "onMetricError: scale\n",
		minimalFile + "schedules: [{match: '* 9 * * *'}]\n",
		minimalFile + "schedules: [{match: '* 9 * * *', start: '0 9 * * *', end: '0 10 * * *', min: 2}]\n",
		minimalFile + "schedules: [{match: '* 9 * * *', set: 5}]\n",
		edit("target: 1", "target: 1, trend: {inside: 5s}"), edit("target: 1", "target: 1, trend: {within: 5s, ahead: soon}"),
	} {
		if err := validateFile(s, []byte(file)); err == nil {
			t.Errorf("the schema allows\n%s", file)
		}
	}
}

// The schema has exactly the keys that a policy has.
func TestSchemaHasEveryKey(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(PolicySchema, &schema); err != nil {
		t.Fatal(err)
	}
	compareKeys(t, "policy", reflect.TypeFor[Policy](), schema)
}

func compareKeys(t *testing.T, key string, typ reflect.Type, schema map[string]any) {
	t.Helper()
	properties, _ := schema["properties"].(map[string]any)
	var want []string
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("yaml"), ",")
		if key == "policy.up" && name == "order" { // it is for down alone
			continue
		}
		want = append(want, name)
		inner := typ.Field(i).Type
		if inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		property, _ := properties[name].(map[string]any)
		if items, ok := property["items"].(map[string]any); ok {
			property = items
		}
		if inner.Kind() == reflect.Struct && inner != reflect.TypeFor[Setting]() { // any key
			compareKeys(t, key+"."+name, inner, property)
		}
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(properties)); !slices.Equal(got, want) {
		t.Errorf("the schema of %s has the keys %v, want %v", key, got, want)
	}
}

func TestSchemaOfScenarios(t *testing.T) {
	s := compileSchema(t, ScenarioSchema)
	if err := validateFile(s, []byte(exampleScenario)); err != nil {
		t.Error(err)
	}
	const head = "version: headroom/v1\n"
	for _, file := range []string{
		"tasks: [{get: /}]\n",
		head + "tasks: []\n",
		head + "tasks: [{get: x}]\n",
		head + "tasks: [{gett: /}]\n",
		head + "tasks: [{get: /, weight: 0}]\n",
		head + "tasks: [{get: /, stream: udp}]\n",
		head + "tasks: [{get: /, check: {status: 99}}]\n",
		head + "tasks: [{get: /, capture: [{name: user, json: a}]}]\n",
		head + "tasks: [{get: /}]\nwait: {sometimes: 1s}\n",
		head + "tasks: [{get: /}]\nfeeds: [{name: a, file: b, order: up}]\n",
	} {
		if err := validateFile(s, []byte(file)); err == nil {
			t.Errorf("the schema allows\n%s", file)
		}
	}
}

// The schema of scenarios has exactly the keys that a scenario has.
func TestScenarioSchemaHasEveryKey(t *testing.T) {
	var schema struct {
		Properties map[string]struct {
			Items struct{ Properties map[string]any }
		}
		Defs struct {
			Task struct {
				Properties map[string]struct {
					Properties map[string]any
					Items      struct{ Properties map[string]any }
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(ScenarioSchema, &schema); err != nil {
		t.Fatal(err)
	}
	task := schema.Defs.Task.Properties
	for _, c := range []struct {
		name string
		typ  reflect.Type
		got  []string
	}{
		{"scenario", reflect.TypeFor[scenarioFile](), slices.Sorted(maps.Keys(schema.Properties))},
		{"feeds", reflect.TypeFor[feedFile](), slices.Sorted(maps.Keys(schema.Properties["feeds"].Items.Properties))},
		{"users", reflect.TypeFor[classFile](), slices.Sorted(maps.Keys(schema.Properties["users"].Items.Properties))},
		{"a task", reflect.TypeFor[taskFile](), slices.Sorted(maps.Keys(task))},
		{"capture", reflect.TypeFor[captureFile](), slices.Sorted(maps.Keys(task["capture"].Items.Properties))},
		{"check", reflect.TypeFor[checkFile](), slices.Sorted(maps.Keys(task["check"].Properties))},
	} {
		var want []string
		for i := range c.typ.NumField() {
			want = append(want, c.typ.Field(i).Tag.Get("yaml"))
		}
		if slices.Sort(want); !slices.Equal(c.got, want) {
			t.Errorf("the schema of %s has the keys %v, want %v", c.name, c.got, want)
		}
	}
}
