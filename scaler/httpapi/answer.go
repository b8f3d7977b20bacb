package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"headroom/profiles/document"
)

// Refusal is the body of every answer that is an error.
type Refusal struct {
	Problems []string `json:"problems"`
}

// ReadBody reads exactly one JSON value, or answers why it could not.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(r.Body)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		Refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("body: got more than %d bytes", tooLarge.Limit))
		return nil, false
	case errors.Is(err, os.ErrDeadlineExceeded):
		Refuse(w, http.StatusRequestTimeout, "body: it did not come in time")
		return nil, false
	case err != nil:
		Refuse(w, http.StatusBadRequest, "body: "+err.Error())
		return nil, false
	case !json.Valid(body):
		Refuse(w, http.StatusUnprocessableEntity, "body: got no JSON, want one JSON object")
		return nil, false
	}
	return body, true
}

// Reply answers with v as JSON.
func Reply(w http.ResponseWriter, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		Refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(data, '\n'))
}

// Refuse answers with what is wrong, one text for each problem.
func Refuse(w http.ResponseWriter, code int, problems ...string) {
	data, _ := json.Marshal(Refusal{Problems: problems}) // strings always encode
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(append(data, '\n'))
}

// Problems are the lines of a joined error, as Refuse takes them.
func Problems(err error) (out []string) {
	for _, p := range document.Problems(err) {
		p.Line = 0 // what is sent is on one line, or has none
		out = append(out, p.Error())
	}
	return out
}
