package profiles

import _ "embed"

// PolicySchema is the JSON Schema of a policy file, for editors. It says less
// than Validate: what depends on two keys it cannot say.
//
//go:embed policy.schema.json
var PolicySchema []byte

// ScenarioSchema is the JSON Schema of a scenario file, which says less than
// ParseScenario in the same way.
//
//go:embed scenario.schema.json
var ScenarioSchema []byte
