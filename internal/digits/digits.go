// Package digits holds real networks for demonstrations, examples and tests: small ones
// that were trained to tell handwritten digits of 8 × 8 pixels apart (make.py). Open has
// what two of them made of the images, as it was stored; the others are run when asked
// for.
package digits

import (
	"bytes"
	"embed"
	"fmt"

	"github.com/gosvcca/gosvcca/activation"
)

//go:embed a b data
var files embed.FS

// Open returns a layer of networks a and b, which are of one architecture
// (64-128-128-64-10 with ReLU) and of different seeds, and right on 96.7% and 96.3% of
// the images they had not seen: "a/fc3" and "b/fc3" (1797 images × 64 neurons, after
// ReLU) or "a/logits" and "b/logits" (1797 × 10).
func Open(name string) (*activation.File, error) {
	data, err := files.ReadFile(name + ".npy")
	if err != nil {
		return nil, fmt.Errorf("digits: %w", err)
	}
	return activation.NewFile("digits/"+name, bytes.NewReader(data), int64(len(data)))
}

// data returns a file that make.py wrote.
func data(name string) []byte {
	b, err := files.ReadFile("data/" + name)
	if err != nil {
		panic(err) // it is in the program
	}
	return b
}
