package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"
)

// target is a file to write, whole or not at all.
type target struct {
	path  string
	force bool
	note  *target // beside a file that cannot say itself what made it, or nil
}

// newTarget checks, before any work is done, that path can be written: that its
// directory exists, that nothing is there or force is given, and that what is
// there is a plain file and none of the inputs.
func newTarget(path string, force bool, inputs ...string) (*target, error) {
	t := &target{path: path, force: force}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%s: there is no directory %s to write it to", shown(path), shown(filepath.Dir(path)))
	}
	if err := t.vacant(); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no plain file, and is not replaced", shown(path))
	}
	for _, input := range inputs {
		for _, file := range append(companionsOf(input), fileOf(input)) {
			if other, err := os.Stat(file); err == nil && os.SameFile(info, other) {
				return nil, fmt.Errorf("%s is read by this command: give another name for what it writes", shown(path))
			}
		}
	}
	// A rename would replace a link, not the file that it leads to.
	t.path, err = filepath.EvalSymlinks(path)
	return t, err
}

// newNotedTarget is newTarget for a file that cannot say what made it, and one beside
// it that does, of its name and .json.
func newNotedTarget(path string, force bool, inputs ...string) (*target, error) {
	t, err := newTarget(path, force, inputs...)
	if err == nil {
		t.note, err = newTarget(noteOf(path), force, inputs...)
	}
	return t, err
}

// outputIsOut lets --output stand for --out, as some say.
func outputIsOut(flags *pflag.FlagSet) {
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "output" {
			name = "out"
		}
		return pflag.NormalizedName(name)
	})
}

// outputArg is a file that a flag names to write.
type outputArg struct{ flag, path string }

// suffixOf returns what tells the kind of a file.
func suffixOf(path string) string { return strings.ToLower(filepath.Ext(path)) }

// newTargets checks, before any work, that files can be written, each another. noted
// says what a flag writes to names of a suffix: whether that cannot say itself what made
// it, and whether the suffix is known; expected names those that are.
func newTargets(args []outputArg, noted func(flag, suffix string) (noted, known bool), expected string, force bool, inputs ...string) (targets []*target, err error) {
	seen, notes := map[string]bool{}, map[string]string{}
	for _, arg := range args {
		needsNote, known := noted(arg.flag, suffixOf(arg.path))
		path := filepath.Clean(arg.path)
		switch {
		case !known:
			return nil, misusef("%s %s: a name that ends %s expected", arg.flag, shown(arg.path), expected)
		case seen[path]:
			return nil, misusef("%s %s is given twice", arg.flag, shown(arg.path))
		}
		seen[path] = true
		create := newTarget
		if needsNote {
			create = newNotedTarget
			notes[noteOf(path)] = arg.path
		}
		t, err := create(arg.path, force, inputs...)
		if err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	for _, arg := range args {
		if of, is := notes[filepath.Clean(arg.path)]; is {
			return nil, misusef("%s %s: what made %s is written there: give another name", arg.flag, shown(arg.path), shown(of))
		}
	}
	return targets, nil
}

func noteOf(path string) string { return path + ".json" }

// wrote says what was written.
func (t *target) wrote() string {
	text := "wrote " + shown(t.path)
	if t.note != nil {
		text += "; " + shown(t.note.path) + " says what made it"
	}
	return text
}

// vacant returns an error where something is in the way.
func (t *target) vacant() error {
	if t.force {
		return nil
	}
	if _, err := os.Lstat(t.path); err == nil {
		return t.exists()
	}
	return nil
}

func (t *target) exists() error {
	return fmt.Errorf("%s exists: give another name, or --force to overwrite it", shown(t.path))
}

// pending is a file that is being written, in the directory where it will be.
type pending interface {
	io.Writer
	// Sync returns when all that was written is on disk.
	Sync() error
	// place puts the file, all of it on disk, in its place. Where it may not replace
	// what is there the error is fs.ErrExist, as far as the system can tell.
	place(replace bool) error
	// cleanup removes the file if it is not in its place.
	cleanup()
}

// write makes the file of what fill writes. Where either fails nothing is left.
func (t *target) write(fill func(io.Writer) error) error {
	f, err := t.fill(fill)
	if err != nil {
		return err
	}
	defer f.cleanup()
	return t.place(f)
}

// writeNoted makes the file of what fill writes, and its note of p. Both are whole and
// on disk before either has its name, and the note has it first: a file whose note is
// missing was not written here, and a note names the bytes that it is of.
func (t *target) writeNoted(p provenance, fill func(io.Writer) error) error {
	h := sha256.New()
	p.File = &describedFile{Name: filepath.Base(t.path)}
	f, err := t.fill(func(w io.Writer) error { return fill(&hashing{w, h, &p.File.Bytes}) })
	if err != nil {
		return err
	}
	defer f.cleanup()
	p.File.SHA256 = hex.EncodeToString(h.Sum(nil))
	note, err := t.note.fill(func(w io.Writer) error { return writeJSON(w, p) })
	if err != nil {
		return err
	}
	defer note.cleanup()
	if err := f.Sync(); err != nil {
		return t.failed(err)
	}
	if err := t.vacant(); err != nil {
		return err
	}
	if err := t.note.place(note); err != nil {
		return err
	}
	if err := t.place(f); err != nil {
		os.Remove(t.note.path) // it is of no file
		return err
	}
	return nil
}

// hashing passes on what is written, hashed and counted.
type hashing struct {
	io.Writer
	hash  hash.Hash
	bytes *int64
}

func (h *hashing) Write(p []byte) (int, error) {
	n, err := h.Writer.Write(p)
	h.hash.Write(p[:n])
	*h.bytes += int64(n)
	return n, err
}

// fill returns a pending file of what write writes.
func (t *target) fill(write func(io.Writer) error) (pending, error) {
	f, err := newPending(t.path)
	if err != nil {
		return nil, t.failed(err)
	}
	buffer := bufio.NewWriterSize(targetWriter{f, t}, 1<<16)
	if err = write(buffer); err == nil {
		err = buffer.Flush()
	}
	if err != nil {
		f.cleanup()
		return nil, err
	}
	return f, nil
}

// place puts a file in its place.
func (t *target) place(f pending) error {
	if err := t.vacant(); err != nil { // somebody may have been faster
		return err
	}
	switch err := f.place(t.force); {
	case errors.Is(err, fs.ErrExist) && !t.force:
		return t.exists()
	case err != nil:
		return t.failed(err)
	}
	return nil
}

// failed returns err by the name of the target, not by one beside it.
func (t *target) failed(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return &fs.PathError{Op: "write", Path: t.path, Err: err}
}

// targetWriter is a target's pending file, its errors by the target's name.
type targetWriter struct {
	pending
	of *target
}

func (w targetWriter) Write(p []byte) (int, error) {
	n, err := w.pending.Write(p)
	if err != nil {
		err = w.of.failed(err)
	}
	return n, err
}
