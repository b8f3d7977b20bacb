package profiles

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"headroom/profiles/document"
)

// DraftOfFile makes a scenario of a HAR file or an OpenAPI document, told by
// their outermost keys.
func DraftOfFile(data []byte) (Draft, error) {
	switch HoldsRequests(data) {
	case "HAR":
		return DraftOfHAR(data)
	case "OpenAPI":
		return DraftOfOpenAPI(data)
	}
	return Draft{}, errors.New("got neither, want an OpenAPI document (version 3, JSON or YAML), or a HAR file as browsers save it")
}

// HoldsRequests tells what DraftOfFile can make a scenario of: "OpenAPI", "HAR"
// or, where it cannot, "".
func HoldsRequests(data []byte) string {
	var file struct {
		Log     json.RawMessage `json:"log"`
		OpenAPI json.RawMessage `json:"openapi"`
	}
	switch err := json.Unmarshal(data, &file); {
	case err != nil && !yamlOpenAPI.Match(data), err == nil && file.OpenAPI == nil && file.Log == nil:
		return ""
	case file.Log != nil:
		return "HAR"
	}
	return "OpenAPI"
}

// yamlOpenAPI is the key that every OpenAPI document has, in YAML.
var yamlOpenAPI = regexp.MustCompile(`(?m)^["']?openapi["']?\s*:`)

// Draft is a scenario made from something else, to be edited by a person.
type Draft struct {
	Target string // scheme and host; empty: not known
	Wait   Wait   // between requests; zero: none
	Tasks  []DraftTask
	Notes  []string // what a reader has to know, a line each
}

// DraftTask is a task of a Draft. Its texts are templates.
type DraftTask struct {
	Name    string // empty: as the reader of scenarios names it
	Weight  int    // 0: 1
	Method  string
	Path    string
	Headers []DraftField
	Body    string // empty: none
	File    string // whose content is the body; empty: none
	JSON    []byte // body, as JSON whose strings are templates; nil: none
}

// DraftField is a header of a DraftTask.
type DraftField struct{ Name, Value string }

// YAML writes the draft as a scenario file. Texts are in quotes wherever YAML
// could read something else.
func (d Draft) YAML() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "version: %s\nkind: scenario\n", Version)
	if d.Target != "" {
		fmt.Fprintf(&b, "target: %s\n", scalar(d.Target))
	}
	if d.Wait != (Wait{}) {
		fmt.Fprintf(&b, "wait: %s\n", d.Wait)
	}
	b.WriteString("tasks:\n")
	for _, t := range d.Tasks {
		indent := "  - "
		put := func(key, value string) {
			fmt.Fprintf(&b, "%s%s: %s\n", indent, key, value)
			indent = "    "
		}
		t.write(put)
	}
	return b.Bytes()
}

func (t DraftTask) write(put func(key, value string)) {
	if t.Name != "" {
		put("name", scalar(t.Name))
	}
	if t.Weight > 1 {
		put("weight", strconv.Itoa(t.Weight))
	}
	if short := strings.ToLower(t.Method); slices.Contains(shortMethods, short) {
		put(short, scalar(t.Path))
	} else {
		put("method", scalar(t.Method))
		put("path", scalar(t.Path))
	}
	if len(t.Headers) > 0 {
		headers := make([]string, len(t.Headers))
		for i, h := range t.Headers {
			headers[i] = document.Flow(h.Name) + ": " + scalar(h.Value)
		}
		put("headers", "{"+strings.Join(headers, ", ")+"}")
	}
	switch {
	case t.JSON != nil:
		put("json", string(t.JSON))
	case t.File != "":
		put("file", scalar(t.File))
	case t.Body != "":
		put("body", scalar(t.Body))
	}
}

// scalar is text as YAML reads it back.
func scalar(text string) string {
	if plainPath.MatchString(text) {
		return text
	}
	return document.Flow(text)
}

var plainPath = regexp.MustCompile(`^(https?:/)?/[A-Za-z0-9/_.-]*(:[0-9]+)?$`)

// shortMethods are those that are keys of a task.
var shortMethods = []string{"get", "head", "post", "put", "patch", "delete", "options"}

// verbatim is text as a template that stands for it.
func verbatim(text string) string { return strings.ReplaceAll(text, "${", "$${") }

// splitURL is the target of a URL, and its path with the query as a template.
func splitURL(text string) (target, path string, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", "", badValue(text, "a URL that begins with http:// or https://")
	}
	u.RawQuery = strings.ReplaceAll(u.RawQuery, " ", "%20")
	target, path = u.Scheme+"://"+u.Host, verbatim(u.RequestURI())
	if err := ValidateTarget(target); err != nil {
		return "", "", err
	}
	if !isPath(path) {
		return "", "", badValue(text, "a URL with a path that begins with /")
	}
	return target, path, nil
}

// addHeader keeps a header of a recorded request, except for those that a
// connection has.
func (t *DraftTask) addHeader(name, value string) {
	t.setHeader(name, verbatim(strings.TrimSpace(value)))
}

// setHeader does so with a template.
func (t *DraftTask) setHeader(name, value string) {
	name = canonical(name)
	switch name {
	case "Host", "Content-Length", "Connection", "Transfer-Encoding", "Accept-Encoding":
		return
	}
	if !isToken(name) || strings.ContainsAny(value, "\r\n") {
		return
	}
	t.Headers = slices.DeleteFunc(t.Headers, func(h DraftField) bool { return h.Name == name })
	t.Headers = append(t.Headers, DraftField{name, value})
}

func (t *DraftTask) has(name string) bool {
	return slices.ContainsFunc(t.Headers, func(h DraftField) bool { return h.Name == name })
}

// warnOfSecrets says where the file has something to be kept from others.
func (d *Draft) warnOfSecrets() {
	for _, name := range secretNames {
		name = canonical(name)
		if slices.ContainsFunc(d.Tasks, func(t DraftTask) bool { return t.has(name) }) {
			d.Notes = append(d.Notes, fmt.Sprintf("the scenario holds the header %s as it was given: put ${env.NAME} there before you share it", name))
		}
	}
}
