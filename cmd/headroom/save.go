package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"headroom/profiles/document"
)

// saveFile writes a file completely or not at all, and says which one if it
// cannot. Links are followed and the mode is kept. A device or a pipe cannot
// be replaced and is written to as it is; and one of our own streams, such as
// /dev/stdout, is continued, also where a shell has opened a file for it.
func (a *app) saveFile(path string, content func(io.Writer) error) error {
	err := a.save(path, content)
	if err == nil {
		return nil
	}
	// The path that was given says more than one of ours.
	var at *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &at):
		err = at.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return usage("write %s: %w", path, err)
}

// canWrite finds out before any work is done whether a file, if one is named,
// can be written at its end. It leaves no trace.
func canWrite(flag, path string) error {
	switch path {
	case "":
		return nil
	case "-": // elsewhere the standard output, which has the result
		return usage("%s: got -, want the name of a file", flag)
	}
	info, err := os.Stat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil // opening a pipe would wait for its reader
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	var at *fs.PathError
	switch {
	case errors.As(err, &at):
		return usage("%s: got %s, which cannot be written: %w", flag, path, at.Err)
	case err != nil:
		return usage("%s: got %s, which cannot be written: %w", flag, path, err)
	}
	if err := f.Close(); err != nil {
		return usage("%s: got %s, which cannot be written: %w", flag, path, err)
	}
	if fresh {
		return os.Remove(path)
	}
	return nil
}

func (a *app) save(path string, content func(io.Writer) error) error {
	before, err := os.Stat(path)
	fresh := errors.Is(err, fs.ErrNotExist)
	for _, stream := range []*os.File{a.out, a.err} {
		if info, statErr := stream.Stat(); err == nil && statErr == nil && os.SameFile(before, info) {
			return content(stream)
		}
	}
	// Opening finds out whether it may be written; creating gives a new file
	// the mode that is usual here.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		return errors.Join(content(f), f.Close())
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err == nil {
		err = document.Replace(path, info.Mode().Perm(), content)
	}
	if err != nil && fresh {
		os.Remove(path)
	}
	return err
}
