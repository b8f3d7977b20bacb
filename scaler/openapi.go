package scaler

import (
	"bytes"
	_ "embed"
	"net/http"

	"headroom/profiles"
)

// openAPI describes every route, by hand. The schema of the policy is left
// open: it has one place, where editors get it from too.
//
//go:embed openapi.json
var openAPI []byte

// openAPIDocument is openAPI with the schema of the policy. References within
// that begin at its own root, and at the root of the whole here.
func openAPIDocument() []byte {
	policy := bytes.ReplaceAll(bytes.TrimSpace(profiles.PolicySchema), []byte(`"#/$defs/`), []byte(`"#/components/schemas/Policy/$defs/`))
	return bytes.Replace(openAPI, []byte(`"Policy": {}`), append([]byte(`"Policy": `), policy...), 1)
}

func getOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(openAPIDocument())
}
