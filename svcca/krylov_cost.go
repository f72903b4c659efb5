package svcca

// krylovGuess is how many directions the Krylov solver is taken to keep where the
// rule does not say.
const krylovGuess = 128

// krylovCost is what the Krylov solver takes where its space grows to some blocks more
// than twice what is kept, as it does where singular values fall like 1/i. Its memory
// is that of the largest space.
func krylovCost(n, d int, keep Keep) Cost {
	order := max(min(n, d), 1) // what has no values is refused later
	block, most := krylovSizes(order, keep)
	kept := krylovGuess
	if keep.rule == keepCount {
		kept = min(keep.count, order)
	}
	steps := float64((min(2*kept+4*block, most) + block - 1) / block)
	passes := steps + 2 // a survey, an estimate of what was missed; V or U is for the caller
	columns, space := float64(block), steps*float64(block)
	c := Cost{
		Products: 4*float64(n)*float64(d)*columns*passes + 12*float64(order)*space*space,
		Factors:  eigenFlops(space, space) * steps / 4,
		Serial:   eigenFlops(space, space) * steps / 4,
		Values:   float64(n) * float64(d) * passes,
	}
	// The space, blocks being made orthogonal, T and its eigenvectors.
	c.Memory = 8 * (int64(order)*int64(most+8*block) + 5*int64(most)*int64(most))
	if n < d {
		c.Memory += panelBytes + 8*int64(n)*chunkRows
	} else {
		c.Memory += 2 * 8 * int64(krylovRows(n, d)) * int64(1+d)
	}
	return c
}

// mostKept is how many directions of a layer can be kept.
func (o Options) mostKept(n, d int) int {
	if o.krylov(n, d) {
		_, most := krylovSizes(min(n, d), o.Keep)
		return most
	}
	return min(n, d)
}
