package svcca_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counted is a layer that is not in memory and counts what is read of it.
type counted struct {
	data
	inner         svcca.Layer
	reads, values atomic.Int64
	before        func() error // called on each Read
}

func count(l data) *counted { return &counted{data: l, inner: l.layer()} }

func (c *counted) Name() string     { return c.name }
func (c *counted) Dims() (n, d int) { return c.inner.Dims() }
func (c *counted) Storage() string  { return c.inner.(interface{ Storage() string }).Storage() }
func (c *counted) Read(dst lapack.Matrix[float64], row, col int) error {
	c.reads.Add(1)
	c.values.Add(int64(dst.Rows * dst.Cols))
	if c.before != nil {
		if err := c.before(); err != nil {
			return err
		}
	}
	return c.inner.Read(dst, row, col)
}

// passes returns how often all values were read, less what choosing units and
// provisional means takes: 32 rows once, and 8 times.
func (c *counted) passes() float64 {
	return math.Max(0, float64(c.values.Load())-9*32*float64(c.d)) / float64(c.n*c.d)
}

func countAll(all []data) (layers []*counted) {
	for _, l := range all {
		layers = append(layers, count(l))
	}
	return layers
}

func asLayers(counted []*counted) (layers []svcca.Layer) {
	for _, c := range counted {
		layers = append(layers, c)
	}
	return layers
}

// gallery returns layers of which one has an offset and float32 storage, one more
// neurons than datapoints, one needs the triangle, and one is in other units.
func gallery(seed uint64, n int) []data {
	rng := newRand(seed)
	x, y := related(rng, n, graded(5, 0.2), graded(4, 0.3), 5, 4)
	wide, steep := related(rng, n, graded(12, 0.1), graded(6, 3e-7), n+20, 6)
	far, tiny := related(rng, n, graded(6, 0.1), graded(3, 0.5), 6, 3)
	all := []data{x, y, wide, steep, far.plus(100).narrowed(), tiny.times(1e-200)}
	for i := range all {
		all[i].name = fmt.Sprintf("layer%d", i)
	}
	return all
}

// checkPair holds the scores of a pair to Between's, by the sum of the bounds. It
// returns the worst error beside it.
func checkPair(t *testing.T, what string, p svcca.PairScores, level svcca.Scores, wanted *svcca.Comparison) (worst float64) {
	within := func(name string, got, want, bound float64) {
		worst = max(worst, math.Abs(got-want)/bound)
		assert.LessOrEqual(t, math.Abs(got-want), bound, "%s: %s", what, name)
	}
	assert.Equal(t, level != svcca.NormScores, p.Mean != nil, "%s: mean", what)
	for _, of := range []*float64{p.PWCCAX, p.PWCCAY, p.PWCCAErrorBound} {
		assert.Equal(t, level == svcca.AllScores, of != nil, "%s: PWCCA", what)
	}
	bound := p.ErrorBound + wanted.ErrorBound
	if p.Mean != nil {
		within("mean", *p.Mean, wanted.Mean, bound)
	}
	within("mean square", p.MeanSquare, wanted.MeanSquare, bound)
	if p.WeightedUnique && wanted.WeightedUnique {
		bound := p.WeightedErrorBound + wanted.WeightedErrorBound
		within("weighted x", p.WeightedX, wanted.WeightedX, bound)
		within("weighted y", p.WeightedY, wanted.WeightedY, bound)
		within("weighted", p.Weighted, wanted.Weighted, bound)
	}
	if level == svcca.AllScores && p.PWCCAUnique && wanted.PWCCAUnique {
		bound := *p.PWCCAErrorBound + wanted.PWCCAErrorBound
		within("pwcca x", *p.PWCCAX, wanted.PWCCAX, bound)
		within("pwcca y", *p.PWCCAY, wanted.PWCCAY, bound)
	}
	assert.Equal(t, wanted.Chance, p.Chance, what)
	assert.Equal(t, wanted.ForcedOnes, p.ForcedOnes, what)
	assert.Equal(t, wanted.Saturated, p.Saturated, what)
	require.Equal(t, wanted.Adjusted != nil, p.Adjusted != nil, what)
	if p.Adjusted != nil {
		within("adjusted", *p.Adjusted, *wanted.Adjusted, bound/(1-p.Chance))
	}
	return worst
}

// checkPane holds every pair and side of a pane to Between's.
func checkPane(t *testing.T, what string, pane *svcca.Pane, rows, columns []data, o svcca.Options, level svcca.Scores) (worst float64) {
	require.Len(t, pane.Rows, len(rows), what)
	require.Len(t, pane.Columns, len(columns), what)
	require.Len(t, pane.Pairs, len(rows), what)
	o.Precision = svcca.Double
	for i, x := range rows {
		require.Len(t, pane.Pairs[i], len(columns), what)
		for j, y := range columns {
			what := fmt.Sprintf("%s: %s, %s", what, x.name, y.name)
			wanted := between(t, x.layer(), y.layer(), o)
			for _, side := range [][2]svcca.Side{{wanted.X, pane.Rows[i]}, {wanted.Y, pane.Columns[j]}} {
				w, s := side[0], side[1]
				require.Equal(t, w.K, s.K, what)
				require.Equal(t, svcca.Side{Name: w.Name, Datapoints: w.Datapoints, Neurons: w.Neurons, K: w.K, KGrew: w.KGrew},
					svcca.Side{Name: s.Name, Datapoints: s.Datapoints, Neurons: s.Neurons, K: s.K, KGrew: s.KGrew}, what)
			}
			worst = max(worst, checkPair(t, what, pane.Pairs[i][j], level, wanted))
		}
	}
	return worst
}

func pairwise(t testing.TB, layers, against []svcca.Layer, o svcca.PaneOptions) *svcca.Pane {
	t.Helper()
	p, err := svcca.Pairwise(context.Background(), layers, against, o)
	require.NoError(t, err)
	return p
}

// TestPairwiseSaturated: layers that must share directions have those of ρ = 1 and
// the ρ of what is beside them, in place of an SVD of M.
func TestPairwiseSaturated(t *testing.T) {
	const n = 40
	x, y := related(newRand(47), n, graded(39, 0.1), graded(39, 0.2), 60, 70)
	weights := slices.Repeat([]float64{1, 2, 3, 4}, n/4)
	for _, o := range []svcca.Options{
		{Keep: svcca.FullRank()}, {Keep: svcca.FullRank(), Centering: svcca.CenterNone},
		{Keep: svcca.Count(24)}, {Keep: svcca.Count(30), Weights: weights}, {Keep: svcca.Variance(0.97)},
		{Keep: svcca.Count(30), Accuracy: accuracyTriangle}, {Keep: svcca.Count(30), Precision: svcca.Mixed},
		{Keep: svcca.Count(20)}, // of which none is shared
	} {
		what := fmt.Sprintf("%v %v %v, accuracy %g", o.Keep, o.Centering, o.Precision, o.Accuracy)
		pane := pairwise(t, []svcca.Layer{x.layer()}, []svcca.Layer{y.layer()}, svcca.PaneOptions{Options: o, Scores: svcca.RhoScores})
		wanted := between(t, x.layer(), y.layer(), o)
		require.Equal(t, wanted.X.K+wanted.Y.K > n, o.Keep != svcca.Count(20), what)
		checkPair(t, what, pane.Pairs[0][0], svcca.RhoScores, wanted)
		// Both are of the same sums.
		assert.InDelta(t, wanted.Mean, *pane.Pairs[0][0].Mean, 2*(16+n)*ulp, what)
	}
}

// TestPairwise: panes are Between's of every pair to the stated bounds, whatever
// the options, and levels of scores differ by what they leave out alone.
func TestPairwise(t *testing.T) {
	const n = 70
	all := gallery(100, n)
	rng := newRand(101)
	weights := make([]float64, n)
	for i := range weights {
		weights[i] = 0.1 + rng.Float64()
	}
	share := svcca.ShareTol(2e-8)
	var worst float64
	for _, o := range []svcca.Options{
		{RankTol: share}, {RankTol: share, Keep: svcca.FullRank()}, {RankTol: share, Keep: svcca.Count(3), Centering: svcca.CenterNone},
		{RankTol: share, Keep: svcca.Sum(0.9), Weights: weights},
		{RankTol: share, Precision: svcca.Mixed}, {RankTol: share, Keep: svcca.FullRank(), Precision: svcca.Mixed, Centering: svcca.CenterNone, Weights: weights},
		{RankTol: share, Keep: svcca.FullRank(), Accuracy: accuracyTriangle},
	} {
		what := fmt.Sprintf("%v %v %v, weights %v", o.Keep, o.Centering, o.Precision, o.Weights != nil)
		panes := map[svcca.Scores]*svcca.Pane{}
		for _, level := range []svcca.Scores{svcca.AllScores, svcca.RhoScores, svcca.NormScores} {
			po := svcca.PaneOptions{Options: o, Scores: level}
			pane := pairwise(t, layersOf(all), nil, po)
			require.True(t, pane.Symmetric)
			worst = max(worst, checkPane(t, what, pane, all, all, o, level))
			panes[level] = pane
			if level == svcca.RhoScores {
				pane = pairwise(t, layersOf(all[:4]), layersOf(all[2:]), po)
				require.False(t, pane.Symmetric)
				worst = max(worst, checkPane(t, what+", against", pane, all[:4], all[2:], o, level))
			}
		}
		for i := range all {
			for j := range all {
				if i == j {
					continue
				}
				whole, rho, norm := panes[svcca.AllScores].Pairs[i][j], panes[svcca.RhoScores].Pairs[i][j], panes[svcca.NormScores].Pairs[i][j]
				back := panes[svcca.AllScores].Pairs[j][i]
				require.Equal(t, [4]float64{whole.WeightedX, whole.WeightedY, *whole.PWCCAX, *whole.PWCCAY}, [4]float64{back.WeightedY, back.WeightedX, *back.PWCCAY, *back.PWCCAX}, "exchanged")
				whole.PWCCAX, whole.PWCCAY, whole.PWCCAErrorBound, whole.PWCCAUnique = nil, nil, nil, false
				rhoMean, wholeMean := *rho.Mean, *whole.Mean // of SVDs without and with vectors
				require.InDelta(t, wholeMean, rhoMean, rho.ErrorBound+whole.ErrorBound)
				rho.Mean, whole.Mean = nil, nil
				require.Equal(t, whole, rho, "%s: levels", what)
				require.Equal(t, whole, norm, "%s: levels", what)
			}
		}
		var warned []string
		for _, w := range panes[svcca.AllScores].Warnings {
			warned = append(warned, w.Code)
		}
		assert.Contains(t, warned, svcca.WarnWide, what)
	}
	t.Logf("worst error/bound %.3g", worst)
}

// TestPairwiseLoose: with a rank tolerance of 0 directions are kept that are
// rounding alone, and V S⁻¹ makes nothing orthonormal of the rows. All of U is.
func TestPairwiseLoose(t *testing.T) {
	x, y := related(newRand(102), 60, graded(5, 0.3), graded(4, 0.3), 5, 4)
	twice := x.mapped(func(i, j int, v float64) float64 {
		if j == 4 {
			return x.at(i, 0) + 1e-15*x.at(i, 4)
		}
		return v
	})
	o := svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.ShareTol(0)}
	for _, level := range []svcca.Scores{svcca.AllScores, svcca.NormScores} {
		pane := pairwise(t, []svcca.Layer{twice.layer(), y.layer()}, nil, svcca.PaneOptions{Options: o, Scores: level})
		require.Equal(t, 5, pane.Rows[0].K)
		p := pane.Pairs[0][0]
		require.Greater(t, p.ErrorBound, 1e-3, "the layer is not loose")
		// U is orthonormal: its products with itself are 1 to rounding, by terms.
		assert.InDelta(t, 1, p.MeanSquare, 30*60*ulp)
		if p.Mean != nil {
			assert.InDelta(t, 1, *p.Mean, 30*60*ulp)
		}
		checkPair(t, "loose", pane.Pairs[0][1], level, between(t, twice.layer(), y.layer(), o))
	}
}

// paneBits returns all of a pane, as text that shows every bit.
func paneBits(t testing.TB, p *svcca.Pane) []byte {
	text, err := json.Marshal(p)
	require.NoError(t, err)
	return text
}

// TestPairwiseWorkers: no bit depends on how many work, on GOMAXPROCS, or on where
// the layers are.
func TestPairwiseWorkers(t *testing.T) {
	all := append(gallery(103, 90), family(104, 6, 90)...)
	tall := family(105, 4, 2500)
	var broad []data // several tiles of products
	for i := range 4 {
		x, y := correlated(uint64(106+i/2), 1100, 180, 190)
		broad = append(broad, []data{x, y}[i%2])
	}
	type load struct {
		name    string
		layers  []data
		o       svcca.PaneOptions
		workers []int
	}
	share := svcca.Options{RankTol: svcca.ShareTol(1e-6), Keep: svcca.FullRank()}
	mixed := share
	mixed.Precision = svcca.Mixed
	loads := []load{
		{"small", all, svcca.PaneOptions{Options: share}, []int{1, 2, 3, 8}},
		{"small, mixed", all, svcca.PaneOptions{Options: mixed, Scores: svcca.RhoScores}, []int{1, 2, 3, 8}},
		{"tall", tall, svcca.PaneOptions{Options: share}, []int{1, 2, 3, 8}},
		{"tall, mixed", tall, svcca.PaneOptions{Options: mixed}, []int{1, 2, 3, 8}},
	}
	if !testing.Short() && !sanitizer.On && native.Describe().Name == "native" {
		loads = append(loads, load{"broad", broad, svcca.PaneOptions{Options: share, Scores: svcca.NormScores}, []int{1, 3}})
	}
	for _, l := range loads {
		var first []byte
		same := func(what string, layers []svcca.Layer, against []svcca.Layer, o svcca.PaneOptions) {
			bits := paneBits(t, pairwise(t, layers, against, o))
			if first == nil {
				first = bits
			}
			require.True(t, bytes.Equal(first, bits), "%s, %s: other bits", l.name, what)
		}
		for _, workers := range l.workers {
			o := l.o
			o.Workers = workers
			same(fmt.Sprint(workers, " workers"), layersOf(l.layers), nil, o)
			if l.name != "broad" {
				same(fmt.Sprint(workers, " workers, not in memory"), asLayers(countAll(l.layers)), nil, o)
			}
		}
		if l.name == "broad" {
			continue
		}
		for _, count := range []int{1, 2, 3} {
			restore := processors(count)
			same(fmt.Sprint(count, " processors"), layersOf(l.layers), nil, l.o)
			restore()
		}
		first = nil
		for _, workers := range []int{1, 3} {
			o := l.o
			o.Workers = workers
			same(fmt.Sprint("against, ", workers), layersOf(l.layers[:2]), layersOf(l.layers[1:]), o)
		}
	}
}

// TestPairwiseReads: a layer is read once to be reduced, once for each window, and
// not again for each pair; a layer that is given twice is one.
func TestPairwiseReads(t *testing.T) {
	const n = 1500
	all := family(107, 6, n)
	o := svcca.PaneOptions{Options: svcca.Options{Keep: svcca.FullRank()}, Workers: 3}
	check := func(what string, layers []*counted, passes float64) {
		for _, l := range layers {
			assert.LessOrEqual(t, l.passes(), passes, "%s: passes over %s", what, l.name)
			assert.Greater(t, l.passes(), passes-0.2, "%s: passes over %s", what, l.name)
		}
	}
	layers := countAll(all)
	whole := pairwise(t, asLayers(layers), nil, o)
	check("symmetric", layers, 2)
	layers = countAll(all)
	pairwise(t, asLayers(layers[:2]), asLayers(layers[2:]), o)
	check("against", layers, 2)

	// The same twice, and views of the same memory.
	layers = countAll(all[:3])
	repeated := []svcca.Layer{layers[0], layers[1], layers[0], layers[2]}
	distinct := 0
	o.Progress = func(p svcca.Progress) { distinct = p.Layers }
	pane := pairwise(t, repeated, nil, o)
	assert.Equal(t, 3, distinct)
	require.Len(t, pane.Rows, 4)
	assert.LessOrEqual(t, layers[0].passes(), 3.0, "in two places of the window")
	check("beside the same twice", layers[1:], 2)
	for j, at := range []int{0, 1, 0, 2} {
		checkPair(t, "repeated", pane.Pairs[2][j], svcca.AllScores, between(t, all[0].layer(), all[at].layer(), o.Options))
		assert.InDelta(t, whole.Pairs[0][at].MeanSquare, pane.Pairs[2][j].MeanSquare, 2*whole.Pairs[0][at].ErrorBound)
	}
	values := slices.Clone(all[0].values)
	pairwise(t, []svcca.Layer{svcca.FromSlice("a", values, n, all[0].d), all[1].layer()}, []svcca.Layer{svcca.FromSlice("b", values, n, all[0].d)}, o)
	assert.Equal(t, 2, distinct, "two views of the same values")
}

// incomparable is a layer that no map can have as a key, though its type looks it.
type incomparable struct{ svcca.Layer }

// TestPairwiseIdentity: layers that cannot be told apart are reduced one by one.
func TestPairwiseIdentity(t *testing.T) {
	x, y := ordinary(40, 4, 3)
	hidden := incomparable{odd{Layer: x.layer(), storage: "float64", shape: []int{40, 4}}}
	var pane *svcca.Pane
	require.NotPanics(t, func() {
		pane = pairwise(t, []svcca.Layer{hidden, y.layer(), odd{Layer: x.layer(), storage: "float64"}}, nil, svcca.PaneOptions{})
	})
	checkPair(t, "hidden", pane.Pairs[0][1], svcca.AllScores, between(t, x.layer(), y.layer(), svcca.Options{}))
	assert.InDelta(t, 1, *pane.Pairs[0][2].Mean, pane.Pairs[0][2].ErrorBound)
}

// TestPairwiseWindows: where memory is short, groups of layers take turns, and the
// scores are the same.
func TestPairwiseWindows(t *testing.T) {
	const n = 100
	all := family(108, 14, n)
	for _, o := range []svcca.Options{{Keep: svcca.FullRank()}, {Keep: svcca.FullRank(), RankTol: svcca.ShareTol(1e-3), Precision: svcca.Mixed}} {
		for _, workers := range []int{1, 4} {
			// What reducing the largest layer takes, and little more.
			po := svcca.PaneOptions{Options: o, Workers: workers, Memory: 16 << 10}
			layers := countAll(all)
			most, monotone := 0.0, true
			po.Progress = func(p svcca.Progress) {
				monotone = monotone && p.Share >= most
				most = max(most, p.Share)
			}
			pane := pairwise(t, asLayers(layers), nil, po)
			checkPane(t, "windows", pane, all, all, o, svcca.AllScores)
			groups := layers[0].passes() - 1
			assert.Greater(t, groups, 2.0, "several groups: the test is of them")
			assert.LessOrEqual(t, groups, float64(len(all)), "no more passes than layers")
			assert.True(t, monotone, "progress went back")
			po.Progress = nil
			pane = pairwise(t, asLayers(layers[:9]), asLayers(layers[5:]), po)
			checkPane(t, "windows, against", pane, all[:9], all[5:], o, svcca.AllScores)
			again := pairwise(t, layersOf(all[:9]), layersOf(all[5:]), po)
			require.True(t, bytes.Equal(paneBits(t, pane), paneBits(t, again)))
		}
	}
	// One that cannot be reduced, the last.
	layers := countAll(append(family(108, 3, n), gallery(109, n)[2]))
	for _, memory := range []int64{1, 1000, 1 << 20} {
		_, err := svcca.Pairwise(context.Background(), asLayers(layers), nil, svcca.PaneOptions{Memory: memory})
		require.ErrorIs(t, err, svcca.ErrMemory)
		if memory == 1<<20 {
			assert.Contains(t, err.Error(), `"layer2"`)
			assert.Contains(t, err.Error(), "1 MiB")
		}
	}
	for _, l := range layers {
		assert.Zero(t, l.reads.Load(), "read before it was known that memory does not do")
	}
}

// TestPairwiseSkip: a layer that cannot be reduced ends the work by an error that
// names the first such, or is left out where Skip says so.
func TestPairwiseSkip(t *testing.T) {
	const n = 60
	failed := errors.New("the disk is gone")
	all := family(110, 6, n)
	constant, broken := all[2].times(0), all[4]
	constant.name, broken.name = "constant", "broken"
	make6 := func() []svcca.Layer {
		layers := asLayers(countAll(all))
		bad := count(broken)
		bad.before = func() error { return failed }
		layers[2], layers[4] = count(constant), bad
		return layers
	}
	for _, workers := range []int{1, 2, 3, 8} {
		before := native.Threads()
		for range 5 {
			_, err := svcca.Pairwise(context.Background(), make6(), nil, svcca.PaneOptions{Workers: workers})
			require.ErrorIs(t, err, svcca.ErrConstant, "the first of two, %d workers", workers)
			require.Contains(t, err.Error(), `"constant"`)
		}
		require.Equal(t, before, native.Threads(), "threads after an error")
		var mu sync.Mutex
		skipped := map[string]error{}
		last := svcca.Progress{}
		o := svcca.PaneOptions{Workers: workers, Progress: func(p svcca.Progress) { last = p }, Skip: func(layer string, err error) bool {
			mu.Lock()
			defer mu.Unlock()
			skipped[layer] = err
			return true
		}}
		pane := pairwise(t, make6(), nil, o)
		require.Len(t, skipped, 2)
		assert.ErrorIs(t, skipped["constant"], svcca.ErrConstant)
		assert.ErrorIs(t, skipped["broken"], failed)
		left := []data{all[0], all[1], all[3], all[5]}
		checkPane(t, "skipped", pane, left, left, svcca.Options{}, svcca.AllScores)
		assert.Equal(t, [4]int{6, 6, 21, 21}, [4]int{last.LayersReduced, last.Layers, last.PairsScored, last.Pairs})
		pane = pairwise(t, make6()[:3], make6()[3:], o)
		checkPane(t, "skipped, against", pane, left[:2], left[2:], svcca.Options{}, svcca.AllScores)
		// Only one of them.
		o.Skip = func(layer string, _ error) bool { return layer == "constant" }
		_, err := svcca.Pairwise(context.Background(), make6(), nil, o)
		require.ErrorIs(t, err, failed)
		require.Contains(t, err.Error(), `"broken"`)
		// All: there is nothing to compare.
		o.Skip = func(string, error) bool { return true }
		pane, err = svcca.Pairwise(context.Background(), []svcca.Layer{count(constant)}, nil, o)
		if err == nil {
			require.Empty(t, pane.Rows)
			require.Empty(t, pane.Pairs)
			text := string(paneBits(t, pane))
			assert.NotContains(t, text, "null,", "arrays of none are arrays: %s", text)
		}
	}
}

// TestPairwiseRefused: what cannot be compared says why.
func TestPairwiseRefused(t *testing.T) {
	all := family(111, 3, 60)
	layers := layersOf(all)
	short := all[0].rows([]int{1, 2, 3}).layer()
	before := native.Threads()
	for name, test := range map[string]struct {
		layers, against []svcca.Layer
		o               svcca.PaneOptions
		is              error
	}{
		"none":              {is: svcca.ErrShape},
		"against none":      {layers: layers, against: []svcca.Layer{}, is: svcca.ErrShape},
		"datapoints":        {layers: []svcca.Layer{layers[0], short}, is: svcca.ErrMismatch},
		"datapoints, other": {layers: layers, against: []svcca.Layer{short}, is: svcca.ErrMismatch},
		"weights":           {layers: layers, o: svcca.PaneOptions{Options: svcca.Options{Weights: make20(1)}}, is: svcca.ErrMismatch},
		"keep":              {layers: layers, o: svcca.PaneOptions{Options: svcca.Options{Keep: svcca.Count(-1)}}, is: svcca.ErrOptions},
		"scores":            {layers: layers, o: svcca.PaneOptions{Scores: 3}, is: svcca.ErrOptions},
		"workers":           {layers: layers, o: svcca.PaneOptions{Workers: -1}, is: svcca.ErrOptions},
		"memory":            {layers: layers, o: svcca.PaneOptions{Memory: -1}, is: svcca.ErrOptions},
		"storage":           {layers: []svcca.Layer{odd{Layer: layers[0], storage: "int8"}}, is: svcca.ErrStorage},
	} {
		_, err := svcca.Pairwise(context.Background(), test.layers, test.against, test.o)
		assert.ErrorIs(t, err, test.is, name)
	}
	bad := all[1]
	bad.values = slices.Clone(bad.values)
	bad.values[50*bad.d+1] = math.NaN()
	_, err := svcca.Pairwise(context.Background(), []svcca.Layer{layers[0], bad.layer()}, nil, svcca.PaneOptions{})
	var at *svcca.NotFiniteError
	require.ErrorAs(t, err, &at)
	assert.Equal(t, [2]int{50, 1}, [2]int{at.Datapoint, at.Neuron})
	// A value that was finite in the first pass.
	for _, level := range []svcca.Scores{svcca.AllScores, svcca.RhoScores, svcca.NormScores} {
		changing := count(all[1])
		layers := []svcca.Layer{layers[0], changing}
		pairwise(t, layers, nil, svcca.PaneOptions{Scores: level})
		total := changing.reads.Load()
		for _, precision := range []svcca.Precision{svcca.Double, svcca.Mixed} {
			changing = count(all[1])
			layers[1] = changing
			changing.before = func() error {
				if changing.reads.Load() == total {
					changing.inner = bad.layer()
				}
				return nil
			}
			_, err = svcca.Pairwise(context.Background(), layers, nil, svcca.PaneOptions{Options: svcca.Options{Precision: precision}, Scores: level, Workers: 1})
			assert.ErrorIs(t, err, svcca.ErrNotFinite, "scores %d", level)
		}
	}
	assert.Equal(t, before, native.Threads())
}

// TestPairwiseCancelled: in either phase a context that ends is noticed within the
// task that each worker is at, 256 rows at most, and the threads come back.
func TestPairwiseCancelled(t *testing.T) {
	const n, perTask = 3000, 256 / 32
	all := family(112, 6, n)
	before := native.Threads()
	for _, workers := range []int{1, 3} {
		for _, o := range []svcca.Options{{}, {Precision: svcca.Mixed}} {
			// late counts reads that begin after the context has ended: other workers
			// may do many between the read that ends it and the end itself.
			run := func(stop int64) (reads, late int64, err error) {
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				var count, after atomic.Int64
				layers := countAll(all)
				for _, l := range layers {
					l.before = func() error {
						if ctx.Err() != nil {
							after.Add(1)
						}
						if count.Add(1) == stop {
							cancel()
						}
						return nil
					}
				}
				_, err = svcca.Pairwise(ctx, asLayers(layers), nil, svcca.PaneOptions{Options: o, Workers: workers})
				return count.Load(), after.Load(), err
			}
			whole, _, err := run(0)
			require.NoError(t, err)
			for _, at := range []int64{1, 5, whole / 4, whole / 2, 3 * whole / 4, whole - 50} {
				_, late, err := run(at)
				require.ErrorIs(t, err, context.Canceled, "%d workers, at read %d of %d", workers, at, whole)
				assert.LessOrEqual(t, late, int64(workers)*perTask, "%d workers: reads after the context ended at %d of %d", workers, at, whole)
				require.Equal(t, before, native.Threads())
			}
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	layers := countAll(all)
	// Skip is not asked about a context that ended.
	_, err := svcca.Pairwise(ended, asLayers(layers), nil, svcca.PaneOptions{Skip: func(string, error) bool { t.Error("asked"); return true }})
	require.ErrorIs(t, err, context.Canceled)
	for _, l := range layers {
		assert.Zero(t, l.reads.Load())
	}
	// Between pairs, when all rows are read.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	scored := 0
	_, err = svcca.Pairwise(ctx, asLayers(layers), nil, svcca.PaneOptions{Workers: 2, Progress: func(p svcca.Progress) {
		if scored = p.PairsScored; scored == 5 {
			cancel()
		}
	}})
	require.ErrorIs(t, err, context.Canceled)
	assert.LessOrEqual(t, scored, 5+2)
}

// TestPairwiseProgress: it is told from one goroutine at a time, of counts and a
// share that grow, from 0 to all; and the BLAS has one thread for as long.
func TestPairwiseProgress(t *testing.T) {
	const n = 3000
	all := family(113, 5, n)
	defer func(before int) { assert.Equal(t, before, native.Threads(), "threads afterwards") }(native.Threads())
	for _, workers := range []int{1, 4} {
		for _, against := range []int{0, 2} {
			var calls []svcca.Progress
			var inside atomic.Int32
			o := svcca.PaneOptions{Workers: workers, Progress: func(p svcca.Progress) {
				assert.Equal(t, int32(1), inside.Add(1), "two at a time")
				if native.Describe().Name == "native" {
					assert.Equal(t, 1, native.Threads())
				}
				calls = append(calls, p)
				runtime.Gosched()
				inside.Add(-1)
			}}
			pairs := 15
			if against > 0 {
				pairs = 6
				pairwise(t, layersOf(all[against:]), layersOf(all[:against]), o)
			} else {
				pairwise(t, layersOf(all), nil, o)
			}
			require.NotEmpty(t, calls)
			least := svcca.Progress{}
			between := 0
			for i, p := range calls {
				assert.Equal(t, [2]int{5, pairs}, [2]int{p.Layers, p.Pairs})
				assert.GreaterOrEqual(t, p.LayersReduced, least.LayersReduced)
				assert.GreaterOrEqual(t, p.PairsScored, least.PairsScored)
				assert.GreaterOrEqual(t, p.Share, least.Share, "call %d of %d, %d workers: the share fell", i, len(calls), workers)
				if p.LayersReduced == 5 && p.PairsScored == 0 {
					between++
				}
				if p.LayersReduced < 5 {
					assert.Less(t, p.Share, 1.0, "there is more to do")
				}
				least = p
			}
			last := calls[len(calls)-1]
			assert.Equal(t, [2]int{5, pairs}, [2]int{last.LayersReduced, last.PairsScored})
			assert.InDelta(t, 1, last.Share, float64(len(calls))*ulp, "as many roundings as steps")
			assert.Greater(t, between, 2, "told while rows are multiplied")
		}
	}
}

// synthetic is a layer of which nothing is in memory.
type synthetic struct{ index, n, d int }

func (s synthetic) Dims() (n, d int) { return s.n, s.d }
func (s synthetic) Name() string     { return fmt.Sprint("synthetic", s.index) }
func (s synthetic) Read(dst lapack.Matrix[float64], row, col int) error {
	for i := range dst.Rows {
		to := dst.Row(i)
		for j := range to {
			h := uint64(s.index/2+1)*0x9e3779b97f4a7c15 + uint64(row+i)*0xbf58476d1ce4e5b9 + uint64(col+j)*0x94d049bb133111eb
			h ^= h >> 31
			h *= 0xd6e8feb86659fd93
			h ^= h >> 32
			to[j] = float64(int32(h))*0x1p-31 + float64(s.index%2)*float64(uint32(row+i)*2654435761)*0x1p-33
		}
	}
	return nil
}

// TestPairwiseMemory: neither the coordinates of all layers, n × k, nor the layers
// are ever held: all that is allocated, kept or not, is a fraction of either.
func TestPairwiseMemory(t *testing.T) {
	if sanitizer.On {
		t.Skip("instrumented: pools are emptied, values move to the heap")
	}
	const count, d, memory = 20, 32, 8 << 20
	n := 20000
	if testing.Short() || native.Describe().Name != "native" {
		n = 10000
	}
	var layers []svcca.Layer
	for i := range count {
		layers = append(layers, synthetic{i, n, d})
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	pane := pairwise(t, layers, nil, svcca.PaneOptions{Options: svcca.Options{Keep: svcca.FullRank()}, Scores: svcca.NormScores, Memory: memory, Workers: 2})
	runtime.ReadMemStats(&after)
	require.Len(t, pane.Pairs, count)
	held := uint64(0)
	for _, s := range pane.Rows {
		held += 8 * uint64(n*s.K)
	}
	require.Equal(t, uint64(8*n*count*d), held)
	allocated := after.TotalAlloc - before.TotalAlloc
	t.Logf("%v allocated in all, %v of coordinates", svcca.Bytes(allocated), svcca.Bytes(held))
	assert.Less(t, allocated, held/2)
}
