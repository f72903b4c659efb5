package measure_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ρ of a layer with one column is the multiple correlation, by least squares: found here
// by normal equations of the whole layer (nothing is cut, as full rank is kept).
func multiple(x lapack.Matrix[float64], y []float64) float64 {
	n, d := x.Rows, x.Cols
	mean := make([]float64, d+1)
	z := lapack.New[float64](n, d+1)
	for i := range n {
		copy(z.Row(i), x.Row(i))
		z.Set(i, d, y[i])
		for j, v := range z.Row(i) {
			mean[j] += v / float64(n)
		}
	}
	g := lapack.New[float64](d+1, d+1)
	for i := range n {
		for a := range d + 1 {
			for b := range d + 1 {
				g.Set(a, b, g.At(a, b)+(z.At(i, a)-mean[a])*(z.At(i, b)-mean[b]))
			}
		}
	}
	total := g.At(d, d)
	for p := range d { // elimination leaves in the corner what x does not explain
		for a := p + 1; a <= d; a++ {
			f := g.At(a, p) / g.At(p, p)
			for b := p; b <= d; b++ {
				g.Set(a, b, g.At(a, b)-f*g.At(p, b))
			}
		}
	}
	return math.Sqrt(1 - g.At(d, d)/total)
}

func values(l svcca.Layer) lapack.Matrix[float64] {
	m := lapack.New[float64](l.Dims())
	if err := l.Read(m, 0, 0); err != nil {
		panic(err)
	}
	return m
}

func TestAgainstLogits(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(8, 8))
	x := lines(50, 4, func(i, j int) float64 { return rng.NormFloat64() })
	xs := values(x)
	logits := lines(50, 3, func(i, c int) float64 { return xs.At(i, c) + float64(c)*rng.NormFloat64() })
	ys := values(logits)
	m := maps("maps", 9, 50, 2, 3)
	o := conv.Options{Options: svcca.Options{Keep: svcca.FullRank()}}
	layers := []conv.Maps{m, conv.Vector(noise("between", 50, 4, 4)), conv.Vector(x)}
	curves, err := measure.AgainstLogits(ctx, layers, logits, o, nil)
	require.NoError(t, err)
	require.Len(t, curves, 3)
	pooled := lapack.New[float64](50, 3) // a logit does not move: it meets the sum over positions
	for i, row := 0, values(m.Flatten()); i < 50; i++ {
		for at, v := range row.Row(i) {
			pooled.Set(i, at%3, pooled.At(i, at%3)+v)
		}
	}
	for c, curve := range curves {
		assert.Equal(t, c, curve.Class)
		require.Len(t, curve.Points, 3)
		y := make([]float64, 50)
		for i := range y {
			y[i] = ys.At(i, c)
		}
		for l, want := range []float64{multiple(pooled, y), multiple(values(layers[1].Flatten()), y), multiple(xs, y)} {
			p := curve.Points[l]
			assert.Equal(t, layers[l].Name(), p.Layer)
			assert.Equal(t, float64(l)/2, p.Depth)
			assert.Equal(t, 1, p.KY)
			assert.InDelta(t, want, *p.Mean, 1e-9)
		}
	}
	assert.InDelta(t, 1, *curves[0].Points[2].Mean, 1e-9, "class 0 is a neuron of the last layer")

	some, err := measure.AgainstLogits(ctx, layers, logits, o, nil, 2, 0)
	require.NoError(t, err)
	assert.Equal(t, []measure.ClassCurve{curves[2], curves[0]}, some)
	text, err := json.Marshal(some[0].Points[0])
	require.NoError(t, err)
	assert.Contains(t, string(text), `"layer":"maps","depth":0,"mean":`)

	for _, class := range []int{-1, 3} {
		_, err := measure.AgainstLogits(ctx, layers, logits, o, nil, class)
		assert.ErrorIs(t, err, svcca.ErrOptions)
		assert.ErrorContains(t, err, fmt.Sprintf("class %d of logits with columns 0 to 2", class))
	}
	flat := lines(50, 2, func(i, c int) float64 { return float64(c * i) })
	var told [][2]int
	dead, err := measure.AgainstLogits(ctx, layers, flat, o, func(done, of int) { told = append(told, [2]int{done, of}) })
	require.NoError(t, err)
	assert.Equal(t, measure.ClassCurve{Class: 0, Constant: true, Points: []measure.ClassPoint{}}, dead[0], "a class that never fires")
	assert.False(t, dead[1].Constant)
	assert.Len(t, dead[1].Points, 3)
	assert.Equal(t, [][2]int{{1, 3}, {2, 3}, {3, 3}}, told)
	_, err = measure.AgainstLogits(ctx, vectors(x, lines(50, 2, func(i, j int) float64 { return 1 })), logits, o, nil)
	assert.ErrorContains(t, err, "layer 2 of 2")
}

func TestOfClasses(t *testing.T) {
	labels := []int{3, 1, 3, 3, 0, 1, 1}
	x := lines(7, 2, func(i, j int) float64 { return float64(10*i + j) })
	some, err := measure.OfClasses(x, labels, 1, 3)
	require.NoError(t, err)
	assert.Equal(t, []float64{0, 1, 10, 11, 20, 21, 30, 31, 50, 51, 60, 61}, values(some).Data)
	part := lapack.New[float64](3, 1)
	require.NoError(t, some.Read(part, 2, 1))
	assert.Equal(t, []float64{21, 31, 51}, part.Data)

	narrow := svcca.FromSlice("f", make([]float32, 14), 7, 2)
	some, err = measure.OfClasses(narrow, labels, 0)
	require.NoError(t, err)
	assert.Equal(t, "float32", some.(interface{ Storage() string }).Storage(), "rounding noise is that of the layer")

	some, err = measure.OfClasses(shaped{lines(7, 12, func(i, j int) float64 { return float64(i) }), "four", []int{7, 3, 2, 2}}, labels, 3)
	require.NoError(t, err)
	all, err := measure.Layers(conv.NCHW, some)
	require.NoError(t, err)
	n, h, w, c := all[0].Dims()
	assert.Equal(t, [4]int{3, 2, 2, 3}, [4]int{n, h, w, c}, "maps stay maps")

	_, err = measure.OfClasses(x, labels[:6], 1)
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	_, err = measure.OfClasses(x, labels, 2)
	assert.ErrorIs(t, err, svcca.ErrShape)
	assert.ErrorContains(t, err, "classes [2]")
}

// Single logits of the reference's pairs.
func TestReferenceLogits(t *testing.T) {
	var expected []struct {
		X, Y  string
		Rules map[string]struct{ Mean float64 }
	}
	reference.Expected(t, "pairs", &expected)
	compared := 0
	for _, e := range expected {
		var class int
		if _, err := fmt.Sscanf(e.Y, "digits/a/logits[:,%d]", &class); err != nil {
			continue
		}
		curves, err := measure.AgainstLogits(context.Background(), []conv.Maps{conv.Vector(reference.Layer(t, e.X, nil))}, reference.Layer(t, "digits/a/logits", nil), conv.Options{}, nil, class)
		require.NoError(t, err)
		p := curves[0].Points[0]
		assert.InDelta(t, e.Rules["variance(0.99)"].Mean, *p.Mean, p.ErrorBound+1e-14)
		compared++
	}
	assert.Equal(t, 3, compared)
}

// How much does the last hidden layer know of each digit?
func ExampleAgainstLogits() {
	fc3, err := digits.Open("a/fc3")
	if err != nil {
		panic(err)
	}
	logits, err := digits.Open("a/logits")
	if err != nil {
		panic(err)
	}
	curves, err := measure.AgainstLogits(context.Background(), []conv.Maps{conv.Vector(fc3)}, logits, conv.Options{Options: svcca.Options{Keep: svcca.Count(5)}}, nil, 0, 8)
	if err != nil {
		panic(err)
	}
	for _, c := range curves {
		fmt.Printf("class %d: %.3f\n", c.Class, *c.Points[0].Mean)
	}
	// Output:
	// class 0: 0.997
	// class 8: 0.961
}
