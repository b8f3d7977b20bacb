package tui

import (
	"fmt"
	"strings"

	"headroom/profiles"
)

// testFormats are as many as there are, and as long.
var testFormats = []Format{
	{"policy", "Headroom's own policy file", "policy.yaml"},
	{"aws", "AWS, target tracking of an ECS service in CloudFormation", "template.yaml"},
	{"cloudrun", "Google Cloud Run service", "service.yaml"},
	{"cortex", "Cortex", "cortex.yaml"},
	{"everai", "EverAI", "configmap.yaml"},
	{"fly", "Fly.io, fly.toml", "fly.toml"},
	{"hpa", "Kubernetes HorizontalPodAutoscaler, autoscaling/v2", "hpa.yaml"},
	{"jcloud", "Jina AI Cloud, fastapi-serve", "jcloud.yml"},
	{"keda", "KEDA ScaledObject", "scaledobject.yaml"},
	{"keda-http", "KEDA HTTP add-on, InterceptorRoute and ScaledObject", "interceptorroute.yaml"},
	{"knative", "Knative Serving, its Pod Autoscaler", "service.yaml"},
	{"kserve", "KServe InferenceService", "inferenceservice.yaml"},
	{"nomad", "HashiCorp Nomad, job with a scaling block", "job.nomad.hcl"},
	{"rayserve", "Ray Serve, config file", "serve.yaml"},
	{"truefoundry", "TrueFoundry service", "truefoundry.yaml"},
}

// fakeController notes what it is asked for.
type fakeController struct {
	asked []string
	err   error
}

func (f *fakeController) note(format string, args ...any) error {
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fakeController) Start() error                        { return f.note("start") }
func (f *fakeController) Stop() error                         { return f.note("stop") }
func (f *fakeController) SetUsers(n int) error                { return f.note("users %d", n) }
func (f *fakeController) SetSpawnRate(r float64) error        { return f.note("spawn rate %v", r) }
func (f *fakeController) SetRate(r float64) error             { return f.note("rate %v", r) }
func (f *fakeController) SetTraffic(t profiles.Traffic) error { return f.note("traffic %s", t) }
func (f *fakeController) TogglePause() error                  { return f.note("pause") }
func (f *fakeController) Recycle() error                      { return f.note("recycle") }
func (f *fakeController) ResetStats() error                   { return f.note("reset") }
func (f *fakeController) Advise() error                       { return f.note("advise") }
func (f *fakeController) Apply() error                        { return f.note("apply") }
func (f *fakeController) Verify() error                       { return f.note("verify") }

func (f *fakeController) String() string { return strings.Join(f.asked, ", ") }
