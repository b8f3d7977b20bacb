package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/aymanbagabas/go-udiff"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"headroom/advisor"
	"headroom/profiles"
	"headroom/profiles/platform"
)

// exportFlags are those of an export.
type exportFlags struct {
	platform.Options
	to          string
	list        bool
	diff, write string // files
}

func (a *app) exportCommand() *cobra.Command {
	var e exportFlags
	cmd := &cobra.Command{
		Use:   "export POLICY --to NAME",
		Short: "Write a policy as a platform's configuration",
		Long: "Write a policy as a platform's configuration, and say what of it the platform cannot do.\n\n" +
			"What was written is read back: losses are the differences between the policy and what the platform will do; those\n" +
			"marked (!) change how many replicas there are, the others only when. What it cannot say at all is refused.",
		Example: "  headroom export policy.yaml --to jcloud > jcloud.yml\n" +
			"  headroom export policy.yaml --to hpa --name shop --write deploy/hpa.yaml",
		RunE: func(_ *cobra.Command, args []string) error {
			if e.list {
				return a.listPlatforms()
			}
			switch {
			case len(args) != 1:
				return usage("arguments: got %d, want one: the policy file", len(args))
			case e.to == "":
				return usage("--to: got nothing, want one of %s", strings.Join(platform.Names(), ", "))
			}
			if err := e.checkNames(); err != nil {
				return err
			}
			if e.diff != "" && e.write != "" {
				return usage("--write: got %s and --diff %s, want one of the two", e.write, e.diff)
			}
			policy, err := readPolicy(args[0])
			if err != nil {
				return err
			}
			return a.export(policy, e)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&e.to, "to", "", "platform: "+strings.Join(platform.Names(), ", "))
	f.BoolVar(&e.list, "list", false, "list the platforms and what each can say")
	f.StringVar(&e.diff, "diff", "", "show what would change in `FILE`")
	f.StringVar(&e.write, "write", "", "change `FILE`, or make it; what has nothing to do with scaling stays as it is")
	f.BoolVar(&e.Round, "round", false, "round a target down to what the platform can say")
	f.BoolVar(&e.Strict, "strict", false, "refuse placeholders for what is not given below")
	f.AddFlagSet(e.names())
	return cmd
}

// names are the flags that say what no policy knows.
func (e *exportFlags) names() *pflag.FlagSet {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.SortFlags = false
	f.StringVar(&e.Name, "name", "", "name of the workload")
	f.StringVar(&e.Namespace, "namespace", "", "its namespace")
	f.StringVar(&e.Image, "image", "", "its image")
	f.StringVar(&e.Prometheus, "prometheus", "", "address of Prometheus, where the platform asks it")
	f.StringVar(&e.Query, "query", "", "query that yields the requests per second")
	return f
}

// checkNames refuses names that no platform would take.
func (e exportFlags) checkNames() error {
	for _, n := range []struct {
		flag, value, want string
		valid             *regexp.Regexp
	}{
		{"--name", e.Name, "letters, digits and dashes, such as web-1", workloadName},
		{"--namespace", e.Namespace, "letters, digits, dashes and underscores", namespaceName},
		{"--image", e.Image, "an image without blanks, such as quay.io/acme/web:1", noBlanks},
		{"--prometheus", e.Prometheus, "a URL such as http://prometheus:9090", httpURL},
	} {
		if n.value != "" && !n.valid.MatchString(n.value) {
			return usage("%s: got %q, want %s", n.flag, n.value, n.want)
		}
	}
	return nil
}

var (
	workloadName  = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9]*[A-Za-z0-9])?$`)
	namespaceName = regexp.MustCompile(`^[A-Za-z0-9]([-_A-Za-z0-9]*[A-Za-z0-9])?$`)
	noBlanks      = regexp.MustCompile(`^\S+$`)
	httpURL       = regexp.MustCompile(`^https?://[^\s/]+\S*$`)
)

// readPolicy reads a policy file, and says so where it is something else that
// could become one.
func readPolicy(path string) (profiles.Policy, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return profiles.Policy{}, &exit{exitUsage, err}
	}
	if p, err := platform.Recognise(text); err == nil && p.Name != platform.Own {
		return profiles.Policy{}, usage("%s: got a document of %s, want a policy file: headroom import makes one of it", path, p.Name)
	}
	policy, err := profiles.ReadPolicy(path)
	if err != nil {
		return policy, &exit{exitUsage, err}
	}
	return policy, nil
}

// export writes a document to stdout, or into a file, or shows what it would
// change there.
func (a *app) export(p profiles.Policy, e exportFlags) error {
	if _, err := platform.Find(e.to); err != nil {
		return usage("--to: %w", err)
	}
	file := e.diff + e.write // at most one is given
	before, err := readBase(file)
	if err != nil {
		return err
	}
	e.Base = before
	doc, err := exportDocument(p, e.to, e.Options)
	if err != nil {
		return err
	}
	for _, line := range append(remarks(doc), e.to+" will keep "+doc.Effective.Summary()) {
		write(a.err, line+"\n")
	}
	switch {
	case e.diff != "":
		write(a.out, udiff.Unified(file, file+" after the export", string(before), string(doc.Text)))
		return nil
	case e.write != "" && before != nil && string(before) == string(doc.Text):
		write(a.err, fmt.Sprintf("%s says so already\n", file))
		return nil
	case e.write != "":
		return a.saveFile(file, func(w io.Writer) error {
			_, err := w.Write(doc.Text)
			return err
		})
	}
	_, err = a.out.Write(doc.Text)
	return err
}

// readBase is the file that an export changes; nil where there is none.
func readBase(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, &exit{exitUsage, err}
	}
	return text, nil
}

// exportDocument is a policy as a platform's configuration.
func exportDocument(p profiles.Policy, name string, o platform.Options) (platform.Document, error) {
	to, err := platform.Find(name)
	if err != nil {
		return platform.Document{}, usage("platform: %w", err)
	}
	doc, err := to.Export(p, o)
	if err != nil {
		return platform.Document{}, &exit{exitUsage, err}
	}
	return doc, nil
}

// remarks are what there is to know about an exported document, a line each.
func remarks(doc platform.Document) []string {
	lines := lossLines(doc.Losses)
	for _, n := range doc.Notes {
		lines = append(lines, "note: "+n)
	}
	if len(doc.Placeholders) > 0 {
		lines = append(lines, "made up, for want of "+strings.Join(doc.Placeholders, ", ")+": look for them before you use it")
	}
	return lines
}

// lossLines are the losses, those that have a reason in common on one line.
// What changes how many replicas there are is marked.
func lossLines(losses []platform.Loss) (lines []string) {
	type group struct {
		reason string
		severe bool
	}
	var order []group
	fields := map[group][]string{}
	for _, l := range losses {
		g := group{l.Reason, l.Severe}
		if fields[g] == nil {
			order = append(order, g)
		}
		fields[g] = append(fields[g], l.Change())
	}
	for _, g := range order {
		mark := "lost: "
		if g.severe {
			mark = "lost (!): "
		}
		lines = append(lines, mark+strings.Join(fields[g], ", ")+": "+g.reason)
	}
	return lines
}

// listPlatforms prints the platforms, and below them what each can say.
func (a *app) listPlatforms() error {
	for _, p := range platform.All() {
		write(a.out, fmt.Sprintf("%-12s  %-22s  %s\n", p.Name, p.File, p.Title))
	}
	write(a.out, "\n"+platformTable())
	write(a.out, "\nyes: as it stands · ~: in other terms, or in part; the export says how · -: refused, with the reason\n")
	return nil
}

// platformTable is what each platform can say, as Markdown.
func platformTable() string {
	var b strings.Builder
	row := func(name string, cells []string) {
		fmt.Fprintf(&b, "| %-12s |", name)
		for i, c := range cells {
			fmt.Fprintf(&b, " %-*s |", len(platform.Asked()[i]), c)
		}
		b.WriteString("\n")
	}
	row("platform", platform.Asked())
	lines := make([]string, len(platform.Asked()))
	for i, name := range platform.Asked() {
		lines[i] = strings.Repeat("-", len(name))
	}
	row("---", lines)
	for _, p := range platform.All() {
		cells := make([]string, 0, len(lines))
		for _, answer := range p.Says() {
			cells = append(cells, string(answer))
		}
		row(p.Name, cells)
	}
	return b.String()
}

// exportFile writes an advised policy, rounded to what the platform can say,
// to a file, and returns what there is to know about it, a line each.
func (a *app) exportFile(path string, p profiles.Policy, name string) (notes []string, err error) {
	doc, err := exportDocument(p, name, platform.Options{Round: true})
	if err != nil {
		return nil, err
	}
	return remarks(doc), a.saveFile(path, func(w io.Writer) error {
		_, err := w.Write(doc.Text)
		return err
	})
}

// exportAdvice writes the advised policy, with its full numbers, to a file,
// and says what is lost. A file that is there is an fs.ErrExist, unless it may
// be overwritten.
func (a *app) exportAdvice(s advisor.State, name, path string, overwrite bool) (notice string, err error) {
	if s.Advice == nil {
		return "", errors.New("there is no advice to export: measure first")
	}
	if err := mayWrite(path, overwrite); err != nil {
		return "", err
	}
	lost, err := a.exportFile(path, s.Advice.Policy, name)
	return strings.Join(append([]string{"wrote " + path}, lost...), "; "), err
}

// policyText is the advised policy as a policy file.
func policyText(s advisor.State) (string, error) {
	if s.Advice == nil {
		return "", errors.New("there is no advice to copy: measure first")
	}
	doc, err := exportDocument(s.Advice.Policy, platform.Own, platform.Options{Round: true})
	return string(doc.Text), err
}

// mayWrite is an fs.ErrExist for a file that is there and is to stay.
func mayWrite(path string, overwrite bool) error {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && !overwrite {
		return fmt.Errorf("%s: %w", path, fs.ErrExist)
	}
	return nil
}
