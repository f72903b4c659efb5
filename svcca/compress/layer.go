package compress

import (
	"context"
	"fmt"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/blas"
)

// Affine is a fully connected layer before its nonlinearity, x ↦ x·Weights + Bias for rows
// x.
type Affine struct {
	Weights lapack.Matrix[float64] // inputs × outputs
	Bias    []float64              // by output; zeros where a layer has none
	// Name is what a network's errors call the layer. Empty: its number in the network.
	Name string
}

// called is what errors call layer i of a network.
func (a Affine) called(i int) string {
	if a.Name == "" {
		return fmt.Sprintf("layer %d", i)
	}
	return "layer " + a.Name
}

// check names the layer in errors.
func (a Affine) check(name string) error {
	d, out := a.Weights.Rows, a.Weights.Cols
	if d < 1 || out < 1 {
		return fmt.Errorf("compress: %s: weights are %d × %d: %w", name, d, out, svcca.ErrShape)
	}
	if len(a.Bias) != out {
		return fmt.Errorf("compress: %s: %d biases for %d × %d weights: %w", name, len(a.Bias), d, out, svcca.ErrMismatch)
	}
	if i, j, finite := allFinite(a.Weights); !finite {
		return fmt.Errorf("compress: %s: the weight of input %d and output %d is %v: %w", name, i, j, a.Weights.At(i, j), svcca.ErrNotFinite)
	}
	if _, j, finite := allFinite(lapack.Of(1, out, a.Bias)); !finite {
		return fmt.Errorf("compress: %s: the bias of output %d is %v: %w", name, j, a.Bias[j], svcca.ErrNotFinite)
	}
	return nil
}

// ApplyTo sets dst, rows × outputs, to that of rows × inputs.
func (a Affine) ApplyTo(dst, rows lapack.Matrix[float64]) {
	for i := range dst.Rows {
		copy(dst.Row(i), a.Bias)
	}
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, rows, a.Weights, 1, dst)
}

// Cost is what a layer takes.
type Cost struct {
	Parameters   int `json:"parameters"`
	MultiplyAdds int `json:"multiply_adds"` // for one row
}

// Compressed stands for an Affine as two narrower layers, x ↦ (x·Down)·Up + Bias.
type Compressed struct {
	// K is how many directions are kept, of M that the comparison has.
	K int `json:"k"`
	M int `json:"m"`
	// Down is W_x[:, :K], inputs × K. Up holds D_x[:K, :]·Win, K × outputs, and as Bias
	// what is left of b when the means are taken out of x and put back:
	// b + μ·Win − (μ·Down)·Up.
	Down lapack.Matrix[float64] `json:"-"`
	Up   Affine                 `json:"-"`

	Before Cost `json:"before"`
	// After may be the larger (Neurons).
	After Cost `json:"after"`
	// Comparison is the one whose directions were taken.
	Comparison *svcca.Comparison `json:"-"`
}

// ApplyTo sets dst, rows × outputs, to that of rows × inputs.
func (c *Compressed) ApplyTo(dst, rows lapack.Matrix[float64]) {
	narrow := lapack.New[float64](rows.Rows, c.K)
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, rows, c.Down, 0, narrow)
	c.Up.ApplyTo(dst, narrow)
}

// Options say how a layer is compressed. The zero Options keep every direction that the
// comparison does.
type Options struct {
	// Options are those of the comparison: Keep is the rule for k.
	svcca.Options
	// Size keeps fewer, by the size of the layer. Zero: all that Keep does.
	Size Size
}

// Between compresses a layer by the directions that its input, datapoints × inputs, has in
// common with against on the same datapoints: with the input of the same layer of another
// network, or with the logits, which costs the answers less (Raghu et al., App. 5).
//
//	x·Win + b  becomes  ((x − μ)·W_x[:, :k])·(D_x[:k, :]·Win) + (μ·Win + b)
//
// with W_x, D_x and μ of the comparison (DEFINITIONS §6); k(d + out) + out parameters in
// place of d·out + out. The error wraps what svcca.Between's may, svcca.ErrMismatch
// where the layer has not as many inputs, ErrNotFinite for its weights, ErrOptions.
func Between(ctx context.Context, input, against svcca.Layer, layer Affine, o Options) (*Compressed, error) {
	if err := o.Size.check(); err != nil {
		return nil, err
	}
	if err := layer.check("the layer to compress"); err != nil {
		return nil, err
	}
	if _, d := input.Dims(); d != layer.Weights.Rows {
		return nil, fmt.Errorf("compress: layer %q has %d neurons, the weights behind it %d rows: %w", conv.Vector(input).Name(), d, layer.Weights.Rows, svcca.ErrMismatch)
	}
	c, err := svcca.BetweenContext(ctx, input, against, o.Options)
	if err != nil {
		return nil, err
	}
	return Of(c, layer, o.Size)
}

// Of compresses a layer by the first directions of x in a comparison that there is, which
// is of the layer's input with something: several sizes need one comparison. The error wraps
// svcca.ErrMismatch where the layer has not as many inputs, ErrNotFinite for its weights,
// ErrOptions.
func Of(c *svcca.Comparison, layer Affine, size Size) (*Compressed, error) {
	if err := layer.check("the layer to compress"); err != nil {
		return nil, err
	}
	directions := c.X.Directions
	if d := directions.Map.Rows; d != layer.Weights.Rows {
		return nil, fmt.Errorf("compress: directions are of %d neurons, the weights behind them have %d rows: %w", d, layer.Weights.Rows, svcca.ErrMismatch)
	}
	d, out, m := layer.Weights.Rows, layer.Weights.Cols, directions.Map.Cols
	k, err := size.k(d, out, m)
	if err != nil {
		return nil, err
	}
	z := &Compressed{
		K: k, M: m, Comparison: c,
		Down:   directions.Map.View(0, 0, d, k).Clone(),
		Up:     Affine{Weights: lapack.New[float64](k, out), Bias: make([]float64, out)},
		Before: Cost{Parameters: d*out + out, MultiplyAdds: d * out},
		After:  Cost{Parameters: k*(d+out) + out, MultiplyAdds: k * (d + out)},
	}
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, directions.Decoder.View(0, 0, k, d), layer.Weights, 0, z.Up.Weights)
	mean := lapack.Of(1, d, directions.Mean)
	bias := lapack.Of(1, out, z.Up.Bias)
	layer.ApplyTo(bias, mean)
	narrow := lapack.New[float64](1, k)
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, mean, z.Down, 0, narrow)
	lapack.Gemm(blas.NoTrans, blas.NoTrans, -1, narrow, z.Up.Weights, 1, bias)
	return z, z.Up.check("what the layer is compressed to")
}
