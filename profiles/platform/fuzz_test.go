package platform

import (
	"bytes"
	"os"
	"testing"
	"time"

	"headroom/profiles"
)

// fuzzImport looks at one reader: it neither panics nor returns what cannot be
// decided on.
func fuzzImport(f *testing.F, pl Platform) {
	for _, c := range cases {
		if doc, err := pl.Export(running(c.edit), c.options); err == nil {
			f.Add(doc.Text)
		}
	}
	for _, file := range importFiles(f, pl) {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, _, err := pl.Import(text)
		if err != nil {
			return
		}
		if err := p.Validate(); err != nil {
			t.Errorf("imported an invalid policy: %v", err)
		}
		s, err := pl.read(bytes.Clone(text))
		if err != nil {
			t.Fatalf("read a second time: %v", err)
		}
		if d, err := s.decider(); err == nil {
			d.Decide(time.Unix(1, 0), profiles.Metrics{Replicas: 3, Ready: 3, Readings: make([]profiles.Reading, len(p.Metrics))})
		}
	})
}

func FuzzPolicyFile(f *testing.F)  { fuzzImport(f, policyFile) }
func FuzzAWS(f *testing.F)         { fuzzImport(f, aws) }
func FuzzCloudRun(f *testing.F)    { fuzzImport(f, cloudrun) }
func FuzzCortex(f *testing.F)      { fuzzImport(f, cortex) }
func FuzzEverAI(f *testing.F)      { fuzzImport(f, everai) }
func FuzzFly(f *testing.F)         { fuzzImport(f, fly) }
func FuzzHPA(f *testing.F)         { fuzzImport(f, hpa) }
func FuzzJCloud(f *testing.F)      { fuzzImport(f, jcloud) }
func FuzzKEDA(f *testing.F)        { fuzzImport(f, keda) }
func FuzzKEDAHTTP(f *testing.F)    { fuzzImport(f, kedaHTTP) }
func FuzzKnative(f *testing.F)     { fuzzImport(f, knative) }
func FuzzKServe(f *testing.F)      { fuzzImport(f, kserve) }
func FuzzNomad(f *testing.F)       { fuzzImport(f, nomad) }
func FuzzRayServe(f *testing.F)    { fuzzImport(f, rayServe) }
func FuzzTrueFoundry(f *testing.F) { fuzzImport(f, trueFoundry) }
