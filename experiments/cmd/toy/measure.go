package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gosvcca/gosvcca/experiments/behind"
	"github.com/gosvcca/gosvcca/experiments/claims"
	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/gosvcca/gosvcca/svcca/compress"
	"gonum.org/v1/gonum/stat"
)

// layer is the last hidden one, the paper's "penultimate".
const layer = "fc4"

// kept are the numbers of directions of Fig. 3, most the last of them, and shown those of
// Fig. 1, the first.
var kept = []int{2, 6, 15, most}

const most, shown = 30, 3

// measured is what came out.
type measured struct {
	// Errors of both networks, and Without of the first with only so many directions Kept: root
	// of the mean square of output − target, or − the whole network's output, as a share of the
	// deviation of the target, or the output.
	Errors  [2]float64 `json:"errors"`
	Kept    []int      `json:"kept"`
	Without []float64  `json:"errors_with_kept_directions"`
	// Neurons, SVD and SVCCA are the correlations, without sign, of each network's first with
	// the other's first, second with second, …: of neurons by mean activation, of singular
	// directions, of aligned directions.
	Neurons []float64 `json:"correlation_of_neurons"`
	SVD     []float64 `json:"correlation_of_svd_directions"`
	SVCCA   []float64 `json:"correlation_of_svcca_directions"`
	Rho     []float64 `json:"rho"`

	x           []float64
	first       [3][2][][]float64 // neurons, SVD, SVCCA; network; which; datapoint
	whole       *nn.Tensor[float32]
	withoutRest []*nn.Tensor[float32] // by Kept
}

// measure compares the networks' last hidden layers.
func measure(s settings, both [2]*nn.Network[float32], x, targets *nn.Tensor[float32]) (*measured, error) {
	m := &measured{Kept: kept}
	for _, v := range x.Data {
		m.x = append(m.x, float64(v))
	}
	var hidden [2]*nn.Tensor[float32]
	for i, net := range both {
		all, err := net.Activations(x, layer, "out")
		if err != nil {
			return nil, err
		}
		hidden[i] = all[0]
		m.Errors[i] = distance(all[1], targets)
		if i == 0 {
			m.whole = all[1]
		}
	}
	if s.Shuffle {
		hidden[1] = nn.Shuffled(hidden[1], rand.New(rand.NewPCG(s.Seed, 2)))
	}
	// Directions beyond those looked at are there to be left out.
	o := svcca.Options{Keep: svcca.Count(2 * most)}
	var reduced [2]*svcca.Reduced
	for i := range hidden {
		var err error
		if reduced[i], err = svcca.Reduce(hidden[i].Layer("network "+string(rune('A'+i))), o); err != nil {
			return nil, err
		}
	}
	c, err := svcca.Compare(reduced[0], reduced[1])
	if err != nil {
		return nil, err
	}
	m.Rho = c.Rho
	for i, side := range []svcca.Side{c.X, c.Y} {
		aligned, err := side.Directions.Align(hidden[i].Layer(side.Name), shown)
		if err != nil {
			return nil, err
		}
		for j, neuron := range compress.Largest(side.Directions.Mean, shown) {
			m.first[0][i] = append(m.first[0][i], column(hidden[i].Matrix().At, s.Points, neuron))
			m.first[1][i] = append(m.first[1][i], column(reduced[i].U.At, s.Points, j))
			m.first[2][i] = append(m.first[2][i], column(aligned.At, s.Points, j))
		}
	}
	for of, correlations := range []*[]float64{&m.Neurons, &m.SVD, &m.SVCCA} {
		for j := range shown {
			*correlations = append(*correlations, math.Abs(together(m.first[of][0][j], m.first[of][1][j])))
		}
	}
	for _, k := range kept {
		y, err := behind.Projected(both[0], layer, hidden[0], &compress.Projection{Directions: c.X.Directions, K: k})
		if err != nil {
			return nil, err
		}
		m.withoutRest = append(m.withoutRest, y)
		m.Without = append(m.Without, distance(y, m.whole))
	}
	return m, nil
}

// claims puts it beside the paper.
func (m *measured) claims() claims.List {
	falls := true
	for i, e := range m.Without[1:] {
		falls = falls && e < m.Without[i]
	}
	last := len(kept) - 1
	return claims.List{{
		Name:     "SVCCA directions of two networks are the same (Fig. 1)",
		Paper:    "neurons seem unrelated; pairs of SVCCA directions are nearly identical, up to sign",
		Measured: fmt.Sprintf("correlation of the first %d pairs, mean: neurons %.2f, SVD %.2f, SVCCA %.4f", shown, stat.Mean(m.Neurons, nil), stat.Mean(m.SVD, nil), stat.Mean(m.SVCCA, nil)),
		Holds:    stat.Mean(m.SVCCA, nil) > 0.99 && stat.Mean(m.SVCCA, nil) > stat.Mean(m.Neurons, nil),
	}, {
		Name:     "few of them are the network's output (Fig. 3)",
		Paper:    "outputs by 2, 6, 15, 30 of 200 directions come nearer and nearer; 30 are close to all",
		Measured: fmt.Sprintf("error beside the whole, by %s directions: %s", list(kept, "%d"), list(m.Without, "%.2g")),
		Holds:    falls && m.Without[last-1] < 0.1 && m.Without[last] < 0.05,
	}}
}

// String is a table of what Fig. 1 compares.
func (m *measured) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "correlation of pairs     %s\n", list([]string{"1st", "2nd", "3rd"}, "%6s"))
	for i, c := range [][]float64{m.Neurons, m.SVD, m.SVCCA} {
		fmt.Fprintf(&text, "  %-22s %s\n", []string{"neurons", "SVD directions", "SVCCA directions"}[i], list(c, "%6.3f"))
	}
	return text.String()[:text.Len()-1]
}

func list[T any](values []T, format string) string {
	var all []string
	for _, v := range values {
		all = append(all, fmt.Sprintf(format, v))
	}
	return strings.Join(all, " ")
}

func column[T float32 | float64](at func(i, j int) T, n, j int) []float64 {
	c := make([]float64, n)
	for i := range c {
		c[i] = float64(at(i, j))
	}
	return standard(c)
}

// standard returns values with mean 0 and mean square 1, those of a constant 0.
func standard(values []float64) []float64 {
	mu, square := stat.Mean(values, nil), 0.0
	for _, v := range values {
		square += (v - mu) * (v - mu)
	}
	deviation := math.Sqrt(square / float64(len(values)))
	if deviation == 0 {
		deviation = 1
	}
	all := make([]float64, len(values))
	for i, v := range values {
		all[i] = (v - mu) / deviation
	}
	return all
}

// together is the correlation of standard values.
func together(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i] / float64(len(a))
	}
	return sum
}

// distance is ‖y − whole‖ over ‖whole − its means‖, datapoints × outputs.
func distance(y, whole *nn.Tensor[float32]) float64 {
	n, outputs := whole.Shape[0], whole.Shape[1]
	var difference, varied float64
	for j := range outputs {
		mu := 0.0
		for i := range n {
			mu += float64(whole.Data[i*outputs+j]) / float64(n)
		}
		for i := range n {
			v := float64(whole.Data[i*outputs+j])
			difference += (float64(y.Data[i*outputs+j]) - v) * (float64(y.Data[i*outputs+j]) - v)
			varied += (v - mu) * (v - mu)
		}
	}
	return math.Sqrt(difference / varied)
}
