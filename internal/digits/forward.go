package digits

import (
	"math"

	"github.com/gosvcca/gosvcca/lapack"
)

// dense returns x·w + b for w inputs × outputs.
func dense(x lapack.Matrix[float64], w, b []float64) lapack.Matrix[float64] {
	y := lapack.New[float64](x.Rows, len(b))
	for i := range x.Rows {
		out := y.Row(i)
		copy(out, b)
		for k, v := range x.Row(i) {
			for j := range out {
				out[j] += v * w[k*len(b)+j]
			}
		}
	}
	return y
}

func rectified(x lapack.Matrix[float64]) lapack.Matrix[float64] {
	y := lapack.New[float64](x.Rows, x.Cols)
	for i, v := range x.Data {
		y.Data[i] = max(v, 0)
	}
	return y
}

// normalise is batch normalisation by the means and variances of training.
func normalise(x lapack.Matrix[float64], p *parameters) lapack.Matrix[float64] {
	const epsilon = 1e-5
	scale, shift, mean, variance := p.take(x.Cols), p.take(x.Cols), p.take(x.Cols), p.take(x.Cols)
	y := lapack.New[float64](x.Rows, x.Cols)
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			y.Row(i)[j] = (v-mean[j])/math.Sqrt(variance[j]+epsilon)*scale[j] + shift[j]
		}
	}
	return y
}

// convolve returns a convolution of 3 × 3 with zeros around, after ReLU, of maps of
// size × size × in: size × size × out.
func convolve(x lapack.Matrix[float64], size, in, out int, p *parameters) lapack.Matrix[float64] {
	w, b := p.take(3*3*in*out), p.take(out)
	y := lapack.New[float64](x.Rows, size*size*out)
	for image := range x.Rows {
		from, to := x.Row(image), y.Row(image)
		for position := range size * size {
			sums := to[position*out:][:out]
			copy(sums, b)
			for tap := range 9 {
				row, column := position/size+tap/3-1, position%size+tap%3-1
				if row < 0 || row >= size || column < 0 || column >= size {
					continue
				}
				for c, v := range from[(row*size+column)*in:][:in] {
					for k := range sums {
						sums[k] += v * w[(tap*in+c)*out+k]
					}
				}
			}
		}
	}
	return rectified(y)
}

// pooled returns the maxima of 2 × 2 positions.
func pooled(x lapack.Matrix[float64], size, channels int) lapack.Matrix[float64] {
	half := size / 2
	y := lapack.New[float64](x.Rows, half*half*channels)
	for image := range x.Rows {
		from, to := x.Row(image), y.Row(image)
		for i := range to {
			row, column, c := i/channels/half, i/channels%half, i%channels
			at := ((2*row)*size+2*column)*channels + c
			to[i] = max(from[at], from[at+channels], from[at+size*channels], from[at+(size+1)*channels])
		}
	}
	return y
}

// channelsFirst returns maps with each channel's positions side by side.
func channelsFirst(x lapack.Matrix[float64], channels int) lapack.Matrix[float64] {
	positions := x.Cols / channels
	y := lapack.New[float64](x.Rows, x.Cols)
	for image := range x.Rows {
		for i, v := range x.Row(image) {
			y.Row(image)[i%channels*positions+i/channels] = v
		}
	}
	return y
}
