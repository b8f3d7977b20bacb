package tui

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// exportForm asks for one of at least one formats and a file name.
type exportForm struct {
	formats []string
	chosen  int
	file    field
	inFile  bool   // the file name has the keys, not the format
	writing bool   // and not known yet what comes of it
	there   string // a file that another enter overwrites
	err     error
}

var errNoFile = errors.New("file: got nothing, want a name")

func newExportForm(s *styles, formats []string) exportForm {
	return exportForm{formats: formats, file: field{label: "file", input: newInput(s, 40)}}
}

// open suggests a file name for the first format, or the one chosen last.
func (f *exportForm) open() {
	f.err, f.there, f.inFile = nil, "", false
	f.file.open(f.suggestion())
	f.file.focus(false)
}

func (f exportForm) format() string { return f.formats[f.chosen] }

func (f exportForm) suggestion() string { return f.format() + ".yml" }

// choose moves to another format. A file name that was typed stays.
func (f *exportForm) choose(by int) {
	f.err, f.there = nil, ""
	suggested := f.file.input.Value() == f.suggestion()
	f.chosen = (f.chosen + by + len(f.formats)) % len(f.formats)
	if suggested {
		f.file.open(f.suggestion())
	}
}

func (f exportForm) render(s *styles, w int) []string {
	names := make([]string, len(f.formats))
	for i, name := range f.formats {
		if names[i] = " " + clean(name) + " "; i == f.chosen {
			names[i] = s.paint(chosen, "["+clean(name)+"]")
		}
	}
	mark := s.paint(accent, "▸ ")
	if f.inFile {
		mark = "  "
	}
	return append([]string{
		rule(s, "Export the advised policy", w),
		" " + mark + fit("format", 11) + strings.Join(names, ""),
		f.file.render(s, f.inFile),
	}, errorLines(f.err, s, w)...)
}

// exports reports whether there is anything to export to.
func (o Options) exports() bool { return o.Export != nil && len(o.Formats) > 0 }

func (m *screen) askExport() tea.Cmd {
	if m.latest.Advice == nil {
		m.notice = notice{text: "there is nothing to export yet: " + keys.Advise.Help().Key + " measures", bad: true}
		return nil
	}
	m.mode = modeExport
	m.export.open()
	return nil
}

func (m *screen) exportKey(msg tea.KeyMsg) tea.Cmd {
	f := &m.export
	switch {
	case key.Matches(msg, keys.Cancel):
		m.mode = modeNormal
	case key.Matches(msg, keys.NextField, keys.PreviousField):
		f.inFile = !f.inFile
		f.file.focus(f.inFile)
	case key.Matches(msg, keys.Accept) && !f.writing:
		return m.writeExport()
	case f.inFile:
		f.file.input, _ = f.file.input.Update(msg)
		f.err, f.there = nil, ""
	case key.Matches(msg, keys.NextFormat):
		f.choose(1)
	case key.Matches(msg, keys.PreviousFormat):
		f.choose(-1)
	}
	return nil
}

// writeExport leaves the form open until the file is written, so that a path
// which is wrong can be mended. A file that is there wants a second enter.
func (m *screen) writeExport() tea.Cmd {
	f := &m.export
	format, path := f.format(), strings.TrimSpace(f.file.input.Value())
	if path == "" {
		f.err = errNoFile
		return nil
	}
	overwrite := f.there == path
	f.err, f.there, f.writing = nil, "", true
	return m.queue(call{
		run: func() (string, error) { return m.o.Export(format, path, overwrite) },
		after: func(err error) error {
			f.writing = false
			switch {
			case m.mode != modeExport:
				return err
			case err == nil:
				m.mode = modeNormal
			case errors.Is(err, fs.ErrExist):
				f.err, f.there = fmt.Errorf("%s exists: %s again overwrites it", path, keys.Accept.Help().Key), path
			default:
				f.err = err
			}
			return nil
		},
	})
}
