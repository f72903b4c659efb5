package nn

import (
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/lapack"
)

// Translate moves each datapoint's maps by up to most positions up or down and left or right,
// any as likely as another; what comes in at the edges is 0.
func Translate[T lapack.Real](x *Tensor[T], most int, rng *rand.Rand) {
	height, width, channels := mapsOf("Translate", x.Shape[1:])
	from := make([]T, height*width*channels)
	for i := range x.Shape[0] {
		down, right := rng.IntN(2*most+1)-most, rng.IntN(2*most+1)-most
		to := x.Part(i, i+1).Data
		copy(from, to)
		clear(to)
		// Columns left … end−1 of a row come from those right of them by −right.
		left, end := min(max(0, right), width), max(min(width, width+right), 0)
		for row := range height {
			if source := row - down; source >= 0 && source < height && left < end {
				copy(to[(row*width+left)*channels:(row*width+end)*channels], from[(source*width+left-right)*channels:])
			}
		}
	}
}
