package main

import (
	"archive/zip"
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
)

// namedArray is one of a file's arrays, of numbers or of texts.
type namedArray struct {
	name   string
	shape  []int
	values func() (lapack.Matrix[float64], error) // made when they are written
	texts  []string                               // in place of values
}

// valuesOf returns the array of the values of m, of any shape.
func valuesOf(name string, m lapack.Matrix[float64], shape ...int) namedArray {
	return namedArray{name: name, shape: shape, values: func() (lapack.Matrix[float64], error) { return m, nil }}
}

// textsOf returns an array of texts.
func textsOf(name string, texts []string) namedArray { return namedArray{name: name, texts: texts} }

const safetensorsSuffix = ".safetensors"

// writeArrays writes a file of arrays with what made them, of the kind that its name
// says: .safetensors, or else .npz.
func writeArrays(ctx context.Context, w io.Writer, path string, p provenance, arrays []namedArray) error {
	if strings.EqualFold(filepath.Ext(path), safetensorsSuffix) {
		return writeSafetensors(ctx, w, p, arrays)
	}
	return writeNPZ(ctx, w, p, arrays)
}

// zipTime is the earliest that a .zip knows. Members carry it, so that the same
// input makes the same file.
var zipTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// provenanceMember is what made a .npz, in JSON: bytes to numpy.load. It is the last
// member, as some look at the first to tell a .npz from other archives.
const provenanceMember = "provenance.json"

// writeNPZ writes arrays as .npz, not compressed.
func writeNPZ(ctx context.Context, w io.Writer, p provenance, arrays []namedArray) error {
	archive := zip.NewWriter(w)
	create := func(name string) (io.Writer, error) {
		return archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: zipTime})
	}
	for _, a := range arrays {
		if err := ctx.Err(); err != nil {
			return err
		}
		member, err := create(a.name + ".npy")
		if err != nil {
			return err
		}
		if a.values == nil {
			err = activation.WriteTexts(member, a.texts)
		} else {
			err = writeNPY(member, a)
		}
		if err != nil {
			return err
		}
	}
	member, err := create(provenanceMember)
	if err != nil {
		return err
	}
	if err := writeJSON(member, p); err != nil {
		return err
	}
	return archive.Close()
}

// writeNPY writes an array of numbers.
func writeNPY(w io.Writer, a namedArray) error {
	m, err := a.values()
	if err != nil {
		return err
	}
	npy, err := activation.NewWriter(w, a.shape...)
	if err != nil {
		return err
	}
	if err := npy.Write(m); err != nil {
		return err
	}
	return npy.Close()
}

// writeSafetensors writes arrays as .safetensors, which has none of texts.
func writeSafetensors(ctx context.Context, w io.Writer, p provenance, arrays []namedArray) error {
	var text bytes.Buffer
	if err := writeJSON(&text, p); err != nil {
		return err
	}
	var tensors []activation.Tensor
	for _, a := range arrays {
		if a.values != nil {
			tensors = append(tensors, activation.Tensor{Name: a.name, Storage: "float64", Shape: a.shape})
		}
	}
	// "format" is what other writers say of the framework that tensors are for.
	metadata := map[string]string{"format": "svcca", "provenance": strings.TrimSuffix(text.String(), "\n")}
	s, err := activation.NewSafetensorsWriter(w, metadata, tensors...)
	if err != nil {
		return err
	}
	for _, a := range arrays {
		if a.values == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := a.values()
		if err != nil {
			return err
		}
		if err := s.Write(m); err != nil {
			return err
		}
	}
	return s.Close()
}
