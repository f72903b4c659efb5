package svcca_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/james-bowman/sparse"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// always sums layers without their zeros, however many values there are.
func always(t *testing.T) { t.Cleanup(svcca.SparseShare(math.Inf(1))) }

// features returns n × d values of which about a share is not zero: latent causes that
// neurons have in common, of either sign, after a threshold. A datapoint and a neuron
// are zero whole.
func features(rng *rand.Rand, n, d int, share float64) data {
	const causes = 5
	l := data{name: "x", n: n, d: d, values: make([]float64, n*d)}
	loadings := normal(rng, d, causes)
	for i := range n {
		z := normal(rng, 1, causes)
		for j := range d {
			v := rng.NormFloat64()
			for c := range causes {
				v += 0.6 * z.At(0, c) * loadings.At(j, c) / (1 + float64(c))
			}
			if rng.Float64() < 2*share && v > 0 && i != n/2 && j != d/2 {
				l.values[i*d+j] = v
				if j%3 == 0 {
					l.values[i*d+j] = -v
				}
			}
		}
	}
	return l
}

// thinly returns l without its zeros.
func (l data) thinly() *sparse.CSR {
	begin, index, values := make([]int, l.n+1), []int{}, []float64{}
	for i := range l.n {
		for j := range l.d {
			if v := l.at(i, j); v != 0 {
				index, values = append(index, j), append(values, v)
			}
		}
		begin[i+1] = len(index)
	}
	return sparse.NewCSR(l.n, l.d, begin, index, values)
}

// asDense is a layer's values as such, from blocks that Read fills.
func asDense(t *testing.T, l svcca.Layer) data {
	n, d := l.Dims()
	m := lapack.New[float64](n, d)
	require.NoError(t, l.Read(m, 0, 0))
	return data{name: "dense", n: n, d: d, values: m.Data}
}

// alike fails where two comparisons are further apart than 1e-10, or decide otherwise.
func alike(t *testing.T, want, got *svcca.Comparison) {
	t.Helper()
	const tolerance = 1e-10
	for i, sides := range [][2]svcca.Side{{want.X, got.X}, {want.Y, got.Y}} {
		a, b := sides[0], sides[1]
		require.Equal(t, [3]int{a.K, a.Rank, a.Constant}, [3]int{b.K, b.Rank, b.Constant}, "side %d: k, rank, constant neurons", i)
		for j, s := range a.SingularValues[:a.K] {
			require.InDelta(t, s, b.SingularValues[j], tolerance*a.SingularValues[0], "side %d: s_%d", i, j)
		}
		for j, mean := range a.Directions.Mean {
			require.InDelta(t, mean, b.Directions.Mean[j], tolerance*(1+math.Abs(mean)), "side %d: mean %d", i, j)
		}
	}
	for i, rho := range want.Rho {
		require.InDelta(t, rho, got.Rho[i], tolerance, "ρ_%d", i)
	}
	scores := [][2]float64{{want.Mean, got.Mean}, {want.MeanSquare, got.MeanSquare}, {want.Chance, got.Chance}}
	if want.WeightedUnique {
		scores = append(scores, [2]float64{want.WeightedX, got.WeightedX}, [2]float64{want.WeightedY, got.WeightedY})
	}
	if want.PWCCAUnique {
		scores = append(scores, [2]float64{want.PWCCAX, got.PWCCAX}, [2]float64{want.PWCCAY, got.PWCCAY})
	}
	for i, pair := range scores {
		require.InDelta(t, pair[0], pair[1], tolerance, "score %d", i)
	}
	require.LessOrEqual(t, got.ErrorBound, max(want.ErrorBound, svcca.Options{}.Accuracy+1e-8))
	if want.DirectionsUnique && got.DirectionsUnique {
		// As maps of the same rows: single columns turn with gaps of ρ.
		for i := range want.Rho {
			gap := 1.0
			for j := range want.Rho {
				if j != i {
					gap = min(gap, math.Abs(want.Rho[i]-want.Rho[j]))
				}
			}
			for j := range want.X.Directions.Map.Rows {
				w := want.X.Directions.Map.At(j, i)
				require.InDelta(t, w, got.X.Directions.Map.At(j, i), tolerance/gap, "map %d, neuron %d", i, j)
			}
		}
	}
}

// TestSparseIsDense: results of sparse layers are those of the same values as any
// others, whatever the shape, weights, centring and rule, and whichever side is sparse.
func TestSparseIsDense(t *testing.T) {
	always(t)
	for c, shape := range [][3]int{{300, 40, 30}, {300, 1, 2}, {64, 60, 45}, {40, 70, 20}, {30, 60, 50}, {3, 2, 2}, {2, 3, 1}, {1100, 33, 7}} {
		n, d, e := shape[0], shape[1], shape[2]
		rng := newRand(uint64(c))
		x, y := features(rng, n, d, 0.2), features(rng, n, e, 0.3)
		for i := range n {
			for j := range e {
				if i != n/2 && (j != e/2 || e < 3) { // both have something in common, and few are constant
					y.values[i*e+j] += math.Max(0, x.at(i, j%d))
				}
			}
		}
		x.values[0], y.values[0] = 1, 2
		if n < 10 {
			for j := range d {
				x.values[(n-1)*d+j] = float64(j+1) * 0.3
			}
		}
		y.name = "y"
		weights := make([]float64, n)
		for i := range weights {
			weights[i] = 0.5 + rng.Float64()
		}
		sx, sy := svcca.FromSparse("x", x.thinly()), svcca.FromSparse("y", y.thinly())
		for _, o := range []svcca.Options{{}, {Weights: weights}, {Centering: svcca.CenterNone}, {Keep: svcca.FullRank()}, {Keep: svcca.Count(3), Weights: weights}, {Accuracy: accuracyTriangle}} {
			if o.Accuracy != 0 && n > 500 {
				continue
			}
			t.Run(fmt.Sprintf("%v keep %v centring %v weights %t accuracy %g", shape, o.Keep, o.Centering, o.Weights != nil, o.Accuracy), func(t *testing.T) {
				want, err := svcca.Between(x.layer(), y.layer(), o)
				require.NoError(t, err)
				for _, pair := range [][2]svcca.Layer{{sx, sy}, {sx, y.layer()}, {x.layer(), sy}} {
					got, err := svcca.Between(pair[0], pair[1], o)
					require.NoError(t, err)
					alike(t, want, got)
					require.Equal(t, want.Method, got.Method)
					reduced := [2]*svcca.Reduced{}
					for i, l := range pair {
						reduced[i], err = svcca.Reduce(l, o)
						require.NoError(t, err)
					}
					got, err = svcca.Compare(reduced[0], reduced[1])
					require.NoError(t, err)
					alike(t, want, got)
				}
			})
		}
	}
}

// TestSparseForms: a matrix by rows or columns or in any order, with zeros held and
// values of one place in parts, is one layer.
func TestSparseForms(t *testing.T) {
	always(t)
	rng := newRand(5)
	x, y := features(rng, 120, 12, 0.3), features(rng, 120, 9, 0.3)
	want, err := svcca.Between(x.layer(), y.layer(), svcca.Options{})
	require.NoError(t, err)
	csr := x.thinly()
	var rows, cols []int
	var values []float64
	add := func(i, j int, v float64) { rows, cols, values = append(rows, i), append(cols, j), append(values, v) }
	csr.DoNonZero(func(i, j int, v float64) {
		add(i, j, v-0.5)
		add(i, (j+1)%12, 0) // held, and a zero
	})
	csr.DoNonZero(func(i, j int, v float64) { add(i, j, 0.5) })
	// Rows unsorted, twice in each place.
	raw := sparse.NewCSR(120, 12, make([]int, 121), nil, nil).RawMatrix()
	for i := range 120 {
		for t := len(rows) - 1; t >= 0; t-- {
			if rows[t] == i {
				raw.Ind, raw.Data = append(raw.Ind, cols[t]), append(raw.Data, values[t])
			}
		}
		raw.Indptr[i+1] = len(raw.Ind)
	}
	unsorted := sparse.NewCSR(120, 12, raw.Indptr, raw.Ind, raw.Data)
	before := slices.Clone(raw.Ind)
	byColumns := unsorted.T().(*sparse.CSC) // 12 × 120: neurons × datapoints by columns
	turned := byColumns.T().(*sparse.CSR)
	dok := sparse.NewDOK(120, 12)
	csr.DoNonZero(dok.Set)
	for name, m := range map[string]sparse.TypeConverter{
		"CSR": csr, "CSC": csr.ToCSC(), "unsorted": unsorted, "turned": turned, "DOK": dok,
		"COO": sparse.NewCOO(120, 12, slices.Clone(rows), slices.Clone(cols), slices.Clone(values)),
	} {
		l := svcca.FromSparse("x", m)
		n, d := l.Dims()
		require.Equal(t, [2]int{120, 12}, [2]int{n, d}, name)
		for k, v := range asDense(t, l).values {
			require.InDelta(t, x.values[k], v, 4e-16*(1+math.Abs(v)), name)
		}
		got, err := svcca.Between(l, svcca.FromSparse("y", y.thinly()), svcca.Options{})
		require.NoError(t, err, name)
		alike(t, want, got)
	}
	assert.Equal(t, before, raw.Ind, "the matrix given is left alone")

	block := lapack.New[float64](7, 5)
	require.NoError(t, svcca.FromSparse("x", csr).Read(block, 50, 4))
	for i := range 7 {
		for j := range 5 {
			require.Equal(t, x.at(50+i, 4+j), block.At(i, j))
		}
	}
}

// refused is a layer with a sparse matrix that is none, or not its own.
type refused struct {
	data
	m *sparse.CSR
}

func (r refused) CSR() *sparse.CSR                            { return r.m }
func (r refused) Dims() (n, d int)                            { return r.n, r.d }
func (r refused) Name() string                                { return "hostile" }
func (r refused) Read(lapack.Matrix[float64], int, int) error { panic("read") }

// TestSparseRefused: what is wrong with a sparse matrix is an error, or a panic where a
// program made it.
func TestSparseRefused(t *testing.T) {
	y := svcca.FromSparse("y", features(newRand(1), 3, 2, 0.5).thinly())
	for name, m := range map[string]*sparse.CSR{
		"index too large":   sparse.NewCSR(3, 2, []int{0, 1, 1, 2}, []int{0, 2}, []float64{1, 2}),
		"index negative":    sparse.NewCSR(3, 2, []int{0, 1, 1, 2}, []int{0, -1}, []float64{1, 2}),
		"pointers decrease": sparse.NewCSR(3, 2, []int{0, 2, 1, 2}, []int{0, 1}, []float64{1, 2}),
		"pointers begin":    sparse.NewCSR(3, 2, []int{1, 1, 1, 2}, []int{0, 1}, []float64{1, 2}),
		"few pointers":      sparse.NewCSR(3, 2, []int{0, 2}, []int{0, 1}, []float64{1, 2}),
		"few values":        sparse.NewCSR(3, 2, []int{0, 1, 1, 3}, []int{0, 1}, []float64{1, 2}),
		"few indices":       sparse.NewCSR(3, 2, []int{0, 1, 1, 2}, []int{0}, []float64{1, 2}),
	} {
		_, err := svcca.Between(refused{data{n: 3, d: 2}, m}, y, svcca.Options{})
		require.ErrorIs(t, err, svcca.ErrShape, name)
		require.ErrorContains(t, err, "hostile", name)
		require.Panics(t, func() { svcca.FromSparse("x", m) }, name)
	}
	other := sparse.NewCSR(3, 2, []int{0, 1, 1, 2}, []int{0, 1}, []float64{1, 2})
	_, err := svcca.Reduce(refused{data{n: 2, d: 3}, other}, svcca.Options{})
	require.ErrorIs(t, err, svcca.ErrShape)
	require.ErrorContains(t, err, "3 × 2")
	require.Panics(t, func() { svcca.FromSparse("x", sparse.NewCSR(-1, 2, nil, nil, nil)) })
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		l := svcca.FromSparse("spoilt", sparse.NewCSR(3, 9, []int{0, 1, 1, 3}, []int{0, 2, 7}, []float64{1, 2, bad}))
		_, err := svcca.Reduce(l, svcca.Options{})
		var where *svcca.NotFiniteError
		require.ErrorAs(t, err, &where)
		assert.Equal(t, [3]any{"spoilt", 2, 7}, [3]any{where.Layer, where.Datapoint, where.Neuron})
	}
	for _, shape := range [][2]int{{0, 3}, {3, 0}} {
		_, err := svcca.Reduce(svcca.FromSparse("empty", sparse.NewCSR(shape[0], shape[1], make([]int, shape[0]+1), nil, nil)), svcca.Options{})
		require.ErrorIs(t, err, svcca.ErrShape)
	}
	for _, shape := range [][2]int{{5, 3}, {3, 5}, {1, 1}} {
		zero := svcca.FromSparse("zero", sparse.NewCSR(shape[0], shape[1], make([]int, shape[0]+1), nil, nil))
		_, err := svcca.Reduce(zero, svcca.Options{})
		require.ErrorIs(t, err, svcca.ErrConstant, "%v", shape)
		require.ErrorContains(t, err, "zero")
	}
}

// TestSparseFullNeurons: neurons that are not sparse, far from zero, are centred as in
// any layer, and those that are constant, or vary by their rounding, found to be so.
func TestSparseFullNeurons(t *testing.T) {
	always(t)
	for _, shape := range [][2]int{{400, 30}, {40, 90}} {
		n, d := shape[0], shape[1]
		rng := newRand(uint64(n))
		y := features(rng, n, d, 0.2)
		for name, value := range map[string]func(i int) float64{
			"constant":          func(int) float64 { return 0.1 },
			"far off":           func(int) float64 { return 1e6 + rng.NormFloat64() },
			"nearly constant":   func(int) float64 { return 1 + 1e-6*rng.NormFloat64() },
			"rounding alone":    func(int) float64 { return 0.1 * (1 + 3e-16*rng.NormFloat64()) },
			"zero now and then": func(i int) float64 { return float64(min(i%11, 1)) * (1e4 + rng.NormFloat64()) },
			"half full":         func(i int) float64 { return float64(i%2) * (1e4 + rng.NormFloat64()) },
		} {
			x := features(rng, n, d, 0.2)
			for i := range n {
				x.values[i*d+3] = value(i)
			}
			for _, o := range []svcca.Options{{Keep: svcca.Variance(0.999999)}, {Keep: svcca.Count(12)}} {
				want, err := svcca.Between(x.layer(), y.layer(), o)
				require.NoError(t, err, name)
				got, err := svcca.Between(svcca.FromSparse("x", x.thinly()), svcca.FromSparse("y", y.thinly()), o)
				require.NoError(t, err, name)
				t.Logf("%v, %s: %s to %.2g, dense %s to %.2g", shape, name, got.Method, got.ErrorBound, want.Method, want.ErrorBound)
				alike(t, want, got)
			}
		}
	}
}

// TestSparseUncertain: what sums without zeros leave open is decided as in any layer.
func TestSparseUncertain(t *testing.T) {
	always(t)
	for _, shape := range [][2]int{{400, 30}, {40, 90}} {
		n, d := shape[0], shape[1]
		x := features(newRand(7), n, d, 0.2)
		for i := range n { // one neuron twice, but for what squares cannot see
			x.values[i*d+5] = x.at(i, 4) * (1 + 1e-9*float64(i%3))
		}
		if n < d { // and one datapoint
			for j := range d {
				x.values[1*d+j] = x.at(0, j) * (1 + 1e-9*float64(j%3))
			}
		}
		o := svcca.Options{Keep: svcca.FullRank()}
		want, err := svcca.Reduce(x.layer(), o)
		require.NoError(t, err)
		got, err := svcca.Reduce(svcca.FromSparse("x", x.thinly()), o)
		require.NoError(t, err)
		require.Equal(t, svcca.MethodTriangle, want.Method)
		require.Equal(t, svcca.MethodTriangle, got.Method)
		require.Equal(t, [2]int{want.Rank, want.K}, [2]int{got.Rank, got.K})
	}
}

// TestSparseWorkers: the bits of a sparse layer's result do not depend on how many work.
func TestSparseWorkers(t *testing.T) {
	always(t)
	rng := newRand(11)
	for _, shape := range [][2]int{{600, 90}, {90, 600}} {
		x := svcca.FromSparse("x", features(rng, shape[0], shape[1], 0.1).thinly())
		for _, solver := range []svcca.Solver{svcca.Exact, svcca.Krylov} {
			var first *svcca.Reduced
			for _, count := range []int{1, 2, 5} {
				restore := processors(count)
				r, err := svcca.Reduce(x, svcca.Options{Keep: svcca.Count(6), Solver: solver})
				restore()
				require.NoError(t, err)
				if first == nil {
					first = r
				}
				require.Equal(t, first.SingularValues, r.SingularValues)
				require.Equal(t, first.V.Data, r.V.Data)
				require.Equal(t, first.U.Data, r.U.Data)
			}
		}
	}
}

// TestSparseSums: sums of sparse rows, of sparse rows beside others and of both merge
// to those of all, in either precision, and a Cross takes them.
func TestSparseSums(t *testing.T) {
	always(t)
	ctx := context.Background()
	rng := newRand(12)
	const n, d, e, half = 500, 25, 20, 180
	x, y := features(rng, n, d, 0.2), features(rng, n, e, 0.3)
	weights := make([]float64, n)
	for i := range n {
		weights[i] = 0.5 + rng.Float64()
		x.values[i*d+7] = 100 + rng.NormFloat64()
		for j := range e {
			y.values[i*e+j] += x.at(i, j) / 2
		}
	}
	want, err := svcca.Between(x.layer(), y.layer(), svcca.Options{Weights: weights})
	require.NoError(t, err)
	part := func(l data, from, to int) data {
		return data{name: l.name, n: to - from, d: l.d, values: l.values[from*l.d : to*l.d]}
	}
	for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
		tolerance := 1e-10
		if precision == svcca.Mixed {
			tolerance = 1e-5
		}
		pair := svcca.Pair{Precision: precision}
		sums := [2]svcca.Moments{{Precision: precision}, {Precision: precision}}
		add := func(from, to int, layer func(l data) svcca.Layer, other func(l data) svcca.Layer) (bx, by svcca.Layer) {
			bx, by = layer(part(x, from, to)), other(part(y, from, to))
			require.NoError(t, pair.Add(ctx, bx, by, weights[from:to]))
			require.NoError(t, sums[0].Add(ctx, bx, weights[from:to]))
			require.NoError(t, sums[1].Add(ctx, by, weights[from:to]))
			return bx, by
		}
		thin := func(l data) svcca.Layer { return svcca.FromSparse(l.name, l.thinly()) }
		full := func(l data) svcca.Layer { return l.layer() }
		var blocks [][2]svcca.Layer
		for _, b := range []struct {
			from, to int
			of       [2]func(l data) svcca.Layer
		}{{0, half, [2]func(data) svcca.Layer{thin, thin}}, {half, half + 1, [2]func(data) svcca.Layer{thin, thin}}, {half + 1, 400, [2]func(data) svcca.Layer{thin, full}}, {400, n, [2]func(data) svcca.Layer{full, thin}}} {
			bx, by := add(b.from, b.to, b.of[0], b.of[1])
			blocks = append(blocks, [2]svcca.Layer{bx, by})
		}
		check := func(got *svcca.Comparison) {
			require.Equal(t, [2]int{want.X.K, want.Y.K}, [2]int{got.X.K, got.Y.K})
			for i, rho := range want.Rho {
				require.InDelta(t, rho, got.Rho[i], tolerance, "%v: ρ_%d", precision, i)
			}
		}
		got, err := pair.Compare(svcca.Options{})
		require.NoError(t, err)
		check(got)
		rx, err := sums[0].Reduce(svcca.Options{})
		require.NoError(t, err)
		ry, err := sums[1].Reduce(svcca.Options{})
		require.NoError(t, err)
		cross, err := svcca.NewCross([]*svcca.Reduced{rx}, []*svcca.Reduced{ry})
		require.NoError(t, err)
		at := 0
		for _, b := range blocks {
			rows, _ := b[0].Dims()
			require.NoError(t, cross.Add(ctx, b[:1], b[1:], weights[at:at+rows]))
			at += rows
		}
		got, err = cross.Compare(0, 0)
		require.NoError(t, err)
		check(got)
	}
}

// TestSparsePairwise: panes of sparse and other layers are those of all as any.
func TestSparsePairwise(t *testing.T) {
	always(t)
	rng := newRand(13)
	for _, n := range []int{300, 20} {
		var dense, mixed []svcca.Layer
		for i, d := range []int{20, 30, 25, 15} {
			x := features(rng, n, d, 0.25)
			x.name = fmt.Sprint(i)
			dense = append(dense, x.layer())
			if i%2 == 0 {
				mixed = append(mixed, svcca.FromSparse(x.name, x.thinly()))
			} else {
				mixed = append(mixed, x.layer())
			}
		}
		for _, scores := range []svcca.Scores{svcca.AllScores, svcca.RhoScores} {
			want, err := svcca.Pairwise(context.Background(), dense, nil, svcca.PaneOptions{Scores: scores})
			require.NoError(t, err)
			for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
				tolerance := 1e-10
				if precision == svcca.Mixed {
					tolerance = 1e-4
				}
				got, err := svcca.Pairwise(context.Background(), mixed, nil, svcca.PaneOptions{Options: svcca.Options{Precision: precision}, Scores: scores})
				require.NoError(t, err)
				for i := range want.Pairs {
					for j, w := range want.Pairs[i] {
						require.InDelta(t, w.MeanSquare, got.Pairs[i][j].MeanSquare, tolerance, "%d against %d", i, j)
						require.InDelta(t, *w.Mean, *got.Pairs[i][j].Mean, tolerance, "%d against %d", i, j)
					}
				}
			}
		}
	}
}

// TestSparseMixed: sums of sparse layers are in float64, and the result says so.
func TestSparseMixed(t *testing.T) {
	always(t)
	rng := newRand(14)
	x, y := features(rng, 400, 30, 0.2), features(rng, 400, 20, 0.2)
	o := svcca.Options{Precision: svcca.Mixed}
	double, err := svcca.Between(x.layer(), y.layer(), svcca.Options{})
	require.NoError(t, err)
	got, err := svcca.Between(svcca.FromSparse("x", x.thinly()), svcca.FromSparse("y", y.thinly()), o)
	require.NoError(t, err)
	for i, rho := range double.Rho {
		require.InDelta(t, rho, got.Rho[i], 1e-10)
	}
	require.Less(t, got.ErrorBound, 1e-8)
	count := 0
	for _, w := range got.Warnings {
		if w.Code == svcca.WarnDouble {
			count++
			assert.Contains(t, w.Text, "sparse")
		}
	}
	require.Equal(t, 2, count)
	got, err = svcca.Between(svcca.FromSparse("x", x.thinly()), y.narrowed().layer(), o)
	require.NoError(t, err)
	for i, rho := range double.Rho {
		require.InDelta(t, rho, got.Rho[i], got.ErrorBound)
	}
	require.Greater(t, got.ErrorBound, 1e-8, "the other layer is in float32")
}

// TestSparseScale: values near the ends of float64's range.
func TestSparseScale(t *testing.T) {
	always(t)
	rng := newRand(15)
	x, y := features(rng, 200, 15, 0.3), features(rng, 200, 12, 0.3)
	want, err := svcca.Between(svcca.FromSparse("x", x.thinly()), svcca.FromSparse("y", y.thinly()), svcca.Options{})
	require.NoError(t, err)
	for _, scale := range []float64{0x1p-600, 0x1p600} {
		got, err := svcca.Between(svcca.FromSparse("x", x.times(scale).thinly()), svcca.FromSparse("y", y.times(1/scale).thinly()), svcca.Options{})
		require.NoError(t, err)
		require.Equal(t, want.Rho, got.Rho, "a power of two changes no bit")
	}
}

// TestSparseKrylov: leading directions of sparse layers, tall and wide, are those of an
// exact solve.
func TestSparseKrylov(t *testing.T) {
	always(t)
	defer svcca.SmallKrylov(6, 1000, 1<<20)()
	for _, shape := range [][2]int{{500, 120}, {100, 300}} {
		rng := newRand(uint64(shape[1]))
		x, y := features(rng, shape[0], shape[1], 0.2), features(rng, shape[0], 20, 0.2)
		for i := range shape[0] {
			x.values[i*shape[1]+3], x.values[i*shape[1]+9] = 0.1, 40+rng.NormFloat64()
		}
		o := svcca.Options{Keep: svcca.Count(4), Solver: svcca.Krylov}
		sparseX := svcca.FromSparse("x", x.thinly())
		k, err := svcca.Between(sparseX, svcca.FromSparse("y", y.thinly()), o)
		require.NoError(t, err)
		o.Solver = svcca.Exact
		exact, err := svcca.Between(x.layer(), y.layer(), o)
		require.NoError(t, err)
		near(t, exact, k, fmt.Sprint(shape))
	}
}

// TestSparseDirections: directions align and project sparse layers as any.
func TestSparseDirections(t *testing.T) {
	always(t)
	rng := newRand(16)
	x, y := features(rng, 300, 20, 0.2), features(rng, 300, 15, 0.2)
	l := svcca.FromSparse("x", x.thinly())
	c, err := svcca.Between(l, svcca.FromSparse("y", y.thinly()), svcca.Options{})
	require.NoError(t, err)
	want, err := c.X.Directions.Align(x.layer(), 5)
	require.NoError(t, err)
	got, err := c.X.Directions.Align(l, 5)
	require.NoError(t, err)
	require.Equal(t, want.Data, got.Data)
}

// TestSparseChoice: a layer that is not sparse enough goes as any other, bit for bit.
func TestSparseChoice(t *testing.T) {
	rng := newRand(17)
	for _, c := range []struct {
		share float64
		same  bool
	}{{0.9, true}, {0.02, false}} {
		x := features(rng, 400, 60, c.share)
		want, err := svcca.Reduce(svcca.FromSlice("x", x.values, x.n, x.d), svcca.Options{})
		require.NoError(t, err)
		got, err := svcca.Reduce(svcca.FromSparse("x", x.thinly()), svcca.Options{})
		require.NoError(t, err)
		require.Equal(t, c.same, slices.Equal(want.V.Data, got.V.Data), "%g", c.share)
	}
}

// TestSparseMemory: a sparse layer is never made dense: reducing one whose values would
// fill 256 MiB takes what its Gram matrix and its values need.
func TestSparseMemory(t *testing.T) {
	if sanitizer.On {
		t.Skip("instrumented: memory is not what it is")
	}
	const n, d = 1 << 16, 512
	m := thinned(newRand(18), n, d, 0.01)
	layer := svcca.FromSparse("x", m)
	o := svcca.Options{Keep: svcca.Count(2), RankTol: svcca.TypeTol(svcca.Float32), Accuracy: 1e-3}
	for _, method := range []svcca.Method{svcca.MethodMoments, svcca.MethodRows} {
		if method == svcca.MethodRows {
			layer = svcca.FromSparse("x", m.T().(*sparse.CSC))
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := svcca.Reduce(layer, o)
		require.NoError(t, err)
		require.Equal(t, method, r.Method)
		runtime.ReadMemStats(&after)
		taken := after.TotalAlloc - before.TotalAlloc
		t.Logf("%s: %d values, %v", method, m.NNZ(), svcca.Bytes(taken))
		require.LessOrEqual(t, taken, uint64(svcca.ReductionBytes(layer, o)), "what is foretold")
		require.Less(t, taken, uint64(8*(16*m.NNZ()+5*d*d+24*(n+d))))
	}
}

// TestSparseView: a layer of FromMat's is one of any matrix, also of a sparse one.
func TestSparseView(t *testing.T) {
	x := features(newRand(19), 50, 8, 0.3)
	var m mat.Matrix = x.thinly()
	want, err := svcca.Reduce(x.layer(), svcca.Options{})
	require.NoError(t, err)
	got, err := svcca.Reduce(svcca.FromMat("x", m), svcca.Options{})
	require.NoError(t, err)
	require.Equal(t, want.SingularValues, got.SingularValues)
}
