package platform

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"headroom/profiles/document"
)

// aws is a CloudFormation template with an
// AWS::ApplicationAutoScaling::ScalableTarget of an ECS service and its
// target tracking policies (AWS documentation: RegisterScalableTarget,
// TargetTrackingScalingPolicyConfiguration, PredefinedMetricSpecification,
// ScheduledAction). Its requests are counted per target and minute: 600 are 10
// requests/s.
var aws = Platform{
	Name: "aws", Title: "AWS, target tracking of an ECS service in CloudFormation", File: "template.yaml",
	begin: func(w *writer) string {
		return fmt.Sprintf(`AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Target:
    Type: %s
    Properties:
      ServiceNamespace: ecs
      ScalableDimension: ecs:service:DesiredCount
      ResourceId: service/%s/%s
      MinCapacity: 1
      MaxCapacity: 1
`, awsTargetType, w.given("--namespace", w.options.Namespace, "default"), w.name())
	},
	write: writeAWS, read: readAWS, recognise: recogniseAWS,
}

const (
	awsTargetType = "AWS::ApplicationAutoScaling::ScalableTarget"
	awsPolicyType = "AWS::ApplicationAutoScaling::ScalingPolicy"
	awsTracking   = "TargetTrackingScaling"
	awsCooldown   = 300 // seconds, both ways, for ECS
	awsMinute     = 60  // seconds of a metric
)

// The metrics that AWS has for a service, and what they are to a policy.
const (
	awsRequests = "ALBRequestCountPerTarget" // per minute
	awsCPU      = "ECSServiceAverageCPUUtilization"
	awsMemory   = "ECSServiceAverageMemoryUtilization"
)

// awsResource is a target or a policy of it. What may be an intrinsic function
// and is not looked at is of any type.
type awsResource struct {
	Type       string `yaml:"Type"`
	Properties struct {
		ServiceNamespace string      `yaml:"ServiceNamespace"`
		ResourceID       any         `yaml:"ResourceId"`
		Min              *int        `yaml:"MinCapacity"`
		Max              *int        `yaml:"MaxCapacity"`
		Actions          []awsAction `yaml:"ScheduledActions"`

		PolicyType string `yaml:"PolicyType"`
		Target     any    `yaml:"ScalingTargetId"`
		Tracking   *struct {
			Target         *float64 `yaml:"TargetValue"`
			In             *int     `yaml:"ScaleInCooldown"`
			Out            *int     `yaml:"ScaleOutCooldown"`
			DisableScaleIn bool     `yaml:"DisableScaleIn"`
			Predefined     *struct {
				Type  string `yaml:"PredefinedMetricType"`
				Label any    `yaml:"ResourceLabel"`
			} `yaml:"PredefinedMetricSpecification"`
			Customized *struct {
				Name string `yaml:"MetricName"`
			} `yaml:"CustomizedMetricSpecification"`
		} `yaml:"TargetTrackingScalingPolicyConfiguration"`
	} `yaml:"Properties"`
}

// awsAction sets bounds at an instant.
type awsAction struct {
	Name     string `yaml:"ScheduledActionName"`
	Schedule string `yaml:"Schedule"`
	Timezone string `yaml:"Timezone"`
	From     any    `yaml:"StartTime"`
	To       any    `yaml:"EndTime"`
	Action   struct {
		Min *int `yaml:"MinCapacity"`
		Max *int `yaml:"MaxCapacity"`
	} `yaml:"ScalableTargetAction"`
}

// awsSettings are those of one scalable target, with the defaults filled in.
type awsSettings struct {
	id        string
	resources []string // the names of all in the template
	min, max  int
	policies  []awsPolicy // target tracking, in the order of the template
	actions   []awsAction
	others    string // scalable targets that are not read
	foreign   string // policies of another type
}

// awsPolicy is a target tracking policy.
type awsPolicy struct {
	id        string
	metric    string // predefined, or the name of a customised one
	own       bool   // customised
	target    float64
	in, out   time.Duration // cooldowns
	disableIn bool
}

var awsName = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// awsTypes are the names of the resources of a template and their types.
func awsTypes(text []byte) (map[string]string, error) {
	var t struct {
		Resources map[string]any `yaml:"Resources"`
	}
	lines, err := document.Decode(text, &t, document.Lax)
	if lines == nil || err != nil {
		return nil, err
	}
	types := map[string]string{}
	for name, r := range t.Resources {
		if r, ok := r.(map[string]any); ok && awsName.MatchString(name) {
			types[name] = fmt.Sprint(r["Type"])
		}
	}
	return types, nil
}

// awsResources reads resources of a template by their names. The struct type
// to read into is made up for that, since only a struct keeps their lines.
func awsResources(text []byte, names []string) (map[string]awsResource, document.Lines, error) {
	fields := make([]reflect.StructField, len(names))
	for i, name := range names {
		tag := reflect.StructTag(fmt.Sprintf(`yaml:"%s"`, name))
		fields[i] = reflect.StructField{Name: fmt.Sprintf("R%d", i), Type: reflect.TypeFor[awsResource](), Tag: tag}
	}
	template := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "Resources", Type: reflect.StructOf(fields), Tag: `yaml:"Resources"`},
	}))
	lines, err := document.Decode(text, template.Interface(), document.Lax)
	out := map[string]awsResource{}
	for i, name := range names {
		out[name] = template.Elem().Field(0).Field(i).Interface().(awsResource)
	}
	return out, lines, err
}

func recogniseAWS(text []byte) bool {
	types, err := awsTypes(text)
	if err != nil {
		return false
	}
	for _, t := range types {
		if t == awsTargetType {
			return true
		}
	}
	return false
}

func readAWS(text []byte) (settings, error) {
	s, err := parseAWS(text)
	return s, err
}

func parseAWS(text []byte) (awsSettings, error) {
	var s awsSettings
	types, err := awsTypes(text)
	if err != nil {
		return s, err
	}
	var names []string
	for name, t := range types {
		s.resources = append(s.resources, name)
		if t == awsTargetType || t == awsPolicyType {
			names = append(names, name)
		}
	}
	resources, lines, err := awsResources(text, names)
	if lines == nil {
		return s, err
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(lines["Resources."+a], lines["Resources."+b]), strings.Compare(a, b))
	})
	if !s.choose(names, resources) {
		return s, lines.Check(err, problems{{Key: "Resources", Text: "got no " + awsTargetType + " of ECS, want one"}})
	}
	var problems problems
	s.bounds(resources[s.id], &problems)
	var foreign []string
	for _, name := range names {
		r := resources[name]
		switch {
		case r.Type != awsPolicyType || !s.mine(r, resources[s.id]):
		case r.Properties.Tracking == nil || r.Properties.PolicyType != "" && r.Properties.PolicyType != awsTracking:
			foreign = append(foreign, name)
		default:
			s.policies = append(s.policies, r.tracking(name, &problems))
		}
	}
	s.foreign = strings.Join(foreign, ", ")
	return s, lines.Check(err, problems)
}

// choose finds the target that is meant: the first of an ECS service.
func (s *awsSettings) choose(names []string, resources map[string]awsResource) bool {
	var others []string
	for _, name := range names {
		if r := resources[name]; r.Type == awsTargetType && (r.Properties.ServiceNamespace == "" || r.Properties.ServiceNamespace == "ecs") {
			if s.id == "" {
				s.id = name
			} else {
				others = append(others, name)
			}
		}
	}
	s.others = strings.Join(others, ", ")
	return s.id != ""
}

// mine reports whether a policy is one of the target: it names that as !Ref,
// as the long form {Ref: ...}, or by its ResourceId.
func (s *awsSettings) mine(policy, target awsResource) bool {
	switch ref := policy.Properties.Target.(type) {
	case string:
		return ref == s.id
	case map[string]any:
		return ref["Ref"] == s.id
	}
	id := policy.Properties.ResourceID
	return id != nil && reflect.DeepEqual(id, target.Properties.ResourceID)
}

// bounds reads the target itself.
func (s *awsSettings) bounds(r awsResource, problems *problems) {
	key, p := "Resources."+s.id+".Properties.", r.Properties
	s.min, s.max, s.actions = or(p.Min, 0), or(p.Max, 0), p.Actions
	if p.Min == nil || s.min < 0 {
		problems.bad(key+"MinCapacity", "got %s, want 0 or more", countOrNothing(p.Min))
	}
	if p.Max == nil || s.max < max(1, s.min) {
		problems.bad(key+"MaxCapacity", "got %s, want 1 or more, and not less than MinCapacity (%d)", countOrNothing(p.Max), s.min)
	}
	for i, a := range s.actions {
		key := fmt.Sprintf("%sScheduledActions[%d].", key, i)
		if a.Name == "" {
			problems.bad(key+"ScheduledActionName", "got none, want one")
		}
		if a.Schedule == "" {
			problems.bad(key+"Schedule", "got none, want one such as cron(0 9 ? * MON-FRI *)")
		}
		if a.Action.Min == nil && a.Action.Max == nil {
			problems.bad(key+"ScalableTargetAction", "got neither MinCapacity nor MaxCapacity, want at least one")
		}
		if a.Action.Min != nil && a.Action.Max != nil && *a.Action.Max < *a.Action.Min {
			problems.bad(key+"ScalableTargetAction.MaxCapacity", "got %d, want MinCapacity (%d) or more", *a.Action.Max, *a.Action.Min)
		}
		if _, err := time.LoadLocation(a.Timezone); err != nil {
			problems.bad(key+"Timezone", "got %q, want an IANA name such as Europe/Berlin", a.Timezone)
		}
	}
}

func countOrNothing(n *int) string {
	if n == nil {
		return "nothing"
	}
	return fmt.Sprint(*n)
}

// tracking reads a policy.
func (r awsResource) tracking(id string, problems *problems) awsPolicy {
	c, key := r.Properties.Tracking, "Resources."+id+".Properties.TargetTrackingScalingPolicyConfiguration."
	p := awsPolicy{
		id: id, target: or(c.Target, 0), disableIn: c.DisableScaleIn,
		in: time.Duration(or(c.In, awsCooldown)) * time.Second, out: time.Duration(or(c.Out, awsCooldown)) * time.Second,
	}
	switch {
	case (c.Predefined == nil) == (c.Customized == nil):
		problems.bad(key+"PredefinedMetricSpecification", "got it and CustomizedMetricSpecification both or neither, want one of them")
	case c.Predefined != nil:
		p.metric = c.Predefined.Type
		if p.metric == awsRequests && c.Predefined.Label == nil {
			problems.bad(key+"PredefinedMetricSpecification.ResourceLabel", "got none, want one such as app/LB/ID/targetgroup/NAME/ID")
		}
		if p.metric == "" {
			problems.bad(key+"PredefinedMetricSpecification.PredefinedMetricType", "got none, want %s, %s or %s", awsRequests, awsCPU, awsMemory)
		}
	default:
		p.metric, p.own = c.Customized.Name, true
	}
	if !(p.target > 0 && p.target < 1e12) {
		problems.bad(key+"TargetValue", "got %v, want more than 0", p.target)
	}
	for _, d := range []struct {
		name string
		n    *int
	}{{"ScaleInCooldown", c.In}, {"ScaleOutCooldown", c.Out}} {
		if d.n != nil && (*d.n < 0 || *d.n > 1e9) {
			problems.bad(key+d.name, "got %d, want 0 seconds or more", *d.n)
		}
	}
	return p
}
