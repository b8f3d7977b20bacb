package platform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// everai are the two autoscalers of EverAI (everai-autoscaler/builtin):
// free-worker, which keeps some workers free, and simple, which keeps the
// queue short. Their arguments stand in a ConfigMap file, which takes effect
// on running apps, or in the manifest of an app, where decorators may change
// them at certain hours. All values are text. A new document is a ConfigMap.
var everai = Platform{
	Name: "everai", Title: "EverAI", File: "configmap.yaml",
	begin: beginEverAI, write: writeEverAI, read: readEverAI, recognise: recogniseEverAI,
}

// The two autoscalers by their names in a manifest.
const (
	freeWorker  = "free-worker" // scales up while too few are free
	simpleQueue = "simple"      // scales up while too many requests wait
)

// The arguments of both autoscalers.
const (
	argMin   = iota // workers
	argMax          // workers
	argFree         // of free-worker: workers
	argQueue        // of simple: requests that wait for a worker
	argStep         // workers a decision
	argIdle         // seconds
	argCount
)

// everaiArguments are their values.
type everaiArguments [argCount]int

// everaiNames are their names, and the least that they may be: with 0 free
// workers, an empty queue or no step nothing would ever be added, or there is
// no equal in a policy.
var everaiNames = [argCount]everaiName{{"min_workers", 0}, {"max_workers", 1}, {"min_free_workers", 1}, {"max_queue_size", 1}, {"scale_up_step", 1}, {"max_idle_time", 0}}

type everaiName struct {
	name  string
	least int
}

// The defaults of the Python arguments, which stand behind a ConfigMap, and
// those of the comments in a manifest. They differ.
var (
	everaiPython   = everaiArguments{argMin: 1, argMax: 1, argFree: 1, argQueue: 1, argStep: 1, argIdle: 120}
	everaiManifest = everaiArguments{argMin: 1, argMax: 5, argFree: 2, argQueue: 1, argStep: 2, argIdle: 60}
)

// everaiForm is what tells the two documents apart.
type everaiForm struct {
	Version    string         `yaml:"version"`
	Kind       string         `yaml:"kind"`
	APIVersion string         `yaml:"apiVersion"`
	Data       map[string]any `yaml:"data"`
	Spec       struct {
		Autoscaler map[string]any `yaml:"autoscaler"`
	} `yaml:"spec"`
}

func (f everaiForm) isManifest() bool {
	return f.Kind == "App" && strings.HasPrefix(f.Version, "everai/")
}

func (f everaiForm) isConfigMap() bool {
	if f.Kind != "" || f.APIVersion != "" {
		return false
	}
	for _, n := range everaiNames {
		if _, ok := f.Data[n.name]; ok {
			return true
		}
	}
	return false
}

// findEverAI are the documents of a file that say how to scale. A manifest
// without an autoscaler says so only where it is alone.
func findEverAI(text []byte) (docs []document.Document, forms []everaiForm) {
	all, _ := document.Split(text)
	for _, d := range all {
		var form everaiForm
		if _, err := d.Decode(&form, document.Lax); err != nil {
			continue
		}
		if form.isConfigMap() || form.isManifest() && (form.Spec.Autoscaler != nil || len(all) == 1) {
			docs, forms = append(docs, d), append(forms, form)
		}
	}
	return docs, forms
}

func recogniseEverAI(text []byte) bool {
	docs, _ := findEverAI(text)
	return len(docs) > 0
}

// everaiSettings are what a document says.
type everaiSettings struct {
	doc        int    // index in the file
	others     int    // documents that say how to scale too
	unknown    []Loss // arguments that there are not
	manifest   bool   // and not a ConfigMap
	manual     int    // workers of a manifest without an autoscaler; 0: it has one
	scaler     string // freeWorker or simpleQueue
	args       everaiArguments
	decorators everaiDecorators
}

func readEverAI(text []byte) (settings, error) {
	s, err := parseEverAI(text)
	return s, err
}

func parseEverAI(text []byte) (everaiSettings, error) {
	docs, forms := findEverAI(text)
	if len(docs) == 0 {
		if _, err := document.Split(text); err != nil {
			return everaiSettings{}, err
		}
		return everaiSettings{}, document.Problem{Text: "got neither a manifest (version: everai/..., kind: App) nor a ConfigMap file with name and data"}
	}
	parse := parseEverAIConfigMap
	if forms[0].isManifest() {
		parse = parseEverAIManifest
	}
	s, err := parse(docs[0], forms[0])
	s.others = len(docs) - 1
	return s, err
}

func parseEverAIConfigMap(d document.Document, form everaiForm) (everaiSettings, error) {
	var file struct {
		Data everaiText `yaml:"data"`
	}
	lines, err := d.Decode(&file, document.Lax)
	s := everaiSettings{doc: d.Index, args: everaiPython}
	s.unknown = misspelt(lines, "", "data.", keysOf(everaiText{})) // a ConfigMap may hold anything else too
	var problems problems
	s.args.take(file.Data, form.Data, "data.", &problems)
	switch free, queue := file.Data.Free, file.Data.Queue; {
	case free != nil && queue != nil:
		problems.bad("data.max_queue_size", "got it besides min_free_workers, want one of them: they belong to different autoscalers")
	case free == nil && queue == nil:
		problems.bad("data", "got neither min_free_workers nor max_queue_size, want one of them: they tell which autoscaler it is for")
	case free != nil:
		s.scaler = freeWorker
	default:
		s.scaler = simpleQueue
	}
	return s, lines.Check(err, problems)
}

// everaiText are the arguments as they are written.
type everaiText struct {
	Min   *string `yaml:"min_workers"`
	Max   *string `yaml:"max_workers"`
	Free  *string `yaml:"min_free_workers"`
	Queue *string `yaml:"max_queue_size"`
	Step  *string `yaml:"scale_up_step"`
	Idle  *string `yaml:"max_idle_time"`
}

func parseEverAIManifest(d document.Document, _ everaiForm) (everaiSettings, error) {
	var file struct {
		Spec struct {
			Autoscaler struct {
				Builtin *struct {
					Name       string     `yaml:"name"`
					Arguments  everaiText `yaml:"arguments"`
					Decorators struct {
						Arguments []everaiDecorator `yaml:"arguments"`
						Factors   []everaiDecorator `yaml:"factors"`
					} `yaml:"decorators"`
				} `yaml:"builtin"`
				Manual struct {
					Workers *int `yaml:"defaultWorkerNum"`
				} `yaml:"manual"`
			} `yaml:"autoscaler"`
		} `yaml:"spec"`
	}
	lines, err := d.Decode(&file, document.Lax)
	s := everaiSettings{doc: d.Index, manifest: true, args: everaiManifest}
	var problems problems
	b := file.Spec.Autoscaler.Builtin
	if b == nil {
		s.manual = or(file.Spec.Autoscaler.Manual.Workers, 1)
		if s.manual < 1 {
			problems.bad("spec.autoscaler.manual.defaultWorkerNum", "got %d, want 1 or more", s.manual)
		}
		return s, lines.Check(err, problems)
	}
	const at = "spec.autoscaler.builtin."
	s.unknown = unknown(lines, at, "arguments.", keysOf(everaiText{}))
	if s.scaler = b.Name; s.scaler != freeWorker && s.scaler != simpleQueue {
		problems.bad(at+"name", "got %q, want %s or %s: others are code of their own", b.Name, freeWorker, simpleQueue)
	}
	s.args.take(b.Arguments, everaiRaw(d), at+"arguments.", &problems)
	s.decorators.read(s.scaler, b.Decorators.Arguments, b.Decorators.Factors, at+"decorators.", &problems)
	return s, lines.Check(err, problems)
}

// everaiRaw are the arguments of a manifest with the types that YAML gives
// them.
func everaiRaw(d document.Document) map[string]any {
	var file struct {
		Spec struct {
			Autoscaler struct {
				Builtin struct {
					Arguments map[string]any `yaml:"arguments"`
				} `yaml:"builtin"`
			} `yaml:"autoscaler"`
		} `yaml:"spec"`
	}
	d.Decode(&file, document.Lax) // what is wrong with it has been said by then
	return file.Spec.Autoscaler.Builtin.Arguments
}

// take reads the arguments. EverAI has text only, so a number without quotes
// is a mistake.
func (a *everaiArguments) take(text everaiText, raw map[string]any, at string, problems *problems) {
	values := []*string{text.Min, text.Max, text.Free, text.Queue, text.Step, text.Idle}
	for i, n := range everaiNames {
		if values[i] == nil {
			continue
		}
		v, err := everaiNumber(*values[i], n.least)
		_, isText := raw[n.name].(string)
		switch {
		case err != nil:
			problems.bad(at+n.name, "%v", err)
		case !isText:
			problems.bad(at+n.name, "got the number %s, want text: '%s'", *values[i], *values[i])
		}
		a[i] = v
	}
	if a[argMax] < a[argMin] {
		problems.bad(at+"max_workers", "got %d, want min_workers (%d) or more", a[argMax], a[argMin])
	}
}

func everaiNumber(text string, least int) (int, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 30)
	if err != nil || int(n) < least {
		return least, fmt.Errorf("got %q, want a whole number of %d or more", text, least)
	}
	return int(n), nil
}

// lowest is the smallest size of a fleet. With free-worker it is never none:
// as soon as the last worker goes, too few are free.
func (s everaiSettings) lowest() int {
	if s.scaler == freeWorker {
		return max(1, s.args[argMin])
	}
	return s.args[argMin]
}

func (s everaiSettings) policy() (profiles.Policy, []Loss) {
	losses := slices.Clone(s.unknown)
	if s.others > 0 {
		losses = append(losses, Loss{Field: "platforms.everai", Severe: true, Reason: fmt.Sprintf("only the first of %d documents is read", s.others+1)})
	}
	if s.manual > 0 {
		return profiles.FixedPolicy(s.manual), losses
	}
	p := profiles.DefaultPolicy()
	p.Replicas = profiles.Bounds{Min: s.lowest(), Max: profiles.Limit(s.args[argMax])}
	m := profiles.Metric{Kind: profiles.FreeWorkers, Target: profiles.Milli(s.args[argFree]) * 1000, Window: profiles.Duration(time.Second)}
	if s.scaler == simpleQueue {
		m.Kind, m.Target = profiles.Queue, profiles.Milli(s.args[argQueue])*1000
	}
	p.Metrics = []profiles.Metric{m}
	idle := profiles.Duration(s.args[argIdle]) * profiles.Duration(time.Second)
	p.Up.Step, p.Down.Stabilization, p.Down.Idle = s.args[argStep], 0, idle
	p.Schedules = s.decorators.schedules

	losses = append(losses, s.decorators.losses...)
	if s.args[argMin] == 0 && s.scaler == freeWorker {
		losses = append(losses, Loss{Field: "replicas.min", Severe: true,
			Reason: "min_workers is 0, but with none at all too few are free, so EverAI starts one again: a policy cannot say that, and keeps 1"})
	}
	if p.Replicas.Min == 0 {
		p.ToZero = &profiles.ToZero{After: min(max(idle, profiles.Duration(time.Second)), profiles.Duration(24*time.Hour))}
		losses = append(losses, Loss{Field: "toZero", Severe: true,
			Reason: fmt.Sprintf("without workers EverAI starts one only once more than max_queue_size (%d) requests wait; a policy does so for the first", s.args[argQueue])})
	}
	return p, losses
}

func (s everaiSettings) decider() (profiles.Decider, error) {
	if s.manual > 0 {
		return profiles.FixedPolicy(s.manual).Decider()
	}
	return newEverAIDecider(s), nil
}
