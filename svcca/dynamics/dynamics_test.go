package dynamics_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/dynamics"
	"github.com/gosvcca/gosvcca/svcca/measure"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/blas"
)

// recorded returns dynamics with these curves, one for each layer, at steps 0, 10, 20, …
func recorded(curves ...[]float64) *dynamics.Dynamics {
	d := &dynamics.Dynamics{Diagonal: true}
	for l := range curves {
		d.Layers = append(d.Layers, fmt.Sprint("layer ", l))
	}
	for t := range curves[0] {
		pane := make([][]*measure.Pair, len(curves))
		for l := range curves {
			pane[l] = make([]*measure.Pair, len(curves))
			pane[l][l] = &measure.Pair{PairScores: svcca.PairScores{Mean: &curves[l][t]}}
		}
		d.Steps = append(d.Steps, 10*t)
		d.Panes = append(d.Panes, pane)
	}
	return d
}

func steps(t *testing.T, d *dynamics.Dynamics, threshold float64) []int {
	t.Helper()
	converged, err := d.Converge(measure.Mean, threshold)
	require.NoError(t, err)
	all := make([]int, len(converged))
	for l, c := range converged {
		assert.Equal(t, d.Layers[l], c.Layer)
		if all[l] = -1; c.Step != nil {
			all[l] = *c.Step
		}
	}
	return all
}

func TestConverge(t *testing.T) {
	d := recorded(
		[]float64{0.95, 0.92, 1},  // from the first
		[]float64{0.95, 0.85, 1},  // above, then below again
		[]float64{0.2, 0.9, 0.9},  // at the threshold itself
		[]float64{0.99, 0.99, .8}, // never
	)
	assert.Equal(t, []int{0, 20, 10, -1}, steps(t, d, 0), "0.9 by default")
	assert.Equal(t, []int{0, 20, 10, -1}, steps(t, d, 0.9))
	assert.Equal(t, []int{0, 0, 10, 0}, steps(t, d, 0.8))
	assert.Equal(t, []int{20, 20, -1, -1}, steps(t, d, 1))
	rounded := recorded([]float64{0.5, 1 - 3e-14, 1 - 1e-14})
	rounded.Panes[1][0][0].WeightedErrorBound, rounded.Panes[2][0][0].ErrorBound = 2e-14, 2e-14
	assert.Equal(t, []int{20}, steps(t, rounded, 1), "what a bound leaves open is not below")
	for _, threshold := range []float64{-0.1, 1.1, math.NaN()} {
		_, err := d.Converge(measure.Mean, threshold)
		assert.ErrorIs(t, err, svcca.ErrOptions)
	}
	_, err := d.Converge(measure.PWCCAX, 0.9)
	assert.ErrorIs(t, err, svcca.ErrOptions)
	assert.ErrorContains(t, err, `step 0: layer 1 of 4 ("layer 0")`)
	_, err = d.Converge("likeness", 0.9)
	assert.ErrorContains(t, err, "likeness")

	one := recorded([]float64{0.95}, []float64{0.3})
	assert.Equal(t, []int{0, -1}, steps(t, one, 0.9), "one checkpoint")
	text, err := json.Marshal(must(one.Converge(measure.Mean, 0.9)))
	require.NoError(t, err)
	assert.JSONEq(t, `[{"layer": "layer 0", "step": 0}, {"layer": "layer 1", "step": null}]`, string(text))
}

// A score that is undefined at a step leaves a gap there: nothing has converged before it.
func TestUndefined(t *testing.T) {
	d := recorded([]float64{0, 0, 0, 0}, []float64{0, 0, 0, 0})
	scores := [][]float64{{0.95, 0.97, 0.96, 1}, {0.2, 0.91, 0.92, 0.95}}
	for s := range d.Steps {
		for l := range d.Layers {
			p := d.Panes[s][l][l]
			p.Adjusted, p.Chance = &scores[l][s], 0.1
		}
	}
	d.Panes[1][0][0].Adjusted, d.Panes[1][0][0].Chance = nil, 1.2
	curves, err := d.Curves(measure.Adjusted)
	require.NoError(t, err)
	assert.Nil(t, curves[0][1])
	assert.Equal(t, 0.96, *curves[0][2])
	assert.Equal(t, 0.2, *curves[1][0])
	converged, err := d.Converge(measure.Adjusted, 0.9)
	require.NoError(t, err)
	assert.Equal(t, [2]int{20, 10}, [2]int{*converged[0].Step, *converged[1].Step})
	d.Panes[3][1][1].Adjusted = nil
	converged, err = d.Converge(measure.Adjusted, 0.9)
	require.NoError(t, err)
	assert.Nil(t, converged[1].Step)
	d.Diagonal = false
	_, err = d.Pane(1, measure.Adjusted)
	assert.ErrorIs(t, err, svcca.ErrOptions, "a pane has no gaps")
	text, err := json.Marshal(curves[0])
	require.NoError(t, err)
	assert.JSONEq(t, "[0.95, null, 0.96, 1]", string(text))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

const never = -1

func converged(steps ...int) (all []dynamics.Convergence) {
	for _, step := range steps {
		c := dynamics.Convergence{}
		if step != never {
			c.Step = &step
		}
		all = append(all, c)
	}
	return all
}

func TestBottomUp(t *testing.T) {
	for _, test := range []struct {
		steps []int
		tau   float64
	}{
		{[]int{0, 10, 20}, 1},
		{[]int{20, 10, 0}, -1},
		{[]int{0, 10, never}, 1},
		{[]int{never, never, 5}, -2 / math.Sqrt(6)},         // two never tie: 0 − 2 of √(3·2)
		{[]int{0, 10, 30, 20}, (5. - 1) / 6},                // the top before the one below it
		{[]int{0, 0, 10, 10, 10}, 6 / math.Sqrt(10*6)},      // ties in groups of 2 and 3
		{[]int{10, 0, 10, 0, 20}, (5. - 3) / math.Sqrt(80)}, // counted by hand: C 5, D 3 of 10, 2 tie
	} {
		tau := dynamics.BottomUp(converged(test.steps...))
		require.NotNil(t, tau, test.steps)
		assert.InDelta(t, test.tau, *tau, 1e-15, test.steps)
	}
	for _, steps := range [][]int{nil, {3}, {5, 5, 5}, {never, never}} {
		assert.Nil(t, dynamics.BottomUp(converged(steps...)), steps)
	}
}

func TestOvertakes(t *testing.T) {
	c := converged(0, 10, 30, 20, never)
	assert.Nil(t, dynamics.Overtakes(c, 0))
	assert.Equal(t, 0.0, *dynamics.Overtakes(c, 1))
	assert.Equal(t, 0.0, *dynamics.Overtakes(c, 2))
	assert.InDelta(t, 1./3, *dynamics.Overtakes(c, 3), 1e-15, "one of three below comes later")
	assert.Equal(t, 0.0, *dynamics.Overtakes(c, 4))
	assert.Equal(t, 0.75, *dynamics.Overtakes(converged(never, 5, 5), 2), "one later, one at once")
}

const (
	images   = 60
	stepSize = 100
)

// layers returns those of a network at a step: layer l is a mixture, less and less as steps
// go by, of what it will be and of noise.
func layers(step int, widths ...int) []conv.Maps {
	var all []conv.Maps
	for l, width := range widths {
		end, noise := rand.New(rand.NewPCG(1, uint64(l))), rand.New(rand.NewPCG(uint64(step), uint64(l)))
		values := make([]float64, images*width)
		share := math.Exp(-float64(step) / stepSize / float64(l+1))
		for i := range values {
			values[i] = (1-share)*end.NormFloat64() + share*noise.NormFloat64()
		}
		all = append(all, conv.Vector(svcca.FromSlice(fmt.Sprint("layer ", l), values, images, width)))
	}
	return all
}

func record3(t *testing.T, change func([]conv.Maps) []conv.Maps, o dynamics.Options) *dynamics.Dynamics {
	ctx := context.Background()
	r, err := dynamics.New(ctx, layers(2000, 5, 4, 3), o)
	require.NoError(t, err)
	for _, step := range []int{0, 50, 200} {
		require.NoError(t, r.Add(ctx, step, change(layers(step, 5, 4, 3))))
	}
	return r.Dynamics()
}

func same(l []conv.Maps) []conv.Maps { return l }

// Every pair is svcca.Between's.
func TestPanes(t *testing.T) {
	var seen []string
	d := record3(t, same, dynamics.Options{Progress: func(step, done, of int) { seen = append(seen, fmt.Sprint(step, done, of)) }})
	require.Equal(t, []int{0, 50, 200}, d.Steps)
	assert.Equal(t, []string{"layer 0", "layer 1", "layer 2"}, d.Layers)
	assert.Len(t, seen, 27)
	assert.Equal(t, "200 9 9", seen[26])
	final := layers(2000, 5, 4, 3)
	for s, step := range d.Steps {
		for l, x := range layers(step, 5, 4, 3) {
			for m, y := range final {
				c, err := svcca.Between(x.Flatten(), y.Flatten(), svcca.Options{})
				require.NoError(t, err)
				p := d.Panes[s][l][m]
				bound := c.ErrorBound + p.ErrorBound
				assert.InDelta(t, c.Mean, *p.Mean, bound)
				assert.InDelta(t, c.MeanSquare, p.MeanSquare, bound)
				assert.InDelta(t, c.WeightedX, p.WeightedX, c.WeightedErrorBound+p.WeightedErrorBound)
				assert.InDelta(t, c.WeightedY, p.WeightedY, c.WeightedErrorBound+p.WeightedErrorBound)
				assert.InDelta(t, c.PWCCAX, *p.PWCCAX, c.PWCCAErrorBound+*p.PWCCAErrorBound)
				assert.InDelta(t, c.PWCCAY, *p.PWCCAY, c.PWCCAErrorBound+*p.PWCCAErrorBound)
				assert.Equal(t, c.Chance, p.Chance)
				assert.Equal(t, [2]int{c.X.K, c.Y.K}, [2]int{p.KX, p.KY})
			}
		}
	}
	text, err := json.Marshal(d)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"steps":[0,50,200]`)
	assert.Contains(t, string(text), `"keep":"variance(0.99)"`)
}

// Layers of any checkpoint may have their neurons in another order or rotated.
func TestInvariance(t *testing.T) {
	for name, change := range map[string]func(m conv.Maps) conv.Maps{
		"permuted": func(m conv.Maps) conv.Maps {
			return mixed(m, func(d int) lapack.Matrix[float64] {
				p := lapack.New[float64](d, d)
				for i, j := range rand.New(rand.NewPCG(5, 5)).Perm(d) {
					p.Set(i, j, 1)
				}
				return p
			})
		},
		"rotated": func(m conv.Maps) conv.Maps {
			return mixed(m, func(d int) lapack.Matrix[float64] {
				a, rng := lapack.New[float64](d, d), rand.New(rand.NewPCG(6, 6))
				for i := range a.Data {
					a.Data[i] = rng.NormFloat64()
				}
				var svd lapack.SVD[float64]
				if err := svd.Factorize(a, true); err != nil {
					panic(err)
				}
				return svd.U().Clone()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := record3(t, same, dynamics.Options{})
			turned := record3(t, func(all []conv.Maps) []conv.Maps {
				for i := range all {
					all[i] = change(all[i])
				}
				return all
			}, dynamics.Options{})
			for s := range d.Panes {
				for l := range d.Panes[s] {
					for m, p := range d.Panes[s][l] {
						q := turned.Panes[s][l][m]
						assert.InDelta(t, *p.Mean, *q.Mean, p.ErrorBound+q.ErrorBound+1e-14)
						assert.InDelta(t, p.Weighted, q.Weighted, p.WeightedErrorBound+q.WeightedErrorBound+1e-14)
					}
				}
			}
		})
	}
}

// mixed returns a vector with its neurons mapped.
func mixed(m conv.Maps, by func(d int) lapack.Matrix[float64]) conv.Maps {
	n, _, _, d := m.Dims()
	x, y := lapack.New[float64](n, d), lapack.New[float64](n, d)
	if err := m.Flatten().Read(x, 0, 0); err != nil {
		panic(err)
	}
	lapack.Gemm(blas.NoTrans, blas.NoTrans, 1, x, by(d), 0, y)
	return conv.Vector(svcca.FromSlice(m.Name(), y.Data, n, d))
}

// Maps and vectors go side by side.
func TestMaps(t *testing.T) {
	ctx := context.Background()
	maps := func(seed uint64) []conv.Maps {
		rng := rand.New(rand.NewPCG(seed, 0))
		values := make([]float64, images*4*4*2)
		for i := range values {
			values[i] = rng.NormFloat64()
		}
		return []conv.Maps{conv.FromSlice("maps", values, images, 4, 4, 2, conv.NHWC), layers(int(seed), 3)[0]}
	}
	r, err := dynamics.New(ctx, maps(1), dynamics.Options{})
	require.NoError(t, err)
	require.NoError(t, r.Add(ctx, 0, maps(2)))
	d := r.Dynamics()
	for l, x := range maps(2) {
		for m, y := range maps(1) {
			c, err := conv.Between(ctx, x, y, conv.Options{OffBlock: -1})
			require.NoError(t, err)
			assert.InDelta(t, c.Mean, *d.Panes[0][l][m].Mean, 2*c.ErrorBound+1e-14, "%d %d", l, m)
			assert.Equal(t, [2]int{c.X.K, c.Y.K}, [2]int{d.Panes[0][l][m].KX, d.Panes[0][l][m].KY})
		}
	}

	flat := conv.FromSlice("flat", make([]float64, images*4*4*2), images, 4, 4, 2, conv.NHWC)
	err = r.Add(ctx, 10, []conv.Maps{flat, maps(2)[1]})
	assert.ErrorIs(t, err, svcca.ErrConstant)
	assert.ErrorContains(t, err, `step 10: layer 1 of 2: with layer 1 of 2: of the two layers the first: conv: layer "flat"`)
	r, err = dynamics.New(ctx, []conv.Maps{flat, maps(1)[1]}, dynamics.Options{Diagonal: true})
	require.NoError(t, err)
	err = r.Add(ctx, 10, maps(2))
	assert.ErrorContains(t, err, `of the two layers the second: conv: layer "flat"`)
}

// The final layers themselves are what Add says of them, and Adjacent what package measure does.
func TestFinal(t *testing.T) {
	ctx := context.Background()
	final := layers(2000, 5, 4, 3)
	for _, diagonal := range []bool{true, false} {
		var said [2][]string
		var panes [2][][][]*measure.Pair
		for i, add := range []func(r *dynamics.Recorder) error{
			func(r *dynamics.Recorder) error { return r.Add(ctx, 2000, final) },
			func(r *dynamics.Recorder) error { return r.AddFinal(ctx, 2000) },
		} {
			r, err := dynamics.New(ctx, final, dynamics.Options{Diagonal: diagonal, Progress: func(step, done, of int) { said[i] = append(said[i], fmt.Sprint(step, done, of)) }})
			require.NoError(t, err)
			require.NoError(t, r.Add(ctx, 0, layers(0, 5, 4, 3)))
			require.NoError(t, add(r))
			assert.ErrorIs(t, r.AddFinal(ctx, 2000), svcca.ErrOptions)
			panes[i] = r.Dynamics().Panes
			pairs, err := r.Adjacent(ctx)
			require.NoError(t, err)
			want, err := measure.Adjacent(ctx, final, conv.Options{})
			require.NoError(t, err)
			assert.Equal(t, want, pairs)
			ended, end := context.WithCancel(ctx)
			end()
			assert.ErrorIs(t, r.AddFinal(ended, 3000), context.Canceled)
			_, err = r.Adjacent(ended)
			assert.ErrorIs(t, err, context.Canceled)
			assert.Len(t, r.Dynamics().Steps, 2)
		}
		assert.Equal(t, panes[0], panes[1])
		assert.Equal(t, said[0], said[1])
	}
}

// counted counts what is read of a layer of maps.
type counted struct {
	svcca.Layer
	shape []int
	reads *int
}

func (c counted) Shape() []int { return c.shape }

func (c counted) Read(dst lapack.Matrix[float64], row, col int) error {
	*c.reads += dst.Rows
	return c.Layer.Read(dst, row, col)
}

// Final maps are read for the first step alone where there is room for what is made of them,
// and the numbers are the same where there is not.
func TestHold(t *testing.T) {
	defer native.LimitThreads(1)()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // reads are counted
	ctx := context.Background()
	maps := func(seed uint64, reads *int) []conv.Maps {
		rng := rand.New(rand.NewPCG(seed, 0))
		values := make([]float64, images*4*4*2)
		for i := range values {
			values[i] = rng.NormFloat64()
		}
		m, err := conv.Of(counted{svcca.FromSlice("maps", values, images, 32), []int{images, 4, 4, 2}, reads}, conv.NHWC)
		require.NoError(t, err)
		return []conv.Maps{m}
	}
	follow := func(hold int64) (panes [][][]*measure.Pair, reads []int) {
		var final, others int
		r, err := dynamics.New(ctx, maps(9, &final), dynamics.Options{Hold: hold})
		require.NoError(t, err)
		for step := range 3 {
			before := final
			require.NoError(t, r.Add(ctx, step, maps(uint64(step), &others)))
			reads = append(reads, final-before)
		}
		before := final
		require.NoError(t, r.AddFinal(ctx, 3))
		reads = append(reads, final-before)
		return r.Dynamics().Panes, reads
	}
	panes, reads := follow(0)
	assert.Greater(t, reads[0], 2*images)
	assert.Equal(t, []int{0, 0, 0}, reads[1:])
	again, reads := follow(1)
	assert.Equal(t, panes, again)
	assert.Equal(t, []int{reads[0], reads[0], 2 * reads[0]}, reads[1:])
}

func TestErrors(t *testing.T) {
	ctx := context.Background()
	constant := conv.Vector(svcca.FromSlice("dead", make([]float64, images*4), images, 4))

	_, err := dynamics.New(ctx, nil, dynamics.Options{})
	assert.ErrorIs(t, err, svcca.ErrShape)
	_, err = dynamics.New(ctx, []conv.Maps{layers(0, 3)[0], constant}, dynamics.Options{})
	assert.ErrorIs(t, err, svcca.ErrConstant)
	assert.ErrorContains(t, err, `at the end: layer 2 of 2: svcca: layer "dead"`)

	r, err := dynamics.New(ctx, layers(2000, 5, 4), dynamics.Options{})
	require.NoError(t, err)
	require.NoError(t, r.Add(ctx, 10, layers(10, 5, 4)))
	before := r.Dynamics()
	for _, test := range []struct {
		step   int
		layers []conv.Maps
		is     error
		says   string
	}{
		{20, []conv.Maps{layers(20, 5)[0], constant}, svcca.ErrConstant, `step 20: layer 2 of 2: svcca: layer "dead"`},
		{10, layers(10, 5, 4), svcca.ErrOptions, "step 10 after step 10"},
		{20, layers(20, 5), svcca.ErrMismatch, "step 20: 1 layers, at the end 2"},
		{20, []conv.Maps{layers(20, 5)[0], conv.Vector(svcca.FromSlice("short", []float64{1, 2, 3}, 3, 1))}, svcca.ErrMismatch, "step 20: layer 2 of 2: with layer 1 of 2"},
	} {
		err := r.Add(ctx, test.step, test.layers)
		assert.ErrorIs(t, err, test.is)
		assert.ErrorContains(t, err, test.says)
		assert.Equal(t, before, r.Dynamics(), "a step with an error leaves nothing")
	}
	ended, end := context.WithCancel(ctx)
	end()
	assert.ErrorIs(t, r.Add(ended, 20, layers(20, 5, 4)), context.Canceled)
	require.NoError(t, r.Add(ctx, 20, layers(20, 5, 4)))
	assert.Len(t, before.Steps, 1, "what was returned does not change")
	assert.Len(t, r.Dynamics().Steps, 2)
	before = r.Dynamics()
	before.Steps[0], before.Panes[0] = 99, nil
	assert.Equal(t, []int{10, 20}, r.Dynamics().Steps, "what was returned is the caller's")
	assert.NotNil(t, r.Dynamics().Panes[0])
}

// One layer at one step has a pane of one pair.
func TestOne(t *testing.T) {
	ctx := context.Background()
	r, err := dynamics.New(ctx, layers(100, 4), dynamics.Options{})
	require.NoError(t, err)
	require.NoError(t, r.Add(ctx, 100, layers(100, 4)))
	d := r.Dynamics()
	pane, err := d.Pane(0, measure.Mean)
	require.NoError(t, err)
	require.Len(t, pane, 1)
	require.Len(t, pane[0], 1)
	assert.InDelta(t, 1, pane[0][0], d.Panes[0][0][0].ErrorBound+1e-14)
	assert.Equal(t, []int{100}, steps(t, d, 0.9))
	assert.Nil(t, dynamics.BottomUp(must(d.Converge(measure.Mean, 0.9))))
}
