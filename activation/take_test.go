package activation

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// taking returns what numpy.take gives, by plain loops: the shape, and the element
// of values (in C order) at every place, in C order.
func taking(values []float64, shape []int, axis int, indices []int) ([]float64, []int) {
	outer, inner := 1, 1
	for _, s := range shape[:axis] {
		outer *= s
	}
	for _, s := range shape[axis+1:] {
		inner *= s
	}
	all := []float64{}
	for o := range outer {
		for _, i := range indices {
			for r := range inner {
				all = append(all, values[(o*shape[axis]+i)*inner+r])
			}
		}
	}
	took := slices.Clone(shape)
	took[axis] = len(indices)
	return all, took
}

// checkLayer compares blocks of a layer of n datapoints with its values in C order.
func checkLayer(t *testing.T, l Layer, values []float64, n int, says ...any) {
	t.Helper()
	rows, d := l.Dims()
	require.Equal(t, n, rows, says...)
	require.Equal(t, len(values), rows*d, says...)
	for _, row := range cuts(n) {
		for _, col := range cuts(d) {
			for _, height := range cuts(n - row) {
				for _, width := range cuts(d - col) {
					for _, pad := range []int{0, 3} {
						where := differs(l, row, col, height, width, pad, func(i, j int) float64 { return values[i*d+j] })
						if where != "" {
							require.Empty(t, where, append(says, fmt.Sprintf("block %d × %d at (%d, %d), padded by %d", height, width, row, col, pad))...)
						}
					}
				}
			}
		}
	}
}

func counted(a array) []float64 {
	all := make([]float64, a.size())
	for k := range all {
		all[k] = value(a.first + k)
	}
	return all
}

// picks are indices of a size: none, one, ranges, sorted ones near and far from
// each other, any order, and repeats.
func picks(size int) [][]int {
	all := [][]int{{}}
	if size == 0 {
		return all
	}
	r := rand.New(rand.NewPCG(1, uint64(size)))
	order := r.Perm(size)
	every := func(step int) (at []int) {
		for i := 0; i < size; i += step {
			at = append(at, i)
		}
		return at
	}
	back := every(1)
	slices.Reverse(back)
	return append(all, []int{size - 1}, every(1), every(1)[size/3:size-size/3], every(2), every(7), order, order[:(size+1)/2], back,
		append(every(3), every(2)...), []int{0, 0, size - 1, 0})
}

func TestTake(t *testing.T) {
	for _, shape := range [][]int{{1}, {70}, {1, 1}, {2, 9}, {70, 21}, {5, 140}, {0, 4}, {4, 0}, {7, 2, 3, 5}, {3, 4, 0, 2}} {
		for _, fortran := range []bool{false, true} {
			for _, tuned := range []tuning{defaultTuning, {scratch: 64}, {scratch: 1024, gap: 64}} {
				if sanitizer.On && tuned.scratch != 64 {
					continue // one of them shows what an instrumented build can
				}
				a := array{descr: "<f4", fortran: fortran, shape: shape}
				f := openBytes(t, a.file())
				f.tuning = tuned
				for axis, size := range shape {
					for _, indices := range picks(size) {
						says := fmt.Sprint(shape, fortran, tuned, axis, indices)
						values, took := taking(counted(a), shape, axis, indices)
						l := Take(f, axis, indices)
						require.Equal(t, took, l.Shape(), says)
						require.Equal(t, "x.npy", l.Name())
						require.Equal(t, "float32", l.Storage())
						if took[0] > 0 {
							checkLayer(t, l, values, took[0], says)
						}
					}
				}
			}
		}
	}
}

// A buffer that a span does not fit, beside one that it does.
func TestTakeLong(t *testing.T) {
	for _, shape := range [][]int{{3, takeValues + 5}, {takeValues/4 + 3, 5}, {40, 9000}} {
		a := array{descr: "<f8", shape: shape}
		f := openBytes(t, a.file())
		for axis, size := range shape {
			near := []int{}
			for i := range size {
				if i%5 != 3 {
					near = append(near, i)
				}
			}
			for _, indices := range [][]int{near, append([]int{size - 1}, near...)} {
				values, took := taking(counted(a), shape, axis, indices)
				l := Take(f, axis, indices)
				n, d := l.Dims()
				require.Equal(t, took, []int{n, d})
				require.Empty(t, differs(l, 0, 0, n, d, 0, func(i, j int) float64 { return values[i*d+j] }))
			}
		}
	}
}

func TestTakeOfTurnedAndOneNeuron(t *testing.T) {
	a := array{descr: "<f4", shape: []int{21, 30}}
	turned, err := openBytes(t, a.file()).T()
	require.NoError(t, err)
	values := make([]float64, 30*2)
	for i := range 30 {
		values[2*i], values[2*i+1] = value(20*30+i), value(3*30+i)
	}
	l := Take(turned, 1, []int{20, 3})
	assert.Equal(t, []int{30, 2}, l.Shape(), "datapoints first, as Dims has them")
	checkLayer(t, l, values, 30)

	one := array{descr: "<f4", shape: []int{4}}
	l = Take(openBytes(t, one.file()), 1, []int{0, 0})
	assert.Equal(t, []int{4, 2}, l.Shape())
	checkLayer(t, l, []float64{value(0), value(0), value(1), value(1), value(2), value(2), value(3), value(3)}, 4)
}

func TestTakeOfTake(t *testing.T) {
	a := array{descr: "<f4", fortran: true, shape: []int{50, 3, 4, 5}}
	values, shape := counted(a), a.shape
	var l Layer = openBytes(t, a.file())
	for _, step := range []struct {
		axis    int
		indices []int
	}{{0, picks(50)[6]}, {3, []int{4, 0, 1}}, {0, []int{2, 3, 4, 9, 40, 1}}, {1, []int{2, 1}}, {3, []int{2, 1}}, {0, []int{5, 0, 0}}} {
		values, shape = taking(values, shape, step.axis, step.indices)
		l = Take(l, step.axis, step.indices)
		require.Equal(t, shape, l.Shape())
		checkLayer(t, l, values, shape[0])
	}

	f := openBytes(t, a.file())
	both := Take(Take(f, 0, []int{9, 3, 7}), 0, []int{2, 0})
	digest := digestOf(t, both)
	assert.Equal(t, digestOf(t, Take(f, 0, []int{7, 9})), digest, "the same rows")
	assert.Same(t, f, both.(*taken).Layer)
}

func digestOf(t *testing.T, l Layer) string {
	t.Helper()
	d, err := l.Digest(t.Context())
	require.NoError(t, err)
	return fmt.Sprintf("%x", d)
}

func TestTakeDigest(t *testing.T) {
	f := openBytes(t, array{descr: "<f4", shape: []int{4, 4}}.file())
	other := openBytes(t, array{descr: "<f4", shape: []int{4, 4}, first: 1}.file())
	seen := map[string]bool{}
	for _, l := range []Layer{f, other, Take(f, 0, []int{0, 1}), Take(f, 1, []int{0, 1}), Take(f, 0, []int{1, 0}), Take(f, 0, []int{0, 1, 1}),
		Take(other, 0, []int{0, 1}), Take(Take(f, 0, []int{0, 1}), 1, []int{0, 1}), Take(f, 0, []int{0, 1, 2, 3})} {
		seen[digestOf(t, l)] = true
	}
	assert.Len(t, seen, 9)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Take(f, 0, []int{1}).Digest(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestTakeKeepsItsIndices(t *testing.T) {
	indices := []int{3, 1}
	l := Take(openBytes(t, array{descr: "<f4", shape: []int{4, 1}}.file()), 0, indices)
	indices[0] = 0
	l.Shape()[0] = 9
	checkLayer(t, l, []float64{value(3), value(1)}, 2)
	assert.Equal(t, []int{2, 1}, l.Shape())
}

func TestTakeOfFiles(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for i, rows := range []int{3, 0, 5} {
		path := filepath.Join(dir, fmt.Sprint(i, ".npy"))
		require.NoError(t, os.WriteFile(path, array{descr: "<f4", shape: []int{rows, 6}, first: 6 * 3 * min(i, 1)}.file(), 0o600))
		paths = append(paths, path)
	}
	s, err := OpenShards("layer", paths)
	require.NoError(t, err)
	for _, indices := range picks(8) {
		values, _ := taking(counted(array{shape: []int{8, 6}}), []int{8, 6}, 0, indices)
		checkLayer(t, Take(s, 0, indices), values, len(indices))
	}
	l := Take(Take(s, 0, []int{1, 6}), 1, []int{2})
	require.NoError(t, l.Unchanged())
	require.NoError(t, os.Truncate(paths[2], 200))
	assert.ErrorIs(t, l.Unchanged(), ErrChanged)
	require.NoError(t, l.Close())
	assert.ErrorIs(t, s.Read(matrixOf(1, 1), 0, 0), os.ErrClosed)
	assert.ErrorIs(t, l.Read(matrixOf(1, 1), 0, 0), os.ErrClosed)
}

func TestTakeMisused(t *testing.T) {
	f := openBytes(t, array{descr: "<f4", shape: []int{4, 3}}.file())
	assert.PanicsWithValue(t, panicBadAxis, func() { Take(f, 2, nil) })
	assert.PanicsWithValue(t, panicBadAxis, func() { Take(f, -1, nil) })
	assert.PanicsWithValue(t, panicBadIndex, func() { Take(f, 0, []int{4}) })
	assert.PanicsWithValue(t, panicBadIndex, func() { Take(f, 1, []int{0, -1}) })
	assert.PanicsWithValue(t, panicOutOfRange, func() { _ = Take(f, 0, []int{1}).Read(matrixOf(2, 1), 0, 0) })
}

// reads counts how often a reader is asked.
type reads struct {
	*bytes.Reader
	count *int
}

func (r reads) ReadAt(p []byte, at int64) (int, error) {
	*r.count++
	return r.Reader.ReadAt(p, at)
}

// Ranges are one reading, and of what is near each other there are few.
func TestTakeReadsTogether(t *testing.T) {
	half := []int{}
	for i := range 1000 {
		half = append(half, 2*i)
	}
	for _, c := range []struct {
		fortran bool
		axis    int
		shape   []int
		most    int
	}{{false, 0, []int{2000, 16}, 4}, {true, 0, []int{2000, 16}, 64}, {false, 1, []int{20, 2000}, 40}} {
		b, count := array{descr: "<f4", fortran: c.fortran, shape: c.shape}.file(), 0
		f, err := NewFile("x", reads{bytes.NewReader(b), &count}, int64(len(b)))
		require.NoError(t, err)
		for _, indices := range [][]int{half, half[:1]} {
			l := Take(f, c.axis, indices)
			n, d := l.Dims()
			count = 0
			require.NoError(t, l.Read(matrixOf(n, d), 0, 0))
			assert.LessOrEqual(t, count, c.most, c)
		}
	}
}

func matrixOf(rows, columns int) lapack.Matrix[float64] { return lapack.New[float64](rows, columns) }

// asked notes the largest block that a layer is asked for, and how often it is.
type asked struct {
	Layer
	most, count *int
}

func (a asked) Read(dst lapack.Matrix[float64], row, col int) error {
	*a.most, *a.count = max(*a.most, dst.Rows*dst.Cols), *a.count+1
	return a.Layer.Read(dst, row, col)
}

// No buffer is larger than is said, however far apart what is taken lies; and whole
// examples are read at once.
func TestViewsAskFor(t *testing.T) {
	var most, count int
	wide := asked{openBytes(t, array{descr: "<f4", shape: []int{1, 1 << 18}}.file()), &most, &count}
	tall := asked{openBytes(t, array{descr: "<f4", shape: []int{1 << 18, 1}}.file()), &most, &count}
	near := []int{}
	for i := 0; i < 1<<18; i += 2 {
		near = append(near, i)
	}
	for axis, l := range []Layer{tall, wide} {
		view := Take(l, axis, near)
		n, d := view.Dims()
		most, count = 0, 0
		require.NoError(t, view.Read(matrixOf(n, d), 0, 0))
		assert.LessOrEqual(t, most, takeValues)
		assert.LessOrEqual(t, count, 1<<18/(takeValues/takeRows))
	}
	examples := asked{openBytes(t, array{descr: "<f4", shape: []int{50, 7, 3}}.file()), &most, &count}
	view, err := Tokens(examples, TokenOptions{})
	require.NoError(t, err)
	count = 0
	require.NoError(t, view.Read(matrixOf(346, 3), 2, 0))
	assert.Equal(t, 3, count, "a beginning, whole ones, an end")
}
