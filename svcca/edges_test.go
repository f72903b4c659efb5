package svcca_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ordinary returns a pair with nothing wrong about it.
func ordinary(n, d, e int) (x, y data) {
	return related(newRand(30), n, graded(d, 0.3), graded(e, 0.3), d, e)
}

// TestNotFinite: NaN and infinities are an error that names the first by rows,
// wherever the values are summed.
func TestNotFinite(t *testing.T) {
	for _, shape := range []struct{ n, d, e int }{{2500, 6, 5}, {20, 6, 5}, {40, 60, 5}, {3, 360000, 1}} {
		if shape.d > 60 && sanitizer.On {
			continue // too slow
		}
		x, y := ordinary(shape.n, min(shape.d, 60), shape.e)
		if shape.d > 60 {
			x = data{name: "x", n: shape.n, d: shape.d, values: make([]float64, shape.n*shape.d)}
			x = x.mapped(func(i, j int, _ float64) float64 { return float64((i+1)*(j%5) - i*i) })
		}
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			for _, row := range []int{0, shape.n / 2, shape.n - 1} {
				for _, col := range []int{0, x.d / 2, x.d - 1} {
					broken := x
					broken.values = append([]float64(nil), x.values...)
					broken.values[row*x.d+col] = bad
					if row+1 < x.n { // a later one, in an earlier neuron
						broken.values[(row+1)*x.d] = math.Inf(1)
					}
					check := func(err error, where string) {
						require.ErrorIs(t, err, svcca.ErrNotFinite, where)
						var at *svcca.NotFiniteError
						require.ErrorAs(t, err, &at, where)
						require.Equal(t, [2]int{row, col}, [2]int{at.Datapoint, at.Neuron}, "%s of %d × %d", where, x.n, x.d)
						require.Equal(t, "x", at.Layer)
						require.Equal(t, fmt.Sprint(bad), fmt.Sprint(at.Value))
					}
					_, err := svcca.Between(broken.layer(), y.layer(), svcca.Options{})
					check(err, "left")
					_, err = svcca.Between(y.layer(), broken.layer(), svcca.Options{})
					check(err, "right")
					_, err = svcca.Reduce(broken.layer(), svcca.Options{})
					check(err, "reduce")
				}
			}
		}
	}
	x, y := ordinary(20, 4, 3)
	c := between(t, x.layer(), y.layer(), svcca.Options{})
	x.values[17*4+2] = math.NaN()
	_, err := c.X.Directions.Align(x.layer(), 1)
	assert.ErrorIs(t, err, svcca.ErrNotFinite)
}

// odd is a layer that answers as it is told.
type odd struct {
	svcca.Layer
	storage string
	shape   []int
	err     error
	after   int           // rows from here on fail
	read    func(row int) // called on each Read
}

func (o odd) Storage() string { return o.storage }
func (o odd) Shape() []int    { return o.shape }
func (o odd) Read(dst lapack.Matrix[float64], row, col int) error {
	if o.read != nil {
		o.read(row)
	}
	if o.err != nil && row+dst.Rows > o.after {
		return o.err
	}
	return o.Layer.Read(dst, row, col)
}

// TestRefused: what cannot be compared says why, by type.
func TestRefused(t *testing.T) {
	x, y := ordinary(20, 4, 3)
	plain := func(l data) svcca.Layer { return l.layer() }
	failed := errors.New("the disk is gone")
	constant := x.mapped(func(_, j int, _ float64) float64 { return 0.1 * float64(j) })
	zero := x.times(0)
	wideConstant := data{name: "wide", n: 3, d: 9, values: make([]float64, 27)}
	short, _ := ordinary(3, 2, 2)
	single := data{name: "single", n: 1, d: 1, values: []float64{3}}
	row := data{name: "row", n: 1, d: 5, values: []float64{1, 2, 3, 4, 5}}
	for name, test := range map[string]struct {
		x, y svcca.Layer
		o    svcca.Options
		is   error
		says string
	}{
		"no rows":             {x: svcca.FromSlice("none", []float64{}, 0, 4), y: plain(y), is: svcca.ErrShape, says: `"none"`},
		"no neurons":          {x: plain(x), y: svcca.FromSlice("none", []float32{}, 20, 0), is: svcca.ErrShape, says: "0 neurons"},
		"nothing":             {x: svcca.FromSlice("none", []float64{}, 0, 0), y: plain(y), is: svcca.ErrShape},
		"maps":                {x: odd{Layer: plain(x), storage: "float32", shape: []int{20, 2, 2, 1}}, y: plain(y), is: svcca.ErrShape, says: "[20 2 2 1]"},
		"storage":             {x: odd{Layer: plain(x), storage: "int8"}, y: plain(y), is: svcca.ErrStorage, says: "int8"},
		"mismatch":            {x: plain(x), y: plain(short), is: svcca.ErrMismatch, says: "20 and 3"},
		"constant":            {x: plain(constant), y: plain(y), is: svcca.ErrConstant, says: "4 of 4"},
		"constant right":      {x: plain(y), y: plain(constant), is: svcca.ErrConstant, says: `"x"`},
		"zero":                {x: plain(zero), y: plain(y), is: svcca.ErrConstant},
		"zero, uncentred":     {x: plain(zero), y: plain(y), o: svcca.Options{Centering: svcca.CenterNone}, is: svcca.ErrConstant},
		"wide constant":       {x: plain(wideConstant), y: plain(short), is: svcca.ErrConstant, says: "9 of 9"},
		"one value":           {x: plain(single), y: plain(single), is: svcca.ErrConstant},
		"one row":             {x: plain(row), y: plain(row), is: svcca.ErrConstant},
		"weights short":       {x: plain(x), y: plain(y), o: svcca.Options{Weights: make([]float64, 0)}, is: svcca.ErrMismatch},
		"weight 0":            {x: plain(short), y: plain(short), o: svcca.Options{Weights: []float64{1, 0, 1}}, is: svcca.ErrOptions, says: "datapoint 1"},
		"weight negative":     {x: plain(short), y: plain(short), o: svcca.Options{Weights: []float64{1, 1, -1}}, is: svcca.ErrOptions},
		"weight NaN":          {x: plain(short), y: plain(short), o: svcca.Options{Weights: []float64{1, 1, math.NaN()}}, is: svcca.ErrOptions},
		"weight infinite":     {x: plain(short), y: plain(short), o: svcca.Options{Weights: []float64{math.Inf(1), 1, 1}}, is: svcca.ErrOptions},
		"variance 0":          {x: plain(x), y: plain(y), o: svcca.Options{Keep: svcca.Variance(0)}, is: svcca.ErrOptions},
		"variance above 1":    {x: plain(x), y: plain(y), o: svcca.Options{Keep: svcca.Variance(1.01)}, is: svcca.ErrOptions},
		"sum NaN":             {x: plain(x), y: plain(y), o: svcca.Options{Keep: svcca.Sum(math.NaN())}, is: svcca.ErrOptions},
		"count 0":             {x: plain(x), y: plain(y), o: svcca.Options{Keep: svcca.Count(0)}, is: svcca.ErrOptions},
		"tolerance 1":         {x: plain(x), y: plain(y), o: svcca.Options{RankTol: svcca.ShareTol(1)}, is: svcca.ErrOptions},
		"tolerance NaN":       {x: plain(x), y: plain(y), o: svcca.Options{RankTol: svcca.ShareTol(math.NaN())}, is: svcca.ErrOptions},
		"tolerance of a type": {x: plain(x), y: plain(y), o: svcca.Options{RankTol: svcca.TypeTol("int8")}, is: svcca.ErrOptions},
		"centring":            {x: plain(x), y: plain(y), o: svcca.Options{Centering: 7}, is: svcca.ErrOptions},
		"accuracy":            {x: plain(x), y: plain(y), o: svcca.Options{Accuracy: -1}, is: svcca.ErrOptions},
		"accuracy NaN":        {x: plain(x), y: plain(y), o: svcca.Options{Accuracy: math.NaN()}, is: svcca.ErrOptions},
		"read":                {x: odd{Layer: plain(x), storage: "float64", err: failed}, y: plain(y), is: failed, says: `layer "`},
		"read late":           {x: plain(x), y: odd{Layer: plain(y), storage: "float64", err: failed, after: 19}, is: failed},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := svcca.Between(test.x, test.y, test.o)
			require.ErrorIs(t, err, test.is)
			assert.Nil(t, c)
			assert.Contains(t, err.Error(), test.says)
			assert.Regexp(t, "^svcca: ", err.Error())
		})
	}
	for _, tall := range []bool{true, false} { // Read that fails in Reduce, either way
		l := x
		if !tall {
			l, _ = ordinary(5, 9, 2)
		}
		_, err := svcca.Reduce(odd{Layer: l.layer(), storage: "float64", err: failed}, svcca.Options{})
		assert.ErrorIs(t, err, failed)
	}
	a, err := svcca.Reduce(x.layer(), svcca.Options{})
	require.NoError(t, err)
	for _, o := range []svcca.Options{{Centering: svcca.CenterNone}, {Weights: make20(2)}} {
		b, err := svcca.Reduce(y.layer(), o)
		require.NoError(t, err)
		_, err = svcca.Compare(a, b)
		assert.ErrorIs(t, err, svcca.ErrMismatch)
	}
	b, err := svcca.Reduce(short.layer(), svcca.Options{})
	require.NoError(t, err)
	_, err = svcca.Compare(a, b)
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	// Directions: neurons that do not match, and more directions than there are.
	c := between(t, x.layer(), y.layer(), svcca.Options{})
	_, err = c.X.Directions.Align(y.layer(), 1)
	assert.ErrorIs(t, err, svcca.ErrMismatch)
	stop := errors.New("enough")
	assert.ErrorIs(t, c.X.Directions.Project(x.layer(), 1, func(lapack.Matrix[float64]) error { return stop }), stop)
	assert.Panics(t, func() { _, _ = c.X.Directions.Align(x.layer(), len(c.Rho)+1) })
	assert.Panics(t, func() { svcca.FromSlice("x", make([]float64, 5), 2, 3) })
}

func make20(w float64) []float64 {
	v := make([]float64, 20)
	for i := range v {
		v[i] = w
	}
	return v
}

// TestSmall: the smallest layers that vary. One neuron against one is |Pearson|.
func TestSmall(t *testing.T) {
	x := svcca.FromSlice("x", []float64{1, 2, 4, 7}, 4, 1)
	y := svcca.FromSlice("y", []float64{-1, -3, -2, -5}, 4, 1)
	c := between(t, x, y, svcca.Options{})
	// Deviations −2.5 −1.5 .5 3.5 and 1.75 −.25 .75 −2.25: −11.5/√(21·8.75).
	assert.InDelta(t, 11.5/math.Sqrt(21*8.75), c.Rho[0], c.ErrorBound)
	assert.InDelta(t, 1.0/3, c.Chance, ulp)

	// Two datapoints: everything correlates, and the result says so.
	c = between(t, svcca.FromSlice("x", []float64{1, 2}, 2, 1), svcca.FromSlice("y", []float64{5, 3}, 2, 1), svcca.Options{})
	assert.InDelta(t, 1, c.Mean, c.ErrorBound)
	assert.True(t, c.Saturated)
	assert.Equal(t, 1, c.ForcedOnes)
	// One datapoint, not centred.
	none := svcca.Options{Centering: svcca.CenterNone}
	for _, d := range []int{1, 3} {
		one := svcca.FromSlice("one", []float64{3, -1, 2}[:d], 1, d)
		c = between(t, one, one, none)
		assert.InDelta(t, 1, c.Mean, c.ErrorBound)
		assert.InDelta(t, 1, c.Chance, 0)
	}
	// Dead, constant and duplicated neurons leave ρ of plain CCA alone.
	a, b := ordinary(50, 4, 3)
	more := data{name: "x", n: 50, d: 7, values: make([]float64, 350)}.mapped(func(i, j int, _ float64) float64 {
		switch j {
		case 0:
			return 0
		case 3:
			return 0.3
		case 6:
			return a.at(i, 3)
		}
		return a.at(i, []int{0, 0, 1, 0, 2, 3}[j])
	})
	full := svcca.Options{Keep: svcca.FullRank()}
	plain, padded := between(t, a.layer(), b.layer(), full), between(t, more.layer(), b.layer(), full)
	assert.Equal(t, 2, padded.X.Constant)
	assert.Equal(t, 4, padded.X.Rank)
	assert.InDeltaSlice(t, plain.Rho, padded.Rho, plain.ErrorBound+padded.ErrorBound+recomputed(padded))
}

// TestCancelled: a context that ends is noticed, on every path.
func TestCancelled(t *testing.T) {
	for _, test := range []struct {
		n, d, e  int
		accuracy float64
	}{{4000, 6, 5, 0}, {4000, 6, 5, 1e-300}, {60, 90, 80, 0}, {60, 90, 80, 1e-300}, {60, 90, 5, 0}} {
		x, y := ordinary(test.n, test.d, test.e)
		o := svcca.Options{Accuracy: test.accuracy}
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := svcca.BetweenContext(cancelled, x.layer(), y.layer(), o)
		require.ErrorIs(t, err, context.Canceled)
		_, err = svcca.ReduceContext(cancelled, x.layer(), o)
		require.ErrorIs(t, err, context.Canceled)

		// How often is x read in all? Stopped at any time, it is read little more.
		var mu sync.Mutex
		reads, stop := 0, 0
		var ctx context.Context
		counting := odd{Layer: x.layer(), storage: "float64", read: func(int) {
			mu.Lock()
			defer mu.Unlock()
			if reads++; reads == stop {
				cancel()
			}
		}}
		ctx, cancel = context.WithCancel(context.Background())
		_, err = svcca.BetweenContext(ctx, counting, y.layer(), o)
		require.NoError(t, err)
		all := reads
		for _, stop = range []int{1, all / 2} { // at the last of all there is nothing left to stop
			reads = 0
			ctx, cancel = context.WithCancel(context.Background())
			_, err = svcca.BetweenContext(ctx, counting, y.layer(), o)
			require.ErrorIs(t, err, context.Canceled, "%+v, at read %d of %d", test, stop, all)
			// Within a block: 1024 rows at most, 32 a read; the first is read twice.
			assert.LessOrEqual(t, reads, stop+1024/32+runtime.GOMAXPROCS(0), "reads after the context ended at %d of %d", stop, all)
			cancel()
		}
		cancel()
	}
}

// TestCancelledBetweenSamples: rows for provisional means are far apart, which may take
// long where a layer is compressed, so that after each the context counts.
func TestCancelledBetweenSamples(t *testing.T) {
	x, y := ordinary(4000, 6, 5)
	for stop := 1; stop <= 8; stop++ {
		ctx, cancel := context.WithCancel(context.Background())
		reads := 0
		counting := odd{Layer: x.layer(), storage: "float64", read: func(int) {
			if reads++; reads == stop {
				cancel()
			}
		}}
		_, err := svcca.BetweenContext(ctx, counting, y.layer(), svcca.Options{})
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, stop, reads)
	}
}

// TestScoresOfItself: sums of m ones, each divided by m, may come to more than 1.
func TestScoresOfItself(t *testing.T) {
	for _, d := range []int{3, 6, 39, 49, 77} {
		x, _ := ordinary(200, d, 1)
		c, err := svcca.Between(x.layer(), x.layer(), svcca.Options{Keep: svcca.FullRank()})
		require.NoError(t, err)
		require.Len(t, c.Rho, d)
		finite(t, c)
	}
}

// finite fails where a number of a result is no number.
func finite(t require.TestingT, c *svcca.Comparison) {
	values := []float64{c.Mean, c.MeanSquare, c.WeightedX, c.WeightedY, c.Weighted, c.PWCCAX, c.PWCCAY}
	values = append(values, c.Rho...)
	for _, v := range values {
		require.True(t, v >= 0 && v <= 1, "score %v of %+v", v, c)
	}
	for _, v := range []float64{c.ErrorBound, c.WeightedErrorBound, c.PWCCAErrorBound} {
		require.True(t, v >= 0 && v <= 1, "bound %v", v)
	}
	for _, s := range append(append([]float64{c.Chance}, c.X.SingularValues...), c.Y.SingularValues...) {
		require.True(t, s >= 0 && s <= math.MaxFloat64, "%v", s)
	}
	for _, side := range []svcca.Side{c.X, c.Y} {
		for _, m := range [][]float64{side.Directions.Map.Data, side.Directions.Decoder.Data, side.Directions.Mean} {
			for _, v := range m {
				require.True(t, math.Abs(v) <= math.MaxFloat64, "direction %v of %+v", v, side)
			}
		}
	}
}

// typed reports whether err is one that the package promises of data.
func typed(err error) bool {
	for _, is := range []error{svcca.ErrShape, svcca.ErrMismatch, svcca.ErrNotFinite, svcca.ErrConstant, svcca.ErrStorage, svcca.ErrOptions, svcca.ErrRange} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

// TestRange: at the ends of float64 the answer is right or ErrRange.
func TestRange(t *testing.T) {
	for _, shape := range [][3]int{{40, 6, 5}, {8, 14, 12}} {
		x, y := ordinary(shape[0], shape[1], shape[2])
		largest := 0.0
		for _, v := range x.values {
			largest = max(largest, math.Abs(v))
		}
		o := svcca.Options{RankTol: svcca.ShareTol(1e-6)}
		plain := between(t, x.layer(), y.layer(), o)
		right, refused := 0, 0
		for _, scale := range []float64{
			math.MaxFloat64 / largest, 0x1p1023 / largest, 0x1p1020 / largest, 0x1p1018 / largest, 0x1p1010, 0x1p1000,
			1e-290, 1e-299, 1e-301, 0x1p-1000, 1e-305, 1e-310, 1e-320, 0x1p-1074,
		} {
			c, err := svcca.Between(x.times(scale).layer(), y.layer(), o)
			if err != nil {
				// Denormal values may all be zero, or have lost what they held.
				require.True(t, errors.Is(err, svcca.ErrRange) || errors.Is(err, svcca.ErrConstant) && scale < 1e-307, "%g: %v", scale, err)
				refused++
				continue
			}
			right++
			finite(t, c)
			requireSame(t, plain, c, recomputed(c))
		}
		assert.Greater(t, right, 4)
		assert.Greater(t, refused, 4)
	}
}

// TestJSON: the keys of DESIGN §5, in an empty comparison and in real ones, and
// no number that JSON cannot hold.
func TestJSON(t *testing.T) {
	keys := []string{"x", "y", "options", "rho", "mean", "mean_square", "weighted_x", "weighted_y", "weighted", "weighted_unique",
		"pwcca_x", "pwcca_y", "pwcca_unique", "chance", "adjusted", "forced_ones", "saturated", "method", "error_bound", "warnings"}
	check := func(c svcca.Comparison) map[string]any {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "NaN")
		var back map[string]any
		require.NoError(t, json.Unmarshal(text, &back))
		for _, key := range keys {
			assert.Contains(t, back, key)
		}
		for _, side := range []string{"x", "y"} {
			for _, key := range []string{"name", "datapoints", "neurons", "rank", "k", "singular_values"} {
				assert.Contains(t, back[side], key)
			}
		}
		for _, key := range []string{"keep", "rank_tol", "centering", "precision", "conv"} {
			assert.Contains(t, back["options"], key)
		}
		return back
	}
	empty := check(svcca.Comparison{})
	assert.Equal(t, "variance(0.99)", empty["options"].(map[string]any)["keep"])
	assert.Nil(t, empty["adjusted"])

	x, y := ordinary(40, 4, 3)
	c := between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.Sum(0.9), RankTol: svcca.TypeTol(svcca.Float16), Centering: svcca.CenterNone})
	back := check(*c)
	assert.Equal(t, map[string]any{"keep": "sum(0.9)", "rank_tol": "float16", "centering": "none", "precision": "float64", "conv": "", "weights": false}, back["options"])
	assert.Equal(t, c.Mean, back["mean"], "at full precision")
	assert.Equal(t, []any{}, back["warnings"], "an empty list, not null")
	assert.Len(t, back["rho"], len(c.Rho))

	x, y = ordinary(4, 4, 4)
	c = between(t, x.layer(), y.layer(), svcca.Options{Keep: svcca.FullRank()})
	back = check(*c)
	require.Contains(t, back, "adjusted")
	assert.Nil(t, back["adjusted"], "chance is 1")
	assert.NotEmpty(t, back["warnings"])
}

// TestConcurrent: with one BLAS thread the same input gives the same bits, from 16
// goroutines at once as from one, and on any number of processors.
func TestConcurrent(t *testing.T) {
	defer native.LimitThreads(1)()
	type job struct {
		x, y svcca.Layer
		o    svcca.Options
	}
	var jobs []job
	for _, shape := range [][3]int{{3000, 20, 15}, {300, 8, 9}, {40, 60, 50}, {30, 40, 6}} {
		x, y := ordinary(shape[0], shape[1], shape[2])
		for _, accuracy := range []float64{0, 1e-300} {
			jobs = append(jobs, job{x.layer(), y.layer(), svcca.Options{Accuracy: accuracy}})
		}
	}
	bits := func(c *svcca.Comparison) string {
		text, err := json.Marshal(c)
		require.NoError(t, err)
		return fmt.Sprint(string(text), c.X.Directions, c.Y.Directions)
	}
	all := func() (results []string) {
		for _, j := range jobs {
			c, err := svcca.Between(j.x, j.y, j.o)
			if !assert.NoError(t, err) {
				return nil
			}
			results = append(results, bits(c))
		}
		return results
	}
	wanted := all()
	var group sync.WaitGroup
	got := make([][]string, 16)
	for g := range got {
		group.Go(func() { got[g] = all() })
	}
	group.Wait()
	for _, results := range got {
		require.Equal(t, wanted, results)
	}
	for _, processors := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(processors)
		results := all()
		runtime.GOMAXPROCS(before)
		require.Equal(t, wanted, results, "GOMAXPROCS %d", processors)
	}
	// One Reduced, many comparisons.
	x, y := ordinary(300, 8, 9)
	a, err := svcca.Reduce(x.layer(), svcca.Options{})
	require.NoError(t, err)
	b, err := svcca.Reduce(y.layer(), svcca.Options{})
	require.NoError(t, err)
	first, err := svcca.Compare(a, b)
	require.NoError(t, err)
	for range 16 {
		group.Go(func() {
			c, err := svcca.Compare(a, b)
			if assert.NoError(t, err) {
				assert.Equal(t, bits(first), bits(c))
			}
		})
	}
	group.Wait()
}
