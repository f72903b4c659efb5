package activation_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/james-bowman/sparse"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "activation")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "layer3.npy")
	if err := writeLayer(path); err != nil {
		log.Fatal(err)
	}

	x, err := activation.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer x.Close()
	datapoints, neurons := x.Dims()
	fmt.Println(datapoints, "datapoints,", neurons, "neurons, stored as", x.Storage())

	row := lapack.New[float64](1, neurons)
	if err := x.Read(row, 2, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Println(row.Data)
	// Output:
	// 4 datapoints, 3 neurons, stored as float64
	// [0.5 0.25 2]
}

// One layer of an archive, which numpy.savez has written here.
func ExampleMembers() {
	dir, err := os.MkdirTemp("", "activation")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "network.npz")
	if err := writeNetwork(path, "fc10", "fc2"); err != nil {
		log.Fatal(err)
	}

	names, err := activation.Members(path)
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range names {
		x, err := activation.Open(path + ":" + name)
		if err != nil {
			log.Fatal(err)
		}
		datapoints, neurons := x.Dims()
		fmt.Println(name, datapoints, neurons)
		if err := x.Close(); err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// fc2 4 3
	// fc10 4 3
}

// A layer that was saved in three parts reads as one.
func ExampleOpenShards() {
	dir, err := os.MkdirTemp("", "activation")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var paths []string
	for i := range 3 {
		path := filepath.Join(dir, fmt.Sprintf("layer3-%d.npy", i))
		if err := writeLayer(path); err != nil {
			log.Fatal(err)
		}
		paths = append(paths, path)
	}

	x, err := activation.OpenShards("layer3", paths)
	if err != nil {
		log.Fatal(err)
	}
	defer x.Close()
	datapoints, neurons := x.Dims()
	fmt.Println(datapoints, "datapoints,", neurons, "neurons, stored as", x.Storage())

	across := lapack.New[float64](2, neurons) // the last of one part, the first of the next
	if err := x.Read(across, 3, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Println(across.Row(0), across.Row(1))
	if err := x.Unchanged(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 12 datapoints, 3 neurons, stored as float64
	// [0 0 3] [1 0 0]
}

// A pipe brings arrays of any numbers of datapoints, which are read in blocks of
// two.
func ExampleStream() {
	pipe := new(bytes.Buffer) // os.Stdin
	for array, rows := range []int{3, 0, 2} {
		w, err := activation.NewWriter(pipe, rows, 2)
		if err != nil {
			log.Fatal(err)
		}
		for i := range rows {
			if err := w.Write(lapack.Of(1, 2, []float64{float64(array), float64(i)})); err != nil {
				log.Fatal(err)
			}
		}
	}

	x := activation.NewStream("stdin", pipe)
	neurons, err := x.Neurons()
	if err != nil {
		log.Fatal(err)
	}
	block := lapack.New[float64](2, neurons)
	for {
		rows, err := x.Read(block)
		if err == io.EOF {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		for i := range rows {
			fmt.Print(block.Row(i), " ")
		}
		fmt.Println(rows, "datapoints")
	}
	// Output:
	// [0 0] [0 1] 2 datapoints
	// [0 2] [2 0] 2 datapoints
	// [2 1] 1 datapoints
}

// writeLayer writes four datapoints of three neurons in two blocks.
func writeLayer(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := writeArray(f); err != nil {
		return err
	}
	return f.Close()
}

// writeNetwork writes an array for each name.
func writeNetwork(path string, names ...string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for _, name := range names {
		w, err := z.Create(name + ".npy")
		if err != nil {
			return err
		}
		if err := writeArray(w); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	return f.Close()
}

func writeArray(to io.Writer) error {
	w, err := activation.NewWriter(to, 4, 3)
	if err != nil {
		return err
	}
	for _, block := range [][]float64{
		{1, 0, 0, 0, 1.5, 0},
		{0.5, 0.25, 2, 0, 0, 3},
	} {
		if err := w.Write(lapack.Of(2, 3, block)); err != nil {
			return err
		}
	}
	return w.Close()
}

// Arrays with names, and a text on what they are, make a .safetensors.
func ExampleNewSafetensorsWriter() {
	path := filepath.Join(os.TempDir(), "example.safetensors")
	file, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	defer os.Remove(path)
	w, err := activation.NewSafetensorsWriter(file, map[string]string{"made": "by hand"},
		activation.Tensor{Name: "fc1", Storage: "float32", Shape: []int{2, 3}})
	if err != nil {
		log.Fatal(err)
	}
	if err := w.Write(lapack.Of(2, 3, []float64{1, 2, 3, 4, 5, 6})); err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(w.Close(), file.Close()); err != nil {
		log.Fatal(err)
	}

	layer, err := activation.Open(path + ":fc1")
	if err != nil {
		log.Fatal(err)
	}
	defer layer.Close()
	block := lapack.New[float64](1, 3)
	if err := layer.Read(block, 1, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Println(layer.Shape(), layer.Storage(), block.Data)
	// Output: [2 3] float32 [4 5 6]
}

// A layer of which most is zero, as scipy.sparse.save_npz saves it.
func ExampleOpenSparse() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "features.npz")
	file, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	// 3 datapoints × 5 features: the second datapoint has none.
	m := sparse.NewCSR(3, 5, []int{0, 2, 2, 3}, []int{1, 4, 0}, []float64{0.5, 2, 1})
	if err := activation.WriteSparse(file, m); err != nil {
		log.Fatal(err)
	}

	x, err := activation.OpenSparse(path)
	if err != nil {
		log.Fatal(err)
	}
	defer x.Close()
	n, d := x.Dims()
	block := lapack.New[float64](n, d)
	if err := x.Read(block, 0, 0); err != nil {
		log.Fatal(err)
	}
	fmt.Println(x.CSR().NNZ(), "values")
	for i := range n {
		fmt.Println(block.Row(i))
	}
	// Output:
	// 3 values
	// [0 0.5 0 0 2]
	// [0 0 0 0 0]
	// [1 0 0 0 0]
}
