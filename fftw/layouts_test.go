package fftw

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
)

func TestLayouts(t *testing.T) {
	onAll(t, testLayouts[float32, complex64], testLayouts[float64, complex128])
}

// testLayouts takes every order of axes in memory on either side, with gaps and
// without, beginning at every alignment. Of four axes it takes a quarter of the
// pairs of orders, and fewer in instrumented builds.
func testLayouts[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	r, ratios := newRand(t), newRatios(t)
	every := 4
	if sanitizer.On {
		every = 36
	}
	gaps := [][]int{{0, 0, 0, 0, 0}, {1, 0, 3, 0, 2}, {0, 2, 0, 1, 5}}
	for _, s := range [][2]int{{4, 4}, {3, 5}, {1, 6}, {5, 1}} {
		for _, batch := range [][]int{nil, {3}, {2, 9}} {
			orders := permutations(2 + len(batch))
			for i, in := range orders {
				for j := range orders {
					if len(orders) == 24 && (24*i+j+i/every)%every != 0 {
						continue
					}
					p := problem{s[0], s[1], batch, arrangement{in, gaps[(i+j)%3]}, arrangement{orders[j], gaps[(i+2*j)%3]}}
					ratios.add("layout", fmt.Sprint(p), check(t, b, r, p, i%4, (i+j/4)%3), 1)
				}
			}
		}
	}
	five := problem{2, 3, []int{2, 1, 2, 3, 2}, arrangement{[]int{6, 2, 0, 5, 1, 3, 4}, []int{1, 0, 2, 0, 0, 1, 0}},
		arrangement{[]int{1, 4, 0, 2, 6, 3, 5}, []int{0, 1, 0, 0, 2, 0, 0}}}
	ratios.add("five batch axes", fmt.Sprint(five), check(t, b, r, five, 0, 0), 1)
}

func permutations(n int) (all [][]int) {
	if n == 0 {
		return [][]int{{}}
	}
	for _, p := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return all
}

func TestLayoutsProperty(t *testing.T) {
	onAll(t,
		func(t *testing.T, b *backend[float32, complex64]) {
			rapid.Check(t, func(r *rapid.T) { layoutsProperty(r, b) })
		},
		func(t *testing.T, b *backend[float64, complex128]) {
			rapid.Check(t, func(r *rapid.T) { layoutsProperty(r, b) })
		})
}

func layoutsProperty[R Real, C Complex](t *rapid.T, b *backend[R, C]) {
	p := problem{h: rapid.IntRange(1, 9).Draw(t, "h"), w: rapid.IntRange(1, 9).Draw(t, "w")}
	p.batch = rapid.SliceOfN(rapid.IntRange(1, 5), 0, 4).Draw(t, "batch")
	axes := make([]int, 2+len(p.batch))
	for k := range axes {
		axes[k] = k
	}
	for _, a := range []*arrangement{&p.in, &p.out} {
		a.order = rapid.Permutation(axes).Draw(t, "order")
		a.gaps = rapid.SliceOfN(rapid.IntRange(0, 3), len(axes), len(axes)).Draw(t, "gaps")
	}
	numbers := newRapidRand(t)
	worst := check(t, b, numbers, p, rapid.IntRange(0, 3).Draw(t, "shift in"), rapid.IntRange(0, 3).Draw(t, "shift out"))
	if !(worst < threshold) {
		t.Fatalf("%v: ratio %g", p, worst)
	}
}

// TestFrequencyMajor is the use that conv makes of it: phases of a stride, from
// images with channels last and with channels first to one matrix a frequency.
func TestFrequencyMajor(t *testing.T) {
	onAll(t, testFrequencyMajor[float32, complex64], testFrequencyMajor[float64, complex128])
}

func testFrequencyMajor[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	const n, h, w, c, gh, gw = 3, 6, 8, 5, 3, 4 // phases 2 × 2
	const columns = h / gh * (w / gw) * c
	r, ratios := newRand(t), newRatios(t)
	values := random[R](r, n*h*w*c, 1)
	for _, layout := range []struct {
		name                        string
		image, row, column, channel int
	}{
		{"NHWC", h * w * c, w * c, c, 1},
		{"NCHW", c * h * w, w, 1, h * w},
	} {
		at := func(image, i, j, channel int) int {
			return image*layout.image + i*layout.row + j*layout.column + channel*layout.channel
		}
		src, dst := make([]R, len(values)), make([]C, gh*half(gw)*n*columns)
		for i, v := range values {
			src[i] = R(v)
		}
		f := must(newForward(b,
			Axis{gh, h / gh * layout.row, half(gw) * n * columns},
			Axis{gw, w / gw * layout.column, n * columns},
			[]Axis{{n, layout.image, columns}, {c, layout.channel, 1}}))
		defer f.Close()
		for a := range h / gh {
			for p := range w / gw {
				f.Execute(dst[(a*(w/gw)+p)*c:], src[at(0, a, p, 0):])
			}
		}
		for image := range n {
			for a := range h / gh {
				for p := range w / gw {
					for channel := range c {
						x, got := make([]float64, gh*gw), make([]complex128, gh*half(gw))
						for q := range x {
							x[q] = values[at(image, q/gw*(h/gh)+a, q%gw*(w/gw)+p, channel)]
						}
						for q := range got {
							got[q] = complex128(dst[q*n*columns+image*columns+(a*(w/gw)+p)*c+channel])
						}
						want := plainForward(gh, gw, x)
						ratios.add(layout.name, fmt.Sprint(image, a, p, channel), distances(got, want), unit[R](gh, gw)*norms(want))
					}
				}
			}
		}
	}
}

// TestNotFinite: a transform with NaN or Inf is lost, and no other is.
func TestNotFinite(t *testing.T) {
	onAll(t, testNotFinite[float32, complex64], testNotFinite[float64, complex128])
}

func testNotFinite[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	const h, w, c = 4, 6, 7
	const k = w/2 + 1
	f := must(newForward(b, Axis{h, w * c, k * c}, Axis{w, c, c}, []Axis{{c, 1, 1}}))
	defer f.Close()
	src, good, bad := convert[R](random[R](newRand(t), h*w*c, 1)), make([]C, h*k*c), make([]C, h*k*c)
	f.Execute(good, src)
	for channel, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		spoilt := slices.Clone(src)
		spoilt[5*c+channel] = R(v)
		f.Execute(bad, spoilt)
		for i := range bad {
			if i%c == channel {
				assert.True(t, bad[i] != bad[i] || isInf(bad[i]), "spread over its own")
			} else {
				require.Equal(t, good[i], bad[i], "and over no other")
			}
		}
	}
}

func isInf[C Complex](c C) bool {
	z := complex128(c)
	return math.IsInf(real(z), 0) || math.IsInf(imag(z), 0)
}

// TestSlidingWindows: inputs may share elements.
func TestSlidingWindows(t *testing.T) {
	onAll(t, testSlidingWindows[float32, complex64], testSlidingWindows[float64, complex128])
}

func testSlidingWindows[R Real, C Complex](t *testing.T, b *backend[R, C]) {
	const w, n = 6, 9
	ratios := newRatios(t)
	f := must(newForward(b, Axis{Length: 1}, Axis{w, 1, 1}, []Axis{{n, 1, w/2 + 1}}))
	defer f.Close()
	values := random[R](newRand(t), w+n-1, 1)
	dst := make([]C, n*(w/2+1))
	f.Execute(dst, convert[R](values))
	for i := range n {
		want, got := plainForward(1, w, values[i:i+w]), make([]complex128, w/2+1)
		for v := range got {
			got[v] = complex128(dst[i*(w/2+1)+v])
		}
		ratios.add("window", fmt.Sprint(i), distances(got, want), unit[R](1, w)*norms(want))
	}
}
