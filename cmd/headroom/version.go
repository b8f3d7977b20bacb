package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"headroom/advisor/report"
)

// build is what the program was built from.
type build struct {
	Version string `json:"version"` // of the module; "(devel)" outside of a release
	Commit  string `json:"commit"`  // "unknown" without version control
	Changed bool   `json:"changed"` // since the commit
	Time    string `json:"time"`    // of the commit; empty: not known
	Go      string `json:"go"`
	System  string `json:"system"`
}

// thisBuild reads what the linker left in the program.
func thisBuild() build {
	b := build{Version: "unknown", Commit: "unknown", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.modified":
			b.Changed = s.Value == "true"
		case "vcs.time":
			b.Time = s.Value
		}
	}
	return b
}

// programVersion is what the program is, and what it was built from.
func programVersion() string {
	b := thisBuild()
	if b.Changed {
		b.Commit += " with changes"
	}
	return fmt.Sprintf("headroom %s, commit %s, %s %s", b.Version, b.Commit, b.Go, b.System)
}

func (a *app) versionCommand() *cobra.Command {
	format := asText
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version, the commit and the Go it was built with", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			switch format {
			case asText:
				_, err := fmt.Fprintln(a.out, programVersion())
				return err
			case asJSON:
				return report.WriteJSON(a.out, thisBuild())
			}
			return usage("--output: got %q, want %s or %s", format, asText, asJSON)
		},
	}
	cmd.Flags().StringVarP(&format, "output", "o", format, asText+" or "+asJSON)
	return cmd
}
