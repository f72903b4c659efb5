package conv

// Block is a frequency (u, v) of the translations, or for strides all frequencies
// of a map that are equal modulo their number. Real maps have conjugate values at
// (−u, −v), so that one of the two stands for both.
type Block struct {
	U int `json:"u"`
	V int `json:"v"`
	// Multiplicity is 2 where the block stands for its conjugate as well, 1 where it
	// is its own.
	Multiplicity int `json:"multiplicity"`
	// KX and KY are how many directions of the block are kept of either layer.
	KX int `json:"k_x"`
	KY int `json:"k_y"`
}

// grid is how a map lies under the translations (DEFINITIONS §5): a position is
// step · q + phase, with q transformed. Columns of a block are (phase, channel).
type grid struct {
	lengthH, lengthW int   // of q: what is transformed
	stepH, stepW     int   // positions a step
	from, many       int   // channels that are transformed: a panel of them, or all
	columns          int   // of a block: phases × many
	at               []int // by block, its place in the half spectrum
	others           []int // places of the half spectrum in no block (low pass)
	counts           []int // of others: how often each counts
}

// spectrum returns how many frequencies a transform yields.
func (g grid) spectrum() int { return g.lengthH * (g.lengthW/2 + 1) }

// panel returns g of some channels alone.
func (g grid) panel(from, many int) grid {
	g.from, g.many, g.columns = from, many, g.stepH*g.stepW*many
	return g
}

// multiplicity returns whether (u, v) of h × w is kept in place of its conjugate, and
// for how many it stands.
func multiplicity(u, v, h, w int) (count int) {
	cu, cv := (h-u)%h, (w-v)%w
	switch {
	case cu == u && cv == v:
		return 1
	case v < cv || v == cv && u < cu:
		return 2
	}
	return 0
}

// exactGrids returns the blocks of two layers under the largest group of
// translations that moves both by whole positions. A vector is moved by none, so
// that the other's whole size is the group.
func exactGrids(x, y Maps) (h, w int, blocks []Block, grids [2]grid) {
	h, w = gcd(x.height, y.height), gcd(x.width, y.width)
	switch {
	case x.vector && y.vector:
		h, w = 1, 1
	case x.vector:
		h, w = y.height, y.width
	case y.vector:
		h, w = x.height, x.width
	}
	blocks = allBlocks(h, w)
	for i, m := range []Maps{x, y} {
		if m.vector {
			grids[i] = grid{lengthH: 1, lengthW: 1, stepH: 1, stepW: 1, at: []int{0}}.panel(0, m.channels)
			continue
		}
		g := grid{lengthH: h, lengthW: w, stepH: m.height / h, stepW: m.width / w}
		g = g.panel(0, m.channels)
		for _, b := range blocks {
			g.at = append(g.at, b.U*(w/2+1)+b.V)
		}
		grids[i] = g
	}
	return h, w, blocks, grids
}

// allBlocks returns those of h × w translations; (0, 0) is the first.
func allBlocks(h, w int) (blocks []Block) {
	for u := range h {
		for v := range w/2 + 1 {
			if count := multiplicity(u, v, h, w); count > 0 {
				blocks = append(blocks, Block{U: u, V: v, Multiplicity: count})
			}
		}
	}
	return blocks
}

// lowPassGrids returns a block for each frequency that both layers have below half
// of the smaller size; on an axis of equal sizes all of them.
func lowPassGrids(x, y Maps) (h, w int, blocks []Block, grids [2]grid) {
	h, w = band(x.height, y.height), band(x.width, y.width)
	blocks = allBlocks(h, w)
	for i, m := range []Maps{x, y} {
		g := grid{lengthH: m.height, lengthW: m.width, stepH: 1, stepW: 1}.panel(0, m.channels)
		kept := map[int]bool{}
		for _, b := range blocks {
			u := b.U
			if u > h/2 && h < m.height { // −1, −2, … lie at the end of either spectrum
				u += m.height - h
			}
			at := u*(m.width/2+1) + b.V
			g.at, kept[at] = append(g.at, at), true
		}
		for u := range m.height {
			for v := range m.width/2 + 1 {
				at := u*(m.width/2+1) + v
				if count := multiplicity(u, v, m.height, m.width); count > 0 && !kept[at] {
					g.others, g.counts = append(g.others, at), append(g.counts, count)
				}
			}
		}
		grids[i] = g
	}
	return h, w, blocks, grids
}

// band returns how many frequencies of an axis a low pass keeps.
func band(p, q int) int {
	if p == q {
		return p
	}
	return (min(p, q)-1)/2*2 + 1
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
