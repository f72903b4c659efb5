package conv_test

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// The appendix of Raghu et al. 2017 proves that the covariance of a translated data set is
// circulant (Lemma 1), that the discrete Fourier transform diagonalises circulant matrices
// (Lemma 2), hence the covariance of one channel and that of two (Theorem 2), and that it
// makes the covariance of many channels block diagonal (Theorem 1). Here each statement is
// held against data sets that are translated, from the definitions alone, and must fail
// for the same images as they are. That CCA of the whole is then CCA of the blocks is
// TestExact.

const ulp = 0x1p-52

// translated returns all translations of m by gh × gw steps.
func translated(m maps, gh, gw int) (all maps) {
	h, w, _ := m.sizes()
	for p := range gh {
		for q := range gw {
			for _, image := range m {
				moved := make([][][]float64, h)
				for a := range h {
					for b := range w {
						moved[a] = append(moved[a], image[(a+p*(h/gh))%h][(b+q*(w/gw))%w])
					}
				}
				all = append(all, moved)
			}
		}
	}
	return all
}

// rowsOf returns an image a row: position (a, b) and channel k at (a·w + b)·c + k.
func rowsOf(m maps) (rows [][]float64) {
	for _, image := range m {
		var row []float64
		for _, line := range image {
			for _, position := range line {
				row = append(row, position...)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// covarianceOf returns Σ w (x − x̄)ᵀ(y − ȳ) / Σ w; weights repeat along the rows.
func covarianceOf(x, y [][]float64, weights []float64, centred bool) *mat.Dense {
	weight := func(i int) float64 {
		if weights == nil {
			return 1
		}
		return weights[i%len(weights)]
	}
	total := 0.0
	for i := range x {
		total += weight(i)
	}
	deviations := func(rows [][]float64) *mat.Dense {
		z := mat.NewDense(len(rows), len(rows[0]), nil)
		for j := range rows[0] {
			mean := 0.0
			for i := range rows {
				mean += weight(i) * rows[i][j] / total
			}
			if !centred {
				mean = 0
			}
			for i := range rows {
				z.Set(i, j, math.Sqrt(weight(i)/total)*(rows[i][j]-mean))
			}
		}
		return z
	}
	var c mat.Dense
	c.Mul(deviations(x).T(), deviations(y))
	return &c
}

// meanSquares returns the sum over columns of their mean square.
func meanSquares(rows [][]float64) (sum float64) {
	for _, row := range rows {
		for _, v := range row {
			sum += v * v / float64(len(rows))
		}
	}
	return sum
}

// fourier returns F ⊗ F of h × w positions for each of c channels, a row for each
// (frequency, channel): unitary.
func fourier(h, w, c int) [][]complex128 {
	f := make([][]complex128, h*w*c)
	for i := range f {
		f[i] = make([]complex128, h*w*c)
		u, v, k := i/(w*c), i/c%w, i%c
		for a := range h {
			for b := range w {
				angle := -2 * math.Pi * (float64(u*a%h)/float64(h) + float64(v*b%w)/float64(w))
				f[i][(a*w+b)*c+k] = cmplx.Rect(1/math.Sqrt(float64(h*w)), angle)
			}
		}
	}
	return f
}

// sandwich returns f·C·gᴴ.
func sandwich(f [][]complex128, c *mat.Dense, g [][]complex128) [][]complex128 {
	rows, columns := c.Dims()
	half := make([][]complex128, len(f))
	for i := range f {
		half[i] = make([]complex128, columns)
		for j := range columns {
			for k := range rows {
				half[i][j] += f[i][k] * complex(c.At(k, j), 0)
			}
		}
	}
	out := make([][]complex128, len(f))
	for i := range f {
		out[i] = make([]complex128, len(g))
		for j := range g {
			for k := range columns {
				out[i][j] += half[i][k] * cmplx.Conj(g[j][k])
			}
		}
	}
	return out
}

// entryTolerance bounds what rounding does to one entry of a covariance of rows, and of its
// transform. A sum of n products with a mean taken out is right to 2n ulp of the product of
// the two columns' root-mean-squares a_j; a row of F weighs T positions by 1/√T from either
// side, and (Σ a_j)²/T ≤ Σ a_j². The two products with F are sums of as many terms as there
// are columns and add 4d ulp.
func entryTolerance(x, y [][]float64) float64 {
	d := max(len(x[0]), len(y[0]))
	return float64(2*len(x)+4*d) * ulp * math.Sqrt(meanSquares(x)*meanSquares(y))
}

// offPart returns the largest entry of c for which on is false, and the share of the
// squared norm in all of those.
func offPart(c [][]complex128, on func(i, j int) bool) (largest, share float64) {
	var off, all float64
	for i := range c {
		for j, v := range c[i] {
			square := real(v)*real(v) + imag(v)*imag(v)
			all += square
			if !on(i, j) {
				off += square
				largest = max(largest, cmplx.Abs(v))
			}
		}
	}
	return largest, off / all
}

// clearly is the share of ‖covariance‖² off the blocks that data which is not translated has
// at least, in these tests: random images have most of it there.
const clearly = 0.3

// TestLemma1: cov(z at (a₁, b₁), z' at (a₂, b₂)) depends on (a₂ − a₁, b₂ − b₁) alone, for
// one channel and two, of one layer and of two.
func TestLemma1(t *testing.T) {
	for _, s := range [][3]int{{4, 4, 1}, {3, 5, 1}, {4, 3, 2}} {
		h, w, c := s[0], s[1], s[2]
		rng := rand.New(rand.NewPCG(11, uint64(h*w)))
		x, y := randomMaps(rng, 6, h, w, c), randomMaps(rng, 6, h, w, c)
		y.share(x, 0.8)
		// unlike is the largest difference of covariances that ought to be equal.
		unlike := func(x, y [][]float64) (largest float64) {
			cov := covarianceOf(x, y, nil, true)
			at := func(a, b, k int) int { return (a%h*w+b%w)*c + k }
			for first := range h * w {
				for second := range h * w {
					for moved := range h * w {
						for channels := range c * c {
							a1, b1, a2, b2, a, b := first/w, first%w, second/w, second%w, moved/w, moved%w
							k, l := channels/c, channels%c
							largest = max(largest, math.Abs(cov.At(at(a1, b1, k), at(a2, b2, l))-cov.At(at(a1+a, b1+b, k), at(a2+a, b2+b, l))))
						}
					}
				}
			}
			return largest
		}
		for _, pair := range [][2]maps{{x, x}, {x, y}} {
			moved, moved2 := rowsOf(translated(pair[0], h, w)), rowsOf(translated(pair[1], h, w))
			tolerance := 2 * entryTolerance(moved, moved2)
			assert.LessOrEqual(t, unlike(moved, moved2), tolerance, s)
			still, still2 := rowsOf(pair[0]), rowsOf(pair[1])
			assert.Greater(t, unlike(still, still2), 0.1*mat.Max(covarianceOf(still, still2, nil, true)), s)
		}
	}
}

// TestLemma2: the covariance of translated rows of w positions is circulant, and F C F*
// diagonal with the transform of its first column.
func TestLemma2(t *testing.T) {
	for _, w := range []int{2, 3, 8, 9} {
		rng := rand.New(rand.NewPCG(12, uint64(w)))
		x := randomMaps(rng, 5, 1, w, 1)
		rows := rowsOf(translated(x, 1, w))
		c := covarianceOf(rows, rows, nil, true)
		tolerance := entryTolerance(rows, rows)
		f := fourier(1, w, 1)
		for i := range w {
			for j := range w {
				assert.InDelta(t, c.At(0, (j-i+w)%w), c.At(i, j), 2*tolerance, "w=%d: circulant", w)
			}
		}
		lambda := sandwich(f, c, f)
		for u := range w {
			var sum complex128
			for q := range w {
				sum += complex(c.At(q, 0), 0) * cmplx.Rect(1, -2*math.Pi*float64(u*q%w)/float64(w))
			}
			for v := range w {
				wanted := complex128(0)
				if u == v {
					wanted = sum
				}
				// The sum is of w entries, each as right as tolerance says.
				assert.LessOrEqual(t, cmplx.Abs(lambda[u][v]-wanted), float64(1+w)*tolerance, "w=%d: (%d, %d)", w, u, v)
			}
		}
		still := rowsOf(x)
		largest, _ := offPart(sandwich(f, covarianceOf(still, still, nil, true), f), func(i, j int) bool { return i == j })
		assert.Greater(t, largest, 1e6*tolerance, "w=%d", w)
	}
}

// TestLemma2TwoAxes: over h × w positions the covariance is block circulant with circulant
// blocks; it is not circulant as one matrix of h·w rows.
func TestLemma2TwoAxes(t *testing.T) {
	const h, w = 4, 3
	x := randomMaps(rand.New(rand.NewPCG(13, 1)), 6, h, w, 1)
	rows := rowsOf(translated(x, h, w))
	c := covarianceOf(rows, rows, nil, true)
	tolerance := 2 * entryTolerance(rows, rows)
	asOne := 0.0
	for i := range h * w {
		for j := range h * w {
			blocks := c.At(0, (j/w-i/w+h)%h*w+(j%w-i%w+w)%w)
			require.InDelta(t, blocks, c.At(i, j), tolerance)
			asOne = max(asOne, math.Abs(c.At(i, j)-c.At(0, (j-i+h*w)%(h*w))))
		}
	}
	assert.Greater(t, asOne, 0.01*c.At(0, 0))
}

// TestTheorem2: with F ⊗ F on both sides the covariance of one channel is diagonal (a), and
// so is that of two channels (b), whether of one layer or of two.
func TestTheorem2(t *testing.T) {
	for _, s := range [][2]int{{4, 4}, {5, 5}, {3, 6}, {2, 7}} {
		h, w := s[0], s[1]
		rng := rand.New(rand.NewPCG(14, uint64(10*h+w)))
		both := randomMaps(rng, 6, h, w, 2) // two channels of one layer
		other := randomMaps(rng, 6, h, w, 1)
		other.share(both, 0.8)
		first, second := both.channel(0), both.channel(1)
		f := fourier(h, w, 1)
		diagonal := func(i, j int) bool { return i == j }
		for what, pair := range map[string][2]maps{"one channel": {first, first}, "two of a layer": {first, second}, "of two layers": {first, other}} {
			name := fmt.Sprint(s, " ", what)
			x, y := rowsOf(translated(pair[0], h, w)), rowsOf(translated(pair[1], h, w))
			transformed := sandwich(f, covarianceOf(x, y, nil, true), f)
			largest, _ := offPart(transformed, diagonal)
			assert.LessOrEqual(t, largest, entryTolerance(x, y), name)
			on, _ := offPart(transformed, func(i, j int) bool { return i != j })
			assert.Greater(t, on, 1e6*entryTolerance(x, y), name+": nothing left on the diagonal")
			x, y = rowsOf(pair[0]), rowsOf(pair[1])
			_, share := offPart(sandwich(f, covarianceOf(x, y, nil, true), f), diagonal)
			assert.Greater(t, share, clearly, name)
		}
	}
}

// channel returns one.
func (m maps) channel(k int) (out maps) {
	for _, image := range m {
		var one [][][]float64
		for _, row := range image {
			var line [][]float64
			for _, position := range row {
				line = append(line, []float64{position[k]})
			}
			one = append(one, line)
		}
		out = append(out, one)
	}
	return out
}

// TestTheorem1: with many channels the covariances within a layer and between two are block
// diagonal, a block of channels × channels for each frequency; with strides, frequencies
// that are equal modulo the number of translations form a block.
func TestTheorem1(t *testing.T) {
	type size struct{ h, w, c int }
	for at, s := range [][2]size{{{4, 4, 3}, {4, 4, 2}}, {{3, 5, 2}, {3, 5, 2}}, {{6, 4, 2}, {3, 2, 3}}, {{6, 3, 1}, {4, 3, 2}}} {
		rng := rand.New(rand.NewPCG(15, uint64(at)))
		x, y := randomMaps(rng, 5, s[0].h, s[0].w, s[0].c), randomMaps(rng, 5, s[1].h, s[1].w, s[1].c)
		y.share(x, 0.8)
		gh, gw := divisor(s[0].h, s[1].h), divisor(s[0].w, s[1].w)
		block := func(s size, i int) [2]int { return [2]int{i / (s.w * s.c) % gh, i / s.c % s.w % gw} }
		for _, pair := range [][2]int{{0, 0}, {1, 1}, {0, 1}} {
			layers, p, q := [2]maps{x, y}, s[pair[0]], s[pair[1]]
			name := fmt.Sprint(s, pair)
			within := func(i, j int) bool { return block(p, i) == block(q, j) }
			f, g := fourier(p.h, p.w, p.c), fourier(q.h, q.w, q.c)
			a, b := rowsOf(translated(layers[pair[0]], gh, gw)), rowsOf(translated(layers[pair[1]], gh, gw))
			transformed := sandwich(f, covarianceOf(a, b, nil, true), g)
			largest, _ := offPart(transformed, within)
			assert.LessOrEqual(t, largest, entryTolerance(a, b), name)
			on, _ := offPart(transformed, func(i, j int) bool { return !within(i, j) })
			assert.Greater(t, on, 1e6*entryTolerance(a, b), name+": nothing left in the blocks")
			// No entry of a block is 0 for all data: the blocks are no finer.
			for i := range transformed {
				for j, v := range transformed[i] {
					if within(i, j) {
						assert.Greater(t, cmplx.Abs(v), entryTolerance(a, b), "%s: (%d, %d)", name, i, j)
					}
				}
			}
			a, b = rowsOf(layers[pair[0]]), rowsOf(layers[pair[1]])
			_, share := offPart(sandwich(f, covarianceOf(a, b, nil, true), g), within)
			assert.Greater(t, share, clearly, name)
		}
	}
}
