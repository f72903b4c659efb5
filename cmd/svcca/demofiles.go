package main

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/lapack"
)

// demoMaps and demoSteps are how many images the networks with feature maps and the one
// in training are run on: files of theirs stay small.
const (
	demoMaps  = 300
	demoSteps = 500
)

// demoContents says what is in the directory.
const demoContents = `%s holds activations of small networks on images of handwritten digits:
  a, b            two networks on 1797 images: fc1, fc2, fc3, logits
  conv_a, conv_b  .safetensors of two convolutional networks, 300 images
  training        one network at 8 steps of its training, 500 images
  inputs, labels  .npy of the images, and which digits they show
  train, test     .npy: numbers of the images that networks learnt, or never saw
  weights         of network a: inputs × outputs, and biases
next: svcca matrix %s --against %s
`

// saveDemo makes a directory of what the built-in networks make of their images.
func saveDemo(ctx context.Context, dir string, stdout io.Writer) error {
	if dir == "" {
		return misusef("--save: the name of a new directory expected")
	}
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s exists: give another name", shown(dir))
	}
	t, err := newDirectoryTarget(dir, false)
	if err != nil {
		return err
	}
	var files demoFiles
	inputs := digits.Inputs()
	first := func(n int) lapack.Matrix[float64] { return inputs.View(0, 0, n, digits.Pixels) }
	files.layers("", digits.Layer{Name: "inputs", Shape: []int{inputs.Rows, inputs.Cols}, Values: inputs.Data})
	files.indices("labels", digits.Labels())
	files.indices("train", digits.Train())
	files.indices("test", digits.Test())
	files.layers("weights/", digits.Parameters("a")...)
	for _, network := range []string{"a", "b"} {
		files.layers(network+"/", digits.Dense(network, inputs)...)
		files.tensors("conv_"+network, digits.Convolutional("conv_"+network, first(demoMaps)))
	}
	for step, layers := range digits.Training(first(demoSteps)) {
		files.archive(fmt.Sprintf("training/step%05d", step), layers)
	}
	if err := t.write(ctx, newProvenance((&describer{}).making(ctx, nil), nil, nil), files); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, demoContents, shown(t.path), shellQuoted(filepath.Join(t.path, "a")), shellQuoted(filepath.Join(t.path, "b")))
	return err
}

// demoFiles are those to write.
type demoFiles []directoryFile

func (f *demoFiles) add(name string, fill func(io.Writer) error) {
	*f = append(*f, directoryFile{name, fill})
}

// layers writes a .npy of each.
func (f *demoFiles) layers(dir string, layers ...digits.Layer) {
	for _, l := range layers {
		f.add(dir+l.Name+".npy", func(w io.Writer) error { return writeNPY(w, demoArray(l)) })
	}
}

func (f *demoFiles) indices(name string, values []int) {
	f.add(name+".npy", func(w io.Writer) error { return activation.WriteIndices(w, values) })
}

// archive writes a .npz.
func (f *demoFiles) archive(name string, layers []digits.Layer) {
	f.add(name+".npz", func(w io.Writer) error {
		archive := zip.NewWriter(w)
		for _, l := range layers {
			member, err := archive.CreateHeader(&zip.FileHeader{Name: l.Name + ".npy", Method: zip.Store, Modified: zipTime})
			if err != nil {
				return err
			}
			if err := writeNPY(member, demoArray(l)); err != nil {
				return err
			}
		}
		return archive.Close()
	})
}

// tensors writes a .safetensors.
func (f *demoFiles) tensors(name string, layers []digits.Layer) {
	f.add(name+safetensorsSuffix, func(w io.Writer) error {
		var all []activation.Tensor
		for _, l := range layers {
			all = append(all, activation.Tensor{Name: l.Name, Storage: "float64", Shape: l.Shape})
		}
		s, err := activation.NewSafetensorsWriter(w, nil, all...)
		if err != nil {
			return err
		}
		for _, l := range layers {
			if err := s.Write(demoMatrix(l)); err != nil {
				return err
			}
		}
		return s.Close()
	})
}

func demoArray(l digits.Layer) namedArray { return valuesOf(l.Name, demoMatrix(l), l.Shape...) }

// demoMatrix is a layer as datapoints × neurons.
func demoMatrix(l digits.Layer) lapack.Matrix[float64] {
	d := len(l.Values) / l.Shape[0]
	return lapack.Matrix[float64]{Rows: l.Shape[0], Cols: d, Stride: d, Data: l.Values}
}
