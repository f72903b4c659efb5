// Package digits holds real activations for demonstrations, examples and tests:
// those of two networks, a and b, of one architecture (64-128-128-64-10 with
// ReLU), trained from different seeds to tell handwritten digits of 8 × 8 pixels
// apart (96.7% and 96.3% right on images they had not seen).
package digits

import (
	"bytes"
	"embed"
	"fmt"

	"github.com/gosvcca/gosvcca/activation"
)

//go:embed a b
var files embed.FS

// Open returns a layer: "a/fc3" and "b/fc3" (1797 images × 64 neurons, after
// ReLU) or "a/logits" and "b/logits" (1797 × 10).
func Open(name string) (*activation.File, error) {
	data, err := files.ReadFile(name + ".npy")
	if err != nil {
		return nil, fmt.Errorf("digits: %w", err)
	}
	return activation.NewFile("digits/"+name, bytes.NewReader(data), int64(len(data)))
}
