package compress_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/internal/reference"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/compress"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The reference found directions by SVDs of the layers; the triangle is as near. 1e-300
// forces it.
const accuracyTriangle = 1e-300

func affine(t *testing.T, weights, bias string) compress.Affine {
	return compress.Affine{Weights: reference.Values(t, weights), Bias: reference.Vector(t, bias)}
}

// outputs returns rows of a layer, projected, times the layer behind it.
func outputs(t *testing.T, p *compress.Projection, layer svcca.Layer, behind compress.Affine) lapack.Matrix[float64] {
	n, _ := layer.Dims()
	all, done := lapack.New[float64](n, behind.Weights.Cols), 0
	require.NoError(t, p.Apply(layer, func(rows lapack.Matrix[float64]) error {
		behind.ApplyTo(all.View(done, 0, rows.Rows, all.Cols), rows)
		done += rows.Rows
		return nil
	}))
	require.Equal(t, n, done)
	return all
}

// distance returns ‖a − b‖_F.
func distance(a, b lapack.Matrix[float64]) (d float64) {
	for i := range a.Rows {
		for j, v := range a.Row(i) {
			d = math.Hypot(d, v-b.At(i, j))
		}
	}
	return d
}

// meansOf returns a matrix of the same shape with every row the mean of a's.
func meansOf(a lapack.Matrix[float64]) lapack.Matrix[float64] {
	m := lapack.New[float64](a.Rows, a.Cols)
	for i := range a.Rows {
		for j := range a.Cols {
			for k := range a.Rows {
				m.Set(i, j, m.At(i, j)+a.At(k, j)/float64(a.Rows))
			}
		}
	}
	return m
}

// Where ρ crowd, the first k directions hang on rounding. The reference found them twice,
// and its spread is one sample of what that does; ours is another, up to 30 times as
// large, and 1e-12 where rounding is all.
func TestReferenceToy(t *testing.T) {
	if testing.Short() {
		t.Skip("five rules and a triangle each take seconds in pure Go: TestReferenceCompression is of the same set")
	}
	var e struct {
		Rules map[string]struct {
			KX, KY        int
			K             []int
			Error, Spread []float64
		}
	}
	reference.Expected(t, "project_toy", &e)
	require.Len(t, e.Rules, 6)
	defer native.LimitThreads(1)()
	x, y := reference.Layer(t, "toy/a/fc4", nil), reference.Layer(t, "toy/b/fc4", nil)
	out := affine(t, "toy/a/out_w", "toy/a/out_b")
	full := outputs(t, &compress.Projection{}, x, out)
	size := distance(full, meansOf(full))
	worst := 0.0
	for rule, r := range e.Rules {
		keep, err := svcca.ParseKeep(rule)
		require.NoError(t, err)
		c, err := svcca.Between(x, y, svcca.Options{Keep: keep, Accuracy: accuracyTriangle})
		require.NoError(t, err)
		require.Equal(t, [2]int{r.KX, r.KY}, [2]int{c.X.K, c.Y.K}, rule)
		for i, k := range r.K {
			p := &compress.Projection{Directions: c.X.Directions, K: k}
			lost := distance(outputs(t, p, x, out), full) / size
			tolerance := 30*r.Spread[i] + 1e-12
			assert.InDelta(t, r.Error[i], lost, tolerance, "%s, %d directions", rule, k)
			worst = max(worst, math.Abs(r.Error[i]-lost)/tolerance)
		}
	}
	t.Logf("largest difference: %.2g of what is allowed", worst)
}

// rows returns row numbers of the digits: "train" or "test".
func rows(t *testing.T, which string) (all []int) {
	for _, i := range reference.Vector(t, "digits/"+which) {
		all = append(all, int(i))
	}
	return all
}

// graded returns how many rows have their largest logit at the label, and the least lead
// of the first over the second.
func graded(logits lapack.Matrix[float64], labels []float64, of []int) (right int, lead float64) {
	lead = math.Inf(1)
	for i, row := range of {
		first, second := -1, -1
		for j, v := range logits.Row(i) {
			switch {
			case first < 0 || v > logits.At(i, first):
				first, second = j, first
			case second < 0 || v > logits.At(i, second):
				second = j
			}
		}
		lead = min(lead, logits.At(i, first)-logits.At(i, second))
		if float64(first) == labels[row] {
			right++
		}
	}
	return right, lead
}

// tail returns network a of the digits from the layer behind fc2 on.
func tail(t *testing.T, inputs svcca.Layer) *compress.MLP {
	n, err := compress.NewMLP(inputs, affine(t, "digits/a/weights/fc3_w", "digits/a/weights/fc3_b"), affine(t, "digits/a/weights/logits_w", "digits/a/weights/logits_b"))
	require.NoError(t, err)
	return n
}

// answers returns the logits of projected rows.
func answers(t *testing.T, n *compress.MLP, p *compress.Projection, layer svcca.Layer) lapack.Matrix[float64] {
	count, _ := layer.Dims()
	all, done := lapack.New[float64](count, 10), 0
	require.NoError(t, p.Apply(layer, func(rows lapack.Matrix[float64]) error {
		logits, err := n.Outputs(svcca.FromMat("projected", lapack.ToDense(rows)))
		all.View(done, 0, logits.Rows, 10).CopyFrom(logits)
		done += logits.Rows
		return err
	}))
	return all
}

// leadTolerance is far below every lead, so that the counts are certain.
const leadTolerance = 1e-9

func TestReferenceDigits(t *testing.T) {
	if testing.Short() {
		t.Skip("five rules and a triangle each take seconds in pure Go: TestReferenceCompression is of the same set")
	}
	type result struct {
		KX, KY int
		Order  []int
		K      []int
		Right  []int
		Lead   []float64
	}
	var e struct {
		Right   int     `json:"right_unprojected"`
		Lead    float64 `json:"lead_unprojected"`
		Rules   map[string]result
		Neurons map[string]result
	}
	reference.Expected(t, "project_digits", &e)
	require.Len(t, e.Rules, 5)
	require.Len(t, e.Neurons, 2)
	defer native.LimitThreads(1)()
	train, test, labels := rows(t, "train"), rows(t, "test"), reference.Vector(t, "digits/labels")
	x, y := reference.Layer(t, "digits/a/fc2", train), reference.Layer(t, "digits/b/fc2", train)
	fresh := reference.Layer(t, "digits/a/fc2", test)
	n := tail(t, x)
	worst := 0.0
	check := func(what string, right int, lead float64, p *compress.Projection) {
		gotRight, gotLead := graded(answers(t, n, p, fresh), labels, test)
		assert.Equal(t, right, gotRight, what)
		assert.InDelta(t, lead, gotLead, leadTolerance, what)
		assert.Greater(t, lead, 10*leadTolerance, "the count hangs on rounding")
		worst = max(worst, math.Abs(lead-gotLead))
	}
	check("unprojected", e.Right, e.Lead, &compress.Projection{})
	var mean []float64
	for rule, r := range e.Rules {
		keep, err := svcca.ParseKeep(rule)
		require.NoError(t, err)
		c, err := svcca.Between(x, y, svcca.Options{Keep: keep})
		require.NoError(t, err)
		require.Equal(t, [2]int{r.KX, r.KY}, [2]int{c.X.K, c.Y.K}, rule)
		mean = c.X.Directions.Mean
		for i, k := range r.K {
			check(fmt.Sprintf("%s, %d directions", rule, k), r.Right[i], r.Lead[i], &compress.Projection{Directions: c.X.Directions, K: k})
		}
	}
	order := map[string][]int{"random": e.Neurons["random"].Order, "max_activation": compress.Largest(mean, 128)}
	for name, r := range e.Neurons {
		for i, q := range r.K {
			check(fmt.Sprintf("%d neurons, %s", q, name), r.Right[i], r.Lead[i], &compress.Projection{Neurons: order[name][:q], Mean: mean})
		}
	}
	assert.Equal(t, e.Neurons["max_activation"].Order, order["max_activation"])
	t.Logf("largest difference of a lead: %.2g", worst)
}

func TestReferenceCompression(t *testing.T) {
	var e struct {
		Before struct{ Train, Test int } `json:"right_before"`
		Size   int                       `json:"parameters_before"`
		Cases  []struct {
			Against, Rule, Reading string
			KX, KY, K, Parameters  int
			Train                  int     `json:"right_train"`
			Test                   int     `json:"right_test"`
			Lead                   float64 `json:"lead_test"`
		}
	}
	reference.Expected(t, "compress_digits", &e)
	require.Len(t, e.Cases, 8)
	defer native.LimitThreads(1)()
	train, test, labels := rows(t, "train"), rows(t, "test"), reference.Vector(t, "digits/labels")
	x, fresh := reference.Layer(t, "digits/a/fc2", train), reference.Layer(t, "digits/a/fc2", test)
	right := func(n *compress.MLP, layer svcca.Layer, of []int) (int, float64) {
		logits, err := n.Outputs(layer)
		require.NoError(t, err)
		return graded(logits, labels, of)
	}
	got, _ := right(tail(t, x), x, train)
	assert.Equal(t, e.Before.Train, got)
	got, _ = right(tail(t, x), fresh, test)
	assert.Equal(t, e.Before.Test, got)
	for _, c := range e.Cases {
		what := fmt.Sprintf("%s, %s, %s", c.Against, c.Rule, c.Reading)
		keep, err := svcca.ParseKeep(c.Rule)
		require.NoError(t, err)
		size := compress.Neurons(0.35)
		if strings.HasPrefix(c.Reading, "parameters") {
			size = compress.Parameters(0.35)
		}
		n := tail(t, x)
		small, err := compress.InTurn(context.Background(), n, []int{0}, []svcca.Layer{reference.Layer(t, c.Against, train)}, compress.FromCompressed,
			compress.Options{Options: svcca.Options{Keep: keep}, Size: size})
		require.NoError(t, err, what)
		require.Len(t, small, 1)
		assert.Equal(t, [3]int{c.KX, c.KY, c.K}, [3]int{small[0].Comparison.X.K, small[0].Comparison.Y.K, small[0].K}, what)
		assert.Equal(t, min(c.KX, c.KY), small[0].M, what)
		assert.Equal(t, [2]int{e.Size, c.Parameters}, [2]int{small[0].Before.Parameters, small[0].After.Parameters}, what)
		assert.Equal(t, 64*10+10+c.Parameters, n.Cost().Parameters, what)
		got, _ := right(n, x, train)
		assert.Equal(t, c.Train, got, what)
		got, lead := right(n, fresh, test)
		assert.Equal(t, c.Test, got, what)
		assert.InDelta(t, c.Lead, lead, leadTolerance, what)
		assert.Greater(t, c.Lead, 10*leadTolerance, "the count hangs on rounding")
	}
}
