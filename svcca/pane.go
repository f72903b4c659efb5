package svcca

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/lapack"
	"gonum.org/v1/gonum/blas"
)

// Scores says how far the work on each pair of a pane goes.
type Scores int

const (
	// AllScores are those of a Comparison, PWCCA too: an SVD with vectors and two
	// products for each pair.
	AllScores Scores = iota
	// RhoScores leave out PWCCA: an SVD without vectors.
	RhoScores
	// NormScores come from norms of M alone: the mean square, the weighted scores
	// and what chance gives.
	NormScores
)

// Pane holds the scores of many layers against many (Raghu et al., Fig. 4).
type Pane struct {
	// Rows and Columns are the layers, in the order given but for those skipped.
	Rows    []Side `json:"rows"`
	Columns []Side `json:"columns"`
	// Symmetric: the columns are the rows, and PairScores[j][i] is [i][j] with X
	// and Y exchanged.
	Symmetric bool    `json:"symmetric"`
	Options   Options `json:"options"`
	// Pairs holds a row of scores for each layer of Rows: X is the row's layer, Y
	// the column's.
	Pairs [][]PairScores `json:"pairs"`
	// Warnings are those of layers.
	Warnings []Warning `json:"warnings"`
}

// PairScores are a Comparison without its vectors: the fields of the same name.
type PairScores struct {
	// Mean is nil with NormScores.
	Mean           *float64 `json:"mean"`
	MeanSquare     float64  `json:"mean_square"`
	WeightedX      float64  `json:"weighted_x"`
	WeightedY      float64  `json:"weighted_y"`
	Weighted       float64  `json:"weighted"`
	WeightedUnique bool     `json:"weighted_unique"`
	// PWCCAX and PWCCAY are nil but with AllScores.
	PWCCAX      *float64 `json:"pwcca_x"`
	PWCCAY      *float64 `json:"pwcca_y"`
	PWCCAUnique bool     `json:"pwcca_unique"`

	Chance     float64  `json:"chance"`
	Adjusted   *float64 `json:"adjusted"`
	ForcedOnes int      `json:"forced_ones"`
	Saturated  bool     `json:"saturated"`

	ErrorBound         float64  `json:"error_bound"`
	WeightedErrorBound float64  `json:"weighted_error_bound"`
	PWCCAErrorBound    *float64 `json:"pwcca_error_bound"`
}

// Scores returns c without its vectors, and holds nothing of it.
func (c *Comparison) Scores() PairScores {
	mean, pwccaX, pwccaY, bound := c.Mean, c.PWCCAX, c.PWCCAY, c.PWCCAErrorBound
	p := PairScores{
		Mean: &mean, MeanSquare: c.MeanSquare, WeightedX: c.WeightedX, WeightedY: c.WeightedY, Weighted: c.Weighted, WeightedUnique: c.WeightedUnique,
		PWCCAX: &pwccaX, PWCCAY: &pwccaY, PWCCAUnique: c.PWCCAUnique,
		Chance: c.Chance, Adjusted: c.Adjusted, ForcedOnes: c.ForcedOnes, Saturated: c.Saturated,
		ErrorBound: c.ErrorBound, WeightedErrorBound: c.WeightedErrorBound, PWCCAErrorBound: &bound,
	}
	if c.Adjusted != nil {
		adjusted := *c.Adjusted
		p.Adjusted = &adjusted
	}
	return p
}

// Exchanged returns the scores of the same pair with X and Y exchanged.
func (p PairScores) Exchanged() PairScores {
	p.WeightedX, p.WeightedY = p.WeightedY, p.WeightedX
	p.PWCCAX, p.PWCCAY = p.PWCCAY, p.PWCCAX
	return p
}

// AtChance reports whether the mean square is no higher than three standard
// deviations above what layers give that share nothing: then nothing shows that
// these do. Independent rows of equal weight are assumed.
func (p PairScores) AtChance(x, y Side, centering Centering) bool {
	return p.MeanSquare <= p.Chance+3*ChanceDeviation(x, y, centering)
}

// ChanceDeviation returns the standard deviation of MeanSquare between independent
// random subspaces of p = K_x and q = K_y dimensions of a space of N. With the
// projections P and Q onto them MeanSquare = tr(PQ)/m, and
//
//	E tr(PQ) = pq/N,  Var tr(PQ) = 2pq(N−p)(N−q) / (N²(N−1)(N+2)),
//
// as P and a rotated Q have these moments under the invariant measure.
func ChanceDeviation(x, y Side, centering Centering) float64 {
	p, q, n := float64(x.K), float64(y.K), float64(space(x.Datapoints, centering))
	if n < 2 {
		return 0
	}
	variance := 2 * p * q * max(0, n-p) * max(0, n-q) / (n * n * (n - 1) * (n + 2))
	return math.Sqrt(variance) / min(p, q)
}

// space returns the dimension N of the space that directions live in.
func space(n int, centering Centering) int {
	if centering == CenterNeurons {
		return n - 1
	}
	return n
}

// pairScores scores M, summed in the precision of o.
func pairScores(w *workspace, x, y *basis, M lapack.Matrix[float64], o Options, scores Scores) (p PairScores, err error) {
	c := newComparison(x, y, o.Precision, o)
	c.score(x, y, M)
	if math.IsNaN(c.Weighted) || math.IsInf(c.Weighted, 0) {
		return p, fmt.Errorf("svcca: layers %q and %q: values changed between two passes over the rows: %w", x.name, y.name, ErrNotFinite)
	}
	if scores != NormScores {
		if err := c.correlate(w, x, y, M, scores == AllScores); err != nil {
			return p, err
		}
	}
	if scores == AllScores {
		m := min(x.K, y.K)
		dx, dy := take(&w.left, m, x.d), take(&w.gram, m, y.d)
		x.decode(&w.scaled[0], w.svd.U(), blas.NoTrans, dx)
		y.decode(&w.scaled[1], w.svd.VT(), blas.Trans, dy)
		c.scorePWCCA(x, y, dx, dy)
	}
	p = c.Scores()
	switch scores {
	case NormScores:
		p.Mean = nil
		fallthrough
	case RhoScores:
		p.PWCCAX, p.PWCCAY, p.PWCCAErrorBound = nil, nil, nil
	}
	return p, nil
}
