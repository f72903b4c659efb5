package svcca_test

import (
	"math"
	"testing"

	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzParseKeep: an error of the package, or a rule that its own text gives back.
func FuzzParseKeep(f *testing.F) {
	for _, text := range []string{"rank", "variance(0.99)", " sum(1) ", "count(20)", "count(0)", "variance()", "variance(NaN)", "sum(1e-400)", "rank(", "count(99999999999999999999)", "variance(0x1p-3)", "(", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		k, err := svcca.ParseKeep(text)
		if err != nil {
			require.ErrorIs(t, err, svcca.ErrOptions)
			return
		}
		again, err := svcca.ParseKeep(k.String())
		require.NoError(t, err)
		assert.Equal(t, k, again)
		var decoded svcca.Keep
		require.NoError(t, decoded.UnmarshalText([]byte(text)))
		assert.Equal(t, k, decoded)
	})
}

// FuzzParseRankTol is FuzzParseKeep for tolerances.
func FuzzParseRankTol(f *testing.F) {
	for _, text := range []string{"storage", "machine", "float16", "bfloat16", "float32", "float64", "1e-6", "0", "-0", "1", "NaN", "-1", "inf", "0x1p-20", " storage ", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := svcca.ParseRankTol(text)
		if err != nil {
			require.ErrorIs(t, err, svcca.ErrOptions)
			return
		}
		again, err := svcca.ParseRankTol(r.String())
		require.NoError(t, err)
		assert.Equal(t, r, again)
		var decoded svcca.RankTol
		require.NoError(t, decoded.UnmarshalText([]byte(text)))
		assert.Equal(t, r, decoded)
	})
}

// FuzzBetween: numbers of any shape, spectrum, offset and scale give scores in
// [0, 1] or an error of the package; never NaN, never a panic.
func FuzzBetween(f *testing.F) {
	f.Add(uint64(1), byte(20), byte(5), byte(4), byte(0), -8.0, 0.0, 0.0, byte(0), byte(0))
	f.Add(uint64(2), byte(5), byte(9), byte(7), byte(1), -16.0, 1e6, -900.0, byte(1), byte(1))
	f.Add(uint64(3), byte(9), byte(9), byte(9), byte(2), 0.0, -1e12, 1000.0, byte(2), byte(2))
	f.Add(uint64(4), byte(1), byte(1), byte(1), byte(3), 0.0, 1.0, 1023.0, byte(3), byte(3))
	f.Add(uint64(5), byte(12), byte(4), byte(20), byte(4), -300.0, 0.0, -1070.0, byte(0), byte(4))
	f.Add(uint64(6), byte(30), byte(6), byte(6), byte(5), -40.0, 1e300, 1000.0, byte(5), byte(5))
	// Found: a weighted score of 1 + 10^−13; a basis that Cholesky refused; a map
	// of 10^308 from a singular value of 10^−320 of the largest, or of 10^−27 and vectors
	// that are rounding.
	f.Add(uint64(2), byte(5), byte('0'), byte(7), byte(0xa9), -106.0, 1e6, -900.0, byte(0), byte('~'))
	f.Add(uint64(2), byte(2), byte(1), byte(24), byte(1), -16.0, 1e6, -900.0, byte(0), byte(1))
	f.Add(uint64(26), byte('3'), byte('&'), byte(0xf2), byte('q'), 167.5, 1.0/3, 12.952380952380953, byte(0xa1), byte(0xf2))
	f.Add(uint64(30), byte(9), byte(0x36), byte(0x3f), byte(0xb3), -93.83333333333334, -1.1111111111988889e+11, 500.0, byte(0xb3), byte(14))
	f.Add(uint64(100), byte(9), byte(0x36), byte(0x3f), byte(0xb3), -93.83333333333334, -1.1111111111988889e+11, 500.0, byte(0xb3), byte(14))
	f.Fuzz(func(t *testing.T, seed uint64, n, d, e, rule byte, spectrum, offset, exponent float64, defects, options byte) {
		rng := newRand(seed)
		layer := func(name string, neurons byte) data {
			l := data{name: name, n: 1 + int(n)%40, d: 1 + int(neurons)%24}
			l.values = make([]float64, l.n*l.d)
			common := normal(rng, l.n, 1)
			return l.mapped(func(i, j int, _ float64) float64 {
				decay := math.Exp2(spectrum * float64(j) / float64(l.d))
				v := (rng.NormFloat64()*decay + common.At(i, 0) + offset) * math.Exp2(exponent)
				switch {
				case defects&1 != 0 && j%3 == 1:
					v = offset
				case defects&2 != 0 && i%4 == 1:
					v = 0
				case defects&4 != 0:
					v = float64(float32(v))
				}
				return v
			})
		}
		x, y := layer("x", d), layer("y", e)
		o := svcca.Options{
			Keep:      []svcca.Keep{{}, svcca.Variance(1), svcca.Sum(0.9), svcca.Count(2), svcca.FullRank()}[rule%5],
			RankTol:   []svcca.RankTol{{}, svcca.MachineTol(), svcca.ShareTol(0), svcca.TypeTol(svcca.BFloat16)}[options%4],
			Accuracy:  []float64{0, 1, 1e-300}[options/4%3],
			Centering: svcca.Centering(options / 12 % 2),
		}
		if options&128 != 0 {
			for range x.n {
				o.Weights = append(o.Weights, math.Exp2(30*rng.NormFloat64()))
			}
		}
		c, err := svcca.Between(x.layer(), y.layer(), o)
		if err != nil {
			require.True(t, typed(err), "%v", err)
			return
		}
		finite(t, c)
		requireSame(t, c, between(t, x.layer(), y.layer(), o), 0)
	})
}
