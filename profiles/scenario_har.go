package profiles

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// harFile is what matters of an HTTP Archive (HAR 1.2).
type harFile struct {
	Log struct {
		Entries []struct {
			Started string     `json:"startedDateTime"`
			Request harRequest `json:"request"`
		} `json:"entries"`
	} `json:"log"`
}

type harRequest struct {
	Method  string `json:"method"`
	URL     string `json:"url"`
	Headers []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"headers"`
	PostData *struct {
		Text string `json:"text"`
	} `json:"postData"`
}

// DraftOfHAR makes a scenario of the requests that a browser recorded: those
// of the first host, equal ones together, weighted by how often they were
// sent. What a browser adds for its own sake, and cookies, are left out. Since
// tasks are sent in no order, of the pauses only their mean is kept.
func DraftOfHAR(data []byte) (Draft, error) {
	var file harFile
	if err := json.Unmarshal(data, &file); err != nil {
		return Draft{}, fmt.Errorf("the file is not a HAR: %w", err)
	}
	var d Draft
	seen := map[string]int{} // index of the task
	elsewhere := 0
	var started []time.Time
	for i, e := range file.Log.Entries {
		r := e.Request
		if scheme, _, _ := strings.Cut(r.URL, ":"); scheme != "http" && scheme != "https" {
			elsewhere++ // data: and web sockets
			continue
		}
		target, path, err := splitURL(r.URL)
		if err != nil {
			return Draft{}, fmt.Errorf("log.entries[%d].request.url: %w", i, err)
		}
		if !isToken(r.Method) {
			return Draft{}, fmt.Errorf("log.entries[%d].request.method: got %q, want one such as GET", i, r.Method)
		}
		if d.Target == "" {
			d.Target = target
		} else if target != d.Target {
			elsewhere++
			continue
		}
		if at, err := time.Parse(time.RFC3339, e.Started); err == nil {
			started = append(started, at)
		}
		t := r.task(path)
		key := fmt.Sprint(t.Method, " ", t.Path, " ", t.Body)
		if n, ok := seen[key]; ok {
			d.Tasks[n].Weight = min(d.Tasks[n].Weight+1, mostWeight)
			continue
		}
		seen[key] = len(d.Tasks)
		d.Tasks = append(d.Tasks, t)
	}
	if len(d.Tasks) == 0 {
		return Draft{}, errors.New("the file has no requests in log.entries, want a HAR with one or more over HTTP")
	}
	if elsewhere > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%s not to %s left out", Plural(elsewhere, "request", "requests"), d.Target))
	}
	d.Notes = append(d.Notes, "tasks are sent at random by their weights, not in the order of the recording")
	if n := len(started) - 1; n > 0 {
		if apart := (started[n].Sub(started[0]) / time.Duration(n)).Round(time.Millisecond); apart > 0 && apart < 24*time.Hour {
			d.Wait = Wait{Min: apart, Max: apart, Pacing: true}
			d.Notes = append(d.Notes, fmt.Sprintf("a user sends as often as the recording did, a request every %s: change wait for another pace", Duration(apart)))
		}
	}
	d.warnOfSecrets()
	return d, nil
}

// browserHeaders are prefixes of what a browser adds for its own sake.
var browserHeaders = []string{":", "sec-", "cookie", "if-", "cache-control", "pragma", "priority", "dnt", "upgrade-insecure-requests", "te"}

func (r harRequest) task(path string) DraftTask {
	t := DraftTask{Method: strings.ToUpper(r.Method), Path: path, Weight: 1}
	for _, h := range r.Headers {
		name := strings.ToLower(h.Name)
		if !slices.ContainsFunc(browserHeaders, func(prefix string) bool {
			return name == prefix || strings.HasSuffix(prefix, "-") && strings.HasPrefix(name, prefix) || prefix == ":" && strings.HasPrefix(name, ":")
		}) {
			t.addHeader(h.Name, h.Value)
		}
	}
	if r.PostData != nil {
		t.Body = verbatim(r.PostData.Text)
	}
	return t
}
