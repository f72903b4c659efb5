package conv_test

import (
	"math"
	"sort"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// image values as the brute force holds them: maps[image][h][w][c].
type maps [][][][]float64

func (m maps) sizes() (h, w, c int) { return len(m[0]), len(m[0][0]), len(m[0][0][0]) }

// brute is SVCCA of the data set made of all translations, which it makes: dense SVDs of
// explicit rows, by gonum. It shares nothing with package conv but the definitions.
type brute struct {
	kx, ky, rankX, rankY int
	rho, s, t            []float64
	meanSquare           float64
	weightedX, weightedY float64
	pwccaX, pwccaY       float64
	ones                 int     // ρ that are 1
	error                float64 // of ρ: its own SVDs
}

type bruteRule struct {
	keep  string // variance, sum, rank, count
	value float64
}

// bruteForce translates x and y by the group of their sizes' greatest common divisors.
func bruteForce(t *testing.T, x, y maps, weights []float64, float32s bool, centering svcca.Centering, rule bruteRule) brute {
	t.Helper()
	hx, wx, _ := x.sizes()
	hy, wy, _ := y.sizes()
	gh, gw := divisor(hx, hy), divisor(wx, wy)
	rows := func(m maps) *mat.Dense {
		h, w, c := m.sizes()
		var data []float64
		for p := range gh {
			for q := range gw {
				for _, image := range m {
					for a := range h {
						for b := range w {
							data = append(data, image[((a-p*(h/gh))%h+h)%h][((b-q*(w/gw))%w+w)%w]...)
						}
					}
				}
			}
		}
		return mat.NewDense(len(m)*gh*gw, h*w*c, data)
	}
	weight := func(row int) float64 { // an image's, spread over its translations
		if weights == nil {
			return 1
		}
		return weights[row%len(x)]
	}
	unit := 10 * 0x1p-52
	if float32s {
		unit = 10 * 0x1p-23
	}
	type side struct {
		u *mat.Dense
		s []float64
		v *mat.Dense
		r int
		k int
	}
	reduce := func(m maps) side {
		a := columnSizes(rows(m), weight)
		work := m
		if centering == svcca.CenterNeurons {
			work = withoutMeans(m, weights)
		}
		z := rows(work)
		n, d := z.Dims()
		total := 0.0
		for i := range n {
			total += weight(i)
		}
		for j := range d {
			mean := 0.0
			for i := range n {
				mean += weight(i) * z.At(i, j) / total
			}
			norm := 0.0
			for i := range n {
				v := z.At(i, j)
				if centering != svcca.CenterNone {
					v -= mean
				}
				v *= math.Sqrt(weight(i))
				z.Set(i, j, v)
				norm += v * v
			}
			if math.Sqrt(norm) <= unit*a[j]*math.Sqrt(total) {
				for i := range n {
					z.Set(i, j, 0)
				}
			}
		}
		var svd mat.SVD
		require.True(t, svd.Factorize(z, mat.SVDThin))
		out := side{u: new(mat.Dense), v: new(mat.Dense), s: svd.Values(nil)}
		svd.UTo(out.u)
		svd.VTo(out.v)
		for out.r < len(out.s) {
			along := 0.0
			for j := range d {
				along += math.Pow(a[j]*out.v.At(j, out.r), 2)
			}
			noise := unit * (math.Sqrt(float64(n)) + math.Sqrt(float64(d))) * math.Sqrt(along*total/float64(n))
			if out.s[out.r] <= math.Max(float64(max(n, d))*0x1p-52*out.s[0], noise) {
				break
			}
			out.r++
		}
		out.k = bruteCut(out.s, out.r, rule)
		return out
	}
	a, b := reduce(x), reduce(y)
	var m mat.Dense
	m.Mul(a.u.Slice(0, a.u.RawMatrix().Rows, 0, a.k).(*mat.Dense).T(), b.u.Slice(0, b.u.RawMatrix().Rows, 0, b.k))
	var svd mat.SVD
	require.True(t, svd.Factorize(&m, mat.SVDThin))
	r := brute{kx: a.k, ky: b.k, rankX: a.r, rankY: b.r, rho: svd.Values(nil), s: a.s, t: b.s}
	var p, q mat.Dense
	svd.UTo(&p)
	svd.VTo(&q)
	loads := func(z side, p *mat.Dense) (alpha []float64) {
		_, m := p.Dims()
		d, _ := z.v.Dims()
		for i := range m {
			sum := 0.0
			for j := range d {
				v := 0.0
				for l := range z.k {
					v += p.At(l, i) * z.s[l] * z.v.At(j, l)
				}
				sum += math.Abs(v)
			}
			alpha = append(alpha, sum)
		}
		return alpha
	}
	mean := func(w []float64) float64 {
		sum, total := 0.0, 0.0
		for i := range w {
			sum, total = sum+w[i]*r.rho[i], total+w[i]
		}
		return sum / total
	}
	r.pwccaX, r.pwccaY = mean(loads(a, &p)), mean(loads(b, &q))
	for i := range r.rho {
		r.rho[i] = math.Min(1, r.rho[i])
		r.meanSquare += r.rho[i] * r.rho[i] / float64(len(r.rho))
		if r.rho[i] > 1-1e-10 {
			r.ones++
		}
	}
	total := 0.0
	for i := range a.k {
		norm := 0.0
		for j := range b.k {
			norm += m.At(i, j) * m.At(i, j)
		}
		r.weightedX += a.s[i] * math.Sqrt(norm)
		total += a.s[i]
	}
	r.weightedX /= total
	total = 0
	for j := range b.k {
		norm := 0.0
		for i := range a.k {
			norm += m.At(i, j) * m.At(i, j)
		}
		r.weightedY += b.s[j] * math.Sqrt(norm)
		total += b.s[j]
	}
	r.weightedY /= total
	for _, z := range []side{a, b} {
		next := 0.0
		if z.k < len(z.s) {
			next = z.s[z.k]
		}
		r.error += 16 * 0x1p-52 * z.s[0] / (z.s[z.k-1] - next)
	}
	root := math.Sqrt(float64(gh * gw))
	for i := range r.s {
		r.s[i] /= root
	}
	for i := range r.t {
		r.t[i] /= root
	}
	return r
}

func bruteCut(s []float64, r int, rule bruteRule) int {
	power := 2.0
	k := int(rule.value)
	switch rule.keep {
	case "sum":
		power = 1
		fallthrough
	case "variance":
		total, sum := 0.0, 0.0
		for _, v := range s {
			total += math.Pow(v, power)
		}
		for k = 0; sum < rule.value*total; k++ {
			sum += math.Pow(s[k], power)
		}
	case "rank":
		k = r
	}
	k = min(k, r)
	return min(r, sort.Search(len(s), func(i int) bool { return s[i] < s[k-1]*(1-1e-8) }))
}

// columnSizes returns the root-mean-square of each column.
func columnSizes(z *mat.Dense, weight func(row int) float64) (a []float64) {
	n, d := z.Dims()
	for j := range d {
		sum, total := 0.0, 0.0
		for i := range n {
			sum, total = sum+weight(i)*z.At(i, j)*z.At(i, j), total+weight(i)
		}
		a = append(a, math.Sqrt(sum/total))
	}
	return a
}

// withoutMeans returns m less each neuron's mean over images.
func withoutMeans(m maps, weights []float64) (out maps) {
	h, w, c := m.sizes()
	weight := func(i int) float64 {
		if weights == nil {
			return 1
		}
		return weights[i]
	}
	total := 0.0
	for i := range m {
		total += weight(i)
	}
	for range m {
		image := make([][][]float64, h)
		for a := range h {
			image[a] = make([][]float64, w)
			for b := range w {
				image[a][b] = make([]float64, c)
			}
		}
		out = append(out, image)
	}
	for a := range h {
		for b := range w {
			for k := range c {
				mean := 0.0
				for i := range m {
					mean += weight(i) * m[i][a][b][k] / total
				}
				for i := range m {
					out[i][a][b][k] = m[i][a][b][k] - mean
				}
			}
		}
	}
	return out
}

func divisor(a, b int) int {
	for d := min(a, b); ; d-- {
		if a%d == 0 && b%d == 0 {
			return d
		}
	}
}
