package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"headroom/advisor"
	"headroom/advisor/remote"
	"headroom/advisor/report"
)

// fileFlag is a file that a run writes at its end, and the flag that names it.
type fileFlag struct {
	name, usage string
	format      string // of the report
}

var fileFlags = []fileFlag{
	{"save", "save the whole run as JSON to `FILE`, for headroom report", "json"},
	{"html", "write a report for a browser to `FILE`", "html"},
	{"junit", "write the objectives and requests as JUnit test results to `FILE`", "junit"},
	{"json-file", "write the requests as Locust's JSON to `FILE`", "locust-json"},
	{"summary-export", "write a summary as k6 does to `FILE`", "k6"},
	{"hdr", "write the latencies as HdrHistogram's percentiles to `FILE`", "hdr"},
	{"openmetrics", "write the metrics of the run's end as OpenMetrics text to `FILE`", "openmetrics"},
}

// formats are those of reports, and the metrics that --api serves.
var formats = append(slices.Clone(report.Formats), report.Format{Name: "openmetrics", Write: func(w io.Writer, r report.Run, _ int) error {
	return remote.WriteOpenMetrics(w, advisor.State{Loaded: true, Managed: r.Policy != nil, Fleet: r.Fleet, Load: r.Result})
}})

// runFiles are the files that a run was told to write.
type runFiles struct {
	paths []string // by the order of fileFlags; empty: not wanted
	csv   string   // prefix of Locust's files; empty: not wanted
}

func (o *runFiles) flags(f *pflag.FlagSet) {
	o.paths = make([]string, len(fileFlags))
	for i, flag := range fileFlags {
		f.StringVar(&o.paths[i], flag.name, "", flag.usage)
	}
	f.StringVar(&o.csv, "csv", "", "write Locust's four CSV files to names that begin with `PREFIX`")
}

// runFile is one of them, and how it is written.
type runFile struct {
	flag, path string
	write      func(io.Writer, report.Run) error
}

func (o *runFiles) files() (files []runFile) {
	for i, path := range o.paths {
		if path != "" {
			format, _ := formats.Find(fileFlags[i].format)
			files = append(files, runFile{"--" + fileFlags[i].name, path, func(w io.Writer, r report.Run) error { return format.Write(w, r, 0) }})
		}
	}
	if o.csv != "" {
		for _, file := range report.LocustFiles {
			files = append(files, runFile{"--csv", o.csv + file.Suffix, file.Write})
		}
	}
	return files
}

// check finds out before the run whether all can be written, each to a file of
// its own.
func (o *runFiles) check() error {
	taken := map[string]string{}
	for _, f := range o.files() {
		if err := canWrite(f.flag, f.path); err != nil {
			return err
		}
		path := filepath.Clean(f.path)
		if other, ok := taken[path]; ok && path != os.DevNull {
			return usage("%s: got %s, which %s writes to, want another file", f.flag, f.path, other)
		}
		taken[path] = f.flag
	}
	return nil
}

// saveRun writes a report of the swarm so far, in the format that the name of
// the file ends with. A file that is there is an fs.ErrExist, unless it may be
// overwritten.
func (a *app) saveRun(s advisor.State, path string, overwrite bool) (notice string, err error) {
	format, ok := formats.Find(strings.TrimPrefix(filepath.Ext(path), "."))
	if !ok || format.Name != "html" && format.Name != "json" {
		return "", fmt.Errorf("file: got %s, want a name that ends with .html or .json", path)
	}
	if s.Swarm == nil {
		return "", errors.New("there is no run to save")
	}
	if err := mayWrite(path, overwrite); err != nil {
		return "", err
	}
	s.Load = *s.Swarm
	run := report.NewRun(s, programVersion(), os.Args)
	return "wrote " + path, a.saveFile(path, func(w io.Writer) error { return format.Write(w, run, 0) })
}

// stepSummary names the file that a step of GitHub Actions may add to.
const stepSummary = "GITHUB_STEP_SUMMARY"

// writeFiles writes what a run was told to, whatever becomes of one of them.
func (a *app) writeFiles(o runFiles, r report.Run) error {
	var errs []error
	for _, f := range o.files() {
		errs = append(errs, a.saveFile(f.path, func(w io.Writer) error { return f.write(w, r) }))
	}
	errs = append(errs, addSummary(func(w io.Writer) error { return report.WriteMarkdown(w, r) }))
	return errors.Join(errs...)
}

// addSummary appends a report to the summary of a step, if there is one, which
// earlier commands of the step may have written to.
func addSummary(write func(io.Writer) error) error {
	path := os.Getenv(stepSummary)
	if path == "" {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return usage("%s: %w", stepSummary, err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return usage("%s: write %s: %w", stepSummary, path, err)
	}
	return nil
}
