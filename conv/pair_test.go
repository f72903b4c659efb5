package conv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// mergedError is what Pair promises of merged sums, in norm.
const mergedError = 1e-12

// sumsOf is a layer of a test of sums: maps, or vectors where they are said to be.
type sumsOf struct {
	maps
	vector bool
}

// layer returns the images picked, in a layout.
func (l sumsOf) layer(name string, layout conv.Layout, images []int) conv.Maps {
	picked := make(maps, len(images))
	for i, at := range images {
		picked[i] = l.maps[at]
	}
	if !l.vector {
		return picked.slice(name, layout, false)
	}
	_, _, d := l.sizes()
	var values []float64
	for _, image := range picked {
		values = append(values, image[0][0]...)
	}
	return conv.Vector(svcca.FromSlice(name, values, len(images), d))
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// mapped returns l with every value of every image replaced.
func (l sumsOf) mapped(f func(image int, v float64) float64) sumsOf {
	h, w, c := l.sizes()
	out := make(maps, len(l.maps))
	for i, image := range l.maps {
		out[i] = make([][][]float64, h)
		for a := range h {
			out[i][a] = make([][]float64, w)
			for b := range w {
				out[i][a][b] = make([]float64, c)
				for k := range c {
					out[i][a][b][k] = f(i, image[a][b][k])
				}
			}
		}
	}
	return sumsOf{out, l.vector}
}

func (l sumsOf) plus(offset float64) sumsOf {
	return l.mapped(func(_ int, v float64) float64 { return v + offset })
}

func (l sumsOf) times(factor float64) sumsOf {
	return l.mapped(func(_ int, v float64) float64 { return v * factor })
}

// sumsKind is a kind of sums: of two layers, or of the first of them.
type sumsKind struct {
	name         string
	translations [2]int // of Moments; 0 of a Pair
	precision    svcca.Precision
}

// sums is what Moments and Pair have in common.
type sums interface {
	MarshalBinary() ([]byte, error)
	UnmarshalBinary([]byte) error
}

func (k sumsKind) pair() bool { return k.translations == [2]int{} }

func (k sumsKind) empty() sums {
	if k.pair() {
		return &conv.Pair{Precision: k.precision}
	}
	return &conv.Moments{Translations: k.translations, Precision: k.precision}
}

func (k sumsKind) add(ctx context.Context, s sums, x, y conv.Maps, weights []float64) error {
	if k.pair() {
		return s.(*conv.Pair).Add(ctx, x, y, weights)
	}
	return s.(*conv.Moments).Add(ctx, x, weights)
}

func (k sumsKind) merge(s, other sums) error {
	if k.pair() {
		return s.(*conv.Pair).Merge(other.(*conv.Pair))
	}
	return s.(*conv.Moments).Merge(other.(*conv.Moments))
}

// use compares or reduces.
func (k sumsKind) use(s sums, o conv.Options) (err error) {
	if k.pair() {
		_, err = s.(*conv.Pair).Compare(o)
	} else {
		_, err = s.(*conv.Moments).Reduce(o)
	}
	return err
}

func dimsOf(s sums) string {
	switch s := s.(type) {
	case *conv.Pair:
		return fmt.Sprint(s.Dims())
	case *conv.Moments:
		return fmt.Sprint(s.Dims())
	}
	return ""
}

func marshalled(t require.TestingT, s sums) []byte {
	data, err := s.MarshalBinary()
	require.NoError(t, err)
	return data
}

// batches cuts the images in a random order into blocks of at most so many.
func batches(rng *rand.Rand, n, most int) (blocks [][]int) {
	order := rng.Perm(n)
	for len(order) > 0 {
		size := min(1+rng.IntN(most), len(order))
		blocks, order = append(blocks, order[:size]), order[size:]
	}
	return blocks
}

func picked(weights []float64, images []int) (of []float64) {
	if weights == nil {
		return nil
	}
	for _, i := range images {
		of = append(of, weights[i])
	}
	return of
}

var sumsWays = []string{"in turn", "goroutines", "shards"}

// feed adds blocks of images, in either layout by turns: one after the other, from
// goroutines, or to shards, which are merged two by two after a journey in bytes.
func (k sumsKind) feed(t require.TestingT, way string, x, y sumsOf, weights []float64, blocks [][]int) sums {
	add := func(s sums, at int) error {
		block := blocks[at]
		return k.add(context.Background(), s, x.layer("x", conv.Layout(at%2), block), y.layer("y", conv.Layout(at/2%2), block), picked(weights, block))
	}
	s := k.empty()
	switch way {
	case "in turn":
		for at := range blocks {
			require.NoError(t, add(s, at))
		}
	case "goroutines":
		errs := make([]error, 4)
		var group sync.WaitGroup
		for g := range errs {
			group.Go(func() {
				for at := g; at < len(blocks) && errs[g] == nil; at += len(errs) {
					errs[g] = add(s, at)
				}
			})
		}
		group.Wait()
		require.NoError(t, errors.Join(errs...))
	case "shards":
		var shards []sums
		for at := range blocks {
			if at < 5 {
				shards = append(shards, k.empty())
			}
			require.NoError(t, add(shards[at%5], at))
		}
		for i := range shards {
			back := k.empty()
			require.NoError(t, back.UnmarshalBinary(marshalled(t, shards[i])))
			shards[i] = back
		}
		for len(shards) > 1 {
			require.NoError(t, k.merge(shards[0], shards[1]))
			shards = append(shards[2:], shards[0])
		}
		s = shards[0]
	}
	return s
}

// precise is a complex number in 320 bits.
type precise struct{ re, im *big.Float }

func number(v float64) *big.Float { return new(big.Float).SetPrec(320).SetFloat64(v) }

func (a precise) plus(b precise, sign float64) precise {
	s := number(sign)
	return precise{new(big.Float).Add(a.re, new(big.Float).Mul(s, b.re)), new(big.Float).Add(a.im, new(big.Float).Mul(s, b.im))}
}

// addTimes adds w·conj(a)·b.
func (a precise) addTimes(w *big.Float, x, y precise) precise {
	mul := func(p, q *big.Float) *big.Float { return new(big.Float).Mul(w, new(big.Float).Mul(p, q)) }
	return precise{
		new(big.Float).Add(a.re, new(big.Float).Add(mul(x.re, y.re), mul(x.im, y.im))),
		new(big.Float).Add(a.im, new(big.Float).Sub(mul(x.re, y.im), mul(x.im, y.re))),
	}
}

func (a precise) over(w *big.Float) precise {
	return precise{new(big.Float).Quo(a.re, w), new(big.Float).Quo(a.im, w)}
}

func nothing() precise { return precise{number(0), number(0)} }

// float returns a·2^exponent.
func (a precise) float(exponent int) complex128 {
	of := func(v *big.Float) float64 {
		f, _ := new(big.Float).SetMantExp(v, exponent).Float64()
		return f
	}
	return complex(of(a.re), of(a.im))
}

// columnsOf returns the columns (phase, channel) of an image in a block, exactly: lengths of
// 1, 2 and 4, of which one or none is 2, have roots of unity and √|T| that are.
func columnsOf(image [][][]float64, translations [2]int, b conv.Block, vector bool) (columns []precise) {
	h, w, channels := len(image), len(image[0]), len(image[0][0])
	lengthH, lengthW := translations[0], translations[1]
	if vector {
		if b.U != 0 || b.V != 0 {
			return nil
		}
		lengthH, lengthW = 1, 1
	}
	scale := number(1 / math.Sqrt(float64(lengthH*lengthW)))
	stepH, stepW := h/lengthH, w/lengthW
	for p := range stepH {
		for q := range stepW {
			for k := range channels {
				sum := nothing()
				for i := range lengthH {
					for j := range lengthW {
						v := new(big.Float).Mul(scale, number(image[i*stepH+p][j*stepW+q][k]))
						turns := (b.U*i*4/lengthH + b.V*j*4/lengthW) % 4 // quarters: e^(−2πi·turns/4)
						part := []precise{{v, number(0)}, {number(0), new(big.Float).Neg(v)}, {new(big.Float).Neg(v), number(0)}, {number(0), v}}[turns]
						sum = sum.plus(part, 1)
					}
				}
				columns = append(columns, sum)
			}
		}
	}
	return columns
}

// exactSums are Σw, the means and the centred products of each block, by plain loops.
type exactSums struct {
	weight   *big.Float
	mean     [][]precise
	products [][][]precise
}

func sumExactly(translations [2]int, blocks []conv.Block, weights []float64, layers ...sumsOf) (z exactSums) {
	n := len(layers[0].maps)
	z.weight = number(0)
	weight := make([]*big.Float, n)
	for i := range weight {
		weight[i] = number(1)
		if weights != nil {
			weight[i] = number(weights[i])
		}
		z.weight = new(big.Float).Add(z.weight, weight[i])
	}
	one := number(1)
	for _, b := range blocks {
		rows := make([][]precise, n)
		for i := range rows {
			for _, l := range layers {
				rows[i] = append(rows[i], columnsOf(l.maps[i], translations, b, l.vector)...)
			}
		}
		mean := make([]precise, len(rows[0]))
		for j := range mean {
			mean[j] = nothing()
			for i := range rows {
				mean[j] = mean[j].addTimes(weight[i], precise{one, number(0)}, rows[i][j])
			}
			mean[j] = mean[j].over(z.weight)
		}
		products := make([][]precise, len(mean))
		for i := range rows {
			for j := range mean {
				rows[i][j] = rows[i][j].plus(mean[j], -1)
			}
		}
		for a := range products {
			products[a] = make([]precise, len(mean))
			for c := a; c < len(mean); c++ {
				products[a][c] = nothing()
				for i := range rows {
					products[a][c] = products[a][c].addTimes(weight[i], rows[i][a], rows[i][c])
				}
			}
		}
		z.mean, z.products = append(z.mean, mean), append(z.products, products)
	}
	return z
}

// check holds sums to z: products of layers i and j in the Frobenius norm over all blocks
// to mergedError of √(‖G_ii‖‖G_jj‖), and √Σw‖mean − μ‖ to as much of √‖G_ii‖, for the means
// are what merges go by. It returns the largest error beside that.
func (z exactSums) check(t require.TestingT, what string, s conv.SumsForTest, layers ...sumsOf) (worst float64) {
	weight, _ := z.weight.Float64()
	require.InEpsilon(t, weight, s.Weight, mergedError, what)
	_, unit := math.Frexp(weight)
	var errors, norms [2][2]float64 // squares, by layers, in units of 2^unit
	var means [2]float64
	for at, b := range s.Blocks {
		var of []int // layer of a column
		var shift []precise
		for i, l := range layers {
			image := [][][]float64{{s.Shift[i]}}
			if !l.vector {
				h, w, c := l.sizes()
				image = nil
				for a := range h {
					image = append(image, nil)
					for b := range w {
						image[a] = append(image[a], s.Shift[i][(a*w+b)*c:][:c])
					}
				}
			}
			columns := columnsOf(image, s.Translations, b, l.vector)
			shift = append(shift, columns...)
			of = append(of, slices.Repeat([]int{i}, len(columns))...)
		}
		require.Len(t, s.Rest[at], len(of), what)
		count := float64(b.Multiplicity)
		for i, p := range of {
			mean := shift[i].plus(precise{number(real(s.Rest[at][i])), number(imag(s.Rest[at][i]))}, 1)
			wanted := z.mean[at][i]
			scaled := precise{new(big.Float).SetMantExp(wanted.re, -s.Exponents[p]), new(big.Float).SetMantExp(wanted.im, -s.Exponents[p])}
			e := cmplx.Abs(mean.plus(scaled, -1).float(0))
			means[p] += count * math.Ldexp(weight, -unit) * e * e
			for j := i; j < len(of); j++ {
				q := of[j]
				exact := z.products[at][i][j].float(-s.Exponents[p] - s.Exponents[q] - unit)
				difference := s.Products[at].At(i, j)*complex(math.Ldexp(1, -unit), 0) - exact
				if i == j {
					difference = complex(real(difference), 0)
				}
				e := cmplx.Abs(difference)
				errors[p][q] += count * e * e
				norms[p][q] += count * real(exact*cmplx.Conj(exact))
			}
		}
	}
	for p := range layers {
		norm := math.Sqrt(norms[p][p])
		worst = max(worst, math.Sqrt(means[p]/norm)/mergedError)
		for q := p; q < len(layers); q++ {
			worst = max(worst, math.Sqrt(errors[p][q])/math.Sqrt(norm*math.Sqrt(norms[q][q]))/mergedError)
		}
		require.True(t, s.Apart[p] >= 0 && s.Apart[p] <= math.MaxFloat64, "%s: Σw‖shift − mean‖² is %v", what, s.Apart[p])
	}
	require.True(t, worst <= 1, "%s: error %.3g in norm", what, worst*mergedError)
	return worst
}

// sumsCase is data that sums could lose something of.
type sumsCase struct {
	name    string
	x, y    sumsOf
	weights []float64
}

// sumsCases returns maps of 4 × 4 and y as it is asked for.
func sumsCases(seed uint64, y sumsOf) (cases []sumsCase) {
	rng := rand.New(rand.NewPCG(seed, 13))
	n := len(y.maps)
	x := sumsOf{maps: randomMaps(rng, n, 4, 4, 3)}
	y.share(x.maps, 0.8)
	add := func(name string, x, y sumsOf, weights []float64) {
		cases = append(cases, sumsCase{name, x, y, weights})
	}
	weights, wild := make([]float64, n), make([]float64, n)
	for i := range weights {
		weights[i] = 0.1 + rng.Float64()
		wild[i] = []float64{1e-200, 1, 1e200}[rng.IntN(3)] * weights[i]
	}
	first := func(factor float64, l sumsOf) sumsOf { // of the images, a third
		return l.mapped(func(i int, v float64) float64 {
			if i < n/3 {
				return v * factor
			}
			return v
		})
	}
	drift := func(by float64, l sumsOf) sumsOf {
		return l.mapped(func(i int, v float64) float64 { return v + by*float64(i/10) })
	}
	add("plain", x, y, nil)
	add("offset", x.plus(1e6), y.plus(-1e6), nil)
	add("offsets of shards", drift(1e6, x), drift(-3e6, y), nil)
	add("sorted", drift(0.5, x), drift(1, y), weights)
	add("tiny and huge", x.times(1e-300), y.times(1e160), nil)
	add("huge", x.times(1e160), y.times(1e150), weights)
	add("zeros first", first(0, x), first(0, y), nil)
	add("zeros first, then tiny", first(0, x).times(1e-300), first(0, y).times(1e-150), nil)
	add("zeros in one, then huge", first(0, x).times(1e160), y, weights)
	add("tiny first", first(1e-250, x), first(1e-150, y), nil)
	add("huge first", first(1e150, x), first(1e200, y), nil)
	add("weights", x.plus(3), y, weights)
	add("wild weights", x.plus(3), y, wild)
	constant := x.mapped(func(_ int, v float64) float64 { return v })
	for _, image := range constant.maps {
		for _, row := range image {
			for _, position := range row {
				position[1] = 0.1
			}
		}
	}
	add("one channel constant", constant, y, nil)
	return cases
}

// sumsPartners returns layers that maps of 4 × 4 are compared with: of the same size, of
// half of it, where a step is two positions, and vectors.
func sumsPartners(n int) map[string]sumsOf {
	rng := rand.New(rand.NewPCG(5, 13))
	return map[string]sumsOf{
		"same size": {maps: randomMaps(rng, n, 4, 4, 2)},
		"strides":   {maps: randomMaps(rng, n, 2, 2, 3)},
		"vectors":   {randomMaps(rng, n, 1, 1, 4), true},
	}
}

// TestSumsProducts: sums of blocks of any size, in any order and layout, from many
// goroutines and by way of shards are those of all images.
func TestSumsProducts(t *testing.T) {
	const n = 20
	worst, count := 0.0, 0
	for partner, y := range sumsPartners(n) {
		for _, c := range sumsCases(70, y) {
			exact := map[string]exactSums{}
			rng := rand.New(rand.NewPCG(71, 13))
			kinds := []sumsKind{{name: "pair"}}
			if partner == "same size" {
				kinds = append(kinds, sumsKind{name: "moments", translations: [2]int{4, 4}}, sumsKind{name: "moments in steps", translations: [2]int{4, 1}},
					sumsKind{name: "moments in other steps", translations: [2]int{2, 2}})
			}
			for _, k := range kinds {
				for i, way := range sumsWays {
					// In order, in which the first blocks are of zeros, and in any.
					for _, ordered := range []bool{true, false} {
						if testing.Short() && ordered == (count%2 == 0) {
							count++
							continue
						}
						blocks := batches(rng, n, []int{1, 7, 16}[(i+count)%3])
						if ordered {
							slices.SortFunc(blocks, func(a, b []int) int { return slices.Min(a) - slices.Min(b) })
							if i == 0 {
								blocks = [][]int{upTo(n)[:6], upTo(n)[6:12], upTo(n)[12:]}
							}
						}
						count++
						what := fmt.Sprintf("%s, %s, %s, %s, %d blocks", partner, c.name, k.name, way, len(blocks))
						s := conv.OfSumsForTest(k.feed(t, way, c.x, c.y, c.weights, blocks))
						require.Equal(t, n, s.Images, what)
						layers := []sumsOf{c.x, c.y}
						if !k.pair() {
							layers = layers[:1]
						}
						if _, done := exact[k.name]; !done {
							exact[k.name] = sumExactly(s.Translations, s.Blocks, c.weights, layers...)
						}
						worst = max(worst, exact[k.name].check(t, what, s, layers...))
					}
				}
			}
		}
	}
	t.Logf("%d cases, worst error %.2g in norm, %g promised", count, worst*mergedError, mergedError)
}

// TestSumsOneByOne: images one at a time, of which each merge rounds.
func TestSumsOneByOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(72, 13))
	x := sumsOf{maps: randomMaps(rng, 1500, 2, 2, 2)}.plus(1e4)
	k := sumsKind{name: "moments", translations: [2]int{2, 2}}
	s := conv.OfSumsForTest(k.feed(t, "in turn", x, x, nil, batches(rng, len(x.maps), 1)))
	worst := sumExactly(s.Translations, s.Blocks, nil, x).check(t, "one at a time", s, x)
	t.Logf("worst error %.2g in norm, %g promised", worst*mergedError, mergedError)
}

// TestPairCompare: a Result of sums is Between's of all images, within the two bounds,
// whatever the centring; also where there are fewer images than columns.
func TestPairCompare(t *testing.T) {
	compared, seen, worst, uncertain := 0, 0, 0.0, 0
	for _, n := range []int{30, 7} {
		for partner, y := range sumsPartners(n) {
			for _, c := range sumsCases(73, y) {
				rng := rand.New(rand.NewPCG(74, uint64(n)))
				for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
					for _, so := range []svcca.Options{
						{RankTol: svcca.ShareTol(1e-4)},
						{RankTol: svcca.ShareTol(1e-4), Keep: svcca.FullRank(), Centering: svcca.CenterNone},
						{RankTol: svcca.ShareTol(1e-4), Keep: svcca.Count(5), Centering: svcca.CenterTranslated},
						{Keep: svcca.Sum(0.8)},
					} {
						if seen++; testing.Short() && seen%3 != 0 {
							continue
						}
						way := sumsWays[compared%3]
						what := fmt.Sprintf("%s, n = %d, %s, %s, %v centring %v, %v", partner, n, c.name, way, so.Keep, so.Centering, precision)
						s := sumsKind{precision: precision}.feed(t, way, c.x, c.y, c.weights, batches(rng, n, []int{1, 11}[compared%2])).(*conv.Pair)
						got, err := s.Compare(conv.Options{Options: so})
						o := conv.Options{Options: so, OffBlock: -1}
						o.Weights = c.weights
						wanted, wantedErr := conv.Between(context.Background(), c.x.layer("x", conv.NCHW, upTo(n)), c.y.layer("y", conv.NHWC, upTo(n)), o)
						if wantedErr != nil || err != nil {
							require.Error(t, err, "%s: %v", what, wantedErr)
							require.Error(t, wantedErr, "%s: %v", what, err)
							continue
						}
						compared++
						if got.X.Rank != wanted.X.Rank || got.Y.Rank != wanted.Y.Rank || got.X.K != wanted.X.K || got.Y.K != wanted.Y.K {
							require.True(t, warned(got, svcca.WarnUncertainK) || warned(got, svcca.WarnUncertainRank), "%s: rank, k %d %d and %d %d, not %d %d and %d %d: %v", what,
								got.X.Rank, got.X.K, got.Y.Rank, got.Y.K, wanted.X.Rank, wanted.X.K, wanted.Y.Rank, wanted.Y.K, got.Warnings)
							uncertain++
							continue
						}
						worst = max(worst, requireSame(t, what, wanted, got))
						if precision == svcca.Double {
							assert.Less(t, got.ErrorBound, 1e-3, what)
						}
					}
				}
			}
		}
	}
	t.Logf("%d compared, k uncertain in %d, worst share of the bounds %.2f", compared, uncertain, worst)
	assert.Greater(t, compared, seen/4, "this tests little")
	assert.Less(t, uncertain, compared/4)
}

// requireSame holds b to a, within the bounds of both. It returns the largest difference
// of ρ beside that.
func requireSame(t require.TestingT, what string, a, b *conv.Result) (worst float64) {
	bound := a.ErrorBound + b.ErrorBound
	require.Len(t, b.Rho, len(a.Rho), what)
	for i := range a.Rho {
		d := math.Abs(a.Rho[i] - b.Rho[i])
		if d > 0 {
			worst = max(worst, d/bound)
		}
		require.LessOrEqual(t, d, bound, "%s: ρ_%d", what, i+1)
	}
	require.InDelta(t, a.Mean, b.Mean, bound, what)
	require.InDelta(t, a.MeanSquare, b.MeanSquare, bound, what)
	weighted := a.WeightedErrorBound + b.WeightedErrorBound
	if a.WeightedUnique && b.WeightedUnique {
		require.InDelta(t, a.WeightedX, b.WeightedX, weighted, what)
		require.InDelta(t, a.WeightedY, b.WeightedY, weighted, what)
	}
	if a.PWCCAUnique && b.PWCCAUnique {
		require.InDelta(t, a.PWCCAX, b.PWCCAX, a.PWCCAErrorBound+b.PWCCAErrorBound, what)
		require.InDelta(t, a.PWCCAY, b.PWCCAY, a.PWCCAErrorBound+b.PWCCAErrorBound, what)
	}
	require.Equal(t, a.Chance, b.Chance, what)
	require.Equal(t, a.ForcedOnes, b.ForcedOnes, what)
	require.Equal(t, a.Blocks, b.Blocks, what)
	require.Equal(t, a.Translations, b.Translations, what)
	for side, both := range [2][2]svcca.Side{{a.X, b.X}, {a.Y, b.Y}} {
		require.Equal(t, [3]int{both[0].Datapoints, both[0].Neurons, both[0].Constant}, [3]int{both[1].Datapoints, both[1].Neurons, both[1].Constant}, what)
		require.Len(t, both[1].SingularValues, len(both[0].SingularValues), "%s: side %d", what, side)
	}
	return worst
}

// TestMomentsReduce: what sums tell of one layer is what Between tells of it, and the
// vectors of a block are those of its products.
func TestMomentsReduce(t *testing.T) {
	const n = 30
	y := sumsPartners(n)["same size"]
	for _, c := range sumsCases(75, y) {
		rng := rand.New(rand.NewPCG(76, 13))
		for at, way := range sumsWays {
			o := conv.Options{Options: svcca.Options{RankTol: svcca.ShareTol(1e-4), Keep: []svcca.Keep{{}, svcca.FullRank(), svcca.Count(7)}[at], Centering: svcca.Centering(at)}}
			what := fmt.Sprintf("%s, %s, %v, centring %v", c.name, way, o.Keep, o.Centering)
			s := sumsKind{translations: [2]int{4, 4}}.feed(t, way, c.x, c.y, c.weights, batches(rng, n, 9)).(*conv.Moments)
			got, err := s.Reduce(o)
			require.NoError(t, err, what)
			o.Weights, o.OffBlock = c.weights, -1
			wanted, err := conv.Between(context.Background(), c.x.layer("x", conv.NHWC, upTo(n)), c.y.layer("y", conv.NHWC, upTo(n)), o)
			require.NoError(t, err, what)
			require.Equal(t, [4]int{wanted.X.Datapoints, wanted.X.Neurons, wanted.X.Rank, wanted.X.K}, [4]int{got.Datapoints, got.Neurons, got.Rank, got.K}, what)
			require.Equal(t, wanted.X.Constant, got.Constant, what)
			require.Equal(t, [2]int{4, 4}, got.Translations, what)
			require.Equal(t, svcca.MethodMoments, got.Method, what)
			s1 := wanted.X.SingularValues[0]
			// Means that stay in are right to a rounding of the largest of them.
			mean := 0.0
			for _, v := range got.Blocks[0].Mean {
				mean = max(mean, 2*0x1p-52*math.Sqrt(n)*cmplx.Abs(v)/s1)
			}
			if o.Centering == svcca.CenterNeurons || c.weights != nil {
				mean = 0
			}
			for i, v := range wanted.X.SingularValues[:wanted.X.K] {
				require.InDelta(t, 1, got.SingularValues[i]/v, (16*0x1p-52+mergedError)*(s1/v)*(s1/v)+mean*s1/v, "%s: s_%d", what, i+1)
			}
			exact := sumExactly([2]int{4, 4}, blocksOf(wanted), c.weights, c.x)
			require.Len(t, got.Blocks, len(wanted.Blocks), what)
			for at, b := range got.Blocks {
				require.Equal(t, [4]int{wanted.Blocks[at].U, wanted.Blocks[at].V, wanted.Blocks[at].Multiplicity, wanted.Blocks[at].KX}, [4]int{b.U, b.V, b.Multiplicity, b.K}, what)
				checkVectors(t, what, b, exact, at, o.Centering != svcca.CenterNone && (o.Centering == svcca.CenterNeurons || at == 0), s1, mean)
			}
		}
	}
}

func blocksOf(r *conv.Result) []conv.Block { return r.Blocks }

// checkVectors holds Vᴴ·G·V of a block to diag(s²) and VᴴV to 1.
func checkVectors(t require.TestingT, what string, b conv.ReducedBlock, exact exactSums, at int, centred bool, s1, slack float64) {
	d := len(exact.mean[at])
	require.Equal(t, [2]int{d, b.K}, [2]int{b.Vectors.Rows, b.Vectors.Cols}, what)
	_, unit := math.Frexp(s1)
	weight, _ := exact.weight.Float64()
	product := func(i, j int) complex128 {
		g := exact.products[at][min(i, j)][max(i, j)].float(-2 * unit)
		if i > j {
			g = cmplx.Conj(g)
		}
		if !centred {
			g += cmplx.Conj(scaled(exact.mean[at][i], weight, unit)) * scaled(exact.mean[at][j], weight, unit)
		}
		return g
	}
	tolerance := (16*0x1p-52 + mergedError + 2*slack) * float64(d) * math.Pow(math.Ldexp(s1, -unit), 2)
	for p := range b.K {
		for q := range b.K {
			var along, inner complex128
			for i := range d {
				inner += cmplx.Conj(b.Vectors.At(i, p)) * b.Vectors.At(i, q)
				for j := range d {
					along += cmplx.Conj(b.Vectors.At(i, p)) * product(i, j) * b.Vectors.At(j, q)
				}
			}
			wanted := complex(0, 0)
			if p == q {
				s := math.Ldexp(b.SingularValues[p], -unit)
				wanted, inner = complex(s*s, 0), inner-1
			}
			require.LessOrEqual(t, cmplx.Abs(inner), 30*0x1p-52*float64(d), "%s: VᴴV", what)
			require.LessOrEqual(t, cmplx.Abs(along-wanted), tolerance, "%s: VᴴGV of block %d", what, at)
		}
	}
	for j := range d {
		e := cmplx.Abs(exact.mean[at][j].float(-unit) - b.Mean[j]*complex(math.Ldexp(1, -unit), 0))
		require.LessOrEqual(t, e, mergedError*(1+cmplx.Abs(exact.mean[0][j].float(-unit))), "%s: mean of block %d", what, at)
	}
}

// scaled returns √w·2^−unit times the value.
func scaled(v precise, w float64, unit int) complex128 {
	_, e := math.Frexp(w)
	e /= 2
	return v.float(e-unit) * complex(math.Sqrt(math.Ldexp(w, -2*e)), 0)
}

// TestSumsRefused: what cannot be added or merged is an error that says why, and changes
// nothing, in either of the sums.
func TestSumsRefused(t *testing.T) {
	ctx := context.Background()
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	const n = 40
	rng := rand.New(rand.NewPCG(77, 13))
	x, y := sumsOf{maps: randomMaps(rng, n, 4, 4, 3)}, sumsOf{maps: randomMaps(rng, n, 4, 4, 2)}
	a, b := x.layer("x", conv.NHWC, upTo(n)), y.layer("y", conv.NCHW, upTo(n))
	wider := randomMaps(rng, n, 4, 4, 4).slice("wider", conv.NHWC, false)
	larger := randomMaps(rng, n, 8, 8, 3).slice("larger", conv.NHWC, false)
	odd := randomMaps(rng, n, 3, 3, 3).slice("odd", conv.NHWC, false)
	narrow := x.slice("x", conv.NHWC, true)
	vector := conv.Vector(svcca.FromSlice("vector", make([]float64, 48*n), n, 48))
	for _, k := range []sumsKind{
		{name: "pair"}, {name: "pair, mixed", precision: svcca.Mixed}, {name: "moments", translations: [2]int{4, 4}}, {name: "moments, mixed", translations: [2]int{2, 4}, precision: svcca.Mixed},
	} {
		t.Run(k.name, func(t *testing.T) {
			filled := func(x, y conv.Maps, k sumsKind) sums {
				s := k.empty()
				require.NoError(t, k.add(ctx, s, x, y, nil))
				return s
			}
			s := filled(a, b, k)
			before, dims := marshalled(t, s), dimsOf(s)
			unchanged := func(what string) {
				require.True(t, bytes.Equal(before, marshalled(t, s)), "%s changed the sums", what)
				require.Equal(t, dims, dimsOf(s), what)
			}
			for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				for _, image := range []int{3, 37} { // among those that give scales, and not
					for _, layout := range []conv.Layout{conv.NHWC, conv.NCHW} {
						broken := x.mapped(func(_ int, v float64) float64 { return v })
						broken.maps[image][2][1][1] = bad
						err := k.add(ctx, s, broken.layer("x", layout, upTo(n)), b, nil)
						var where *svcca.NotFiniteError
						require.ErrorAs(t, err, &where, "%v", bad)
						value := map[conv.Layout]int{conv.NHWC: (2*4+1)*3 + 1, conv.NCHW: (1*4+2)*4 + 1}[layout]
						assert.Equal(t, []any{"x", image, value, fmt.Sprint(bad)}, []any{where.Layer, where.Datapoint, where.Neuron, fmt.Sprint(where.Value)})
						unchanged("NaN")
					}
				}
			}
			failed := errors.New("the disk is gone")
			for name, test := range map[string]struct {
				ctx context.Context
				x   conv.Maps
				w   []float64
				is  error
			}{
				"cancelled":       {ctx: cancelled, is: context.Canceled},
				"read":            {x: told{Layer: x.flat(), shape: []int{n, 4, 4, 3}, err: failed, after: 35}.maps(t), is: failed},
				"other channels":  {x: wider, is: svcca.ErrMismatch},
				"other size":      {x: larger, is: svcca.ErrMismatch},
				"vectors":         {x: vector, is: svcca.ErrMismatch},
				"other storage":   {x: narrow, is: svcca.ErrMismatch},
				"weights short":   {w: make([]float64, n-1), is: svcca.ErrOptions},
				"weights fewer":   {w: slices.Repeat([]float64{1}, n-1), is: svcca.ErrMismatch},
				"no weights":      {w: []float64{}, is: svcca.ErrMismatch},
				"weight 0":        {w: make([]float64, n), is: svcca.ErrOptions},
				"weight 1e-300":   {w: slices.Repeat([]float64{1e-300}, n), is: svcca.ErrRange},
				"no images":       {x: conv.FromSlice("none", []float64{}, 0, 4, 4, 3, conv.NHWC), is: svcca.ErrShape},
				"nothing at all":  {x: conv.Maps{}, is: svcca.ErrShape},
				"unknown storage": {x: told{Layer: x.flat(), shape: []int{n, 4, 4, 3}, storage: "int8"}.maps(nil), is: svcca.ErrStorage},
			} {
				if test.ctx == nil {
					test.ctx = ctx
				}
				if i, _, _, _ := test.x.Dims(); i == 0 && test.is != svcca.ErrShape {
					test.x = a
				}
				err := k.add(test.ctx, s, test.x, b, test.w)
				if name == "vectors" && !k.pair() { // which have no such translations
					test.is = svcca.ErrShape
				}
				require.ErrorIs(t, err, test.is, name)
				assert.Regexp(t, "^(conv: |svcca: |context)", err.Error(), name)
				unchanged(name)
			}
			if k.pair() {
				require.ErrorIs(t, k.add(ctx, s, a, x.layer("y", conv.NHWC, upTo(n-1)), nil), svcca.ErrMismatch)
				require.ErrorIs(t, k.add(ctx, s, a, wider, nil), svcca.ErrMismatch)
				require.ErrorIs(t, k.add(ctx, s, a, larger, nil), svcca.ErrMismatch)
				unchanged("another layer y")
			} else {
				require.ErrorIs(t, k.add(ctx, s, odd, odd, nil), svcca.ErrShape, "maps of 3 × 3 under other translations")
				m := &conv.Moments{Translations: [2]int{-1, 4}}
				require.ErrorIs(t, m.Add(ctx, a, nil), svcca.ErrShape)
				m = s.(*conv.Moments)
				set := m.Translations
				m.Translations = [2]int{1, 1}
				require.ErrorIs(t, m.Add(ctx, a, nil), svcca.ErrMismatch)
				m.Translations = set
				unchanged("other translations")
			}
			for name, other := range map[string]sums{
				"channels": filled(wider, b, k), "storage": filled(narrow, b, k), "size": filled(larger, b, k),
				"precision": filled(a, b, sumsKind{translations: k.translations, precision: svcca.Double + svcca.Mixed - k.precision}),
			} {
				theirs := marshalled(t, other)
				require.ErrorIs(t, k.merge(s, other), svcca.ErrMismatch, name)
				unchanged(name)
				require.True(t, bytes.Equal(theirs, marshalled(t, other)), "%s changed the other", name)
			}
			// Nothing to add: with sums that are empty, in either place.
			require.NoError(t, k.merge(s, k.empty()))
			unchanged("nothing")
			empty := k.empty()
			require.NoError(t, k.merge(empty, s))
			require.True(t, bytes.Equal(before, marshalled(t, empty)))
			require.NoError(t, k.add(ctx, empty, a, b, nil), "a copy of the other, not a view")
			unchanged("images added to a copy")
			// With itself: every image twice.
			require.NoError(t, k.merge(s, s))
			twice := k.empty()
			for range 2 {
				require.NoError(t, k.add(ctx, twice, a, b, nil))
			}
			require.True(t, bytes.Equal(marshalled(t, twice), marshalled(t, s)))
		})
	}
}

// TestSumsZero: sums without images, and of one, are of no use and say so.
func TestSumsZero(t *testing.T) {
	ctx := context.Background()
	one := conv.FromSlice("one", []float64{1, 2, 3, 5, 8, 13, 21, 34}, 1, 2, 2, 2, conv.NHWC)
	for _, k := range []sumsKind{{name: "pair"}, {name: "moments", translations: [2]int{2, 2}}, {name: "mixed", precision: svcca.Mixed}} {
		s := k.empty()
		if k.pair() {
			assert.Equal(t, "0 [0 0 0] [0 0 0]", dimsOf(s))
		} else {
			assert.Equal(t, "0 0 0 0", dimsOf(s))
		}
		require.ErrorIs(t, k.use(s, conv.Options{}), svcca.ErrShape, k.name)
		_, err := s.MarshalBinary()
		require.ErrorIs(t, err, svcca.ErrShape, k.name)
		require.NoError(t, k.add(ctx, s, one, one, nil))
		require.ErrorIs(t, k.use(s, conv.Options{}), svcca.ErrConstant, "%s: one image", k.name)
		// Uncentred, an image is a direction in each block.
		o := conv.Options{Options: svcca.Options{Centering: svcca.CenterNone, RankTol: svcca.ShareTol(1e-3)}}
		require.NoError(t, k.use(s, o), k.name)
		o.Centering = svcca.CenterTranslated
		require.NoError(t, k.use(s, o), k.name)
		require.ErrorIs(t, k.use(s, conv.Options{Options: svcca.Options{Weights: []float64{1}}}), svcca.ErrOptions, k.name)
		require.ErrorIs(t, k.use(s, conv.Options{Options: svcca.Options{Keep: svcca.Count(-1)}}), svcca.ErrOptions, k.name)
		require.ErrorIs(t, k.use(s, conv.Options{LowPass: true}), svcca.ErrOptions, k.name)
	}
	p := conv.Pair{Precision: 7}
	assert.ErrorIs(t, p.Add(ctx, one, one, nil), svcca.ErrOptions)
	assert.Equal(t, "0 [0 0 0] [0 0 0]", dimsOf(&p))
}
