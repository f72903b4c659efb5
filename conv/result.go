package conv

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/gosvcca/gosvcca/internal/crew"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"gonum.org/v1/gonum/floats"
)

// Result is what SVCCA says of two layers under translations. Scores, chance and
// warnings are those of a dense Comparison, pooled over blocks: each ρ of a block counts
// as often as the block, and zeros fill up to min(X.K, Y.K). X and Y count all values of
// an image as neurons; SingularValues pool all blocks.
type Result struct {
	svcca.Comparison
	// Options in place of the Comparison's.
	Options Options `json:"options"`
	// Translations is the group T: how many rows and columns a map is moved by, in units
	// of its size over these. 1 × 1 moves nothing: the result is that of flattened maps.
	Translations [2]int `json:"translations"`
	// Approximate: a low pass threw away part of either layer; Thrown says how much of
	// Σs² of X and of Y.
	Approximate bool       `json:"approximate"`
	Thrown      [2]float64 `json:"thrown_away"`
	// Blocks are the frequencies, one of each conjugate pair.
	Blocks []Block `json:"blocks"`
	// OffBlockX and OffBlockY tell how far each map is from what translations suppose;
	// nil of a vector, with weights, of fewer than 5 images, of values whose fourth powers
	// leave float64, and where it was not asked for.
	OffBlockX *OffBlock `json:"off_block_x"`
	OffBlockY *OffBlock `json:"off_block_y"`

	// DirectionsX and DirectionsY are the aligned directions of each block; nil of
	// Prepared.Compare.
	DirectionsX *Directions `json:"-"`
	DirectionsY *Directions `json:"-"`
}

// block is what comparing one gives.
type compared struct {
	rho           []float64
	rows, columns []float64 // norms of M's
	x, y          direction
	alpha, beta   []float64
}

// result takes the CCA step in every block, and pools.
func (p *pair) result(c crew.Crew, o Options) (*Result, error) {
	r := &Result{Options: o, Translations: [2]int{p.shape.height, p.shape.width}, Approximate: p.shape.lowPass}
	r.Comparison.Options = o.Options
	r.X, r.Y = p.x.side(), p.y.side()
	r.Method = p.x.method
	if p.x.method != p.y.method {
		r.Method += "/" + p.y.method
	}
	most := 0
	r.Blocks = slices.Clone(p.shape.blocks)
	for at := range r.Blocks {
		b := &r.Blocks[at]
		b.KX, b.KY = p.x.parts[at].k, p.y.parts[at].k
		most = max(most, min(b.KX, b.KY))
	}
	r.ErrorBound = spectrum.ErrorBound(p.x.Bound, p.y.Bound, most, p.precision == svcca.Mixed)
	blocks := make([]compared, len(r.Blocks))
	solvers := make([]lapack.SVD[complex128], c.Workers)
	err := c.Multiply(len(blocks), func(at, worker int) (err error) {
		blocks[at], err = p.compare(at, &solvers[worker], r.ErrorBound)
		return err
	})
	if err != nil {
		return nil, err
	}
	r.pool(p, blocks)
	if !p.scores {
		r.DirectionsX, r.DirectionsY = p.directions(blocks, o)
	}
	if r.Approximate {
		r.Thrown = [2]float64{p.x.thrownAway(), p.y.thrownAway()}
	}
	r.warn(p)
	return r, nil
}

// compare takes the CCA step in a block.
func (p *pair) compare(at int, svd *lapack.SVD[complex128], bound float64) (b compared, err error) {
	M := p.M[at]
	b.rows, b.columns = norms(M)
	if M.IsEmpty() {
		return b, nil
	}
	if err := svd.Factorize(M, true); err != nil {
		return b, fmt.Errorf("conv: layers %q and %q: %w", p.x.name, p.y.name, err)
	}
	b.rho = slices.Clone(svd.Values())
	for i, rho := range b.rho {
		if bound < 1 && rho > 1+bound { // of 1 the bound says nothing
			return b, fmt.Errorf("conv: layers %q and %q: block (%d, %d): ρ_%d is 1 + %.2g, error bound %.2g: %w",
				p.x.name, p.y.name, p.shape.blocks[at].U, p.shape.blocks[at].V, i+1, rho-1, bound, svcca.ErrInaccurate)
		}
		b.rho[i] = min(rho, 1)
	}
	q := lapack.New[complex128](svd.VT().Cols, svd.VT().Rows)
	conjTranspose(q, svd.VT())
	if p.scores {
		b.alpha, b.beta = loadings(p.x.decoder(at, svd.U())), loadings(p.y.decoder(at, q))
		return b, nil
	}
	b.x, b.y = p.x.direction(at, svd.U()), p.y.direction(at, q)
	turn(b.x, b.y)
	b.alpha, b.beta = loadings(b.x.decoder), loadings(b.y.decoder)
	return b, nil
}

// pool sets ρ and the scores of DEFINITIONS §4 over all blocks.
func (r *Result) pool(p *pair, blocks []compared) {
	type value struct {
		rho         float64
		alpha, beta float64
		origin      int
	}
	var values []value
	var weighted, turned [2]float64 // of X, of Y
	loose, origin := false, 0
	for at, b := range blocks {
		count := p.shape.blocks[at].Multiplicity
		for i, rho := range b.rho {
			for range count {
				values = append(values, value{rho, b.alpha[i], b.beta[i], origin})
			}
			origin++
		}
		for side, l := range []*reduced{p.x, p.y} {
			norms := [][]float64{b.rows, b.columns}[side]
			s := l.parts[at].s[:l.parts[at].k]
			for i, norm := range norms {
				weighted[side] += float64(count) * s[i] * norm
				r.MeanSquare += float64(count) * norm * norm / 2 // once from each side
			}
			turned[side] += float64(count) * l.Turned(s, norms)
		}
		kx, ky := p.x.parts[at].k, p.y.parts[at].k
		loose = loose || kx != ky && min(kx, ky) > 0 && b.rho[len(b.rho)-1] < spectrum.Tie
		if kx > 0 && ky > 0 { // else there may be no space
			r.Chance += float64(count) * float64(kx) * float64(ky) / float64(r.Options.space(p.x.n, at))
		}
		r.ForcedOnes += count * max(0, kx+ky-r.Options.space(p.x.n, at))
	}
	slices.SortStableFunc(values, func(a, b value) int { return cmp.Compare(b.rho, a.rho) })
	m := min(p.x.K, p.y.K)
	var origins []int
	var alpha, beta []float64
	for _, v := range values {
		r.Rho, origins = append(r.Rho, v.rho), append(origins, v.origin)
		alpha, beta = append(alpha, v.alpha), append(beta, v.beta)
	}
	if len(values) > 0 {
		r.PWCCAX, r.PWCCAY = spectrum.WeightedMean(r.Rho, alpha), spectrum.WeightedMean(r.Rho, beta)
		r.DirectionsUnique, r.PWCCAUnique = spectrum.Unique(r.Rho, origins, false)
		r.DirectionsUnique, r.PWCCAUnique = r.DirectionsUnique && !loose, r.PWCCAUnique && !loose
	}
	r.PWCCAErrorBound = min(1, r.ErrorBound+max(p.x.realigned(blocks, r.PWCCAX, r.ErrorBound, func(b compared) []float64 { return b.alpha }),
		p.y.realigned(blocks, r.PWCCAY, r.ErrorBound, func(b compared) []float64 { return b.beta })))
	for len(r.Rho) < m {
		r.Rho = append(r.Rho, 0)
	}
	r.Mean = floats.Sum(r.Rho) / float64(m)
	r.MeanSquare = min(1, r.MeanSquare/float64(m))
	kept := [2]float64{floats.Sum(p.x.S[:p.x.K]), floats.Sum(p.y.S[:p.y.K])}
	r.WeightedX, r.WeightedY = min(1, weighted[0]/kept[0]), min(1, weighted[1]/kept[1])
	r.Weighted = (r.WeightedX + r.WeightedY) / 2
	r.WeightedUnique = !p.x.Tied && !p.y.Tied
	r.WeightedErrorBound = min(1, r.ErrorBound+max(turned[0]/kept[0], turned[1]/kept[1]))
	r.Chance /= float64(m)
	if r.Chance < 1 {
		adjusted := (r.MeanSquare - r.Chance) / (1 - r.Chance)
		r.Adjusted = &adjusted
	}
	r.Saturated = r.ForcedOnes > 0 || r.Chance > 0.5
}

// realigned bounds what rotations among the aligned directions change in PWCCA.
func (l *reduced) realigned(blocks []compared, score, bound float64, loadings func(b compared) []float64) float64 {
	most := math.Sqrt(float64(l.columns)) * l.S[0]
	var change, total float64
	for at, b := range blocks {
		count := float64(l.blocks[at].Multiplicity)
		alpha := slices.Clone(loadings(b)) // in units in which sums do not overflow
		floats.Scale(math.Ldexp(1, -l.exponent), alpha)
		change += count * spectrum.Realigned(b.rho, alpha, score, bound, most)
		total += count * floats.Sum(alpha)
	}
	if total == 0 {
		return 0
	}
	return change / total
}

// side returns the side of a result that l describes.
func (l *reduced) side() svcca.Side {
	s := make([]float64, len(l.S))
	for i, v := range l.S {
		s[i] = math.Ldexp(v, l.exponent)
	}
	neurons := max(l.maps[0]*l.maps[1], 1) * l.maps[2]
	return svcca.Side{
		Name: l.name, Datapoints: l.n, Neurons: neurons, Constant: neurons / l.columns * (l.columns - len(l.active)),
		Rank: l.Rank, K: l.K, KGrew: l.Grew, SingularValues: s,
	}
}

// norms returns the Euclidean norms of M's rows and columns.
func norms(M lapack.Matrix[complex128]) (rows, columns []float64) {
	rows, columns = make([]float64, M.Rows), make([]float64, M.Cols)
	for i := range M.Rows {
		for j, v := range M.Row(i) {
			rows[i] += squared(v)
			columns[j] += squared(v)
		}
		rows[i] = math.Sqrt(rows[i])
	}
	for j, v := range columns {
		columns[j] = math.Sqrt(v)
	}
	return rows, columns
}

// loadings returns α_i = Σ_j |D[i, j]|, by which PWCCA weighs direction i.
func loadings(decoder lapack.Matrix[complex128]) []float64 {
	alpha := make([]float64, decoder.Rows)
	for i := range alpha {
		unit := unitOf(decoder.Row(i))
		for _, v := range decoder.Row(i) {
			alpha[i] += math.Sqrt(squared(v * unit))
		}
		alpha[i] /= real(unit)
	}
	return alpha
}
