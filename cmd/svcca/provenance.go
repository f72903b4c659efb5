package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"runtime"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/native"
	"github.com/spf13/pflag"
)

// provenance is what a file of numbers says of how it came about. It has neither time
// nor host, so that the same command on the same files writes the same bytes.
type provenance struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	making
	Options   any         `json:"options"` // in the words of the flags
	Selection *selection  `json:"selection,omitempty"`
	Backend   native.Info `json:"backend"`
	// Of a matrix: what its values are, and of which layers.
	Score   score    `json:"score,omitempty"`
	Rows    []string `json:"rows,omitempty"`
	Columns []string `json:"columns,omitempty"`
	// Of layers that are measured by themselves: what was selected of each, by its name.
	Selections map[string]*selection `json:"selections,omitempty"`
	// Of a picture of a matrix: how it is drawn.
	Picture *pictureFlags `json:"picture,omitempty"`
	// File is the one that this stands beside, nil where it stands inside.
	File *describedFile `json:"file,omitempty"`
	// Files are those that it stands with in a directory.
	Files []describedFile `json:"files,omitempty"`
}

func newProvenance(m making, options any, s *selection) provenance {
	return provenance{Schema: "svcca.provenance/1", Version: version(), making: m, Options: options, Selection: s, Backend: native.Describe()}
}

// making is a command and what it read.
type making struct {
	Module  string               `json:"module"`
	Go      string               `json:"go"`
	Command []string             `json:"command"`        // as given
	Inputs  []inputJSON          `json:"inputs"`         // layers, or sums of them
	With    map[string]inputJSON `json:"with,omitempty"` // other files, by their flags
	// Parts are, of sums, what made each of those that went into them from rows; null
	// of sums that do not say.
	Parts []json.RawMessage `json:"parts,omitempty"`
}

// inputJSON says what was read: the files of a layer, or a file of sums.
type inputJSON struct {
	Name    string   `json:"name"`
	Paths   []string `json:"paths"`
	Shape   []int    `json:"shape,omitempty"` // as stored
	Storage string   `json:"storage,omitempty"`
	// By paths, of the file each is or is in: its size, and with --hashes its SHA-256 as
	// sha256sum prints it.
	Bytes  []int64  `json:"bytes,omitempty"`
	SHA256 []string `json:"sha256,omitempty"`
	// Beside are the files of scales and zero points of int8.
	Beside []inputJSON `json:"beside,omitempty"`
}

// describedFile is a file as it was written.
type describedFile struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// describer says what a command reads.
type describer struct {
	hashes bool
	with   map[string]inputJSON
	known  map[string]string // SHA-256 by files: archives come many times
}

func (d *describer) register(flags *pflag.FlagSet) {
	flags.BoolVar(&d.hashes, "hashes", false, "tell the SHA-256 of inputs, too (default: no)")
}

// making describes what was read for the command that is running.
func (d *describer) making(ctx context.Context, inputs []inputJSON) making {
	command, _ := ctx.Value(commandKey{}).([]string)
	return making{Module: modulePath, Go: runtime.Version(), Command: append([]string{"svcca"}, command...), Inputs: inputs, With: d.with}
}

// commandKey is where a context has the arguments of the command.
type commandKey struct{}

// describeLayers says what open layers are, those that are not nil. Whoever asks for hashes looks
// afterwards whether a file has changed.
func (d *describer) describeLayers(ctx context.Context, inputs []input, layers []activation.Layer) ([]inputJSON, error) {
	described := []inputJSON{}
	for i, l := range layers {
		if l == nil {
			continue
		}
		in, err := d.describe(ctx, inputs[i].name, inputs[i].paths...)
		if err != nil {
			return nil, err
		}
		file, _, _ := activation.Origin(l, 0, 0)
		in.Shape, in.Storage = file.Shape(), file.Storage()
		described = append(described, in)
	}
	return described, nil
}

// beside describes the files that a flag names.
func (d *describer) beside(ctx context.Context, flag string, paths []string, l activation.Layer) error {
	in, err := d.describe(ctx, paths[0], paths...)
	if err != nil {
		return err
	}
	if l != nil {
		in.Shape, in.Storage = l.Shape(), l.Storage()
	}
	if d.with == nil {
		d.with = map[string]inputJSON{}
	}
	d.with[flag] = in
	return nil
}

// describeSelection says what the files are that select from the layers of inputs,
// those that are not nil.
func (d *describer) describeSelection(ctx context.Context, f *selectFlags, inputs []input, layers []activation.Layer) error {
	if len(f.ids) > 0 {
		files, err := f.idFiles(inputs)
		if err != nil {
			return err
		}
		var paths []string
		for i, l := range layers {
			if l != nil {
				paths = append(paths, files[i])
			}
		}
		if err := d.beside(ctx, "ids", paths, nil); err != nil {
			return err
		}
	}
	for flag, path := range map[string]string{"mask": f.mask, "datapoints": f.datapoints.file, "labels": f.labels, "neurons": f.neurons.file} {
		if path != "" {
			if err := d.beside(ctx, flag, []string{path}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// describe says what the files at paths are.
func (d *describer) describe(ctx context.Context, name string, paths ...string) (inputJSON, error) {
	in := inputJSON{Name: name, Paths: paths}
	for _, path := range paths {
		file := fileOf(path)
		info, err := os.Stat(file)
		if err != nil {
			return in, err
		}
		in.Bytes = append(in.Bytes, info.Size())
		if !d.hashes {
			continue
		}
		sum, known := d.known[file]
		if !known {
			if sum, err = hashFile(ctx, file); err != nil {
				return in, err
			}
			if d.known == nil {
				d.known = map[string]string{}
			}
			d.known[file] = sum
		}
		in.SHA256 = append(in.SHA256, sum)
	}
	for _, path := range paths {
		for _, file := range companionsOf(path) {
			beside, err := d.describe(ctx, file, file)
			if err != nil {
				return in, err
			}
			in.Beside = append(in.Beside, beside)
		}
	}
	return in, nil
}

// digestBytes are read and hashed between two looks at the context.
const digestBytes = 1 << 20

// hashFile returns the SHA-256 of the file at path.
func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h, buffer := sha256.New(), make([]byte, digestBytes)
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := f.Read(buffer)
		h.Write(buffer[:n])
		switch {
		case err == io.EOF:
			return hex.EncodeToString(h.Sum(nil)), nil
		case err != nil:
			return "", err
		}
	}
}
