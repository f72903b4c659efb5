package svcca_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	ulp          = 0x1p-52
	referenceTie = 1e-8 // DEFINITIONS §2, 4

	// The errors of singular values that spectrum.go states: found directly,
	// 16·ulp·s_1; from squares, those of eigenvalues within 16·ulp·s_1².
	directError  = 16 * ulp
	squaredError = 16 * ulp

	// Options.Accuracy that forces a method: moments or rows wherever squares leave
	// no decision open, and the triangle always.
	accuracySquared  = 1
	accuracyTriangle = 1e-300
)

// TestReference compares with the committed part of the reference set, by every
// way to a result: Between, either layer first, and Compare of layers reduced
// alone; by the method that the default accuracy chooses, and with each forced.
func TestReference(t *testing.T) {
	set := loadReference(t, referencePart)
	if testing.Short() {
		set.run(t, 0, "variance(0.99)", "rank")
		return
	}
	set.runAll(t, referenceRules...)
}

// TestReferenceWhole is TestReference over the whole set, where it lies beside
// the checkout (methods forced under two rules only, for time), and compares the
// committed part with it.
func TestReferenceWhole(t *testing.T) {
	if _, err := os.Stat(filepath.Join(referenceWhole, "reference.json")); errors.Is(err, fs.ErrNotExist) {
		t.Skipf("no whole reference set at %s: TestReference covers the committed part", referenceWhole)
	}
	if testing.Short() {
		t.Skip("the whole reference set takes seconds: TestReference covers the committed part")
	}
	set := loadReference(t, referenceWhole)
	t.Run("committed", func(t *testing.T) { sameAsWhole(t, loadReference(t, referencePart), set) })
	set.runAll(t, "variance(0.99)", "rank")
}

func (s *referenceSet) runAll(t *testing.T, forcedRules ...string) {
	t.Run("chosen", func(t *testing.T) { s.run(t, 0, referenceRules...) })
	t.Run("squared", func(t *testing.T) { s.run(t, accuracySquared, forcedRules...) })
	t.Run("triangle", func(t *testing.T) { s.run(t, accuracyTriangle, forcedRules...) })
	t.Run("machine", s.runMachine)
}

// run compares every layer and pair under some rules and one Options.Accuracy, 0
// for the default or one that forces a method.
func (s *referenceSet) run(t *testing.T, accuracy float64, rules ...string) {
	// The last bits hang on the number of threads, and these layers need no two.
	defer native.LimitThreads(1)()
	worst := worstErrors{}
	defer worst.log(t)
	for _, rule := range rules {
		keep, err := svcca.ParseKeep(rule)
		require.NoError(t, err)
		o := svcca.Options{Keep: keep, Accuracy: accuracy}
		reduced := map[string]*svcca.Reduced{}
		forced := map[svcca.Method]int{}
		for _, name := range slices.Sorted(maps.Keys(s.Layers)) {
			r, err := svcca.Reduce(s.layer(t, name), o)
			require.NoError(t, err, name)
			reduced[name] = r
			t.Run(rule+" "+name, func(t *testing.T) {
				forced[s.checkMethod(t, r.Method, accuracy, rule, name)]++
				s.checkSide(t, r.Side, r.Method, worst)
				if rule == "rank" && !s.Layers[name].RankSafe {
					t.Skipf("k is the rank, which hangs on the formula of τ (rank_safe): %d, reference %d", r.K, s.Layers[name].K[rule])
				}
				assert.Equal(t, s.Layers[name].K[rule], r.K, "k")
			})
		}
		for _, pair := range s.Pairs {
			t.Run(rule+" "+pair.X+" "+pair.Y, func(t *testing.T) {
				if rule == "rank" && !(s.Layers[pair.X].RankSafe && s.Layers[pair.Y].RankSafe) {
					t.Skip("the rank of a layer hangs on the formula of τ (rank_safe)")
				}
				e := pair.Rules[rule]
				x, y := s.layer(t, pair.X), s.layer(t, pair.Y)
				c, err := svcca.Between(x, y, o)
				require.NoError(t, err)
				if pair.joint(s) {
					forced[s.checkMethod(t, c.Method, accuracy, rule, pair.X, pair.Y)]++
				}
				s.checkPair(t, "between", c, e, rule, worst)
				if accuracy == 0 {
					c, err = svcca.Between(y, x, o)
					require.NoError(t, err)
					s.checkPair(t, "exchanged", c, e.exchanged(), rule, worst)
				}
				c, err = svcca.Compare(reduced[pair.X], reduced[pair.Y])
				require.NoError(t, err)
				s.checkPair(t, "reduced", c, e, rule, worst)
				c, err = svcca.Compare(reduced[pair.Y], reduced[pair.X])
				require.NoError(t, err)
				s.checkPair(t, "reduced, exchanged", c, e.exchanged(), rule, worst)
			})
		}
		if accuracy == 0 {
			continue
		}
		t.Logf("%s: of %d layers and %d pairs, bound to take a method: %d moments, %d rows, %d triangle", rule, len(s.Layers), len(s.Pairs),
			forced[svcca.MethodMoments], forced[svcca.MethodRows], forced[svcca.MethodTriangle])
		if accuracy == accuracySquared {
			assert.Greater(t, forced[svcca.MethodMoments], len(s.Layers)/3, "%s: this tests little of moments", rule)
			assert.Positive(t, forced[svcca.MethodRows], "%s: this tests nothing of rows", rule)
		} else {
			assert.Greater(t, forced[svcca.MethodTriangle], len(s.Layers), "%s: this tests little of the triangle", rule)
		}
	}
}

// runMachine compares ranks under MachineTol, where rounding leaves them alone:
// the reference's values and ours may each be 16·ulp·s_1 off, together less than
// ¾τ = ¾·max(n, d)·ulp·s_1 from 43 datapoints or neurons on. So a factor of 4
// between τ and the values beside it decides the rank.
func (s *referenceSet) runMachine(t *testing.T) {
	compared := 0
	for _, name := range slices.Sorted(maps.Keys(s.Layers)) {
		l := s.Layers[name]
		require.GreaterOrEqual(t, max(l.N, l.D), 43, name)
		tau := float64(max(l.N, l.D)) * ulp * l.SingularValues[0]
		if l.SingularValues[l.RankMachine-1] < 4*tau ||
			l.RankMachine < len(l.SingularValues) && l.SingularValues[l.RankMachine] > tau/4 {
			t.Logf("%s: machine rank %d hangs on rounding", name, l.RankMachine)
			continue
		}
		r, err := svcca.Reduce(s.layer(t, name), svcca.Options{Keep: svcca.FullRank(), RankTol: svcca.MachineTol()})
		require.NoError(t, err, name)
		assert.Equal(t, l.RankMachine, r.Rank, name)
		assert.Equal(t, r.Rank, r.K, name)
		compared++
	}
	assert.Greater(t, compared, len(s.Layers)/2)
}

// joint reports whether Between summarises both layers at once.
func (p referencePair) joint(s *referenceSet) bool {
	x, y := s.Layers[p.X], s.Layers[p.Y]
	return x.N >= max(x.D, y.D)
}

// checkMethod fails where a forced method was not taken for layers, one or a
// joint pair. It returns the method that was due, "" where any was right.
func (s *referenceSet) checkMethod(t *testing.T, method svcca.Method, accuracy float64, rule string, names ...string) svcca.Method {
	var due svcca.Method
	switch accuracy {
	case accuracySquared:
		due = svcca.MethodMoments
		for _, name := range names {
			if l := s.Layers[name]; l.N < l.D {
				due = svcca.MethodRows
			}
			if !s.Layers[name].clear(t, rule, s.leastTau(t, name)) {
				return ""
			}
		}
	case accuracyTriangle:
		due = svcca.MethodTriangle
	default:
		return ""
	}
	assert.Equal(t, due, method, "forced by accuracy %g", accuracy)
	return due
}

// squaredUncertainty bounds the error of s when it is the root of an eigenvalue
// known within squaredError·s_1².
func squaredUncertainty(s, s1 float64) float64 {
	a := squaredError * s1 * s1
	return a / (s + math.Sqrt(s*s+a))
}

// leastTau returns τ of DEFINITIONS §2 along the neuron of least a_j that is not
// constant, for a layer with n < d; else infinity.
func (s *referenceSet) leastTau(t *testing.T, name string) float64 {
	l := s.Layers[name]
	if l.N >= l.D {
		return math.Inf(1)
	}
	n, noise := float64(l.N), 10*0x1p-23
	require.Equal(t, "float32", l.Type)
	x := values(t, s.layer(t, name))
	least := math.Inf(1)
	for j := range l.D {
		var mean, square, centred float64
		for i := range l.N {
			v := x[i*l.D+j]
			mean += v / n
			square += v * v
		}
		for i := range l.N {
			v := x[i*l.D+j] - mean
			centred += v * v
		}
		if math.Sqrt(centred) > noise*math.Sqrt(square) {
			least = min(least, math.Sqrt(square/n))
		}
	}
	return max(float64(l.D)*ulp*l.SingularValues[0], noise*(math.Sqrt(n)+math.Sqrt(float64(l.D)))*least)
}

// clear reports whether rank and k stand although singular values come from
// squares. With u(s) the uncertainty, the value s' found is within u(s) of s, and
// u(s') ≤ √3·u(s): so |s − τ| > 3u(s) leaves s' more than u(s') from τ. Of the
// first direction not kept v may turn within the noise, hence half of its τ is
// taken; or least, where rows do not ask for v and suppose the least τ there is.
func (l referenceLayer) clear(t *testing.T, rule string, least float64) bool {
	s, r := l.SingularValues, l.RankStorage
	u := func(i int) float64 { return squaredUncertainty(s[i], s[0]) }
	if s[r-1]*(1-1/l.Kept) <= 3*u(r-1) {
		return false
	}
	if r < min(len(s), l.D-l.Constant) && min(s[r]/l.Next/2, least)-s[r] <= 3*u(r) {
		return false
	}
	// The bound of moments has to leave both layers room below an accuracy of 1.
	k, next := l.K[rule], 0.0
	if k < len(s) {
		next = s[k]
	}
	if ulp*s[0]/(s[k-1]-next)*s[0]/(s[k-1]+next) > 0.4 {
		return false
	}
	var share float64
	power := func(i int) (value, err float64) { return s[i] * s[i], u(i) * (2*s[i] + u(i)) }
	if n, _ := fmt.Sscanf(rule, "sum(%g)", &share); n == 1 {
		power = func(i int) (value, err float64) { return s[i], u(i) }
	} else if n, _ := fmt.Sscanf(rule, "variance(%g)", &share); n == 0 {
		return true // count and rank sum nothing
	}
	var total, slack, upTo, before float64
	for i := range s {
		value, err := power(i)
		total, slack = total+value, slack+err
		if i < k {
			before, upTo = upTo, upTo+value
		}
	}
	require.Positive(t, share)
	return math.Min(upTo-share*total, share*total-before) > 3*slack
}

// checkSide compares what a result says of one layer, whatever the rule. The
// reference's own singular values are found directly, so their error adds to ours.
func (s *referenceSet) checkSide(t *testing.T, side svcca.Side, method svcca.Method, worst worstErrors) {
	l := s.Layers[side.Name]
	assert.Equal(t, l.N, side.Datapoints)
	assert.Equal(t, l.D, side.Neurons)
	assert.Equal(t, l.Constant, side.Constant, "constant neurons")
	if l.RankSafe {
		assert.Equal(t, l.RankStorage, side.Rank, "rank")
	}
	require.Len(t, side.SingularValues, len(l.SingularValues))
	s1 := l.SingularValues[0]
	for i, want := range l.SingularValues {
		tolerance := 2 * directError * s1
		if method != svcca.MethodTriangle {
			tolerance = squaredUncertainty(want, s1) + directError*s1
		}
		difference := math.Abs(side.SingularValues[i] - want)
		worst.of("singular values by "+string(method)).add("s/s_1", difference/s1, difference/tolerance)
		if !(difference <= tolerance) {
			assert.InDelta(t, want, side.SingularValues[i], tolerance, "singular value %d by %s", i+1, method)
		}
	}
}

// checkPair compares a comparison with an entry.
func (s *referenceSet) checkPair(t *testing.T, how string, c *svcca.Comparison, e referenceEntry, rule string, worst worstErrors) {
	x, y, both := strings.Cut(string(c.Method), "/")
	if !both {
		y = x
	}
	s.checkSide(t, c.X, svcca.Method(x), worst)
	s.checkSide(t, c.Y, svcca.Method(y), worst)
	require.Equal(t, [2]int{e.KX, e.KY}, [2]int{c.X.K, c.Y.K}, "%s: k", how)
	assert.Equal(t, e.KGrew, [2]bool{c.X.KGrew, c.Y.KGrew}, "%s: k grew", how)
	require.Len(t, c.Rho, len(e.Rho))

	// Accuracy 1 asks for no bound; otherwise 1e-8 is promised short of extremes.
	condition := max(s.condition(c.X), s.condition(c.Y))
	if condition < 1e6 && !(c.Options.Accuracy == accuracySquared) {
		assert.LessOrEqual(t, c.ErrorBound, 1e-8, "%s: bound where s_1/s_k = %.2g", how, condition)
	}
	records := []*worstError{worst.of(rule), worst.of("method " + string(c.Method))}
	limit := func(bound float64) float64 {
		if rule == "variance(0.99)" {
			return min(bound, 1e-9) // whatever the result states
		}
		return bound
	}
	within := func(what string, bound, want, got float64) float64 {
		difference := math.Abs(got - want)
		for _, w := range records {
			w.add(what, difference, difference/bound)
		}
		if !(difference <= limit(bound)) {
			assert.InDelta(t, want, got, limit(bound), "%s: %s by %s, bound %.2g", how, what, c.Method, bound)
		}
		return difference
	}
	apart := 0.0
	for i, want := range e.Rho {
		apart = max(apart, within("rho", c.ErrorBound, want, c.Rho[i]))
	}
	within("mean", c.ErrorBound, e.Mean, c.Mean)
	within("mean square", c.ErrorBound, e.MeanSquare, c.MeanSquare)

	assert.Equal(t, e.WeightedUnique, c.WeightedUnique, "%s: weighted unique", how)
	if c.WeightedUnique {
		within("weighted", c.WeightedErrorBound, e.WeightedX, c.WeightedX)
		within("weighted", c.WeightedErrorBound, e.WeightedY, c.WeightedY)
		within("weighted", c.WeightedErrorBound, e.Weighted, c.Weighted)
	}
	if unique, certain := e.pwccaUnique(apart); certain {
		assert.Equal(t, unique, c.PWCCAUnique, "%s: pwcca unique", how)
	} else {
		t.Logf("%s: a gap of ρ lies within the error of ρ, %.1g, of 1e-8: PWCCA is called unique: %v", how, apart, c.PWCCAUnique)
	}
	if c.PWCCAUnique {
		within("pwcca", c.PWCCAErrorBound, e.PWCCAX, c.PWCCAX)
		within("pwcca", c.PWCCAErrorBound, e.PWCCAY, c.PWCCAY)
	}

	assert.InEpsilon(t, e.Chance, c.Chance, 1e-12, "%s: chance", how)
	assert.Equal(t, e.ForcedOnes, c.ForcedOnes, "%s: forced ones", how)
	assert.Equal(t, e.ForcedOnes > 0 || e.Chance > 0.5, c.Saturated, "%s: saturated", how)
	if e.Adjusted == nil {
		assert.Nil(t, c.Adjusted, "%s: adjusted", how)
		return
	}
	require.NotNil(t, c.Adjusted, "%s: adjusted", how)
	// Adjusted is mean_square, stretched by 1/(1 − chance), and so is its error.
	assert.InDelta(t, *e.Adjusted, *c.Adjusted, limit(c.ErrorBound)/(1-e.Chance), "%s: adjusted", how)
	assert.InEpsilon(t, (c.MeanSquare-e.Chance)/(1-e.Chance), *c.Adjusted, 1e-12, "%s: adjusted from mean square", how)
}

// condition returns s_1/s_k from the reference's values.
func (s *referenceSet) condition(side svcca.Side) float64 {
	values := s.Layers[side.Name].SingularValues
	return values[0] / values[side.K-1]
}

// pwccaUnique returns whether PWCCA is to be called unique: where the file says
// so, and also where all ρ are equal and no direction is without a partner (the
// file leaves that to its README: PWCCA is then their common value). With every ρ
// found within apart of the file's, a difference of two is within 2·apart of the
// file's: not certain where 1e-8 lies between.
func (e referenceEntry) pwccaUnique(apart float64) (unique, certain bool) {
	last := e.Rho[len(e.Rho)-1]
	certain = true
	below := func(value, error float64) bool {
		certain = certain && math.Abs(value-referenceTie) > error
		return value < referenceTie
	}
	gap := math.Inf(1)
	for i := range len(e.Rho) - 1 {
		gap = min(gap, e.Rho[i]-e.Rho[i+1])
	}
	tied := below(gap, 2*apart)
	same := below(e.Rho[0]-last, 2*apart)
	loose := e.KX != e.KY && below(last, apart)
	if e.PWCCAUnique != (!tied && !loose) {
		panic("reference.json: pwcca_unique is not what its README says")
	}
	return e.PWCCAUnique || same && !loose, certain
}

// worstErrors are the largest errors by rule and by method, for the log.
type worstErrors map[string]*worstError

type worstError struct {
	absolute map[string]float64 // by score
	ratio    map[string]float64 // to what is allowed
}

func (w worstErrors) of(key string) *worstError {
	if w[key] == nil {
		w[key] = &worstError{absolute: map[string]float64{}, ratio: map[string]float64{}}
	}
	return w[key]
}

func (w *worstError) add(what string, difference, ratio float64) {
	w.absolute[what] = max(w.absolute[what], difference)
	w.ratio[what] = max(w.ratio[what], ratio)
}

func (w worstErrors) log(t *testing.T) {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(w)) {
		fmt.Fprintf(&text, "\n%-28s", key)
		for _, what := range slices.Sorted(maps.Keys(w[key].absolute)) {
			fmt.Fprintf(&text, "  %s %.1e (%.2g)", what, w[key].absolute[what], w[key].ratio[what])
		}
	}
	t.Logf("largest differences from the reference, in brackets their ratio to what is allowed:%s", text.String())
}
