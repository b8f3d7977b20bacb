package document

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace puts a new file of that mode in the place of path, completely or not
// at all, also where the machine stops meanwhile. It belongs to whom the one
// before did; that it cannot is an error. A link would be replaced itself:
// resolve it before.
func Replace(path string, mode fs.FileMode, content func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // not there any more after the renaming
	err = content(f)
	if err == nil {
		err = errors.Join(keepOwner(f, path), f.Chmod(mode), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// ReplaceBytes is Replace with data at hand.
func ReplaceBytes(path string, mode fs.FileMode, data []byte) error {
	return Replace(path, mode, func(out io.Writer) error {
		_, err := out.Write(data)
		return err
	})
}
