package svcca

import "fmt"

// Bytes is a number of bytes that prints in the units of people.
type Bytes int64

// String returns b in bytes, KiB, MiB, GiB or TiB.
func (b Bytes) String() string {
	v, units := float64(b), []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	if i == 0 || v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[i])
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}

// reductionBytes bounds the memory that reducing a layer takes.
func reductionBytes(n, d int, precision Precision) int64 {
	side := int64(min(n, d))
	columns := int64(d + 1)
	// Gram matrix, the eigen-solve's copy and work space (2 of its kind), V.
	need := 5 * 8 * side * side
	if precision == Mixed {
		need += 4 * side * side
	}
	rows := int64(min(panelRows(d), n))
	if n < d {
		return need + panelBytes + 8*int64(n)*int64(chunkRows)
	}
	return need + 2*8*rows*columns
}

// BetweenMemory bounds the memory, in bytes, that Between needs beside the layers:
// of n datapoints, d and e neurons. Where a layer asks for the triangle it is
// twice that.
func BetweenMemory(n, d, e int, o Options) int64 {
	if n < max(d, e) {
		return reductionBytes(n, d, o.Precision) + reductionBytes(n, e, o.Precision) + 8*int64(n)*int64(min(n, d)+min(n, e))
	}
	joint := int64(d + e + 1)
	need := 8*joint*joint + reductionBytes(n, d, o.Precision) + reductionBytes(n, e, o.Precision)
	return need + 4*8*int64(max(d, e))*int64(min(d, e)) // maps and decoders
}

// paneCost is what the parts of a pane cost, in flops.
type paneCost struct {
	reductions []float64 // by layer
	crossing   float64
	done       float64
}

// reductionFlops returns what sums and eigen-solve of a layer cost: an eigen-solve
// runs at half the speed of a product.
func reductionFlops(n, d int) float64 {
	side := float64(min(n, d))
	return float64(n)*float64(d)*side + 2*9*side*side*side
}

func (c *paneCost) total() float64 {
	sum := c.crossing
	for _, r := range c.reductions {
		sum += r
	}
	return sum
}

// windowFlops returns what a window costs: coordinates and their products.
func (p *pane) windowFlops(w window) (flops float64) {
	n := float64(p.layers[0].n)
	kept := func(layers, positions []int, other bool) (total float64) {
		for _, i := range positions {
			b := p.bases[layers[i]]
			total += float64(b.k)
			if !other || !w.symmetric {
				flops += 2 * n * float64(b.d) * float64(b.k)
			}
		}
		return total
	}
	products := 2 * n * kept(p.rows, w.rows, false) * kept(p.columns, w.columns, true)
	if w.symmetric {
		products /= 2
	}
	return flops + products
}
