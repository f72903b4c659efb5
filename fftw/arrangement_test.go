package fftw

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arrangement places the axes of an array in memory: the first of order lies
// innermost, and each but the last has a gap of so many elements behind it; an
// innermost gap of g means that elements are g+1 apart.
type arrangement struct {
	order, gaps []int // of rows, columns, then the batch
}

// strides returns those of axes of the given lengths.
func (a arrangement) strides(lengths []int) []int {
	s, reach := make([]int, len(lengths)), 1
	for i, k := range a.order {
		s[k] = reach + a.gaps[i]
		reach = s[k] * lengths[k]
	}
	return s
}

// problem is a plan's shape and where its arrays lie.
type problem struct {
	h, w    int
	batch   []int
	in, out arrangement
}

// axes returns the axes of the plan, spectra being what comes out, or goes in.
func (p problem) axes(outward bool) (rows, cols Axis, batch []Axis) {
	inLengths, outLengths := p.lengths(!outward), p.lengths(outward)
	in, out := p.in.strides(inLengths), p.out.strides(outLengths)
	axes := make([]Axis, len(in))
	for k := range axes {
		axes[k] = Axis{inLengths[k], in[k], out[k]}
	}
	axes[1].Length = p.w
	return axes[0], axes[1], axes[2:]
}

// lengths returns those of the array of spectra, or of images.
func (p problem) lengths(spectra bool) []int {
	w := p.w
	if spectra {
		w = half(w)
	}
	return append([]int{p.h, w}, p.batch...)
}

// offsets returns where the elements of each image lie, image by image and row by
// row, for a plan's axes and one of their strides.
func offsets(lengths, strides []int) (all [][]int) {
	all = [][]int{nil}
	for i := range lengths[0] {
		for j := range lengths[1] {
			all[0] = append(all[0], i*strides[0]+j*strides[1])
		}
	}
	for k := 2; k < len(lengths); k++ {
		var next [][]int
		for i := range lengths[k] {
			for _, image := range all {
				moved := slices.Clone(image)
				for e := range moved {
					moved[e] += i * strides[k]
				}
				next = append(next, moved)
			}
		}
		all = next
	}
	return all
}

// array holds elements of a problem among NaN, that nobody may touch.
type array[E any] struct {
	whole, data []E // data begins shift elements into whole
	offsets     [][]int
	set         func(e *E, z complex128)
	bits        func(e E) [2]uint64
	before      [][2]uint64
}

const guardTail = 9

func newArray[E any](lengths, strides []int, shift int, set func(*E, complex128), bits func(E) [2]uint64) *array[E] {
	last := 0
	for k := range lengths {
		last += (lengths[k] - 1) * strides[k]
	}
	a := &array[E]{whole: make([]E, shift+last+1+guardTail), offsets: offsets(lengths, strides), set: set, bits: bits}
	nan := complex(math.NaN(), math.NaN())
	for i := range a.whole {
		set(&a.whole[i], nan)
	}
	a.data = a.whole[shift : shift+last+1]
	a.snapshot()
	return a
}

func (a *array[E]) snapshot() {
	a.before = a.before[:0]
	for _, e := range a.whole {
		a.before = append(a.before, a.bits(e))
	}
}

// fill sets the elements of every image and takes the snapshot anew.
func (a *array[E]) fill(images [][]complex128) {
	for k, image := range images {
		for e, z := range image {
			a.set(&a.data[a.offsets[k][e]], z)
		}
	}
	a.snapshot()
}

// mustKeep fails unless every element has the bits it had, but for those of the
// images where written is set.
func (a *array[E]) mustKeep(t require.TestingT, written bool) {
	mine := make([]bool, len(a.whole))
	if written {
		shift := len(a.whole) - guardTail - len(a.data)
		for _, image := range a.offsets {
			for _, o := range image {
				mine[shift+o] = true
			}
		}
	}
	for i, e := range a.whole {
		if !mine[i] && a.bits(e) != a.before[i] {
			assert.Failf(t, "written", "element %d of %d was written", i, len(a.whole))
			t.FailNow()
		}
	}
}

func realArray[R Real](lengths, strides []int, shift int) *array[R] {
	return newArray(lengths, strides, shift,
		func(e *R, z complex128) { *e = R(real(z)) },
		func(e R) [2]uint64 { return [2]uint64{math.Float64bits(float64(e))} })
}

func complexArray[C Complex](lengths, strides []int, shift int) *array[C] {
	return newArray(lengths, strides, shift,
		func(e *C, z complex128) { *e = C(z) },
		func(e C) [2]uint64 {
			return [2]uint64{math.Float64bits(real(complex128(e))), math.Float64bits(imag(complex128(e)))}
		})
}

// check runs p both ways, between arrays that begin at those shifts, and holds
// every image against the definition and every other element against what it was.
func check[R Real, C Complex](t require.TestingT, b *backend[R, C], r *rand.Rand, p problem, shiftIn, shiftOut int) (worst float64) {
	count := 1
	for _, n := range p.batch {
		count *= n
	}
	unit := max(unit[R](p.h, p.w), ulp[R]())

	rows, cols, batch := p.axes(true)
	f, err := newForward(b, rows, cols, batch)
	require.NoError(t, err)
	src := realArray[R](p.lengths(false), p.in.strides(p.lengths(false)), shiftIn)
	dst := complexArray[C](p.lengths(true), p.out.strides(p.lengths(true)), shiftOut)
	images := make([][]complex128, count)
	for k := range images {
		for _, v := range random[R](r, p.h*p.w, 1) {
			images[k] = append(images[k], complex(v, 0))
		}
	}
	src.fill(images)
	f.Execute(dst.data, src.data)
	require.NoError(t, f.Close())
	src.mustKeep(t, false)
	dst.mustKeep(t, true)
	for k, image := range images {
		x := make([]float64, len(image))
		for e := range x {
			x[e] = real(image[e])
		}
		got := make([]complex128, p.h*half(p.w))
		for e, o := range dst.offsets[k] {
			got[e] = complex128(dst.data[o])
		}
		want := plainForward(p.h, p.w, x)
		worst = larger(worst, distances(got, want)/(unit*norms(want)))
	}

	rows, cols, batch = p.axes(false)
	i, err := newInverse(b, rows, cols, batch)
	require.NoError(t, err)
	from := complexArray[C](p.lengths(true), p.in.strides(p.lengths(true)), shiftIn)
	to := realArray[R](p.lengths(false), p.out.strides(p.lengths(false)), shiftOut)
	for k := range images {
		images[k] = randomSpectrum[R](r, p.h*half(p.w), 1)
	}
	from.fill(images)
	i.Execute(to.data, from.data)
	require.NoError(t, i.Close())
	from.mustKeep(t, false)
	to.mustKeep(t, true)
	for k, spectrum := range images {
		got := make([]float64, p.h*p.w)
		for e, o := range to.offsets[k] {
			got[e] = float64(to.data[o])
		}
		want := plainInverse(p.h, p.w, spectrum)
		worst = larger(worst, distance(got, want)/(unit*norm(want)))
	}
	return worst
}

// larger is max, but for NaN, which it hands on from either side.
func larger(a, b float64) float64 {
	if b > a || math.IsNaN(b) {
		return b
	}
	return a
}
