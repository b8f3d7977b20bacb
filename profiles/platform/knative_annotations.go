package platform

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"headroom/profiles"
	"headroom/profiles/document"
)

// knativePrefix begins the names of the annotations about scaling.
const knativePrefix = "autoscaling.knative.dev/"

// knativeAnnotations are those of a revision, as knative/serving has them in
// pkg/apis/autoscaling/register.go, each with the older spelling that is
// accepted too. The values are texts; what is not is found out by annotated.
type knativeAnnotations struct {
	Class            any `yaml:"autoscaling.knative.dev/class"`
	Metric           any `yaml:"autoscaling.knative.dev/metric"`
	Target           any `yaml:"autoscaling.knative.dev/target"`
	Window           any `yaml:"autoscaling.knative.dev/window"`
	Utilization      any `yaml:"autoscaling.knative.dev/target-utilization-percentage"`
	UtilizationCamel any `yaml:"autoscaling.knative.dev/targetUtilizationPercentage"`
	MinScale         any `yaml:"autoscaling.knative.dev/min-scale"`
	MinScaleCamel    any `yaml:"autoscaling.knative.dev/minScale"`
	MaxScale         any `yaml:"autoscaling.knative.dev/max-scale"`
	MaxScaleCamel    any `yaml:"autoscaling.knative.dev/maxScale"`
	Initial          any `yaml:"autoscaling.knative.dev/initial-scale"`
	InitialCamel     any `yaml:"autoscaling.knative.dev/initialScale"`
	Activation       any `yaml:"autoscaling.knative.dev/activation-scale"`
	ActivationCamel  any `yaml:"autoscaling.knative.dev/activationScale"`
	Delay            any `yaml:"autoscaling.knative.dev/scale-down-delay"`
	DelayCamel       any `yaml:"autoscaling.knative.dev/scaleDownDelay"`
	PanicWindow      any `yaml:"autoscaling.knative.dev/panic-window-percentage"`
	PanicWindowCamel any `yaml:"autoscaling.knative.dev/panicWindowPercentage"`
	Threshold        any `yaml:"autoscaling.knative.dev/panic-threshold-percentage"`
	ThresholdCamel   any `yaml:"autoscaling.knative.dev/panicThresholdPercentage"`
	Burst            any `yaml:"autoscaling.knative.dev/target-burst-capacity"`
	BurstCamel       any `yaml:"autoscaling.knative.dev/targetBurstCapacity"`
	Retention        any `yaml:"autoscaling.knative.dev/scale-to-zero-pod-retention-period"`
	RetentionCamel   any `yaml:"autoscaling.knative.dev/scaleToZeroPodRetentionPeriod"`
	Aggregation      any `yaml:"autoscaling.knative.dev/metric-aggregation-algorithm"`
	AggregationCamel any `yaml:"autoscaling.knative.dev/metricAggregationAlgorithm"`
}

// knativeNames are their names without the prefix.
func knativeNames() []string {
	names := keysOf(knativeAnnotations{})
	for i, name := range names {
		names[i] = strings.TrimPrefix(name, knativePrefix)
	}
	return names
}

// annotated reads annotations and collects what is wrong with them. Of the two
// spellings of a name the one with hyphens counts where both are there.
type annotated struct {
	values   map[string]any    // by the full name
	at       map[string]string // the key of the mapping that each is in
	problems problems
}

// add takes the annotations that are set from a struct of any values; those
// that are there already are replaced.
func (a *annotated) add(key string, annotations any) {
	if a.values == nil {
		a.values, a.at = map[string]any{}, map[string]string{}
	}
	v := reflect.ValueOf(annotations)
	for i := range v.NumField() {
		if value := v.Field(i).Interface(); value != nil {
			name := v.Type().Field(i).Tag.Get("yaml")
			a.values[name], a.at[name] = value, key
		}
	}
}

// spellings are the full names of a setting, the one that counts first. A name
// that is full already has no other.
func spellings(name string) []string {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	words := strings.Split(name, "-")
	camel := words[0]
	for _, w := range words[1:] {
		camel += strings.ToUpper(w[:1]) + w[1:]
	}
	if camel == name {
		return []string{knativePrefix + name}
	}
	return []string{knativePrefix + name, knativePrefix + camel}
}

// text is the value of a setting; found is false where it is not there or not
// a text.
func (a *annotated) text(name string) (key, value string, found bool) {
	for _, full := range spellings(name) {
		v, there := a.values[full]
		if !there {
			continue
		}
		key = a.at[full] + "." + full
		if value, found = v.(string); !found {
			a.problems.bad(key, "got %v without quotes, want a text: %q", v, fmt.Sprint(v))
		}
		return key, value, found
	}
	return "", "", false
}

// oneOf is one of some words, or the usual one.
func (a *annotated) oneOf(name, usual string, words ...string) string {
	key, value, found := a.text(name)
	if !found {
		return usual
	}
	for _, w := range words {
		if value == w {
			return value
		}
	}
	a.problems.bad(key, "%v", profiles.OneOf(value, words))
	return usual
}

// whole is a number of at least low.
func (a *annotated) whole(name string, usual, low int) int {
	key, value, found := a.text(name)
	if !found {
		return usual
	}
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil || int(n) < low {
		a.problems.bad(key, "got %q, want a whole number of %d or more", value, low)
		return usual
	}
	return int(n)
}

// number is one of low to high.
func (a *annotated) number(name string, usual, low, high float64) float64 {
	key, value, found := a.text(name)
	if !found {
		return usual
	}
	n, err := strconv.ParseFloat(value, 64)
	if err != nil || !(n >= low && n <= high) { // so that NaN is refused
		a.problems.bad(key, "got %q, want a number from %s to %s", value, plainNumber(low), plainNumber(high))
		return usual
	}
	return n
}

// duration is one of low to 1 h, which is Knative's longest, in whole units.
func (a *annotated) duration(name string, usual, low, unit time.Duration) time.Duration {
	key, value, found := a.text(name)
	if !found {
		return usual
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < low || d > knativeLongest || d%unit != 0 {
		want := fmt.Sprintf("%s to %s", profiles.Duration(low), profiles.Duration(knativeLongest))
		if unit == time.Second {
			want += " in whole seconds"
		}
		a.problems.bad(key, "got %q, want %s", value, want)
		return usual
	}
	return d
}

// edits set an annotation, in the spelling that is there, or remove it where
// the value is empty. New ones go into the mapping at the key.
func (a *annotated) edits(key, name, value string) (out []document.Edit) {
	names := spellings(name)
	if value == "" {
		for _, full := range names {
			if at, there := a.at[full]; there {
				out = append(out, document.Edit{Path: editPath(at, full)})
			}
		}
		return out
	}
	for _, full := range names {
		if at, there := a.at[full]; there {
			return []document.Edit{{Path: editPath(at, full), Value: value}}
		}
	}
	return []document.Edit{{Path: editPath(key, names[0]), Value: value}}
}

// editPath is the path of an annotation for document.Apply.
func editPath(key, name string) string {
	return strings.ReplaceAll(key, ".", "/") + "/" + strings.ReplaceAll(name, "/", "~1")
}
