package bench

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

func TestMapsAreDeterministic(t *testing.T) {
	const n, h, w, c = 5, 4, 6, 3
	x, y := Maps(n, h, w, c, 1)
	require.Len(t, x, n*h*w*c)
	require.Len(t, y, n*h*w*c)
	again, againY := Maps(n, h, w, c, 1)
	assert.Equal(t, x, again)
	assert.Equal(t, y, againY)
	other, _ := Maps(n, h, w, c, 2)
	assert.NotEqual(t, x, other)
	assert.NotEqual(t, x, y)
}

// A smoothed field has the variance of what it was made from and the covariance
// (a^distance + a^(length−distance)) / (1 + a^length) along either axis, and the
// mirror image the same.
func TestSmooth(t *testing.T) {
	const h, w, a = 5, 8, 0.6
	for _, back := range []bool{false, true} {
		// Column k of the map from values to fields.
		field := mat.NewDense(h*w, h*w, nil)
		for k := range h * w {
			unit := make([]float64, h*w)
			unit[k] = 1
			smooth(unit, h, w, a, back)
			field.SetCol(k, unit)
		}
		var covariance mat.Dense
		covariance.Mul(field, field.T())
		along := func(distance, length int) float64 {
			d, l := float64(distance), float64(length)
			return (math.Pow(a, d) + math.Pow(a, l-d)) / (1 + math.Pow(a, l))
		}
		for i := range h * w {
			for j := range h * w {
				di, dj := (i/w-j/w+h)%h, (i%w-j%w+w)%w
				// Sums of h·w products of numbers whose squares sum to 1.
				assert.InDelta(t, along(di, h)*along(dj, w), covariance.At(i, j), h*w*0x1p-52, "positions %d and %d", i, j)
			}
		}
	}
}

// The blocks at frequencies 0 and ½ along both axes are real: sums over positions,
// with equal and with alternating signs. Their ρ are known from the spectra of the
// fields, and fall.
func TestMapsShare(t *testing.T) {
	const n, size, c = 4000, 4, 6
	x, y := Maps(n, size, size, c, 1)
	var low float64 // mean ρ at frequency 0
	for _, sign := range []float64{1, -1} {
		blocks := [2]*mat.Dense{}
		for k, layer := range [][]float32{x, y} {
			blocks[k] = mat.NewDense(n, c, nil)
			for at, v := range layer {
				image, position, channel := at/(size*size*c), at/c%(size*size), at%c
				s := math.Pow(sign, float64(position/size+position%size))
				blocks[k].Set(image, channel, blocks[k].At(image, channel)+s*float64(v))
			}
		}
		var cc stat.CC
		require.NoError(t, cc.CanonicalCorrelations(blocks[0], blocks[1], nil))
		var wanted []float64
		for _, f := range newFields(c) {
			power := func(a float64) float64 { // of both axes; the variance is 1
				round := math.Pow(a, size)
				along := (1 - a*a) * (1 - round) / (1 + round) / ((1 - sign*a) * (1 - sign*a))
				return along * along
			}
			z, own := f.cosine*f.cosine*power(f.near), f.sine*f.sine*power(f.near/2)
			wanted = append(wanted, math.Sqrt(z/(z+own)))
		}
		slices.Sort(wanted)
		slices.Reverse(wanted)
		rho := cc.CorrsTo(nil)
		t.Logf("sign %v: ρ %.3f, expected %.3f", sign, rho, wanted)
		// The standard error of ρ is at most 1/√n; chance adds to its square c/n or so.
		for i := range rho {
			assert.InDelta(t, wanted[i], rho[i], 4/math.Sqrt(n))
		}
		if sign > 0 {
			low = stat.Mean(rho, nil)
		} else {
			assert.Less(t, stat.Mean(rho, nil), low-0.1)
		}
	}
}
