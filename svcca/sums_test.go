package svcca_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// mergedError is what Moments promises of merged sums, in norm.
const mergedError = 1e-12

// sumsKind is a kind of sums: of two layers, or of the first of them.
type sumsKind struct {
	name  string
	pair  bool
	empty func() any
	add   func(ctx context.Context, sums any, x, y svcca.Layer, weights []float64) error
	merge func(sums, other any) error
}

func sumsKinds() []sumsKind {
	moments := func(precision svcca.Precision) sumsKind {
		return sumsKind{
			name:  "moments in " + precision.String(),
			empty: func() any { return &svcca.Moments{Precision: precision} },
			add: func(ctx context.Context, sums any, x, _ svcca.Layer, weights []float64) error {
				return sums.(*svcca.Moments).Add(ctx, x, weights)
			},
			merge: func(sums, other any) error { return sums.(*svcca.Moments).Merge(other.(*svcca.Moments)) },
		}
	}
	pair := func(method svcca.Method, precision svcca.Precision) sumsKind {
		return sumsKind{
			name: fmt.Sprintf("pair by %s in %v", method, precision), pair: true,
			empty: func() any { return &svcca.Pair{Method: method, Precision: precision} },
			add: func(ctx context.Context, sums any, x, y svcca.Layer, weights []float64) error {
				return sums.(*svcca.Pair).Add(ctx, x, y, weights)
			},
			merge: func(sums, other any) error { return sums.(*svcca.Pair).Merge(other.(*svcca.Pair)) },
		}
	}
	triangle := sumsKind{
		name: "triangle", empty: func() any { return &svcca.Triangle{} },
		add: func(ctx context.Context, sums any, x, _ svcca.Layer, weights []float64) error {
			return sums.(*svcca.Triangle).Add(ctx, x, weights)
		},
		merge: func(sums, other any) error { return sums.(*svcca.Triangle).Merge(other.(*svcca.Triangle)) },
	}
	return []sumsKind{
		moments(svcca.Double), triangle, pair(svcca.MethodMoments, svcca.Double), pair(svcca.MethodTriangle, svcca.Double),
		moments(svcca.Mixed), pair(svcca.MethodMoments, svcca.Mixed),
	}
}

// marshalled returns what MarshalBinary does.
func marshalled(t require.TestingT, sums any) []byte {
	data, err := sums.(interface{ MarshalBinary() ([]byte, error) }).MarshalBinary()
	require.NoError(t, err)
	return data
}

// batches cuts the rows in a random order into blocks of at most so many.
func batches(rng *rand.Rand, n, most int) (blocks [][]int) {
	order := rng.Perm(n)
	for len(order) > 0 {
		size := min(1+rng.IntN(most), len(order))
		blocks, order = append(blocks, order[:size]), order[size:]
	}
	return blocks
}

// picked returns the weights of rows, nil of nil.
func picked(weights []float64, rows []int) (of []float64) {
	if weights == nil {
		return nil
	}
	for _, i := range rows {
		of = append(of, weights[i])
	}
	return of
}

// feed adds blocks of rows: one after the other, from goroutines, or to shards,
// which are merged two by two after a journey in bytes.
func (k sumsKind) feed(t require.TestingT, way string, x, y data, weights []float64, blocks [][]int) any {
	add := func(sums any, block []int) error {
		return k.add(context.Background(), sums, x.rows(block).layer(), y.rows(block).layer(), picked(weights, block))
	}
	sums := k.empty()
	switch way {
	case "in turn":
		for _, block := range blocks {
			require.NoError(t, add(sums, block))
		}
	case "goroutines":
		defer native.LimitThreads(1)()
		errs := make([]error, 4)
		var group sync.WaitGroup
		for g := range errs {
			group.Go(func() {
				for at := g; at < len(blocks) && errs[g] == nil; at += len(errs) {
					errs[g] = add(sums, blocks[at])
				}
			})
		}
		group.Wait()
		require.NoError(t, errors.Join(errs...))
	case "shards":
		var shards []any
		for at, block := range blocks {
			if at < 5 {
				shards = append(shards, k.empty())
			}
			require.NoError(t, add(shards[at%5], block))
		}
		for i := range shards {
			var err error
			shards[i], err = svcca.UnmarshalSums(marshalled(t, shards[i]))
			require.NoError(t, err)
		}
		for len(shards) > 1 {
			require.NoError(t, k.merge(shards[0], shards[1]))
			shards = append(shards[2:], shards[0])
		}
		sums = shards[0]
	}
	return sums
}

var sumsWays = []string{"in turn", "goroutines", "shards"}

// exactSums are Σw, the means and Σw(x−μ)(x−μ)ᵀ in 320 bits, by plain loops.
type exactSums struct {
	weight   *big.Float
	mean     column
	products []column
}

func sumExactly(weights []float64, layers ...data) (z exactSums) {
	n := layers[0].n
	weight := make(column, n)
	for i := range weight {
		weight[i] = number(1)
		if weights != nil {
			weight[i] = number(weights[i])
		}
	}
	z.weight = total(weight)
	var deviations columns
	for _, l := range layers {
		for j := range l.d {
			values := make(column, n)
			for i := range values {
				values[i] = number(l.at(i, j))
			}
			mean := over(dot(weight, values), z.weight)
			for i := range values {
				values[i] = minus(values[i], mean)
			}
			z.mean, deviations = append(z.mean, mean), append(deviations, values)
		}
	}
	for _, a := range deviations {
		weighted := make(column, n)
		for i := range a {
			weighted[i] = times(a[i], weight[i])
		}
		var row column
		for _, b := range deviations {
			row = append(row, dot(weighted, b))
		}
		z.products = append(z.products, row)
	}
	return z
}

// check holds sums to z: products of layers i and j in the Frobenius norm to
// mergedError of √(‖G_ii‖‖G_jj‖), and √Σw‖mean − μ‖ to as much of √‖G_ii‖, for the
// means are what merges go by. It returns the largest error beside that.
func (z exactSums) check(t require.TestingT, what string, s svcca.SumsForTest, neurons ...int) (worst float64) {
	require.Len(t, s.Shift, len(z.mean), what)
	begins := []int{0}
	for _, d := range neurons {
		begins = append(begins, begins[len(begins)-1]+d)
	}
	weight := rounded(powerOfTwo(z.weight, -2*s.WeightExponent))
	require.InEpsilon(t, weight, s.Weight, mergedError, what)
	exact := func(i, j int) *big.Float {
		return powerOfTwo(z.products[i][j], -s.Exponents[i]-s.Exponents[j]-2*s.WeightExponent)
	}
	norms := make([]float64, len(neurons))
	for a := range neurons {
		var squares float64
		for i := begins[a]; i < begins[a+1]; i++ {
			for j := begins[a]; j < begins[a+1]; j++ {
				v := rounded(exact(i, j))
				squares += v * v
			}
		}
		norms[a] = math.Sqrt(squares)
	}
	for a := range neurons {
		var meanSquares float64
		for i := begins[a]; i < begins[a+1]; i++ {
			mean := plus(number(s.Shift[i]), number(s.Rest[i]))
			e := rounded(minus(mean, powerOfTwo(z.mean[i], -s.Exponents[i])))
			meanSquares += e * e
		}
		worst = max(worst, math.Sqrt(weight*meanSquares/norms[a])/mergedError)
		for b := a; b < len(neurons); b++ {
			var squares float64
			for i := begins[a]; i < begins[a+1]; i++ {
				for j := max(i, begins[b]); j < begins[b+1]; j++ {
					e := off(s.Products.At(i, j), exact(i, j))
					squares += e * e
				}
			}
			worst = max(worst, math.Sqrt(squares/norms[a]/norms[b])/mergedError)
		}
		require.True(t, s.Apart[a] >= 0 && s.Apart[a] <= math.MaxFloat64, "%s: Σw‖shift − mean‖² is %v", what, s.Apart[a])
	}
	require.True(t, worst <= 1, "%s: error %.3g in norm", what, worst*mergedError)
	return worst
}

// sumsCase is data that sums could lose something of.
type sumsCase struct {
	name    string
	x, y    data
	weights []float64
}

func sumsCases(seed uint64) (cases []sumsCase) {
	rng := newRand(seed)
	const n = 90
	x, y := related(rng, n, graded(4, 0.1), graded(3, 0.3), 4, 3)
	add := func(name string, x, y data, weights []float64) {
		cases = append(cases, sumsCase{name, x, y, weights})
	}
	weights, wild := make([]float64, n), make([]float64, n)
	for i := range weights {
		weights[i] = 0.1 + rng.Float64()
		wild[i] = []float64{1e-200, 1, 1e200}[rng.IntN(3)] * weights[i]
	}
	first := func(factor float64, l data) data { // of the rows, a third
		return l.mapped(func(i, _ int, v float64) float64 {
			if i < n/3 {
				return v * factor
			}
			return v
		})
	}
	add("plain", x, y, nil)
	add("offset", x.plus(1e6), y.plus(-1e6), nil)
	add("offset in float32", x.plus(1e3).narrowed(), y.narrowed(), weights)
	add("tiny and huge", x.times(1e-300), y.times(1e160), nil)
	add("huge", x.times(1e160), y.times(1e300), weights)
	add("zeros first", first(0, x), first(0, y), nil)
	add("zeros first, then tiny", first(0, x).times(1e-300), first(0, y).times(1e-160), nil)
	add("zeros in one, then huge", first(0, x).times(1e160), y, weights)
	add("tiny first", first(1e-250, x), first(1e-250, y), nil)
	add("weights", x.plus(3), y, weights)
	add("wild weights", x.plus(3), y, wild)
	drift := func(l data) data {
		return l.mapped(func(i, j int, v float64) float64 { return v + float64(i*(j+1)) })
	}
	add("sorted", drift(x), drift(y), nil)
	add("one neuron constant", x.mapped(func(_, j int, v float64) float64 {
		if j == 1 {
			return 0.1
		}
		return v
	}), y, nil)
	return cases
}

// TestSumsProducts: sums of blocks of any size, in any order, from many goroutines
// and by way of shards are those of all rows.
func TestSumsProducts(t *testing.T) {
	var worst float64
	for _, c := range sumsCases(70) {
		exact := [2]exactSums{sumExactly(c.weights, c.x), sumExactly(c.weights, c.x, c.y)}
		rng := newRand(71)
		for _, k := range sumsKinds()[:4] {
			for i, way := range sumsWays {
				// In order, in which the first blocks are of zeros, and in any.
				blocks := batches(rng, c.x.n, []int{1, 7, 40}[(i+len(k.name))%3])
				if i == 0 {
					slices.SortFunc(blocks, func(a, b []int) int { return slices.Min(a) - slices.Min(b) })
				}
				inOrder := [][]int{nil}
				for row := range c.x.n {
					if last := len(inOrder) - 1; len(inOrder[last]) == 15 {
						inOrder = append(inOrder, nil)
					}
					last := len(inOrder) - 1
					inOrder[last] = append(inOrder[last], row)
				}
				for _, blocks := range [][][]int{blocks, inOrder} {
					what := fmt.Sprintf("%s, %s, %s, %d blocks", c.name, k.name, way, len(blocks))
					sums := svcca.OfSumsForTest(k.feed(t, way, c.x, c.y, c.weights, blocks))
					require.Equal(t, c.x.n, sums.Datapoints, what)
					neurons := []int{c.x.d, c.y.d}
					if !k.pair {
						neurons = neurons[:1]
					}
					e := exact[len(neurons)-1].check(t, what, sums, neurons...)
					worst = max(worst, e)
				}
			}
		}
	}
	// Many rows, one at a time, of which each merge rounds.
	rng := newRand(72)
	x := data{name: "x", n: 4000, d: 3, values: normal(rng, 4000, 3).RawMatrix().Data}.plus(1e4)
	exact := sumExactly(nil, x)
	for _, k := range sumsKinds()[:2] {
		sums := k.feed(t, "in turn", x, x, nil, batches(rng, x.n, 1))
		worst = max(worst, exact.check(t, "one row at a time, "+k.name, svcca.OfSumsForTest(sums), x.d))
	}
	t.Logf("worst error %.2g in norm, %g promised", worst*mergedError, mergedError)
}

// TestSumsCompare: a Comparison of sums is Between's of all rows, within the two
// bounds, whatever the centring, and so are the reduced layers.
func TestSumsCompare(t *testing.T) {
	compared := 0
	for _, c := range sumsCases(73) {
		rng := newRand(74)
		for _, k := range sumsKinds() {
			if !k.pair {
				continue
			}
			if strings.Contains(k.name, "mixed") && c.name == "offset" {
				continue // the offset is beyond what storage of float32 products decides
			}
			for _, o := range []svcca.Options{
				{RankTol: svcca.ShareTol(1e-4)},
				{RankTol: svcca.ShareTol(1e-4), Keep: svcca.FullRank(), Centering: svcca.CenterNone},
				{RankTol: svcca.ShareTol(1e-4), Keep: svcca.Count(2)},
			} {
				way := sumsWays[compared%3]
				what := fmt.Sprintf("%s, %s, %s, %v centring %v", c.name, k.name, way, o.Keep, o.Centering)
				pair := k.feed(t, way, c.x, c.y, c.weights, batches(rng, c.x.n, []int{1, 30}[compared%2])).(*svcca.Pair)
				got, err := pair.Compare(o)
				o.Weights = c.weights
				wanted, wantedErr := svcca.Between(c.x.layer(), c.y.layer(), o)
				if wantedErr != nil {
					require.Error(t, err, what)
					continue
				}
				require.NoError(t, err, what)
				compared++
				require.Equal(t, [3]int{c.x.n, c.x.d, c.y.d}, [3]int{got.X.Datapoints, got.X.Neurons, got.Y.Neurons}, what)
				if got.X.K != wanted.X.K || got.Y.K != wanted.Y.K {
					require.True(t, strings.Contains(k.name, "mixed") && slices.Contains(codes(got), svcca.WarnUncertainK), "%s: k %d and %d, not %d and %d, %v", what, got.X.K, got.Y.K, wanted.X.K, wanted.Y.K, codes(got))
					continue
				}
				checkMixed(t, what, got, wanted, worstRatio{})
				require.Equal(t, wanted.Chance, got.Chance, what)
				if strings.Contains(k.name, "float64") {
					assert.Less(t, got.ErrorBound, 1e-3, what)
				}
			}
		}
	}
	assert.Greater(t, compared, 60, "this tests little")
}

// TestSumsTriangle: where singular values span 1e7 to 1e9 a triangle of shards is as
// right as one of all rows, and moments are not.
func TestSumsTriangle(t *testing.T) {
	for _, last := range []float64{1e-7, 1e-8, 1e-9} {
		x, y := related(newRand(75), 40, graded(8, last), graded(7, last), 8, 7)
		x = x.mapped(func(i, _ int, v float64) float64 { return v + float64(i/10) }) // shards with means of their own
		s := setting{keep: "rank", tol: fmt.Sprint(last / 30)}
		wanted := compareByOracle(x, y, s)
		o := s.options(t, 0)
		blocks := [][]int{nil, nil, nil, nil}
		for i := range x.n {
			blocks[i/10] = append(blocks[i/10], i)
		}
		kinds := sumsKinds()
		worstOf := func(s []float64, wanted column) (worst float64) {
			for i := range s {
				worst = max(worst, off(s[i], wanted[i]))
			}
			return worst
		}
		var values [2]float64
		for i, k := range kinds[:2] {
			sums := k.feed(t, "shards", x, y, nil, blocks).(interface {
				Reduce(svcca.Options) (*svcca.Reduced, error)
			})
			r, err := sums.Reduce(o)
			require.NoError(t, err)
			values[i] = worstOf(r.SingularValues, wanted.x.s)
			if r.Method == svcca.MethodTriangle {
				assert.Equal(t, wanted.x.rank, r.Rank)
			}
		}
		s1 := rounded(wanted.x.s[0])
		assert.LessOrEqual(t, values[1], 2*16*ulp*s1, "1e-%v: singular values", -math.Log10(last))
		assert.Greater(t, values[0], 100*values[1], "moments would have done")
		for _, way := range sumsWays {
			c, err := kinds[3].feed(t, way, x, y, nil, blocks).(*svcca.Pair).Compare(o)
			require.NoError(t, err)
			require.Equal(t, svcca.MethodTriangle, c.Method)
			checkAgainst(t, fmt.Sprintf("s_1/s_k = %.0g, %s", 1/last, way), c, wanted, worstRatio{})
			assert.Less(t, c.ErrorBound, 1e-4)
		}
	}
}

// TestSumsGrow: a block whose first rows are tiny and whose last are huge is summed
// in units of the latter, by either method.
func TestSumsGrow(t *testing.T) {
	x, y := related(newRand(76), 200, graded(4, 0.2), graded(3, 0.3), 4, 3)
	for _, by := range [][2]float64{{1e-200, 1e150}, {1e-100, 1e100}, {0, 1e100}} {
		grown := x.mapped(func(i, _ int, v float64) float64 {
			if i < 100 {
				return v * by[0]
			}
			return v * by[1]
		})
		for _, o := range []svcca.Options{{RankTol: svcca.ShareTol(1e-4)}, {}} {
			wanted := between(t, grown.layer(), y.layer(), o)
			for _, k := range sumsKinds()[2:4] {
				sums := k.empty().(*svcca.Pair)
				if !assert.NoError(t, sums.Add(context.Background(), grown.layer(), y.layer(), nil), "%s, %v", k.name, by) {
					continue
				}
				c, err := sums.Compare(o)
				if assert.NoError(t, err, "%s, %v", k.name, by) {
					requireSame(t, wanted, c, 0)
				}
			}
		}
	}
}

// TestSumsReduce: Reduce of sums is Reduce of the rows but for U.
func TestSumsReduce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rng := newRand(rapid.Uint64().Draw(t, "seed"))
		n, d := rapid.IntRange(8, 70).Draw(t, "n"), rapid.IntRange(1, 7).Draw(t, "d")
		x, _ := related(rng, n, graded(d, 0.2), graded(1, 1), d, 1)
		x = x.times(math.Exp2(float64(rapid.IntRange(-900, 900).Draw(t, "exponent")))).plus(0)
		var weights []float64
		if rapid.Bool().Draw(t, "weights") {
			for range n {
				weights = append(weights, 0.1+rng.Float64())
			}
		}
		o := svcca.Options{
			Keep:    rapid.SampledFrom([]svcca.Keep{svcca.FullRank(), svcca.Variance(0.9377), svcca.Count(2)}).Draw(t, "keep"),
			RankTol: svcca.ShareTol(1e-5), Centering: svcca.Centering(rapid.IntRange(0, 1).Draw(t, "centring")),
		}
		blocks := batches(rng, n, rapid.IntRange(1, n).Draw(t, "most"))
		for _, k := range sumsKinds()[:2] {
			sums := k.feed(t, rapid.SampledFrom(sumsWays).Draw(t, "way"), x, x, weights, blocks).(interface {
				Reduce(svcca.Options) (*svcca.Reduced, error)
			})
			got, err := sums.Reduce(o)
			require.NoError(t, err)
			weighted := o
			weighted.Weights = weights
			wanted, err := svcca.Reduce(x.layer(), weighted)
			require.NoError(t, err)
			require.Equal(t, [3]int{wanted.Datapoints, wanted.Rank, wanted.K}, [3]int{got.Datapoints, got.Rank, got.K}, k.name)
			s1 := wanted.SingularValues[0]
			for i, s := range wanted.SingularValues[:wanted.K] {
				// 16·ulp·s_1² of the squares each (spectrum.go), and what merges round.
				require.InDelta(t, 1, got.SingularValues[i]/s, (2*16*ulp+mergedError)*(s1/s)*(s1/s), "%s: s_%d", k.name, i+1)
			}
			// V spans the same space: ‖VVᵀ − ṼṼᵀ‖ within what turns it, the error of the
			// products over the gap of squares.
			next := 0.0
			if wanted.K < len(wanted.SingularValues) {
				next = wanted.SingularValues[wanted.K] / s1
			}
			last := wanted.SingularValues[wanted.K-1] / s1
			turn := got.ErrorBound + wanted.ErrorBound + 2*mergedError/(last*last-next*next)
			for i := range d {
				for j := range d {
					var a, b float64
					for c := range wanted.K {
						a += wanted.V.At(i, c) * wanted.V.At(j, c)
						b += got.V.At(i, c) * got.V.At(j, c)
					}
					require.InDelta(t, a, b, turn, "%s: V", k.name)
				}
				require.InDelta(t, wanted.Mean[i]/s1, got.Mean[i]/s1, mergedError, "%s: mean", k.name)
			}
			require.Zero(t, got.U.Rows)
			_, err = svcca.Compare(got, wanted)
			if weights == nil {
				require.ErrorIs(t, err, svcca.ErrNoRows)
			} else {
				require.Error(t, err)
			}
		}
	})
}

// TestSumsRefused: what cannot be added or merged is an error that says why, and
// changes nothing, in either of the sums.
func TestSumsRefused(t *testing.T) {
	ctx := context.Background()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	x, y := related(newRand(77), 50, graded(4, 0.3), graded(3, 0.3), 4, 3)
	wider, _ := related(newRand(78), 50, graded(5, 0.3), graded(3, 0.3), 5, 3)
	short := x.rows([]int{1, 2, 3})
	for _, k := range sumsKinds() {
		t.Run(k.name, func(t *testing.T) {
			filled := func(x, y svcca.Layer, k sumsKind) any {
				sums := k.empty()
				require.NoError(t, k.add(ctx, sums, x, y, nil))
				return sums
			}
			sums := filled(x.layer(), y.layer(), k)
			before := marshalled(t, sums)
			dims := fmt.Sprint(dimsOf(sums))
			unchanged := func(what string) {
				require.True(t, bytes.Equal(before, marshalled(t, sums)), "%s changed the sums", what)
				require.Equal(t, dims, fmt.Sprint(dimsOf(sums)), what)
			}
			var late, early data
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				late, early = x, x
				late.values, early.values = slices.Clone(x.values), slices.Clone(x.values)
				late.values[45*4+2], early.values[3*4+1] = bad, bad
				for at, broken := range map[[2]int]data{{45, 2}: late, {3, 1}: early} {
					err := k.add(ctx, sums, broken.layer(), y.layer(), nil)
					var where *svcca.NotFiniteError
					require.ErrorAs(t, err, &where, "%v", bad)
					assert.Equal(t, svcca.NotFiniteError{Layer: "x", Datapoint: at[0], Neuron: at[1]}, svcca.NotFiniteError{Layer: where.Layer, Datapoint: where.Datapoint, Neuron: where.Neuron})
					assert.Equal(t, fmt.Sprint(bad), fmt.Sprint(where.Value))
					unchanged("NaN")
				}
			}
			failed := errors.New("the disk is gone")
			for name, test := range map[string]struct {
				ctx  context.Context
				x, y svcca.Layer
				w    []float64
				is   error
			}{
				"cancelled":       {ctx: cancelled, is: context.Canceled},
				"read":            {x: odd{Layer: x.layer(), storage: "float64", err: failed, after: 40}, is: failed},
				"other neurons":   {x: wider.layer(), is: svcca.ErrMismatch},
				"other storage":   {x: x.narrowed().layer(), is: svcca.ErrMismatch},
				"weights short":   {w: make20(1), is: svcca.ErrMismatch},
				"weight 0":        {w: make([]float64, 50), is: svcca.ErrOptions},
				"no rows":         {x: svcca.FromSlice("none", []float64{}, 0, 4), is: svcca.ErrShape},
				"unknown storage": {x: odd{Layer: x.layer(), storage: "int8"}, is: svcca.ErrStorage},
			} {
				if test.ctx == nil {
					test.ctx = ctx
				}
				if test.x == nil {
					test.x = x.layer()
				}
				err := k.add(test.ctx, sums, test.x, y.layer(), test.w)
				require.ErrorIs(t, err, test.is, name)
				assert.Regexp(t, "^(svcca: |context)", err.Error(), name)
				unchanged(name)
				empty := k.empty()
				if test.is != svcca.ErrMismatch || name == "weights short" {
					require.Error(t, k.add(test.ctx, empty, test.x, y.layer(), test.w), name)
					assert.Zero(t, dimsOf(empty), name)
				}
			}
			if k.pair {
				require.ErrorIs(t, k.add(ctx, sums, short.layer(), y.layer(), nil), svcca.ErrMismatch)
				require.ErrorIs(t, k.add(ctx, sums, x.layer(), wider.layer(), nil), svcca.ErrMismatch)
				unchanged("another layer y")
			}
			// Merging: with other layers, storage, precision, method.
			for name, other := range map[string]any{
				"neurons": filled(wider.layer(), y.layer(), k),
				"storage": filled(x.narrowed().layer(), y.layer(), k),
			} {
				theirs := marshalled(t, other)
				require.ErrorIs(t, k.merge(sums, other), svcca.ErrMismatch, name)
				unchanged(name)
				require.True(t, bytes.Equal(theirs, marshalled(t, other)), "%s changed the other", name)
			}
			for _, o := range sumsKinds() {
				if o.name == k.name || fmt.Sprintf("%T", o.empty()) != fmt.Sprintf("%T", sums) {
					continue
				}
				other := filled(x.layer(), y.layer(), o)
				theirs := marshalled(t, other)
				require.ErrorIs(t, k.merge(sums, other), svcca.ErrMismatch, o.name)
				unchanged(o.name)
				require.True(t, bytes.Equal(theirs, marshalled(t, other)), "%s changed the other", o.name)
			}
			// Nothing to add: with sums that are empty, in either place.
			require.NoError(t, k.merge(sums, k.empty()))
			unchanged("nothing")
			empty := k.empty()
			require.NoError(t, k.merge(empty, sums))
			require.True(t, bytes.Equal(before, marshalled(t, empty)))
			require.NoError(t, k.add(ctx, empty, x.layer(), y.layer(), nil), "a copy of the other, not a view")
			unchanged("rows added to a copy")
			// With itself: every row twice.
			require.NoError(t, k.merge(sums, sums))
			twice := k.empty()
			for range 2 {
				require.NoError(t, k.add(ctx, twice, x.layer(), y.layer(), nil))
			}
			assert.Equal(t, dimsOf(twice), dimsOf(sums))
			a, b := svcca.OfSumsForTest(twice).Products, svcca.OfSumsForTest(sums).Products
			for i := range a.Rows {
				for j := i; j < a.Cols; j++ {
					require.InDelta(t, a.At(i, j), b.At(i, j), mergedError*a.At(0, 0)*float64(a.Rows))
				}
			}
			// Later blocks are not looked at by what Merge is given.
			require.NoError(t, k.merge(k.empty(), k.empty()))
		})
	}
}

// dimsOf returns what Dims does: datapoints and the neurons of each layer.
func dimsOf(sums any) (dims [3]int) {
	switch s := sums.(type) {
	case *svcca.Moments:
		dims[0], dims[1] = s.Dims()
	case *svcca.Triangle:
		dims[0], dims[1] = s.Dims()
	case *svcca.Pair:
		dims[0], dims[1], dims[2] = s.Dims()
	}
	return dims
}

// TestSumsZero: sums without rows, and of one, are of no use and say so.
func TestSumsZero(t *testing.T) {
	ctx := context.Background()
	one := svcca.FromSlice("one", []float64{1, 2, 3}, 1, 3)
	for _, k := range sumsKinds() {
		sums := k.empty()
		assert.Zero(t, dimsOf(sums))
		use := func(o svcca.Options) (err error) {
			if k.pair {
				_, err = sums.(*svcca.Pair).Compare(o)
			} else {
				_, err = sums.(interface {
					Reduce(svcca.Options) (*svcca.Reduced, error)
				}).Reduce(o)
			}
			return err
		}
		require.ErrorIs(t, use(svcca.Options{}), svcca.ErrShape, k.name)
		_, err := sums.(interface{ MarshalBinary() ([]byte, error) }).MarshalBinary()
		require.ErrorIs(t, err, svcca.ErrShape, k.name)
		require.NoError(t, k.add(ctx, sums, one, one, nil))
		wanted := [3]int{1, 3, 0}
		if k.pair {
			wanted[2] = 3
		}
		assert.Equal(t, wanted, dimsOf(sums))
		require.ErrorIs(t, use(svcca.Options{}), svcca.ErrConstant, "%s: one row", k.name)
		// Uncentred, a row is a direction.
		require.NoError(t, use(svcca.Options{Centering: svcca.CenterNone, RankTol: svcca.ShareTol(1e-6)}), k.name)
		require.ErrorIs(t, use(svcca.Options{Weights: []float64{1}}), svcca.ErrOptions, k.name)
		require.ErrorIs(t, use(svcca.Options{Keep: svcca.Count(-1)}), svcca.ErrOptions, k.name)
	}
	p := svcca.Pair{Method: "rows"}
	assert.ErrorIs(t, p.Add(ctx, one, one, nil), svcca.ErrOptions)
	assert.Zero(t, dimsOf(&p))
}

// TestSumsBinary: bytes bring back every bit, also of what is merged then, and say
// what they are.
func TestSumsBinary(t *testing.T) {
	x, y := related(newRand(79), 60, graded(4, 0.3), graded(3, 0.3), 4, 3)
	x.name = `x "of" <é>`
	half := [][]int{nil, nil}
	for i := range x.n {
		half[i%2] = append(half[i%2], i)
	}
	for _, k := range sumsKinds() {
		var first, second [2]any // originals, and copies by way of bytes
		for i, to := range []*[2]any{&first, &second} {
			to[0] = k.feed(t, "in turn", x, y.times(1e-300), nil, half[i:i+1])
			data := marshalled(t, to[0])
			back, err := svcca.UnmarshalSums(data)
			require.NoError(t, err, k.name)
			require.IsType(t, to[0], back)
			require.True(t, bytes.Equal(data, marshalled(t, back)), "%s: not the same bytes", k.name)
			assert.Equal(t, dimsOf(to[0]), dimsOf(back))
			assert.Equal(t, svcca.OfSumsForTest(to[0]), svcca.OfSumsForTest(back))
			if m, ok := back.(*svcca.Moments); ok {
				assert.Equal(t, to[0].(*svcca.Moments).Precision, m.Precision)
			}
			to[1] = back
			// What data hold must not be looked at again.
			clear(data)
			require.NoError(t, k.merge(k.empty(), back))
		}
		for i := range 2 {
			require.NoError(t, k.merge(first[i], second[i]))
		}
		require.True(t, bytes.Equal(marshalled(t, first[0]), marshalled(t, first[1])), "%s: merged, not the same bits", k.name)
		// Rows go on as if nothing had happened.
		for i := range 2 {
			require.NoError(t, k.add(context.Background(), first[i], x.layer(), y.layer(), nil))
		}
		require.True(t, bytes.Equal(marshalled(t, first[0]), marshalled(t, first[1])), "%s: added to, not the same bits", k.name)
		// Of another kind.
		data := marshalled(t, first[0])
		for _, o := range []interface{ UnmarshalBinary([]byte) error }{&svcca.Moments{}, &svcca.Triangle{}, &svcca.Pair{}} {
			if fmt.Sprintf("%T", o) != fmt.Sprintf("%T", first[0]) {
				require.ErrorIs(t, o.UnmarshalBinary(data), svcca.ErrDamaged, "%T from %s", o, k.name)
				assert.Zero(t, dimsOf(o))
			}
		}
	}
}

// smallSums returns containers of a few hundred bytes.
func smallSums(t testing.TB) (all [][]byte) {
	x, y := related(newRand(80), 9, graded(2, 0.3), graded(1, 1), 2, 1)
	for _, k := range sumsKinds() {
		sums := k.empty()
		require.NoError(t, k.add(context.Background(), sums, x.layer(), y.layer(), nil))
		all = append(all, marshalled(t, sums))
	}
	return all
}

// TestSumsDamaged: one bit that flipped, or bytes that are gone, are ErrDamaged, and
// what was there before stays.
func TestSumsDamaged(t *testing.T) {
	for _, data := range smallSums(t) {
		damaged := func(data []byte, what string, at int) {
			_, err := svcca.UnmarshalSums(data)
			require.ErrorIs(t, err, svcca.ErrDamaged, "%s %d", what, at)
		}
		for bit := range 8 * len(data) {
			data[bit/8] ^= 1 << (bit % 8)
			damaged(data, "bit", bit)
			data[bit/8] ^= 1 << (bit % 8)
		}
		for at := range data {
			damaged(data[:at], "cut to", at)
			damaged(data[at+1:], "cut from", at)
		}
		damaged(append(slices.Clone(data), 0), "one more after", len(data))
		back, err := svcca.UnmarshalSums(data)
		require.NoError(t, err)
		require.ErrorIs(t, back.(interface{ UnmarshalBinary([]byte) error }).UnmarshalBinary(data[:len(data)-1]), svcca.ErrDamaged)
		assert.Equal(t, data, marshalled(t, back), "sums that were there")
	}
}

// sealed returns a container of a header and arrays, as container.go describes it.
func sealed(header, arrays []byte) []byte {
	data := append([]byte("\x93SVCCA1\n"), binary.LittleEndian.AppendUint64(nil, uint64(len(header)))...)
	data = append(append(data, header...), arrays...)
	sum := sha256.Sum256(data)
	return append(data, sum[:]...)
}

// unsealed returns the parts of a container.
func unsealed(data []byte) (header, arrays []byte) {
	end := 16 + int(binary.LittleEndian.Uint64(data[8:]))
	return data[16:end], data[end : len(data)-sha256.Size]
}

// TestSumsHostile: a checksum says nothing of who made it.
func TestSumsHostile(t *testing.T) {
	type change = func(h map[string]any, layer map[string]any)
	set := func(key string, value any) change {
		return func(h, _ map[string]any) { h[key] = value }
	}
	setLayer := func(key string, value any) change {
		return func(_, l map[string]any) { l[key] = value }
	}
	changes := map[string]change{
		"as it was":           nil,
		"other schema":        set("schema", "svcca.moments/2"),
		"no schema":           set("schema", ""),
		"reduced layer":       set("schema", "svcca.reduced/1"),
		"schema of a number":  set("schema", 7),
		"method rows":         set("method", "rows"),
		"no method":           set("method", ""),
		"precision":           set("precision", "float16"),
		"no datapoints":       set("datapoints", 0),
		"negative datapoints": set("datapoints", -9),
		"half a datapoint":    set("datapoints", 9.5),
		"weight 0":            set("weight", 0),
		"negative weight":     set("weight", -9),
		"infinite weight":     set("weight", json.Number("1e999")),
		"weight in words":     set("weight", "NaN"),
		"weight exponent":     set("weight_exponent", 5000),
		"least exponent":      set("weight_exponent", math.MinInt),
		"no layers":           set("layers", []any{}),
		"layers null":         set("layers", nil),
		"three layers":        func(h, l map[string]any) { h["layers"] = []any{l, l, l} },
		"neurons":             setLayer("neurons", 3),
		"fewer neurons":       setLayer("neurons", 1),
		"no neurons":          setLayer("neurons", 0),
		"negative neurons":    setLayer("neurons", -2),
		"2⁴⁰ neurons":         setLayer("neurons", 1<<40),
		"2³² neurons":         setLayer("neurons", 1<<32),
		"2⁶² neurons":         setLayer("neurons", 1<<62),
		"all neurons":         setLayer("neurons", math.MaxInt),
		"storage":             setLayer("storage", "int8"),
		"exponent":            setLayer("exponent", 1001),
		"least of exponents":  setLayer("exponent", math.MinInt),
		"negative apart":      setLayer("apart", -1),
		"negative errors":     setLayer("spectral_error", -1e-9),
		"negative norm":       setLayer("frobenius_error", -1e-9),
	}
	for _, rows := range []int{-1, 0, 1, 2, 5, 100, 1 << 40, math.MaxInt} {
		changes[fmt.Sprintf("triangle of %d rows", rows)] = set("triangle_rows", rows)
	}
	for _, data := range smallSums(t) {
		header, arrays := unsealed(data)
		var kind struct{ Schema, Method string }
		require.NoError(t, json.Unmarshal(header, &kind))
		refuse := func(what string, data []byte) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := svcca.UnmarshalSums(data)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, svcca.ErrDamaged, "%s %s: %s", kind.Schema, kind.Method, what)
			// JSON, errors and arrays: some multiples of a container of 1 kB.
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20), "%s: bytes allocated", what)
		}
		for name, change := range changes {
			if strings.HasPrefix(name, "triangle") && kind.Method != "triangle" {
				continue // of moments it says nothing
			}
			var h map[string]any
			require.NoError(t, json.Unmarshal(header, &h))
			if change == nil {
				text, err := json.Marshal(h)
				require.NoError(t, err)
				_, err = svcca.UnmarshalSums(sealed(text, arrays))
				require.NoError(t, err, "the test's own containers are right")
				continue
			}
			change(h, h["layers"].([]any)[0].(map[string]any))
			text, err := json.Marshal(h)
			require.NoError(t, err)
			refuse(name, sealed(text, arrays))
		}
		for at := 0; at < len(arrays); at += 8 {
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				changed := slices.Clone(arrays)
				binary.LittleEndian.PutUint64(changed[at:], math.Float64bits(bad))
				refuse(fmt.Sprintf("value %d is %v", at/8, bad), sealed(header, changed))
			}
		}
		for _, cut := range []int{1, 7, 8, 16, len(arrays)} {
			refuse("arrays cut", sealed(header, arrays[:len(arrays)-cut]))
		}
		for _, more := range []int{1, 8, 80} {
			refuse("arrays with more", sealed(header, append(slices.Clone(arrays), make([]byte, more)...)))
		}
		for _, text := range []string{"", "null", "[]", "{", "7", strings.Repeat("[", 100000), string(header[:len(header)-1])} {
			refuse("header", sealed([]byte(text), arrays))
		}
		for _, length := range []uint64{1 << 62, math.MaxUint64, math.MaxUint64 - 15, uint64(len(header) + len(arrays) + 1)} {
			changed := slices.Clone(data[:len(data)-sha256.Size])
			binary.LittleEndian.PutUint64(changed[8:], length)
			sum := sha256.Sum256(changed)
			refuse("length of the header", append(changed, sum[:]...))
		}
		if kind.Method == "triangle" { // of which the first element is √Σw
			begin := 8 * 2 * 2
			if strings.Contains(kind.Schema, "pair") {
				begin = 8 * 2 * 3
			}
			changed := slices.Clone(arrays)
			binary.LittleEndian.PutUint64(changed[begin:], 0)
			refuse("no weight", sealed(header, changed))
		}
	}
}

// FuzzUnmarshalSums: whatever a container with a true checksum holds, there is an
// error, or sums that can be used, to an error or to numbers.
func FuzzUnmarshalSums(f *testing.F) {
	for _, data := range smallSums(f) {
		f.Add(data)
		header, arrays := unsealed(data)
		for _, change := range [][2]string{
			{`"weight":9`, `"weight":1e308`}, {`"exponent":0`, `"exponent":1000`}, {`"datapoints":9`, `"datapoints":4000000000000000000`},
			{`"weight_exponent":0`, `"weight_exponent":600`}, {`"apart":`, `"apart":1e300`}, {`"neurons":2`, `"neurons":1`}, {"float64", "bfloat16"},
		} {
			f.Add(sealed(bytes.Replace(header, []byte(change[0]), []byte(change[1]), 1), arrays))
		}
		for _, v := range []float64{0, -1, 1e308, 5e-324} {
			changed := slices.Clone(arrays)
			for at := 0; at < len(changed); at += 24 {
				binary.LittleEndian.PutUint64(changed[at:], math.Float64bits(v))
			}
			f.Add(sealed(header, changed))
		}
	}
	f.Add([]byte("\x93SVCCA1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= sha256.Size { // else the header is never reached
			sum := sha256.Sum256(data[:len(data)-sha256.Size])
			data = append(slices.Clone(data[:len(data)-sha256.Size]), sum[:]...)
		}
		sums, err := svcca.UnmarshalSums(data)
		if err != nil {
			require.ErrorIs(t, err, svcca.ErrDamaged)
			return
		}
		for _, o := range []svcca.Options{{}, {Keep: svcca.FullRank(), RankTol: svcca.ShareTol(0), Centering: svcca.CenterNone}} {
			if p, ok := sums.(*svcca.Pair); ok {
				if c, err := p.Compare(o); err == nil {
					finite(t, c)
				}
				continue
			}
			r, err := sums.(interface {
				Reduce(svcca.Options) (*svcca.Reduced, error)
			}).Reduce(o)
			if err != nil {
				continue
			}
			require.True(t, r.ErrorBound >= 0 && r.ErrorBound <= 1, "bound %v", r.ErrorBound)
			for _, of := range [][]float64{r.SingularValues, r.Mean} {
				for _, v := range of {
					require.True(t, math.Abs(v) <= math.MaxFloat64, "%v of %+v", v, r.Side)
				}
			}
			require.NoError(t, allFinite(r.V))
		}
	})
}

func allFinite(m lapack.Matrix[float64]) error {
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			if !(math.Abs(v) <= math.MaxFloat64) {
				return fmt.Errorf("(%d, %d) is %v", i, j, v)
			}
		}
	}
	return nil
}
