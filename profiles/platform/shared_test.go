package platform

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"headroom/profiles"
)

// fleetWith is a fleet with the totals of its metrics.
func fleetWith(replicas, ready int, totals ...float64) profiles.Metrics {
	m := profiles.Metrics{Replicas: replicas, Ready: ready}
	for _, total := range totals {
		m.Readings = append(m.Readings, profiles.Reading{Total: profiles.MilliOf(total), Valid: true})
	}
	return m
}

// someDay is a Monday in winter, at the hour and minute given.
func someDay(hour, minute int) time.Time { return time.Date(2026, 1, 5, hour, minute, 0, 0, time.UTC) }

// deciderOf is what a document decides with.
func deciderOf(t testing.TB, pl Platform, text string) profiles.Decider {
	t.Helper()
	s, err := pl.read([]byte(text))
	if err != nil {
		t.Fatalf("read: %v\n%s", err, text)
	}
	d, err := s.decider()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// neverAllocates checks that a decider in a steady state leaves no garbage.
func neverAllocates(t *testing.T, d profiles.Decider, m profiles.Metrics) {
	t.Helper()
	now := someDay(12, 0)
	step := func() {
		now = now.Add(10 * time.Second)
		m.Replicas = d.Decide(now, m).Desired
		m.Ready = m.Replicas
	}
	for range 100 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("Decide allocates %v times, want 0", n)
	}
}

func benchmarkSteps(b *testing.B, d profiles.Decider, m profiles.Metrics) {
	b.ReportAllocs()
	now := someDay(12, 0)
	for b.Loop() {
		now = now.Add(10 * time.Second)
		m.Replicas = d.Decide(now, m).Desired
		m.Ready = m.Replicas
	}
}

// importedFile is a document that an import was tried with.
func importedFile(t *testing.T, pl Platform, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", pl.Name, "import", file))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// linesChanged are the lines that an export takes out of a document and puts in,
// each with - or + in front, when the imported policy is edited.
func linesChanged(t *testing.T, pl Platform, file string, edit func(*profiles.Policy)) (lines []string, doc Document) {
	t.Helper()
	text := importedFile(t, pl, file)
	p, _, err := pl.Import(text)
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(&p)
	}
	doc, err = pl.Export(p, Options{})
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(text), "\n"), strings.Split(string(doc.Text), "\n")
	for _, line := range was {
		if !slices.Contains(is, line) {
			lines = append(lines, "-"+line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			lines = append(lines, "+"+line)
		}
	}
	return lines, doc
}

// refusedImports are the documents of imports that are wrong on purpose.
var refusedImports = map[string][]string{
	"aws":         {"dynamodb.yaml", "wrong.yaml"},
	"cloudrun":    {"wrong-together.yaml", "wrong.yaml"},
	"cortex":      {"batch.yaml", "both-names.yaml", "not-a-number.yaml", "wrong.yaml"},
	"everai":      {"which.yaml", "wrong-manifest.yaml", "wrong.yaml"},
	"fly":         {"no-service.toml", "types.toml", "wrong.toml"},
	"hpa":         {"text-for-numbers.yaml", "two.yaml", "unreadable-number.yaml", "v1.yaml", "wrong.yaml"},
	"jcloud":      {"flow.yml", "wrong.yml"},
	"keda-http":   {"old-wrong.yaml", "route-alone.yaml", "wrong.yaml"},
	"keda":        {"cpu-to-zero.yaml", "external-only.yaml", "wrong.yaml"},
	"knative":     {"two-services.yaml", "wrong-bounds.yaml", "wrong.yaml"},
	"kserve":      {"keda.yaml", "modelmesh.yaml", "wrong-hpa.yaml", "wrong-standard.yaml", "wrong.yaml"},
	"nomad":       {"wrong.nomad.hcl"},
	"rayserve":    {"wrong.yaml"},
	"truefoundry": {"async.yaml", "list-of-metrics.yaml", "short-names.yaml", "wrong-cpu.yaml", "wrong-cron.yaml", "wrong.yaml"},
}

// What was imported comes back byte by byte when nothing changed, but for
// jcloud, which writes out what a document leaves to the defaults.
func TestDocumentsComeBackAsTheyWere(t *testing.T) {
	for _, pl := range All() {
		if pl.Name == jcloud.Name {
			continue
		}
		files, err := filepath.Glob(filepath.Join("testdata", pl.Name, "import", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			if strings.HasSuffix(name, ".golden") {
				continue
			}
			t.Run(pl.Name+"/"+name, func(t *testing.T) {
				text := importedFile(t, pl, name)
				p, _, err := pl.Import(text)
				if slices.Contains(refusedImports[pl.Name], name) {
					if err == nil {
						t.Error("imported, want a refusal")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				doc, err := pl.Export(p, Options{})
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(text, doc.Text) {
					t.Errorf("(-imported +exported)\n%s", cmp.Diff(string(text), string(doc.Text)))
				}
				if len(doc.Losses) > 0 {
					t.Errorf("got losses %v, want none", doc.Losses)
				}
			})
		}
	}
}

// The cases of all platforms with requests in flight instead of a rate, which
// these two cannot say.
func TestExportInFlight(t *testing.T) {
	for _, pl := range []Platform{fly, rayServe} {
		for _, c := range cases {
			p := running(c.edit)
			if len(p.Metrics) != 1 || p.Metrics[0].Kind != profiles.RPS || p.Calibration != nil {
				continue
			}
			p.Metrics[0].Kind = profiles.InFlight
			t.Run(pl.Name+"/"+c.name, func(t *testing.T) {
				golden(t, filepath.Join("testdata", pl.Name, "in-flight", strings.ReplaceAll(c.name, " ", "-")+".golden"), transcript(pl, p, c.options))
			})
		}
	}
}
