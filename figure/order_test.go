package figure

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// square is a pane of n layers with themselves.
func square(n int, value func(i, j int) float64) Pane {
	p := Pane{Rows: names(n, "layer")}
	p.Columns = p.Rows
	for i := range n {
		row := make([]float64, n)
		for j := range row {
			row[j] = value(i, j)
		}
		p.Values = append(p.Values, row)
	}
	return p
}

func clusteredOrder(t *testing.T, p Pane) []int {
	_, order, err := p.Clustered()
	require.NoError(t, err)
	return order
}

// Layers along a line, likeness falling with distance, come back in their order
// (or its reverse) however they are shuffled.
func TestClusteredChain(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 3, 10, 40} {
		at := make([]float64, n)
		for i := 1; i < n; i++ {
			at[i] = at[i-1] + 0.5 + r.Float64()
		}
		place := r.Perm(n) // place[i] is where layer i of the pane stands
		p := square(n, func(i, j int) float64 { return math.Exp(-0.1 * math.Abs(at[place[i]]-at[place[j]])) })
		pane, order, err := p.Clustered()
		require.NoError(t, err)
		line := permute(place, order)
		if line[0] > line[n-1] {
			slices.Reverse(line)
		}
		for i := range line {
			require.Equal(t, i, line[i], "n = %d", n)
		}
		assert.LessOrEqual(t, order[0], order[n-1], "the lower number comes first")
		for i := range n {
			assert.Equal(t, p.Rows[order[i]], pane.Rows[i])
			for j := range n {
				assert.Equal(t, p.Values[order[i]][order[j]], pane.Values[i][j])
			}
		}
	}
}

// The order agrees with one from the definition: averages over members, found
// anew for every pair of clusters.
func TestClusteredByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		n := 1 + r.IntN(9)
		p := square(n, func(i, j int) float64 { return r.Float64() })
		far := func(i, j int) float64 { return 1 - (p.Values[i][j]+p.Values[j][i])/2 }
		clusters := make([][]int, n)
		for i := range clusters {
			clusters[i] = []int{i}
		}
		for len(clusters) > 1 {
			a, b, best := 0, 0, math.Inf(1)
			for i, x := range clusters {
				for j, y := range clusters[:i] {
					sum := 0.
					for _, k := range x {
						for _, l := range y {
							sum += far(k, l)
						}
					}
					if mean := sum / float64(len(x)*len(y)); mean < best {
						a, b, best = j, i, mean
					}
				}
			}
			x, y := clusters[a], clusters[b]
			if slices.Min(y) < slices.Min(x) {
				x, y = y, x
			}
			var joined []int
			touch := math.Inf(1)
			for _, turned := range []struct{ x, y []int }{{x, y}, {reversed(x), y}, {x, reversed(y)}, {reversed(x), reversed(y)}} {
				if d := far(turned.x[len(x)-1], turned.y[0]); d < touch {
					touch, joined = d, slices.Concat(turned.x, turned.y)
				}
			}
			clusters[a] = joined
			clusters = slices.Delete(clusters, b, b+1)
		}
		want := clusters[0]
		if want[n-1] < want[0] {
			want = reversed(want)
		}
		require.Equal(t, want, clusteredOrder(t, p))
	}
}

func reversed(a []int) []int {
	b := slices.Clone(a)
	slices.Reverse(b)
	return b
}

// Equal distances merge from the lowest numbers: nothing moves.
func TestClusteredTies(t *testing.T) {
	for _, n := range []int{1, 2, 3, 8} {
		order := clusteredOrder(t, square(n, func(i, j int) float64 { return 0.5 }))
		for i := range n {
			assert.Equal(t, i, order[i])
		}
	}
}

// Of three equal distances that to the lowest number merges first, and a pair
// without a score last.
func TestClusteredFirst(t *testing.T) {
	far := map[[2]int]float64{{0, 1}: 0.1, {0, 2}: 0.1, {0, 3}: 0.1, {1, 2}: 0.5, {1, 3}: 0.6, {2, 3}: 0.7}
	star := square(4, func(i, j int) float64 { return 1 - far[[2]int{min(i, j), max(i, j)}] })
	// 0 and 1 merge, then 2 beside 0; 3 is nearer to 1 than to 2.
	assert.Equal(t, []int{2, 0, 1, 3}, clusteredOrder(t, star))

	far = map[[2]int]float64{{0, 2}: 0.1, {1, 2}: 0.2}
	gap := square(3, func(i, j int) float64 { return 1 - far[[2]int{min(i, j), max(i, j)}] })
	gap.Undefined = [][]bool{{false, true, false}, {true, false, false}, {false, false, false}}
	assert.Equal(t, []int{0, 2, 1}, clusteredOrder(t, gap))
}

// Groups that are alike within stay together, whatever is undefined.
func TestClusteredUndefined(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	group := []int{0, 1, 2, 0, 1, 2, 0, 1, 2, 2}
	p := square(len(group), func(i, j int) float64 {
		if group[i] == group[j] {
			return 0.8 + 0.1*r.Float64()
		}
		return 0.1 * r.Float64()
	})
	p.Undefined = make([][]bool, len(group))
	for i := range group {
		p.Undefined[i] = make([]bool, len(group))
	}
	// Layer 9 has a score with layer 5 alone, and that one way.
	for i := range group {
		p.Undefined[9][i], p.Undefined[i][9] = true, i != 5
		p.Values[9][i] = math.NaN()
	}
	pane, order, err := p.Clustered()
	require.NoError(t, err)
	groups := slices.Compact(permute(group, order))
	assert.Len(t, groups, 3)
	assert.False(t, pane.Undefined[slices.Index(order, 5)][slices.Index(order, 9)])
	assert.True(t, pane.Undefined[slices.Index(order, 9)][slices.Index(order, 5)])

	for i := range group {
		p.Undefined[i][9] = true
	}
	order = clusteredOrder(t, p)
	assert.Contains(t, []int{order[0], order[9]}, 9, "a layer without a score merges last")
}

func TestClusteredRefuses(t *testing.T) {
	p := square(3, func(i, j int) float64 { return 1 })
	p.Columns = names(3, "other")
	_, _, err := p.Clustered()
	assert.ErrorIs(t, err, ErrShape)
	p = square(3, func(i, j int) float64 { return math.NaN() })
	_, _, err = p.Clustered()
	assert.ErrorIs(t, err, ErrNotFinite)
}
