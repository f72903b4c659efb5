package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// directoryTarget is a directory of files to write, whole or not at all.
type directoryTarget struct {
	path  string
	force bool
}

// directoryFile is a file in it.
type directoryFile struct {
	name string // maybe in directories of its own, behind slashes
	fill func(io.Writer) error
}

// newDirectoryTarget checks, before any work is done, that a directory can be written: that
// the one it is in exists, and that nothing is there, or by force such a directory as this
// writes, which holds none of the inputs.
func newDirectoryTarget(path string, force bool, inputs ...string) (*directoryTarget, error) {
	t := &directoryTarget{filepath.Clean(path), force}
	if info, err := os.Stat(filepath.Dir(t.path)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s: there is no directory %s to write it to", shown(t.path), shown(filepath.Dir(t.path)))
	}
	info, err := os.Lstat(t.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t, nil
	case err != nil:
		return nil, err
	case !force:
		return nil, t.exists()
	case !info.IsDir():
		return nil, fmt.Errorf("%s is no directory, and is not replaced by one", shown(t.path))
	}
	for _, input := range inputs {
		if dir, err := os.Stat(filepath.Dir(fileOf(input))); err == nil && os.SameFile(info, dir) {
			return nil, fmt.Errorf("%s holds %s, which is read by this command: give another name for what it writes", shown(t.path), shown(fileOf(input)))
		}
	}
	return t, t.ours()
}

// ours is an error where what is there was not written as this is: it would be lost.
func (t *directoryTarget) ours() error {
	entries, err := os.ReadDir(t.path)
	if err != nil {
		return err
	}
	written := map[string]bool{provenanceMember: true}
	var p struct{ Files []describedFile }
	if text, err := os.ReadFile(filepath.Join(t.path, provenanceMember)); err == nil && json.Unmarshal(text, &p) == nil {
		for _, f := range p.Files {
			written[f.Name] = true
		}
	}
	for _, e := range entries {
		if !written[e.Name()] {
			return fmt.Errorf("%s holds %s, which was not written with it: --force does not remove that, give another name", shown(t.path), shown(e.Name()))
		}
	}
	return nil
}

func (t *directoryTarget) exists() error {
	return fmt.Errorf("%s exists: give another name, or --force to overwrite it", shown(t.path))
}

// hidden returns a name beside the directory that nothing has.
func (t *directoryTarget) hidden() string {
	return filepath.Join(filepath.Dir(t.path), fmt.Sprintf(".%s%d", filepath.Base(t.path), rand.Uint64()))
}

// write makes the directory of files and of what made them, which names their bytes. It
// has another, hidden, name until all of them are on disk; where anything fails nothing is
// left, but of a process that is killed that directory is.
func (t *directoryTarget) write(ctx context.Context, p provenance, files []directoryFile) error {
	hidden := t.hidden()
	if err := os.Mkdir(hidden, 0o777); err != nil {
		return t.failed("", err)
	}
	defer os.RemoveAll(hidden)
	for _, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		described := describedFile{Name: f.name}
		h := sha256.New()
		file := &target{path: filepath.Join(hidden, f.name)}
		if err := os.MkdirAll(filepath.Dir(file.path), 0o777); err != nil {
			return t.failed(f.name, err)
		}
		if err := file.write(func(w io.Writer) error { return f.fill(&hashing{w, h, &described.Bytes}) }); err != nil {
			return t.failed(f.name, err)
		}
		described.SHA256 = hex.EncodeToString(h.Sum(nil))
		p.Files = append(p.Files, described)
	}
	note := &target{path: filepath.Join(hidden, provenanceMember)}
	if err := note.write(func(w io.Writer) error { return writeJSON(w, p) }); err != nil {
		return t.failed(provenanceMember, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return t.place(hidden)
}

// place gives the directory its name. What is to be replaced has a hidden one meanwhile.
func (t *directoryTarget) place(hidden string) error {
	if _, err := os.Lstat(t.path); err == nil {
		if !t.force {
			return t.exists() // somebody was faster
		}
		if err := t.ours(); err != nil {
			return err
		}
		old := t.hidden()
		if err := os.Rename(t.path, old); err != nil {
			return t.failed("", err)
		}
		if err := os.Rename(hidden, t.path); err != nil {
			return t.failed("", errors.Join(err, os.Rename(old, t.path)))
		}
		return os.RemoveAll(old)
	}
	return t.failed("", os.Rename(hidden, t.path))
}

// failed returns an error of a file by the name that it would have had.
func (t *directoryTarget) failed(name string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	default:
		return err
	}
	return &fs.PathError{Op: "write", Path: strings.TrimSuffix(filepath.Join(t.path, name), string(filepath.Separator)), Err: err}
}

func (t *directoryTarget) wrote() string {
	return fmt.Sprintf("wrote %s; %s says what made it", shown(t.path), shown(filepath.Join(t.path, provenanceMember)))
}
