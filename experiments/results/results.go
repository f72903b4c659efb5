// Package results writes what an experiment came to: a new directory with its figures, each
// as SVG and PNG, and result.json, its numbers.
//
//	dir, err := results.New(out) // before any work
//	if err != nil {
//		return err
//	}
//	… the work
//	err = dir.Write(numbers, results.Figure{Name: "accuracy", Of: curves})
package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gosvcca/gosvcca/figure"
)

// Figure is a picture to write.
type Figure struct {
	// Name is that of the files, without their suffix.
	Name string
	// Of is one of package figure.
	Of interface {
		Render(w io.Writer, format figure.Format, page figure.Page) error
	}
	Page figure.Page
}

// Directory is one that is not there yet.
type Directory struct{ path string }

// New returns a directory to write to. The error says that something is there already, or
// that it cannot be made.
func New(path string) (*Directory, error) {
	path = filepath.Clean(path)
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("%s exists: a new directory is expected", path)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s: there is no directory %s to write it to", path, filepath.Dir(path))
	}
	return &Directory{path}, nil
}

// numbersFile is where the numbers are.
const numbersFile = "result.json"

// Write writes numbers, as JSON, and figures. The directory is whole or not there.
func (d *Directory) Write(numbers any, figures ...Figure) error {
	text, err := json.MarshalIndent(numbers, "", "  ")
	if err != nil {
		return err
	}
	part, err := os.MkdirTemp(filepath.Dir(d.path), "."+filepath.Base(d.path)+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(part) // which has another name by then, or has failed
	if err := os.Chmod(part, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(part, numbersFile), append(text, '\n'), 0o666); err != nil {
		return err
	}
	for _, f := range figures {
		for _, format := range []figure.Format{figure.SVG, figure.PNG} {
			if err := f.write(filepath.Join(part, f.Name+"."+string(format)), format); err != nil {
				return fmt.Errorf("figure %s: %w", f.Name, err)
			}
		}
	}
	if _, err := os.Lstat(d.path); err == nil {
		return fmt.Errorf("%s has come into being meanwhile: nothing was written", d.path)
	}
	return os.Rename(part, d.path)
}

func (f *Figure) write(path string, format figure.Format) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := f.Of.Render(file, format, f.Page); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
