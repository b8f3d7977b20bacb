package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"headroom/profiles/document"
)

// docsCommand writes what the program knows of its own commands. It is for
// those who build and package it.
func (a *app) docsCommand() *cobra.Command {
	return &cobra.Command{
		Use:       "docs markdown|man|completion DIR",
		Short:     "Write the reference of the commands into a folder, as Markdown or as man pages, or the completion of the shells",
		Hidden:    true,
		ValidArgs: []string{"markdown", "man", "completion"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 || !slices.Contains(cmd.ValidArgs, args[0]) {
				return usage("arguments: got %q, want markdown, man or completion, and a folder", strings.Join(args, " "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			write := referencePages
			if args[0] == "completion" {
				write = completionScripts
			}
			pages, err := write(cmd.Root(), args[0])
			if err == nil {
				err = os.MkdirAll(args[1], 0o777)
			}
			for name, text := range pages {
				if err == nil {
					err = document.ReplaceBytes(filepath.Join(args[1], name), 0o666, text)
				}
			}
			if err != nil {
				return usage("%s: %w", args[1], err)
			}
			return nil
		},
	}
}

// referencePages are the pages of all commands, by their file names. They are
// the same on every machine and on every day.
func referencePages(root *cobra.Command, format string) (map[string][]byte, error) {
	pages := map[string][]byte{}
	var add func(*cobra.Command) error
	add = func(cmd *cobra.Command) error {
		cmd.DisableAutoGenTag = true
		var b bytes.Buffer
		write, name := writeMarkdown, pageName(cmd.CommandPath())+".md"
		if format == "man" {
			write, name = writeMan, strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"
		}
		if err := write(cmd, &b); err != nil {
			return err
		}
		pages[name] = b.Bytes()
		for _, sub := range cmd.Commands() {
			if !sub.IsAvailableCommand() {
				continue
			}
			if err := add(sub); err != nil {
				return err
			}
		}
		return nil
	}
	return pages, add(root)
}

// completionScripts are those of all shells, by the names under which these look
// for them.
func completionScripts(root *cobra.Command, _ string) (map[string][]byte, error) {
	scripts := map[string][]byte{}
	for name, write := range map[string]func(io.Writer) error{
		"headroom.bash": func(w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"_headroom":     root.GenZshCompletion,
		"headroom.fish": func(w io.Writer) error { return root.GenFishCompletion(w, true) },
		"headroom.ps1":  root.GenPowerShellCompletionWithDesc,
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return nil, err
		}
		scripts[name] = b.Bytes()
	}
	return scripts, nil
}

// pageName is that of a command, by its path: run for headroom run.
func pageName(path string) string {
	return strings.ReplaceAll(strings.TrimPrefix(path, "headroom "), " ", "-")
}

func writeMarkdown(cmd *cobra.Command, w io.Writer) error {
	return doc.GenMarkdownCustom(cmd, w, func(link string) string {
		return pageName(strings.ReplaceAll(strings.TrimSuffix(link, ".md"), "_", " ")) + ".md"
	})
}

// writeMan writes a man page. The library wants a date, which a page that is
// the same every day cannot have.
func writeMan(cmd *cobra.Command, w io.Writer) error {
	day := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	var b bytes.Buffer
	if err := doc.GenMan(cmd, &doc.GenManHeader{Title: strings.ToUpper(strings.ReplaceAll(cmd.CommandPath(), " ", "-")), Section: "1", Date: &day}, &b); err != nil {
		return err
	}
	_, err := w.Write(bytes.Replace(b.Bytes(), []byte(day.Format("Jan 2006")), nil, 1))
	return err
}
