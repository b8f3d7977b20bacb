package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"headroom/advisor"
	"headroom/load"
	"headroom/profiles"
)

// The elements and attributes that both Jenkins and GitLab read.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"` // seconds
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"` // UTC
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitProblem `xml:"failure"`
	Error   *junitProblem `xml:"error"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes a run as test results: a case for each objective, for each
// threshold, for the baseline, for each request and for the generator. Requests
// that failed fail their case where nothing else was asked, which otherwise
// decides alone; what is inconclusive is an error. So a failure or an error is
// there just where the exit code of the run is not 0, --exit-code-on-error 0
// excepted.
func WriteJUnit(w io.Writer, r Run) error {
	s := r.Result
	groups := []junitGroup{{"objectives", nil}, {"thresholds", nil}, {"baseline", nil}, {"requests", nil}, {"generator", []junitCase{generatorCase(s)}}}
	for _, o := range s.SLO {
		groups[0].cases = append(groups[0].cases, objectiveCase(o))
	}
	for _, t := range s.Thresholds {
		groups[1].cases = append(groups[1].cases, thresholdCase(t))
	}
	if r.Baseline != nil {
		groups[2].cases = append(groups[2].cases, baselineCase(*r.Baseline))
	}
	asked := len(r.criteria()) > 0
	for _, stats := range s.Requests {
		groups[3].cases = append(groups[3].cases, requestCase(stats, s, asked))
	}
	return writeSuites(w, r.Target, s.Started, s.Loaded, groups)
}

// WriteMeasurementJUnit writes a measurement as test results: a case for the
// capacity and one for the baseline. A refusal is an error.
func WriteMeasurementJUnit(w io.Writer, m advisor.Measurement) error {
	found := junitCase{Name: "capacity under " + m.SLO, Output: m.Capacity.SLO.String()}
	if r := m.Capacity.Refusal; r != nil {
		found.Output = ""
		found.Error = &junitProblem{r.Why, "inconclusive", r.Do}
	}
	groups := []junitGroup{{"capacity", []junitCase{found}}}
	if m.Baseline != nil {
		groups = append(groups, junitGroup{"baseline", []junitCase{baselineCase(*m.Baseline)}})
	}
	return writeSuites(w, m.Target, m.Date, m.Capacity.Spent, groups)
}

// junitGroup is a suite before its cases are counted.
type junitGroup struct {
	name  string
	cases []junitCase
}

// writeSuites writes the groups that have cases.
func writeSuites(w io.Writer, target string, at time.Time, length time.Duration, groups []junitGroup) error {
	took := fmt.Sprintf("%.3f", length.Seconds())
	out := junitSuites{Name: "headroom " + target, Time: took}
	for _, g := range groups {
		if len(g.cases) == 0 {
			continue
		}
		suite := junitSuite{Name: g.name, Tests: len(g.cases), Time: took, Timestamp: at.UTC().Format("2006-01-02T15:04:05")}
		for _, c := range g.cases {
			c.Class, c.Time = "headroom."+g.name, took
			if c.Failure != nil {
				suite.Failures++
			}
			if c.Error != nil {
				suite.Errors++
			}
			suite.Cases = append(suite.Cases, c)
		}
		out.Suites = append(out.Suites, suite)
		out.Tests, out.Failures, out.Errors = out.Tests+suite.Tests, out.Failures+suite.Failures, out.Errors+suite.Errors
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func objectiveCase(o load.Objective) junitCase {
	missing := ""
	if o.Unanswered > 0 {
		missing = unanswered(o)
	}
	return judgedCase("objective", o.Name, o.Format(), missing, o.Valid, o.Holds)
}

func thresholdCase(t load.Threshold) junitCase {
	missing := ""
	if t.Unanswered > 0 {
		missing = thresholdUnanswered(t)
	}
	return judgedCase("threshold", t.Threshold.String(), t.Format(), missing, t.Valid, t.Holds)
}

// judgedCase is the case of something with a value that meets it or not; missing
// says what counts against it without an answer.
func judgedCase(kind, name, value, missing string, valid, holds bool) junitCase {
	c := junitCase{Name: name, Output: name + ": " + value + mark(valid, holds)}
	text := c.Output
	if missing != "" {
		text += " (" + missing + ")"
	}
	switch {
	case !valid:
		c.Error = &junitProblem{"no data", "inconclusive", text}
	case !holds:
		c.Failure = &junitProblem{"it is " + value, kind, text}
	}
	return c
}

func baselineCase(b advisor.Comparison) junitCase {
	c := junitCase{Name: b.Figure + " against " + b.Baseline, Output: strings.Join(append([]string{b.String()}, b.Differs...), "\n")}
	switch b.Change {
	case advisor.Unclear:
		c.Error = &junitProblem{b.Why, "inconclusive", c.Output}
	case advisor.Worse:
		c.Failure = &junitProblem{b.Why, "baseline", c.Output}
	}
	return c
}

func requestCase(s load.Stats, run load.Snapshot, asked bool) junitCase {
	q := s.Latency
	c := junitCase{Name: s.Name, Output: fmt.Sprintf("%s, %s failed, %s requests/s, latency p50 %s ms, p95 %s ms, p99 %s ms",
		profiles.Plural(s.Count, "request", "requests"), failed(s.Failed, s.Count), rate(s), ms(q, q.P50), ms(q, q.P95), ms(q, q.P99))}
	what, cut := whatFailed(s.Name, run), s.Aborted-s.OpenStreams()
	if what != "" {
		c.Output += "\n" + what
	}
	if !asked && s.Failed+cut > 0 {
		message := fmt.Sprintf("%d of %d failed", s.Failed, s.Count)
		if cut > 0 {
			message += fmt.Sprintf(", %d were cut off by the end", cut)
		}
		c.Failure = &junitProblem{message, "requests", what}
	}
	return c
}

// whatFailed lists the failures of a request, a line each.
func whatFailed(name string, run load.Snapshot) string {
	var lines []string
	for _, f := range run.Failures {
		for _, request := range requestsOf(f, run.Requests) {
			if request.Name == name {
				lines = append(lines, fmt.Sprintf("%d x %s: %s", request.Count, f.Failure, f.Example))
			}
		}
	}
	return strings.Join(lines, "\n")
}

func generatorCase(s load.Snapshot) junitCase {
	h := s.Health
	c := junitCase{Name: "generator healthy", Output: fmt.Sprintf("%s; sends late by p50 %s, p99 %s", h.Verdict, h.LagP50.Round(time.Microsecond), h.LagP99.Round(time.Microsecond))}
	switch {
	case h.Verdict == load.Limited:
		c.Error = &junitProblem{"the generator, not the target, was the limit", "inconclusive", h.Reason}
	case s.Total.Count+s.Total.Aborted == 0:
		c.Error = &junitProblem{"no request was sent", "inconclusive", h.Reason}
	}
	if h.Reason != "" {
		c.Output += "; " + h.Reason
	}
	return c
}
