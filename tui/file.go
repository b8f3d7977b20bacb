package tui

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"headroom/advisor"
	"headroom/profiles"
)

// fileForm asks for a file name, and for a format where there are several.
type fileForm struct {
	title   string
	formats []Format // one or more
	chosen  int
	write   func(format, path string, overwrite bool) (string, error)

	file    field
	inFile  bool   // the file name has the keys, not the format
	writing bool   // and not known yet what comes of it
	there   string // a file that another enter overwrites
	err     error
}

var errNoFile = errors.New("file: got nothing, want a name")

func newFileForm(s *styles, title string) fileForm {
	return fileForm{title: title, file: field{label: "file", input: newInput(s, 40)}}
}

func newExportForm(s *styles, o Options) fileForm {
	f := newFileForm(s, "Export the advised policy")
	f.formats, f.write = o.Formats, o.Export
	return f
}

func newSaveForm(s *styles, o Options) fileForm {
	f := newFileForm(s, "Save a report: NAME.html for a browser, NAME.json for headroom report")
	f.formats = make([]Format, 1)
	f.write = func(_, path string, overwrite bool) (string, error) { return o.Save(path, overwrite) }
	return f
}

// open suggests a file name for the first format, or the one chosen last.
func (f *fileForm) open() {
	f.err, f.there = nil, ""
	f.file.open(f.format().File)
	f.enter(!f.choice())
}

// choice reports whether there are several formats.
func (f fileForm) choice() bool { return len(f.formats) > 1 }

// format is the chosen one.
func (f fileForm) format() Format { return f.formats[f.chosen] }

// enter gives the keys to the file name, or to the format.
func (f *fileForm) enter(file bool) {
	f.inFile = file
	f.file.focus(file)
}

// choose takes another format. A file name that was typed stays.
func (f *fileForm) choose(chosen int) {
	f.err, f.there = nil, ""
	suggested := f.file.input.Value() == f.format().File
	f.chosen = (chosen + len(f.formats)) % len(f.formats)
	if suggested {
		f.file.open(f.format().File)
	}
}

func (f fileForm) render(s *styles, w int) []string {
	lines := []string{rule(s, f.title, w)}
	if f.choice() {
		lines = append(lines, f.renderFormats(s, w)...)
	}
	return append(append(lines, f.file.render(s, f.inFile)), errorLines(f.err, s, w)...)
}

// renderFormats names all formats, on as many lines as that takes, and says
// what the chosen one is.
func (f fileForm) renderFormats(s *styles, w int) []string {
	names := make([]string, len(f.formats))
	for i, format := range f.formats {
		if names[i] = " " + clean(format.Name) + " "; i == f.chosen {
			names[i] = s.paint(chosen, "["+clean(format.Name)+"]")
		}
	}
	lines := append(pack(names, w-fieldIndent), " "+s.paint(dim, clean(f.format().Title)))
	label := fieldLabel("format", !f.inFile, s)
	for i := range lines {
		lines[i], label = label+lines[i], strings.Repeat(" ", fieldIndent)
	}
	return lines
}

// exports reports whether there is anything to export to.
func (o Options) exports() bool { return o.Export != nil && len(o.Formats) > 0 }

func (m *screen) formatNames() []string {
	names := make([]string, len(m.o.Formats))
	for i, format := range m.o.Formats {
		names[i] = format.Name
	}
	return names
}

// exportTo writes the advised policy, or asks for what was not said.
func (m *screen) exportTo(args []string) (tea.Cmd, error) {
	names := m.formatNames()
	if len(args) > 0 && !slices.Contains(names, args[0]) {
		return nil, profiles.OneOf(args[0], names)
	}
	if !m.advised("export") {
		return nil, nil
	}
	m.openFile(&m.export)
	if len(args) > 0 {
		m.export.choose(slices.Index(names, args[0]))
		args = args[1:]
	}
	return m.writeTo(args), nil
}

// saveTo writes a report of the run, or asks where to.
func (m *screen) saveTo(args []string) (tea.Cmd, error) {
	if !m.latest.Loaded {
		m.notice = notice{text: "there is no run to save yet: " + keys.Start.Help().Key + " starts one", bad: true}
		return nil, nil
	}
	m.save.formats[0].File = "run-" + m.latest.At.Format("150405") + ".html" // another one each time
	m.openFile(&m.save)
	return m.writeTo(args), nil
}

// advised reports whether there is advice, and says so where there is none.
func (m *screen) advised(to string) bool {
	if m.latest.Advice == nil {
		how := "press " + keys.Advise.Help().Key + " to measure"
		if m.latest.Phase == advisor.Measuring {
			how = "the measurement is still under way"
		}
		m.notice = notice{text: "there is nothing to " + to + " yet: " + how, bad: true}
	}
	return m.latest.Advice != nil
}

func (m *screen) openFile(f *fileForm) {
	m.mode, m.file = modeFile, f
	f.open()
}

// writeTo fills the file name in, where it was said, as if it had been typed.
func (m *screen) writeTo(path []string) tea.Cmd {
	if len(path) == 0 {
		return nil
	}
	m.file.file.input.SetValue(strings.Join(path, " "))
	m.file.enter(true)
	return m.writeFile()
}

func (m *screen) fileKey(msg tea.KeyMsg) tea.Cmd {
	f := m.file
	switch {
	case key.Matches(msg, keys.Cancel):
		m.mode = modeNormal
	case key.Matches(msg, keys.Accept):
		return m.writeFile()
	case f.choice() && key.Matches(msg, keys.NextField, keys.PreviousField):
		f.enter(!f.inFile)
	case f.inFile:
		f.file.input, _ = f.file.input.Update(msg)
		f.err, f.there = nil, ""
	case key.Matches(msg, keys.NextFormat):
		f.choose(f.chosen + 1)
	case key.Matches(msg, keys.PreviousFormat):
		f.choose(f.chosen - 1)
	}
	return nil
}

// writeFile leaves the form open until the file is written, so that a path
// which is wrong can be mended. A file that is there wants a second enter.
func (m *screen) writeFile() tea.Cmd {
	f := m.file
	format, path := f.format().Name, strings.TrimSpace(f.file.input.Value())
	switch {
	case f.writing:
		return nil
	case path == "":
		f.err = errNoFile
		return nil
	}
	overwrite := f.there == path
	f.err, f.there, f.writing = nil, "", true
	return m.queue(call{
		run: func() (string, error) { return f.write(format, path, overwrite) },
		after: func(err error) error {
			f.writing = false
			switch {
			case m.mode != modeFile || m.file != f:
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

// copyPolicy sends the advised policy to the clipboard of the terminal, which
// does not say whether it has taken it.
func (m *screen) copyPolicy() tea.Cmd {
	if !m.advised("copy") {
		return nil
	}
	return m.queue(call{run: func() (string, error) {
		text, err := m.o.Copy()
		if err == nil {
			_, err = m.o.Output.Write([]byte(ansi.SetSystemClipboard(text)))
		}
		return fmt.Sprintf("sent the policy, %d bytes, to the terminal for its clipboard (OSC 52). Not every terminal takes it, and tmux only with set-clipboard on: %s writes a file",
			len(text), keys.Export.Help().Key), err
	}})
}
