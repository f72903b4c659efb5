package conv

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/svcca"
)

// Options say what is computed. The zero Options are exact, with the paper's 99% of
// variance over all blocks. A struct may grow: name its fields.
type Options struct {
	// Options are those of dense layers, with weights of images. Centering is of
	// every block (CenterNeurons: each neuron by its mean over images, before anything
	// is translated), of block (0, 0) alone (CenterTranslated), or none.
	svcca.Options
	// LowPass compares only frequencies that both layers have below half of the
	// smaller size, where sizes differ: an approximation that says so. False: strides
	// are exact (DEFINITIONS §5).
	LowPass bool
	// OffBlock is how many images, evenly spaced, tell how far the layers are from
	// what translations suppose. Zero: 1024; below 0: none, as it may take longer than
	// all else.
	OffBlock int
}

const (
	defaultOffBlock = 1024
	// Weights between these leave room for products and sums of them.
	leastWeight, mostWeight = 0x1p-900, 0x1p900
)

// check returns o with defaults filled in.
func (o Options) check() (Options, error) {
	dense := o.Options
	if dense.Centering == svcca.CenterTranslated {
		dense.Centering = svcca.CenterNeurons
	}
	dense, err := dense.Check()
	if err != nil {
		return o, err
	}
	dense.Centering = o.Centering
	o.Options = dense
	for i, w := range o.Weights {
		if w < leastWeight || w > mostWeight {
			return o, fmt.Errorf("conv: weight of image %d is %g: %w", i, w, svcca.ErrRange)
		}
	}
	if o.OffBlock == 0 {
		o.OffBlock = defaultOffBlock
	}
	return o, nil
}

// centred reports whether the means of a block are taken out; (0, 0) is block 0.
func (o Options) centred(block int) bool {
	switch o.Centering {
	case svcca.CenterNeurons:
		return true
	case svcca.CenterTranslated:
		return block == 0
	}
	return false
}

// space returns the dimensions N_b of the space that columns of a block live in.
func (o Options) space(n, block int) int {
	if o.centred(block) {
		return n - 1
	}
	return n
}

// way names what is compared.
func (o Options) way() string {
	if o.LowPass {
		return "lowpass"
	}
	return "dft"
}

// MarshalJSON returns the options in the words of the command's flags.
func (o Options) MarshalJSON() ([]byte, error) {
	text, err := json.Marshal(o.Options)
	if err != nil {
		return nil, err
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		return nil, err
	}
	fields["conv"] = o.way()
	return json.Marshal(fields)
}

// roots returns √w of n images, nil for weights of 1.
func roots(weights []float64, n int) ([]float64, error) {
	if weights == nil {
		return nil, nil
	}
	if len(weights) != n {
		return nil, fmt.Errorf("conv: %d weights for %d images: %w", len(weights), n, svcca.ErrMismatch)
	}
	r := make([]float64, n)
	for i, w := range weights {
		r[i] = math.Sqrt(w)
	}
	return r, nil
}
