package remote

import (
	_ "embed"
	"net/http"
)

// openAPI describes every route, by hand, and of a State what stands at its top.
//
//go:embed openapi.json
var openAPI []byte

func getOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(openAPI)
}
