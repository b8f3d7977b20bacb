package profiles

import (
	"os"
	"path/filepath"
	"testing"
)

// The examples that ship can be read, as they are and by the schema.
func TestExamples(t *testing.T) {
	t.Setenv("OPENAI_API_KEY", "x")
	files, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found the examples %q, %v", files, err)
	}
	schema := compileSchema(t, ScenarioSchema)
	for _, path := range files {
		s, err := ReadScenario(path)
		if err != nil || len(s.Rows) == 0 {
			t.Errorf("ReadScenario = %+v, %v", s, err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := validateFile(schema, text); err != nil {
			t.Errorf("%s: the schema refuses it: %v", path, err)
		}
	}
}
