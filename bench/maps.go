package bench

import (
	"math"
	"math/rand/v2"
)

// Maps returns the feature maps of two convolutional layers, n images × h × w
// positions × c channels, channels innermost: the data of workload W3 and, as rows
// of h·w·c neurons, of W5. Equal arguments give equal bits.
//
// Behind x lie c independent Gaussian fields z_i over positions, which wrap round.
// Along either axis their covariance falls as a^distance, with an a between 0.5 and
// 0.95 of each field: they have more of low frequencies than of high ones. Behind y
// lie z_i·cos θ_i + w_i·sin θ_i, with the angles of Pair. Here z_i is smoothed the
// other way round, which keeps its spectrum and turns its phases, so that products of
// the two layers are complex; and w_i is of half the a, so that ρ falls from low
// frequencies to high ones. Fields fall in size from 1 to e⁻⁴, and a layer's channels
// are a rotation of its fields. Channels have means of their own, from which those of
// single positions are a third of a standard deviation off.
//
// At W3's size k is 5401 and 7512 of the 16384 directions of all frequencies; as rows
// k is 910 and 949 of 999.
//
// Cost O(n·h·w·c·log c): 2 seconds for W3.
func Maps(n, h, w, c int, seed uint64) (x, y []float32) {
	var (
		rng          = rand.New(rand.NewPCG(seed, uint64(c)))
		size         = h * w
		fields       = newFields(c)
		vx, vy       = newRotation(c, rng), newRotation(c, rng)
		meanX, meanY = fields.means(size, rng), fields.means(size, rng)
		behindX      = make([]float64, c*size) // field by field
		behindY      = make([]float64, c*size)
		own          = make([]float64, size)
		row          = make([]float64, c)
	)
	mixed := func(layer []float32, behind []float64, v rotation, mean []float64) []float32 {
		for p := range size {
			for i := range row {
				row[i] = behind[i*size+p]
			}
			v.apply(row)
			for i, value := range row {
				layer = append(layer, float32(value+mean[p*c+i]))
			}
		}
		return layer
	}
	x, y = make([]float32, 0, n*size*c), make([]float32, 0, n*size*c)
	for range n {
		for i, f := range fields {
			zx, zy := behindX[i*size:][:size], behindY[i*size:][:size]
			for p := range size {
				zx[p], own[p] = f.scale*rng.NormFloat64(), f.scale*rng.NormFloat64()
			}
			copy(zy, zx)
			smooth(zx, h, w, f.near, false)
			smooth(zy, h, w, f.near, true)
			smooth(own, h, w, f.near/2, false)
			for p, w := range own {
				zy[p] = f.cosine*zy[p] + f.sine*w
			}
		}
		x, y = mixed(x, behindX, vx, meanX), mixed(y, behindY, vy, meanY)
	}
	return x, y
}

// field is one of those that channels are mixed from.
type field struct {
	scale        float64 // standard deviation
	near         float64 // a
	sine, cosine float64
}

type fields []field

func newFields(c int) fields {
	f := make(fields, c)
	for i := range f {
		_, near := math.Modf(float64(i+1) * math.Sqrt2)
		f[i].scale, f[i].near = math.Exp(-4*float64(i)/float64(max(c-1, 1))), 0.5+0.45*near
		f[i].sine, f[i].cosine = angle(i, 0)
	}
	return f
}

// means returns means of every channel at each of size positions.
func (f fields) means(size int, rng *rand.Rand) []float64 {
	var variance float64
	for _, field := range f {
		variance += field.scale * field.scale / float64(len(f))
	}
	sigma := math.Sqrt(variance)
	channels, all := means(len(f), sigma, rng), make([]float64, 0, size*len(f))
	for range size {
		for _, mean := range channels {
			all = append(all, mean+sigma/3*rng.NormFloat64())
		}
	}
	return all
}

// smooth makes of h × w independent values a field of covariance a^distance along
// either axis (and once more round it), of the same variance; back is the mirror
// image of what is done without.
func smooth(values []float64, h, w int, a float64, back bool) {
	for i := range h {
		smoothLine(values[i*w:], 1, w, a, back)
	}
	for j := range w {
		smoothLine(values[j:], w, h, a, back)
	}
}

// smoothLine replaces the count values that lie step apart by the periodic solution
// of v_j = a·v_{j−1} + gain·e_j, e being the values.
func smoothLine(e []float64, step, count int, a float64, back bool) {
	first := 0
	if back {
		first, step = (count-1)*step, -step
	}
	var v float64
	for j := range count {
		v = a*v + e[first+j*step]
	}
	round := math.Pow(a, float64(count))
	v /= 1 - round
	gain := math.Sqrt((1 - a*a) * (1 - round) / (1 + round))
	for j := range count {
		v = a*v + e[first+j*step]
		e[first+j*step] = gain * v
	}
}
