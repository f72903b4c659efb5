package activation

import (
	"fmt"
	"math"
	"testing"

	"github.com/gosvcca/gosvcca/internal/sanitizer"
	"github.com/gosvcca/gosvcca/internal/spectrum"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// tokensOf returns what Tokens gives of values in C order, by plain loops: rows of
// neurons. keep is nil, or of examples × tokens.
func tokensOf(values []float64, shape []int, o TokenOptions, keep []bool) (rows [][]float64) {
	n, t, d := shape[0], shape[1], shape[2]
	if o.Layout == NCT {
		t, d = d, t
	}
	at := func(i, j, k int) float64 {
		if o.Layout == NCT {
			return values[i*d*t+k*t+j]
		}
		return values[i*t*d+j*d+k]
	}
	for i := range n {
		var kept [][]float64
		for j := range t {
			if keep == nil || keep[i*t+j] {
				row := make([]float64, d)
				for k := range row {
					row[k] = at(i, j, k)
				}
				kept = append(kept, row)
			}
		}
		switch o.Rule {
		case Each:
			rows = append(rows, kept...)
		case Last:
			rows = append(rows, kept[len(kept)-1])
		case Mean:
			mean := make([]float64, d)
			for _, row := range kept {
				for k, v := range row {
					mean[k] += v
				}
			}
			for k := range mean {
				mean[k] /= float64(len(kept))
			}
			rows = append(rows, mean)
		}
	}
	return rows
}

func flatten(rows [][]float64) (all []float64) {
	for _, row := range rows {
		all = append(all, row...)
	}
	return all
}

// padding keeps a beginning of each example, of one token at least, and now and then
// none of its middle.
func padding(n, t int) *Mask {
	m := &Mask{name: "mask.npy", shape: []int{n, t}, keep: make([]bool, n*t)}
	for i := range n {
		for j := range t {
			m.keep[i*t+j] = j == 0 || j <= i*5%t && (i%3 > 0 || j%4 != 2)
		}
	}
	return m
}

func TestTokens(t *testing.T) {
	for _, shape := range [][]int{{1, 1, 1}, {3, 1, 4}, {3, 4, 1}, {1, 9, 5}, {5, 7, 9}, {2, 40, 21}} {
		for _, fortran := range []bool{false, true} {
			for _, layout := range []TokenLayout{NTD, NCT} {
				for _, rule := range []TokenRule{Each, Mean, Last} {
					for _, masked := range []bool{false, true} {
						for _, tuned := range []tuning{defaultTuning, {scratch: 64}} {
							if sanitizer.On && tuned.scratch != 64 {
								continue // one of them shows what an instrumented build can
							}
							a := array{descr: "<f8", fortran: fortran, shape: shape}
							f := openBytes(t, a.file())
							f.tuning = tuned
							o := TokenOptions{Layout: layout, Rule: rule}
							length, d := layout.sizes(shape)
							var keep []bool
							if masked {
								o.Mask = padding(shape[0], length)
								keep = o.Mask.keep
							}
							says := fmt.Sprint(shape, fortran, layout, rule, masked, tuned)
							l, err := Tokens(f, o)
							require.NoError(t, err)
							want := tokensOf(counted(a), shape, o, keep)
							require.Equal(t, []int{len(want), d}, l.Shape(), says)
							require.Equal(t, "x.npy", l.Name())
							require.Equal(t, "float64", l.Storage())
							checkLayer(t, l, flatten(want), len(want), says)
						}
					}
				}
			}
		}
	}
}

// Of examples, tokens and neurons that a buffer does not hold.
func TestTokensLong(t *testing.T) {
	for _, shape := range [][]int{{2, takeValues/8 + 3, 9}, {2, 9, takeValues/8 + 3}} {
		a := array{descr: "<f4", shape: shape}
		f := openBytes(t, a.file())
		for _, o := range []TokenOptions{{}, {Layout: NCT}, {Rule: Mean}, {Layout: NCT, Rule: Mean}} {
			l, err := Tokens(f, o)
			require.NoError(t, err)
			want := tokensOf(counted(a), shape, o, nil)
			n, d := l.Dims()
			require.Equal(t, len(want), n)
			at := func(i, j int) float64 { return want[i][j] }
			require.Empty(t, differs(l, 0, 0, n, d, 0, at), o)
			require.Empty(t, differs(l, 0, 0, n, d-1, 1, at), o)
			require.Empty(t, differs(l, min(1, n-1), d/2, n-1, 1, 0, func(i, j int) float64 { return want[i][j] }), o)
		}
	}
}

func TestTokensOfOthers(t *testing.T) {
	f := openBytes(t, array{descr: "<f4", shape: []int{5, 7, 3}}.file())
	// Rows of a selection, tokens of it, neurons of these.
	l, err := Tokens(Take(f, 0, []int{4, 1}), TokenOptions{Mask: padding(5, 7).Take([]int{4, 1})})
	require.NoError(t, err)
	values, shape := taking(counted(array{shape: []int{5, 7, 3}}), []int{5, 7, 3}, 0, []int{4, 1})
	var keep []bool
	for _, i := range []int{4, 1} {
		keep = append(keep, padding(5, 7).keep[i*7:(i+1)*7]...)
	}
	rows := tokensOf(values, shape, TokenOptions{}, keep)
	values, _ = taking(flatten(rows), []int{len(rows), 3}, 1, []int{2, 0})
	checkLayer(t, Take(l, 1, []int{2, 0}), values, len(rows))

	_, err = Tokens(openBytes(t, array{descr: "<f4", shape: []int{4, 3}}.file()), TokenOptions{})
	requireProblem(t, err, "x.npy", "an array of 3 dimensions has tokens, this has 2: 4 × 3")
	_, err = Tokens(f, TokenOptions{Mask: padding(5, 3)})
	requireProblem(t, err, "mask.npy", "a mask of 5 × 7 (examples × tokens) expected, as x.npy has, this is of 5 × 3")
	_, err = Tokens(f, TokenOptions{Layout: NCT, Mask: padding(5, 3)})
	require.NoError(t, err)
}

func requireProblem(t *testing.T, err error, name, problem string) {
	t.Helper()
	var format *FormatError
	require.ErrorAs(t, err, &format)
	require.ErrorIs(t, err, ErrFormat)
	require.Equal(t, name, format.Name)
	require.Contains(t, format.Problem, problem)
}

func TestTokensOfNone(t *testing.T) {
	f := openBytes(t, array{descr: "<f4", shape: []int{2, 3, 2}}.file())
	none := &Mask{name: "mask.npy", shape: []int{2, 3}, keep: []bool{false, true, false, false, false, false}}
	for rule, text := range map[TokenRule]string{Mean: "mean", Last: "last"} {
		_, err := Tokens(f, TokenOptions{Rule: rule, Mask: none})
		requireProblem(t, err, "mask.npy", "example 1 (counted from 0) has no token left, and so no "+text)
		_, err = Tokens(openBytes(t, array{descr: "<f4", shape: []int{2, 0, 2}}.file()), TokenOptions{Rule: rule})
		requireProblem(t, err, "x.npy", "shape 2 × 0 × 2 has no tokens")
	}
	l, err := Tokens(f, TokenOptions{Mask: none})
	require.NoError(t, err)
	checkLayer(t, l, []float64{value(2), value(3)}, 1)
	for _, shape := range [][]int{{0, 3, 2}, {2, 0, 2}, {2, 3, 0}} {
		l, err := Tokens(openBytes(t, array{descr: "<f4", shape: shape}.file()), TokenOptions{})
		require.NoError(t, err)
		n, d := l.Dims()
		assert.Equal(t, []int{shape[0] * shape[1], shape[2]}, []int{n, d})
		require.NoError(t, l.Read(matrixOf(n, d), 0, 0))
	}
}

// A masked NaN is in no mean.
func TestMeanOfTheKept(t *testing.T) {
	file := array{descr: "<f8", shape: []int{1, 3, 1}}.file()
	nan := math.Float64bits(math.NaN())
	for i := range 8 {
		file[len(file)-8+i] = byte(nan >> (8 * i))
	}
	l, err := Tokens(openBytes(t, file), TokenOptions{Rule: Mean, Mask: &Mask{shape: []int{1, 3}, keep: []bool{true, true, false}}})
	require.NoError(t, err)
	checkLayer(t, l, []float64{(value(0) + value(1)) / 2}, 1)
}

func TestTokensDigest(t *testing.T) {
	f := openBytes(t, array{descr: "<f4", shape: []int{2, 2, 2}}.file())
	seen := map[string]bool{digestOf(t, f): true}
	some, others := padding(2, 2), padding(2, 2)
	others.keep[1] = !others.keep[1]
	count := 1
	for _, layout := range []TokenLayout{NTD, NCT} {
		for _, rule := range []TokenRule{Each, Mean, Last} {
			for _, mask := range []*Mask{nil, some, others} {
				l, err := Tokens(f, TokenOptions{Layout: layout, Rule: rule, Mask: mask})
				require.NoError(t, err)
				if rule == Last && mask == others {
					continue // both keep the same last ones, or not: it is by rows
				}
				seen[digestOf(t, l)] = true
				count++
			}
		}
	}
	assert.Len(t, seen, count)
}

// itself is a layer that might be a view and is none.
type itself struct{ *File }

func (itself) Origin(row, col int) (of Layer, datapoint, neuron int) { return nil, 0, 0 }

func TestOrigin(t *testing.T) {
	a := array{descr: "<f4", shape: []int{6, 4, 5}}
	f := openBytes(t, a.file())
	for _, layout := range []TokenLayout{NTD, NCT} {
		length, d := layout.sizes(a.shape)
		for _, rule := range []TokenRule{Each, Last, Mean} {
			mask := padding(6, length).Take([]int{5, 2, 4})
			l, err := Tokens(Take(f, 0, []int{5, 2, 4}), TokenOptions{Layout: layout, Rule: rule, Mask: mask})
			require.NoError(t, err)
			l = Take(l, 1, []int{d - 1, 0})
			n, _ := l.Dims()
			for row := range n {
				for col := range 2 {
					of, r, c := Origin(l, row, col)
					require.Same(t, f, of)
					if rule == Mean {
						assert.Equal(t, []int{5, 2, 4}[row], r)
						continue
					}
					one := matrixOf(1, 1)
					require.NoError(t, l.Read(one, row, col))
					assert.Equal(t, value(r*20+c), one.At(0, 0))
				}
			}
		}
	}
	for _, own := range []Layer{f, itself{f}} {
		of, r, c := Origin(own, 3, 7)
		assert.Equal(t, own, of)
		assert.Equal(t, []int{3, 7}, []int{r, c})
	}
}

// TestStepsOfViews: a view has the steps of the values that it shows.
func TestStepsOfViews(t *testing.T) {
	f := openBytes(t, array{descr: "<f4", shape: []int{5, 2, 3}}.file())
	assert.Nil(t, spectrum.Steps(Take(f, 0, []int{1})))
	f.steps = steps{scale: []float64{1, 5, 3, 4, 2, 6}, zero: []float64{0}}
	assert.Equal(t, f.steps.scale, spectrum.Steps(Take(f, 0, []int{1, 0})))
	assert.Equal(t, []float64{3, 1, 6, 4}, spectrum.Steps(Take(f, 2, []int{2, 0})))
	for layout, want := range map[TokenLayout][]float64{NTD: {4, 5, 6}, NCT: {5, 6}} {
		for _, rule := range []TokenRule{Each, Mean, Last} {
			l, err := Tokens(f, TokenOptions{Layout: layout, Rule: rule})
			require.NoError(t, err)
			assert.Equal(t, want, spectrum.Steps(l), "the largest of the tokens'")
		}
	}
}
