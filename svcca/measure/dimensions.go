package measure

import (
	"fmt"
	"math"

	"github.com/gosvcca/gosvcca/svcca"
)

// Dimensions says how many directions a layer uses, from its singular values s.
type Dimensions struct {
	Name       string `json:"name"`
	Datapoints int    `json:"datapoints"`
	Neurons    int    `json:"neurons"`
	Rank       int    `json:"rank"`
	// Kept is k by both rules (DEFINITIONS §2), for 90, 95, 99 and 99.9%.
	Kept []Kept `json:"kept"`
	// ParticipationRatio is (Σs²)² / Σs⁴ of the variances s²: n of n equal ones, 1 where
	// one has all (Gao et al. 2017).
	ParticipationRatio float64 `json:"participation_ratio"`
	// EffectiveRank is exp(−Σ p log p), p = s/Σs (Roy and Vetterli 2007).
	EffectiveRank float64 `json:"effective_rank"`
	// SingularValues are all s, decreasing; VarianceShare is Σ_{i≤k} s_i² / Σ s_i² and
	// SumShare Σ_{i≤k} s_i / Σ s_i, for k = 1, 2, …
	SingularValues []float64 `json:"singular_values"`
	VarianceShare  []float64 `json:"variance_share"`
	SumShare       []float64 `json:"sum_share"`
}

// Kept is how many directions a share keeps.
type Kept struct {
	Share    float64 `json:"share"`
	Variance int     `json:"variance"` // by svcca.Variance(Share)
	Sum      int     `json:"sum"`      // by svcca.Sum(Share)
}

// shares are those that Dimensions tells of.
var shares = [...]float64{0.90, 0.95, 0.99, 0.999}

// Dimensionality measures a reduced layer: pass the Side of an svcca.Reduced or of a
// conv.Reduced, whatever its Keep was; one reduction serves every share. Both rules
// sum over all singular values, keep none beyond the rank, and do not cut ties.
//
// The error names the layer and wraps svcca.ErrOptions where its singular values are not
// all known (svcca.MethodKrylov), svcca.ErrConstant where none is above zero.
func Dimensionality(layer svcca.Side) (*Dimensions, error) {
	s := layer.SingularValues
	if layer.Norm > 0 {
		return nil, fmt.Errorf("measure: layer %q: only %d singular values are known, of which no share can be had: reduce it with Solver Exact: %w", layer.Name, len(s), svcca.ErrOptions)
	}
	if len(s) == 0 || !(s[0] > 0) || layer.Rank < 1 {
		return nil, fmt.Errorf("measure: layer %q: %w", layer.Name, svcca.ErrConstant)
	}
	d := &Dimensions{Name: layer.Name, Datapoints: layer.Datapoints, Neurons: layer.Neurons, Rank: layer.Rank, SingularValues: s}
	var squares, fourths, sum, entropy float64
	power := func(i int) float64 { return s[i] / s[0] } // squares of s itself may overflow
	for i := range s {
		p := power(i)
		sum += p
		squares += p * p
		fourths += p * p * p * p
	}
	for i := range s {
		if p := power(i) / sum; p > 0 {
			entropy -= p * math.Log(p)
		}
	}
	d.ParticipationRatio, d.EffectiveRank = squares*squares/fourths, math.Exp(entropy)
	d.VarianceShare = cumulative(len(s), squares, func(i int) float64 { return power(i) * power(i) })
	d.SumShare = cumulative(len(s), sum, power)
	for _, share := range shares {
		d.Kept = append(d.Kept, Kept{Share: share, Variance: keep(layer, d.VarianceShare, share), Sum: keep(layer, d.SumShare, share)})
	}
	return d, nil
}

func cumulative(count int, total float64, value func(i int) float64) []float64 {
	all, sum := make([]float64, count), 0.0
	for i := range all {
		sum += value(i)
		all[i] = min(1, sum/total)
	}
	return all
}

// tie is how near, relatively, singular values are that a cut may not separate.
const tie = 1e-8

func keep(layer svcca.Side, upTo []float64, share float64) int {
	k := 1
	for k < layer.Rank && upTo[k-1] < share {
		k++
	}
	least := layer.SingularValues[k-1] * (1 - tie)
	for k < layer.Rank && layer.SingularValues[k] >= least {
		k++
	}
	return k
}
