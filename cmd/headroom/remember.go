package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"headroom/profiles"
	"headroom/profiles/document"
	"headroom/tui"
)

// rememberedForm is the file with the answers to the start form.
type rememberedForm struct {
	Version string          `json:"version"`
	Kind    string          `json:"kind"` // form
	Values  tui.StartValues `json:"values"`
}

// formPath is where the answers are remembered: in $XDG_STATE_HOME/headroom,
// or ~/.local/state/headroom.
func formPath() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "headroom", "form.json"), nil
}

// remembered are the answers of the last time. Where there are none that can be
// read it is as the first time: the form shows them, and the next answers
// replace the file.
func remembered() tui.StartValues {
	path, err := formPath()
	if err != nil {
		return firstValues()
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return firstValues()
	}
	var f rememberedForm
	if json.Unmarshal(data, &f) != nil || f.Version != profiles.Version || f.Values.Load == "" {
		return firstValues()
	}
	return f.Values
}

// remember keeps the answers for the next time, in a file that only the user
// can read, without what lets somebody in.
func remember(v tui.StartValues, secrets *profiles.Secrets) error {
	target, err := secrets.Strip(v.Target)
	if err != nil {
		return err
	}
	v.Target = target
	path, err := formPath()
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(rememberedForm{profiles.Version, "form", v}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return document.ReplaceBytes(path, 0o600, append(data, '\n'))
}
