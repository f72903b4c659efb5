package figure

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// parsed is the number that a tick's text says.
func parsed(t require.TestingT, text string) float64 {
	v, err := strconv.ParseFloat(strings.ReplaceAll(text, "−", "-"), 64)
	require.NoError(t, err)
	return v
}

// Ticks of any axis lie on it, say what they are worth, and keep apart.
func TestMarks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.Bool().Draw(t, "log")
		value := rapid.Custom(func(t *rapid.T) float64 {
			v := rapid.Float64Range(1, 10).Draw(t, "digits") * math.Pow10(rapid.IntRange(-299, 298).Draw(t, "exponent"))
			if !log && rapid.Bool().Draw(t, "negative") {
				return -v
			}
			return v
		})
		values := rapid.SliceOfN(value, 1, 4).Draw(t, "values")
		if rapid.Bool().Draw(t, "close") {
			for i := range values {
				values[i] = values[0] * (1 + float64(i)*0.01)
			}
		}
		a := newAxis(values, log)
		for _, v := range values {
			require.NoError(t, checkAxis("value", v, log))
			require.True(t, a.at(v) > 0 && a.at(v) < 1, "%g at %g of %+v", v, a.at(v), a)
		}
		const length = 300
		extent := func(text string) float64 { return textWidth(text, tickSize) + 8 }
		marks := a.marks(a.along(length, extent))
		texts, end := 0, math.Inf(-1)
		for _, m := range marks {
			require.True(t, a.low <= m.value && m.value <= a.high, "%+v off %+v", m, a)
			if m.text == "" {
				continue
			}
			texts++
			require.InDelta(t, m.value, parsed(t, m.text), 1e-9*math.Abs(m.value), m.text)
			at := a.at(m.value) * length
			require.Greater(t, at-extent(m.text)/2, end-1e-9)
			end = at + extent(m.text)/2
		}
		require.NotZero(t, texts, "%+v", a)
		require.LessOrEqual(t, texts, 9)
	})
}

func TestMarkTexts(t *testing.T) {
	always := func([]mark) bool { return true }
	texts := func(marks []mark) (all []string) {
		for _, m := range marks {
			if m.text != "" {
				all = append(all, m.text)
			}
		}
		return all
	}
	assert.Equal(t, []string{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}, texts(axis{low: 0, high: 1}.marks(always)))
	assert.Equal(t, []string{"−100", "−50", "0", "50", "100"}, texts(axis{low: -120, high: 140}.marks(always)))
	assert.Equal(t, []string{"0", "2e7", "4e7"}, texts(axis{low: -1e6, high: 5e7}.steps(4)))
	assert.Equal(t, []string{"0.70", "0.75", "0.80", "0.85", "0.90"}, texts(axis{low: 0.68, high: 0.92}.steps(5)))
	assert.Equal(t, []string{"0.001", "0.01", "0.1", "1", "10"}, texts(axis{1e-3, 10, true}.marks(always)))
	assert.Equal(t, []string{"1e−8", "1e−6", "1e−4"}, texts(axis{1e-9, 2e-4, true}.marks(func(m []mark) bool { return len(m) < 4 })))
	assert.Equal(t, []string{"2", "3", "4", "5", "6", "7", "8", "9"}, texts(axis{1.5, 9, true}.marks(always)), "less than a decade: equal steps")
	for _, log := range []bool{false, true} {
		ends := newAxis([]float64{1 / mostValue, mostValue}, log)
		assert.True(t, finite(ends.low) && finite(ends.high) && finite(ends.high-ends.low))
		assert.Greater(t, ends.at(1/mostValue), 0.)
		assert.Less(t, ends.at(mostValue), 1.)
	}
	minor := 0
	for _, m := range (axis{1, 100, true}).marks(always) {
		if m.text == "" {
			minor++
		}
	}
	assert.Equal(t, 16, minor, "2 to 9 in two decades")
	assert.Equal(t, 0.5, axis{0.01, 100, true}.at(1))
}
