package activation_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
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

// writeLayer writes four datapoints of three neurons in two blocks.
func writeLayer(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := activation.NewWriter(f, 4, 3)
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
	if err := w.Close(); err != nil {
		return err
	}
	return f.Close()
}
