package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	batch "k8s.io/api/batch/v1"
)

// TestDeployedJob decodes the example for Kubernetes as strictly as an API
// server does, and runs its command line here.
func TestDeployedJob(t *testing.T) {
	document, err := yaml.YAMLToJSON([]byte(read(t, "../../docs/deploy/job.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	var job batch.Job
	if err := d.Decode(&job); err != nil {
		t.Fatal(err)
	}
	container := job.Spec.Template.Spec.Containers[0]
	if len(container.Command) > 0 {
		t.Fatalf("command %q, want the entry point of the image", container.Command)
	}

	authorization := make(chan string, 1)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case authorization <- r.Header.Get("Authorization"):
		default:
		}
	}))
	defer target.Close()
	t.Setenv("TOKEN", "Bearer from-a-secret")
	results := t.TempDir()
	args := slices.Clone(container.Args)
	for i, arg := range args {
		arg = strings.Replace(arg, "http://my-service.default.svc.cluster.local:8000", target.URL, 1)
		arg = strings.Replace(arg, "/results/", results+"/", 1)
		args[i] = strings.Replace(arg, "--run-time=5m", "--requests=20", 1)
	}
	if code, out, said := execute(t, args...); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out, said)
	}
	if got := <-authorization; got != "Bearer from-a-secret" {
		t.Errorf("Authorization is %q, want what the secret holds", got)
	}
	for _, name := range []string{"run.json", "run.html"} {
		if info, err := os.Stat(filepath.Join(results, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, want it written", name, err)
		}
	}
}
