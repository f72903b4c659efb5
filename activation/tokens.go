package activation

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/gosvcca/gosvcca/lapack"
)

// TokenLayout is the order of the axes of an array of three.
type TokenLayout int

const (
	// NTD is examples × tokens × neurons, as transformers have it.
	NTD TokenLayout = iota
	// NCT is examples × channels × time, as PyTorch's one-dimensional convolutions
	// have it: a token is a time, a neuron a channel.
	NCT
)

// String returns "ntd" or "nct".
func (l TokenLayout) String() string {
	if l == NCT {
		return "nct"
	}
	return "ntd"
}

// sizes returns the numbers of tokens and of neurons of an example.
func (l TokenLayout) sizes(shape []int) (tokens, neurons int) {
	if l == NCT {
		return shape[2], shape[1]
	}
	return shape[1], shape[2]
}

// TokenRule is what a datapoint is where a layer has tokens.
type TokenRule int

const (
	// Each makes a datapoint of every token: those of the first example, those of
	// the second, and so on.
	Each TokenRule = iota
	// Mean makes a datapoint of every example: the mean of its tokens, summed in
	// float64.
	Mean
	// Last makes a datapoint of every example: its last token.
	Last
)

// String returns "each", "mean" or "last".
func (r TokenRule) String() string { return [...]string{"each", "mean", "last"}[r] }

// TokenOptions say how an array of three dimensions is a layer of datapoints ×
// neurons. The zero value takes each token of examples × tokens × neurons.
type TokenOptions struct {
	Layout TokenLayout
	Rule   TokenRule
	// Mask, of examples × tokens, leaves out tokens such as padding: Each has no
	// datapoints of them, Mean is over the others, Last the last of the others.
	// nil: none is left out.
	Mask *Mask
}

// Tokens returns a view of l, of three dimensions, in two: datapoints × neurons.
// Values are exact, but for means. Its Read is as fast as l's where an array of C
// order is NTD; of NCT, where the neurons of a token are far from each other, up to
// ten times slower, and in Fortran order far slower still.
//
// A layer of other dimensions, a mask of another shape, and for Mean and Last an
// example of which no token is left, give a *FormatError.
func Tokens(l Layer, o TokenOptions) (Layer, error) {
	shape := l.Shape()
	if len(shape) != 3 {
		return nil, &FormatError{Name: l.Name(), Problem: fmt.Sprintf("an array of 3 dimensions has tokens, this has %d: %s", len(shape), formatShape(shape))}
	}
	e := &tokenLayer{Layer: l, layout: o.Layout, examples: shape[0]}
	e.length, e.neurons = o.Layout.sizes(shape)
	if m := o.Mask; m != nil && (len(m.shape) != 2 || m.shape[0] != e.examples || m.shape[1] != e.length) {
		return nil, &FormatError{Name: m.name, Problem: fmt.Sprintf("a mask of %d × %d (examples × tokens) expected, as %s has, this is of %s",
			e.examples, e.length, l.Name(), formatShape(m.shape))}
	}
	if o.Rule == Each {
		if o.Mask == nil {
			return e, nil
		}
		return Take(e, 0, o.Mask.Kept()), nil
	}
	last := make([]int, e.examples)
	for i := range last {
		t := e.length - 1
		for o.Mask != nil && t >= 0 && !o.Mask.keep[i*e.length+t] {
			t--
		}
		switch {
		case t >= 0:
			last[i] = i*e.length + t
		case o.Mask != nil:
			return nil, &FormatError{Name: o.Mask.name, Problem: fmt.Sprintf("example %d (counted from 0) has no token left, and so no %v: leave that example out, or mask fewer", i, o.Rule)}
		default:
			return nil, &FormatError{Name: l.Name(), Problem: fmt.Sprintf("shape %s has no tokens, of which there would be a %v", formatShape(shape), o.Rule)}
		}
	}
	if o.Rule == Last {
		return Take(e, 0, last), nil
	}
	return &meanToken{tokenLayer: e, mask: o.Mask}, nil
}

// tokenLayer is a layer of which each token is a datapoint.
type tokenLayer struct {
	Layer            // of three dimensions
	layout           TokenLayout
	examples, length int // tokens of an example
	neurons          int
}

func (e *tokenLayer) Dims() (datapoints, neurons int) { return e.examples * e.length, e.neurons }

func (e *tokenLayer) Shape() []int { return []int{e.examples * e.length, e.neurons} }

func (e *tokenLayer) Digest(ctx context.Context) ([sha256.Size]byte, error) {
	d, err := e.Layer.Digest(ctx)
	if err != nil {
		return d, err
	}
	return sha256.Sum256(fmt.Appendf(nil, "gosvcca activation.Tokens 1: each %v %x\n", e.layout, d)), nil
}

// Origin is the token's place in its example.
func (e *tokenLayer) Origin(row, col int) (of Layer, datapoint, neuron int) {
	return e.Layer, row / e.length, e.place(row%e.length, col)
}

// place returns where in an example a neuron of a token is.
func (e *tokenLayer) place(token, neuron int) int {
	if e.layout == NCT {
		return neuron*e.length + token
	}
	return token*e.neurons + neuron
}

func (e *tokenLayer) gaps() (datapoints, neurons int) {
	_, values := gapsOf(e.Layer)
	if e.layout == NCT {
		return values, values / max(e.length, 1)
	}
	return values / max(e.neurons, 1), values
}

// Read is that of File, for a block of tokens.
func (e *tokenLayer) Read(dst lapack.Matrix[float64], row, col int) error {
	n, d := e.Dims()
	checkBlock(dst, row, col, n, d)
	if dst.IsEmpty() {
		return nil
	}
	_, gap := gapsOf(e.Layer)
	for done := 0; done < dst.Rows; {
		example, token := (row+done)/e.length, (row+done)%e.length
		part := dst.View(done, 0, min(e.length-token, dst.Rows-done), dst.Cols)
		var err error
		switch {
		case e.layout == NCT:
			err = e.byChannels(part, example, token, col, gap)
		case dst.Cols == e.neurons && dst.Cols == dst.Stride:
			// Tokens side by side, on disk and in memory, are one long line, and so
			// are whole examples.
			lines := 1
			if token == 0 {
				lines = max(1, (dst.Rows-done)/e.length)
			}
			length := part.Rows * d
			part = lapack.Of(lines, length, dst.Data[done*d:][:lines*length])
			err = e.Layer.Read(part, example, token*d)
			done += (lines - 1) * e.length
			part.Rows = length / d
		default:
			err = e.byTokens(part, example, token, col, gap)
		}
		if err != nil {
			return err
		}
		done += part.Rows
	}
	return nil
}

// byTokens reads a block of one example: parts of its tokens, with what lies between
// them where that is less than gap.
func (e *tokenLayer) byTokens(dst lapack.Matrix[float64], example, token, col, gap int) error {
	together := 1
	if e.neurons-dst.Cols <= gap {
		together = max(1, takeValues/e.neurons)
	}
	return withBuffer(1, (min(together, dst.Rows)-1)*e.neurons+dst.Cols, func(line lapack.Matrix[float64]) error {
		for first := 0; first < dst.Rows; first += together {
			count := min(together, dst.Rows-first)
			if err := e.Layer.Read(line.View(0, 0, 1, (count-1)*e.neurons+dst.Cols), example, e.place(token+first, col)); err != nil {
				return err
			}
			for i := range count {
				copy(dst.Row(first+i), line.Data[i*e.neurons:])
			}
		}
		return nil
	})
}

// byChannels reads a block of one example: parts of its channels, likewise.
func (e *tokenLayer) byChannels(dst lapack.Matrix[float64], example, token, col, gap int) error {
	together := 1
	if e.length-dst.Rows <= gap {
		together = max(1, takeValues/e.length)
	}
	return withBuffer(1, (min(together, dst.Cols)-1)*e.length+dst.Rows, func(line lapack.Matrix[float64]) error {
		for first := 0; first < dst.Cols; first += together {
			count := min(together, dst.Cols-first)
			if err := e.Layer.Read(line.View(0, 0, 1, (count-1)*e.length+dst.Rows), example, e.place(token, col+first)); err != nil {
				return err
			}
			for left := 0; left < count; left += tile { // as few lines as a cache holds
				for i := range dst.Rows {
					row := dst.Row(i)[first+left : first+min(left+tile, count)]
					for j := range row {
						row[j] = line.Data[(left+j)*e.length+i]
					}
				}
			}
		}
		return nil
	})
}

// meanToken is a layer of which the mean of an example's tokens is a datapoint.
type meanToken struct {
	*tokenLayer
	mask *Mask // nil: all
}

func (m *meanToken) Dims() (datapoints, neurons int) { return m.examples, m.neurons }

func (m *meanToken) Shape() []int { return []int{m.examples, m.neurons} }

func (m *meanToken) Digest(ctx context.Context) ([sha256.Size]byte, error) {
	d, err := m.tokenLayer.Digest(ctx)
	if err != nil {
		return d, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "gosvcca activation.Tokens 1: mean %x %t\n", d, m.mask != nil)
	if m.mask != nil {
		h.Write(m.mask.bytes())
	}
	return sum(h), nil
}

// Origin is the first token's, of those that the mean is of.
func (m *meanToken) Origin(row, col int) (of Layer, datapoint, neuron int) {
	token := 0
	for m.mask != nil && !m.mask.keep[row*m.length+token] {
		token++
	}
	return m.Layer, row, m.place(token, col)
}

func (m *meanToken) gaps() (datapoints, neurons int) {
	datapoints, neurons = m.tokenLayer.gaps()
	return datapoints / m.length, neurons
}

// Read is that of File, for a block of examples.
func (m *meanToken) Read(dst lapack.Matrix[float64], row, col int) error {
	checkBlock(dst, row, col, m.examples, m.neurons)
	if dst.IsEmpty() {
		return nil
	}
	t := m.length
	for i := range dst.Rows {
		clear(dst.Row(i))
	}
	count := make([]int, dst.Rows)
	err := withBuffer(min(dst.Rows*t, max(1, takeValues/dst.Cols)), dst.Cols, func(buffer lapack.Matrix[float64]) error {
		for first := 0; first < dst.Rows*t; first += buffer.Rows {
			block := buffer.View(0, 0, min(buffer.Rows, dst.Rows*t-first), dst.Cols)
			if err := m.tokenLayer.Read(block, row*t+first, col); err != nil {
				return err
			}
			for k := range block.Rows {
				at := row*t + first + k
				if m.mask != nil && !m.mask.keep[at] {
					continue // and what it holds, as NaN, is of no interest
				}
				count[at/t-row]++
				to := dst.Row(at/t - row)
				for j, v := range block.Row(k) {
					to[j] += v
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range dst.Rows {
		to := dst.Row(i)
		for j := range to {
			to[j] /= float64(count[i])
		}
	}
	return nil
}
