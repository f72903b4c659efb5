package compress_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/compress"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func dense(seed uint64, d, out int) compress.Affine {
	return compress.Affine{Weights: random(seed, d, out), Bias: random(seed+100, 1, out).Data}
}

// through is x·W + b, by loops.
func through(x lapack.Matrix[float64], a compress.Affine) lapack.Matrix[float64] {
	z := lapack.New[float64](x.Rows, a.Weights.Cols)
	for i := range z.Rows {
		for j := range z.Cols {
			v := a.Bias[j]
			for k := range x.Cols {
				v += x.At(i, k) * a.Weights.At(k, j)
			}
			z.Set(i, j, v)
		}
	}
	return z
}

func relu(x lapack.Matrix[float64]) lapack.Matrix[float64] {
	z := lapack.New[float64](x.Rows, x.Cols)
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			z.Set(i, j, math.Max(v, 0))
		}
	}
	return z
}

func compressedOf(c *compress.Compressed, x lapack.Matrix[float64]) lapack.Matrix[float64] {
	z := lapack.New[float64](x.Rows, c.Up.Weights.Cols)
	c.ApplyTo(z, x)
	return z
}

func TestBetween(t *testing.T) {
	ctx := context.Background()
	x, c := pair(t, 60, 6, svcca.FullRank())
	y := random(2, 60, 6)
	for i := range 60 {
		for j := range 6 {
			y.Set(i, j, y.At(i, j)*float64(j)+x.At(i, j))
		}
	}
	a := dense(5, 6, 4)
	fresh := random(8, 9, 6)
	for k := 1; k <= 6; k++ {
		small, err := compress.Between(ctx, layer("x", x), layer("y", y), a, compress.Options{Options: svcca.Options{Keep: svcca.FullRank()}, Size: compress.Neurons((float64(k) - 0.5) / 6)})
		require.NoError(t, err)
		assert.Equal(t, [2]int{k, 6}, [2]int{small.K, small.M})
		assert.Equal(t, compress.Cost{Parameters: 28, MultiplyAdds: 24}, small.Before)
		assert.Equal(t, compress.Cost{Parameters: 10*k + 4, MultiplyAdds: 10 * k}, small.After)
		assert.Equal(t, small.After.Parameters, len(small.Down.Data)+len(small.Up.Weights.Data)+len(small.Up.Bias), "what is there is what is counted")
		// It is the layer behind projected rows.
		for _, rows := range []lapack.Matrix[float64]{x, fresh} {
			want := through(projected(c.X.Directions, rows, k, nil), a)
			assert.InDeltaSlice(t, want.Data, compressedOf(small, rows).Data, 1e-9)
		}
	}
	// With every direction it is the layer itself; also by the zero Options where nothing
	// of the layer is noise.
	all, err := compress.Between(ctx, layer("x", x), layer("y", y), a, compress.Options{Options: svcca.Options{Keep: svcca.FullRank()}})
	require.NoError(t, err)
	assert.Equal(t, 6, all.K)
	assert.InDeltaSlice(t, through(fresh, a).Data, compressedOf(all, fresh).Data, 1e-9)
	text, err := json.Marshal(all)
	require.NoError(t, err)
	assert.JSONEq(t, `{"k": 6, "m": 6, "before": {"parameters": 28, "multiply_adds": 24}, "after": {"parameters": 64, "multiply_adds": 60}}`, string(text))

	// Directions against one neuron: one is all there is to keep.
	one, err := compress.Between(ctx, layer("x", x), layer("y", random(4, 60, 1)), a, compress.Options{Size: compress.Neurons(1)})
	require.NoError(t, err)
	assert.Equal(t, [2]int{1, 1}, [2]int{one.K, one.M})
}

// Neurons in another order, with the weights behind them, give the same layer.
func TestBetweenPermuted(t *testing.T) {
	ctx := context.Background()
	x, _ := pair(t, 60, 4, svcca.FullRank())
	y, a := random(2, 60, 3), dense(5, 4, 2)
	order := []int{2, 0, 3, 1}
	px, pa := lapack.New[float64](60, 4), compress.Affine{Weights: lapack.New[float64](4, 2), Bias: a.Bias}
	for j, from := range order {
		for i := range 60 {
			px.Set(i, j, x.At(i, from))
		}
		copy(pa.Weights.Row(j), a.Weights.Row(from))
	}
	o := compress.Options{Size: compress.Neurons(0.5)}
	own, err := compress.Between(ctx, layer("x", x), layer("y", y), a, o)
	require.NoError(t, err)
	permuted, err := compress.Between(ctx, layer("x", px), layer("y", y), pa, o)
	require.NoError(t, err)
	require.Equal(t, 2, own.K)
	assert.InDeltaSlice(t, compressedOf(own, x).Data, compressedOf(permuted, px).Data, 1e-9)
}

func TestBetweenErrors(t *testing.T) {
	ctx := context.Background()
	x, y, a := layer("x", random(1, 30, 4)), layer("y", random(2, 30, 4)), dense(3, 4, 2)
	broken := func(change func(a *compress.Affine)) compress.Affine {
		b := compress.Affine{Weights: a.Weights.Clone(), Bias: []float64{1, 2}}
		change(&b)
		return b
	}
	for _, test := range []struct {
		a    compress.Affine
		o    compress.Options
		is   error
		says string
	}{
		{compress.Affine{}, compress.Options{}, svcca.ErrShape, "0 × 0"},
		{dense(3, 5, 2), compress.Options{}, svcca.ErrMismatch, `layer "x" has 4 neurons, the weights behind it 5 rows`},
		{broken(func(a *compress.Affine) { a.Bias = nil }), compress.Options{}, svcca.ErrMismatch, "0 biases for 4 × 2 weights"},
		{broken(func(a *compress.Affine) { a.Weights.Set(3, 1, math.Inf(1)) }), compress.Options{}, svcca.ErrNotFinite, "input 3 and output 1 is +Inf"},
		{broken(func(a *compress.Affine) { a.Bias[1] = math.NaN() }), compress.Options{}, svcca.ErrNotFinite, "bias of output 1 is NaN"},
		{broken(func(a *compress.Affine) {
			for i := range a.Weights.Data {
				a.Weights.Data[i] = 1e308
			}
		}), compress.Options{}, svcca.ErrNotFinite, "compressed to"},
		{a, compress.Options{Size: compress.Neurons(1.5)}, svcca.ErrOptions, "neurons(1.5)"},
		{a, compress.Options{Size: compress.Parameters(0.3)}, svcca.ErrOptions, "leaves no direction"},
	} {
		_, err := compress.Between(ctx, x, y, test.a, test.o)
		assert.ErrorIs(t, err, test.is)
		assert.ErrorContains(t, err, test.says)
	}
	_, err := compress.Between(ctx, layer("dead", lapack.New[float64](30, 4)), y, a, compress.Options{})
	assert.ErrorIs(t, err, svcca.ErrConstant)
	assert.ErrorContains(t, err, `"dead"`)
	ended, end := context.WithCancel(ctx)
	end()
	_, err = compress.Between(ended, x, y, a, compress.Options{})
	assert.ErrorIs(t, err, context.Canceled)
}

// TestSizeLeast: the share that an error asks for is enough, and little more than needed.
func TestSizeLeast(t *testing.T) {
	for d := 1; d < 40; d += 2 {
		for out := 1; out < 40; out += 3 {
			x := layer("x", random(1, d+2, d))
			_, err := compress.Between(context.Background(), x, x, dense(1, d, out), compress.Options{Size: compress.Parameters(1e-6)})
			require.ErrorIs(t, err, svcca.ErrOptions)
			var want float64
			if _, text, is := strings.Cut(err.Error(), "direction: want "); is {
				_, err := fmt.Sscan(text, &want)
				require.NoError(t, err)
				_, err = compress.Between(context.Background(), x, x, dense(1, d, out), compress.Options{Size: compress.Parameters(want)})
				require.NoError(t, err, "%d × %d", d, out)
				require.Less(t, want, 1.02*float64(d+2*out)/float64(d*out+out))
				continue
			}
			require.ErrorContains(t, err, "direction: no share does")
			_, err = compress.Between(context.Background(), x, x, dense(1, d, out), compress.Options{Size: compress.Parameters(1)})
			require.ErrorIs(t, err, svcca.ErrOptions)
		}
	}
}

func TestSize(t *testing.T) {
	k := func(size compress.Size, d, out int) int {
		x := random(1, 2*d+20, d)
		small, err := compress.Between(context.Background(), layer("x", x), layer("y", x), dense(1, d, out), compress.Options{Options: svcca.Options{Keep: svcca.FullRank()}, Size: size})
		if errors.Is(err, svcca.ErrOptions) {
			return 0
		}
		require.NoError(t, err)
		return small.K
	}
	assert.Equal(t, 7, k(compress.Neurons(0.07), 100, 1), "0.07·100 is 7, though not in float64")
	assert.Equal(t, 2, k(compress.Neurons(0.1), 11, 1))
	assert.Equal(t, 1, k(compress.Neurons(1e-9), 11, 1))
	// The largest k by trying each, shares in tenths being whole numbers of tenths.
	for _, d := range []int{1, 2, 7, 12} {
		for _, out := range []int{1, 3, 12} {
			for tenths := 1; tenths <= 10; tenths++ {
				want := 0
				for try := 1; try <= d; try++ {
					if 10*(try*(d+out)+out) <= tenths*(d*out+out) {
						want = try
					}
				}
				assert.Equal(t, want, k(compress.Parameters(float64(tenths)/10), d, out), "%d × %d, %d tenths", d, out, tenths)
			}
		}
	}
	for text, size := range map[string]compress.Size{"all": {}, "neurons(0.35)": compress.Neurons(0.35), "parameters(1e-05)": compress.Parameters(1e-5)} {
		parsed, err := compress.ParseSize(text)
		require.NoError(t, err)
		assert.Equal(t, size, parsed)
		assert.Equal(t, text, size.String())
		marshalled, err := json.Marshal(size)
		require.NoError(t, err)
		var back compress.Size
		require.NoError(t, json.Unmarshal(marshalled, &back))
		assert.Equal(t, size, back)
	}
	for _, text := range []string{"", "neurons", "neurons()", "neurons(x)", "neurons(0)", "parameters(1.1)", "parameters(NaN)", "parameters(-Inf)", "count(3)", "All", "neurons(0.5) "} {
		_, err := compress.ParseSize(text)
		assert.ErrorIs(t, err, svcca.ErrOptions, text)
	}
}

func FuzzParseSize(f *testing.F) {
	for _, text := range []string{"all", "neurons(0.35)", "parameters(1e-300)", "neurons(NaN)", "parameters(0x1p-3)", "neurons()"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := compress.ParseSize(text)
		if err != nil {
			assert.ErrorIs(t, err, svcca.ErrOptions)
			return
		}
		again, err := compress.ParseSize(size.String())
		require.NoError(t, err)
		assert.Equal(t, size, again)
	})
}

func network(t *testing.T) (*compress.MLP, lapack.Matrix[float64], []compress.Affine) {
	inputs, layers := random(1, 80, 6), []compress.Affine{dense(2, 6, 8), dense(3, 8, 5), dense(4, 5, 3)}
	n, err := compress.NewMLP(layer("inputs", inputs), layers...)
	require.NoError(t, err)
	return n, inputs, layers
}

func matrix(t *testing.T, l svcca.Layer) lapack.Matrix[float64] {
	m := lapack.New[float64](l.Dims())
	require.NoError(t, l.Read(m, 0, 0))
	return m
}

func TestMLP(t *testing.T) {
	n, inputs, layers := network(t)
	values := inputs
	for i, l := range layers {
		in, err := n.Input(i)
		require.NoError(t, err)
		assert.InDeltaSlice(t, values.Data, matrix(t, in).Data, 1e-11)
		if values = through(values, l); i < 2 {
			values = relu(values)
		}
	}
	out, err := n.Outputs(layer("inputs", inputs))
	require.NoError(t, err)
	assert.InDeltaSlice(t, values.Data, out.Data, 1e-11)
	assert.Equal(t, compress.Cost{Parameters: 6*8 + 8 + 8*5 + 5 + 5*3 + 3, MultiplyAdds: 48 + 40 + 15}, n.Cost())

	middle, err := n.Input(1)
	require.NoError(t, err)
	rest, err := n.Behind(1, middle)
	require.NoError(t, err)
	again, err := rest.Outputs(middle)
	require.NoError(t, err)
	assert.InDeltaSlice(t, out.Data, again.Data, 1e-11)

	for _, i := range []int{-1, 3} {
		_, err := n.Affine(i)
		assert.ErrorIs(t, err, svcca.ErrOptions)
		_, err = n.Input(i)
		assert.ErrorIs(t, err, svcca.ErrOptions)
		_, err = n.Behind(i, middle)
		assert.ErrorIs(t, err, svcca.ErrOptions)
		assert.ErrorIs(t, n.Replace(i, nil), svcca.ErrOptions)
	}
	assert.ErrorIs(t, n.Replace(0, &compress.Compressed{}), svcca.ErrMismatch)
	_, err = n.Outputs(middle)
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	large := compress.Affine{Weights: lapack.Of(1, 1, []float64{1e200}), Bias: []float64{0}}
	over, err := compress.NewMLP(layer("inputs", lapack.Of(2, 1, []float64{1, 1e10})), large, large)
	require.NoError(t, err)
	_, err = over.Outputs(layer("inputs", lapack.Of(2, 1, []float64{1e-200, 1e10})))
	assert.ErrorIs(t, err, svcca.ErrRange)
	assert.ErrorContains(t, err, "layer 1 gives +Inf in neuron 0 of row 1")
	_, err = compress.NewMLP(layer("inputs", inputs))
	assert.ErrorIs(t, err, svcca.ErrShape)
	_, err = compress.NewMLP(layer("inputs", inputs), dense(1, 6, 2), dense(1, 3, 2))
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	assert.ErrorContains(t, err, "layer 1 takes 3 neurons and is given 2")
	_, err = compress.NewMLP(layer("inputs", inputs), compress.Affine{Weights: random(1, 6, 2)})
	assert.ErrorContains(t, err, "layer 0: 0 biases")
}

func TestInTurn(t *testing.T) {
	ctx := context.Background()
	o := compress.Options{Options: svcca.Options{Keep: svcca.FullRank()}, Size: compress.Neurons(0.5)}
	n, inputs, layers := network(t)
	logits, err := n.Outputs(layer("inputs", inputs))
	require.NoError(t, err)
	against := []svcca.Layer{layer("logits", logits), layer("logits", logits)}
	before := n.Cost()

	small, err := compress.InTurn(ctx, n, []int{0, 1}, against, compress.FromCompressed, o)
	require.NoError(t, err)
	require.Len(t, small, 2)
	// By hand: the second layer's input is what the compressed first one gives.
	first, err := compress.Between(ctx, layer("inputs", inputs), against[0], layers[0], o)
	require.NoError(t, err)
	entering := relu(compressedOf(first, inputs))
	second, err := compress.Between(ctx, layer("h", entering), against[1], layers[1], o)
	require.NoError(t, err)
	want := through(relu(compressedOf(second, entering)), layers[2])
	got, err := n.Outputs(layer("inputs", inputs))
	require.NoError(t, err)
	assert.InDeltaSlice(t, want.Data, got.Data, 1e-9)
	assert.Equal(t, before.Parameters-small[0].Before.Parameters-small[1].Before.Parameters+small[0].After.Parameters+small[1].After.Parameters, n.Cost().Parameters)

	behind, err := n.Behind(1, layer("h", entering))
	require.NoError(t, err)
	got, err = behind.Outputs(layer("h", entering))
	require.NoError(t, err)
	assert.InDeltaSlice(t, want.Data, got.Data, 1e-9, "what was replaced stays so")

	original, _, _ := network(t)
	same, err := compress.InTurn(ctx, original, []int{0, 1}, against, compress.FromOriginal, o)
	require.NoError(t, err)
	assert.InDeltaSlice(t, small[0].Down.Data, same[0].Down.Data, 1e-12, "the first sees what it saw")
	third, err := compress.Between(ctx, layer("h", relu(through(inputs, layers[0]))), against[1], layers[1], o)
	require.NoError(t, err)
	assert.InDeltaSlice(t, third.Down.Data, same[1].Down.Data, 1e-9)
	assert.NotEqual(t, small[1].Down.Data, same[1].Down.Data)
	want = through(relu(compressedOf(third, entering)), layers[2])
	got, err = original.Outputs(layer("inputs", inputs))
	require.NoError(t, err)
	assert.InDeltaSlice(t, want.Data, got.Data, 1e-9, "both are replaced")

	_, err = compress.InTurn(ctx, n, []int{0, 1}, against[:1], compress.FromCompressed, o)
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	_, err = compress.InTurn(ctx, n, []int{0, 7}, against, compress.FromOriginal, o)
	assert.ErrorIs(t, err, svcca.ErrOptions)
	assert.ErrorContains(t, err, "layer 7")
	refusing := refuser{n}
	for _, from := range []compress.From{compress.FromCompressed, compress.FromOriginal} {
		_, err = compress.InTurn(ctx, refusing, []int{0}, against[:1], from, o)
		assert.ErrorIs(t, err, errRefused)
		assert.ErrorContains(t, err, "layer 0")
	}
}

var errRefused = errors.New("refused")

// refuser is a network of somebody else that will not change.
type refuser struct{ compress.Network }

func (refuser) Replace(int, *compress.Compressed) error { return errRefused }

// The last layer of a network, with its weights made up here, in a third of its size.
func ExampleBetween() {
	input, err := digits.Open("a/fc3")
	if err != nil {
		panic(err)
	}
	logits, err := digits.Open("a/logits")
	if err != nil {
		panic(err)
	}
	weights := compress.Affine{Weights: lapack.New[float64](64, 32), Bias: make([]float64, 32)}
	for i := range 64 {
		weights.Weights.Set(i, i/2, 1)
	}
	small, err := compress.Between(context.Background(), input, logits, weights, compress.Options{Size: compress.Parameters(0.35)})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d of %d directions\n", small.K, small.M)
	fmt.Printf("%d parameters in place of %d\n", small.After.Parameters, small.Before.Parameters)
	fmt.Printf("%d × %d, then %d × %d\n", small.Down.Rows, small.Down.Cols, small.Up.Weights.Rows, small.Up.Weights.Cols)
	// Output:
	// 5 of 5 directions
	// 512 parameters in place of 2080
	// 64 × 5, then 5 × 32
}

// Two layers of a small network in turn, by what they share with its outputs.
func ExampleInTurn() {
	inputs := layer("inputs", random(1, 500, 20))
	n, err := compress.NewMLP(inputs, dense(2, 20, 30), dense(3, 30, 30), dense(4, 30, 2))
	if err != nil {
		panic(err)
	}
	outputs, err := n.Outputs(inputs)
	if err != nil {
		panic(err)
	}
	logits := layer("logits", outputs)
	before := n.Cost()
	small, err := compress.InTurn(context.Background(), n, []int{0, 1}, []svcca.Layer{logits, logits}, compress.FromCompressed, compress.Options{})
	if err != nil {
		panic(err)
	}
	for i, c := range small {
		fmt.Printf("layer %d: %d directions\n", i, c.K)
	}
	fmt.Printf("%d parameters in place of %d\n", n.Cost().Parameters, before.Parameters)
	// Output:
	// layer 0: 2 directions
	// layer 1: 2 directions
	// 342 parameters in place of 1622
}

// TestNames: where layers of a network have names, errors and inputs go by these.
func TestNames(t *testing.T) {
	one := compress.Affine{Weights: lapack.Of(1, 1, []float64{1}), Bias: []float64{0}, Name: "fc1"}
	two := compress.Affine{Weights: lapack.Of(2, 1, []float64{1, 1}), Bias: []float64{0}, Name: "fc2"}
	rows := svcca.FromSlice("x", []float64{1, 2, 3, 5}, 4, 1)
	_, err := compress.NewMLP(rows, one, two)
	assert.ErrorContains(t, err, "layer fc2 takes 2 neurons and is given 1")
	two.Weights = lapack.Of(1, 1, []float64{math.NaN()})
	_, err = compress.NewMLP(rows, one, two)
	assert.ErrorContains(t, err, "layer fc2: the weight of input 0 and output 0 is NaN")
	two.Weights = lapack.Of(1, 1, []float64{2})
	n, err := compress.NewMLP(rows, one, two)
	require.NoError(t, err)
	input, err := n.Input(1)
	require.NoError(t, err)
	assert.Equal(t, "input of layer fc2", input.(interface{ Name() string }).Name())
	_, err = compress.InTurn(t.Context(), n, []int{1}, []svcca.Layer{svcca.FromSlice("y", []float64{0, 0, 0, 0}, 4, 1)}, compress.FromCompressed, compress.Options{})
	assert.ErrorContains(t, err, "layer fc2: ")
	_, err = compress.InTurn(t.Context(), n, []int{2}, []svcca.Layer{rows}, compress.FromCompressed, compress.Options{})
	assert.ErrorContains(t, err, "layer 2: ")
}

// TestOf: one comparison makes a layer of any size, as if it was made for that.
func TestOf(t *testing.T) {
	x, y := svcca.FromSlice("x", random(81, 40, 5).Data, 40, 5), svcca.FromSlice("y", random(82, 40, 3).Data, 40, 3)
	layer := dense(83, 5, 4)
	o := compress.Options{Options: svcca.Options{Keep: svcca.FullRank()}}
	all, err := compress.Between(t.Context(), x, y, layer, o)
	require.NoError(t, err)
	for _, o.Size = range []compress.Size{compress.Neurons(0.2), compress.Neurons(0.5), compress.Parameters(0.9), {}} {
		want, err := compress.Between(t.Context(), x, y, layer, o)
		require.NoError(t, err)
		got, err := compress.Of(all.Comparison, layer, o.Size)
		require.NoError(t, err)
		assert.Equal(t, [3]any{want.K, want.M, want.After}, [3]any{got.K, got.M, got.After})
		assert.InDeltaSlice(t, want.Down.Data, got.Down.Data, 1e-12)
		assert.InDeltaSlice(t, want.Up.Weights.Data, got.Up.Weights.Data, 1e-12)
		assert.InDeltaSlice(t, want.Up.Bias, got.Up.Bias, 1e-12)
	}
	_, err = compress.Of(all.Comparison, dense(84, 4, 4), compress.Size{})
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	_, err = compress.Of(all.Comparison, compress.Affine{Weights: layer.Weights}, compress.Size{})
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	_, err = compress.Of(all.Comparison, layer, compress.Neurons(2))
	assert.ErrorIs(t, err, svcca.ErrOptions)
}
