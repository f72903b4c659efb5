package conv_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/require"
)

// FuzzUnmarshalSums: whatever a container with a true checksum holds, there is an error,
// or sums that can be used, to an error or to numbers.
func FuzzUnmarshalSums(f *testing.F) {
	for _, data := range smallSums(f) {
		f.Add(data)
		header, arrays := unsealed(data)
		for _, change := range [][2]string{
			{`"weight":9`, `"weight":1e308`}, {`"exponent":`, `"exponent":9`}, {`"images":9`, `"images":4000000000000000`},
			{`"height":2`, `"height":1`}, {`"channels":1`, `"channels":2`}, {"float64", "bfloat16"}, {`"scaled":true`, `"scaled":false`},
		} {
			f.Add(sealed(bytes.Replace(header, []byte(change[0]), []byte(change[1]), 1), arrays))
		}
		for _, v := range []float64{0, -1, 1e308, 5e-324} {
			changed := slices.Clone(arrays)
			for at := 0; at < len(changed); at += 24 {
				binary.LittleEndian.PutUint64(changed[at:], math.Float64bits(v))
			}
			f.Add(sealed(header, changed))
		}
	}
	f.Add([]byte("\x93SVCCA1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= sha256.Size { // else the header is never reached
			sum := sha256.Sum256(data[:len(data)-sha256.Size])
			data = append(slices.Clone(data[:len(data)-sha256.Size]), sum[:]...)
		}
		s, err := unmarshalled(data)
		if err != nil {
			require.ErrorIs(t, err, svcca.ErrDamaged)
			return
		}
		for _, o := range []svcca.Options{{}, {Keep: svcca.FullRank(), RankTol: svcca.ShareTol(0), Centering: svcca.CenterNone}, {Centering: svcca.CenterTranslated}} {
			switch s := s.(type) {
			case *conv.Pair:
				if r, err := s.Compare(conv.Options{Options: o}); err == nil {
					finite(t, r)
				}
			case *conv.Moments:
				r, err := s.Reduce(conv.Options{Options: o})
				if err != nil {
					continue
				}
				require.True(t, r.ErrorBound >= 0 && r.ErrorBound <= 1, "bound %v", r.ErrorBound)
				for _, b := range r.Blocks {
					for _, v := range b.SingularValues {
						require.True(t, v >= 0 && v <= math.MaxFloat64, "singular value %v", v)
					}
					for _, values := range [][]complex128{b.Vectors.Data, b.Mean} {
						for _, v := range values {
							require.False(t, cmplx.IsNaN(v) || cmplx.IsInf(v), "%v", v)
						}
					}
				}
			}
		}
		require.NoError(t, s.UnmarshalBinary(marshalled(t, s)))
	})
}

// typed reports whether err is one that the package promises of data.
func typed(err error) bool {
	for _, is := range []error{svcca.ErrShape, svcca.ErrMismatch, svcca.ErrNotFinite, svcca.ErrConstant, svcca.ErrStorage, svcca.ErrOptions, svcca.ErrRange} {
		if errors.Is(err, is) {
			return true
		}
	}
	return false
}

// FuzzBetween: maps of any sizes, offset and scale give scores in [0, 1] or an error of the
// package; never NaN, never a panic; and Pair and Compare say the same.
func FuzzBetween(f *testing.F) {
	f.Add(uint64(1), byte(20), uint32(0x43214322), 0.0, 0.0, byte(0), byte(0))
	f.Add(uint64(2), byte(5), uint32(0x44324423), 1e6, -900.0, byte(1), byte(1))
	f.Add(uint64(3), byte(9), uint32(0x62226422), -1e12, 1000.0, byte(2), byte(2))
	f.Add(uint64(4), byte(1), uint32(0x44114411), 1.0, 1023.0, byte(3), byte(3))
	f.Add(uint64(5), byte(12), uint32(0x53133413), 0.0, -1070.0, byte(4), byte(70))
	f.Add(uint64(6), byte(30), uint32(0x33253114), 1e300, 900.0, byte(5), byte(200))
	f.Add(uint64(7), byte(7), uint32(0x22264411), 3.0, 530.0, byte(6), byte(133))
	// Found: bounds of weights far apart, loadings and means beyond float64, an estimate of
	// off-block energy from images of which all but one are equal, coordinates of layers far from 0.
	f.Add(uint64(0), byte(1), uint32(858075464), 3e+301, 905.0, byte('N'), byte(176))
	f.Add(uint64(4), byte(21), uint32(1141982176), 1.0, 1018.0, byte(3), byte(3))
	f.Add(uint64(20), byte(4), uint32(1646421041), -3.999999999972e+12, 250.0, byte(2), byte(22))
	f.Add(uint64(6), byte(3), uint32(858075410), 3e+301, 21.975, byte('N'), byte(249))
	f.Add(uint64(35), byte(17), uint32(1646421078), -7e+12, 263.0, byte('`'), byte(8))
	f.Add(uint64(8), byte(4), uint32(572933036), 3.0, 530.0, byte(5), byte(209))                          // accuracy 1, five weighted images
	f.Add(uint64(58), byte(';'), uint32(1646421031), -5.59999999999937e+14, 250.0, byte(0x13), byte(227)) // float32, weights far apart
	f.Add(uint64(61), byte('H'), uint32(1646421039), -6.999999999956e+13, 423.0, byte('`'), byte(186))    // likewise, in float64
	f.Add(uint64(167), byte(2), uint32(1646421195), -5.5999999999632e+15, 238.25, byte(53), byte(253))    // a bound of 1
	f.Fuzz(func(t *testing.T, seed uint64, n byte, sizes uint32, offset, exponent float64, defects, options byte) {
		rng := rand.New(rand.NewPCG(seed, 13))
		layer := func(name string, size uint32) (conv.Maps, sumsOf) {
			h, w, c := 1+int(size>>12)%6, 1+int(size>>8&15)%6, 1+int(size&15)%8
			m := sumsOf{maps: randomMaps(rng, 1+int(n)%30, h, w, c)}
			m = m.mapped(func(i int, v float64) float64 {
				v = (v + offset) * math.Exp2(exponent)
				switch {
				case defects&1 != 0 && i%3 == 1:
					v = offset
				case defects&2 != 0 && i%4 == 1:
					v = 0
				}
				return v
			})
			if defects&8 != 0 && size>>4&1 == 0 {
				m.vector, m.maps = true, randomMaps(rng, len(m.maps), 1, 1, c)
			}
			return m.layer(name, conv.Layout(defects>>2&1), upTo(len(m.maps))), m
		}
		x, _ := layer("x", sizes>>16)
		y, _ := layer("y", sizes&0xffff)
		o := conv.Options{Options: svcca.Options{
			Keep:      []svcca.Keep{{}, svcca.Variance(1), svcca.Sum(0.9), svcca.Count(2), svcca.FullRank()}[options%5],
			RankTol:   []svcca.RankTol{{}, svcca.MachineTol(), svcca.ShareTol(0), svcca.TypeTol(svcca.BFloat16)}[options%4],
			Accuracy:  []float64{0, 1, 1e-300}[options/4%3],
			Centering: svcca.Centering(options / 12 % 3),
			Precision: svcca.Precision(options >> 5 & 1),
		}, LowPass: options&64 != 0}
		if options&128 != 0 {
			images, _, _, _ := x.Dims()
			for range images {
				o.Weights = append(o.Weights, math.Exp2(30*rng.NormFloat64()))
			}
		}
		// Of images that weigh so differently Between's M is right to 5e-6 where its bound says
		// 1e-7, and Compare's to 2e-11 (the seed of 2^±90).
		apart := o.Weights != nil && slices.Max(o.Weights) > 0x1p48*slices.Min(o.Weights)
		// With a rank tolerance of 0 directions that are rounding alone are kept, which need
		// not be orthonormal; that is noticed.
		noticed := func(err error) bool {
			return (options%4 == 2 || apart) && errors.Is(err, svcca.ErrInaccurate)
		}
		r, err := conv.Between(context.Background(), x, y, o)
		if err != nil {
			require.True(t, typed(err) || noticed(err), "%v", err)
			return
		}
		finite(t, r)
		near := func(again *conv.Result) {
			finite(t, again)
			if again.X.K == r.X.K && again.Y.K == r.Y.K && slices.Equal(again.Blocks, r.Blocks) {
				for i := range r.Rho {
					require.InDelta(t, r.Rho[i], again.Rho[i], r.ErrorBound+again.ErrorBound)
				}
			}
		}
		var sides [2]*conv.Reduced
		for i, m := range []conv.Maps{x, y} {
			if sides[i], err = conv.Reduce(context.Background(), m, o.Translations(x, y), o); err != nil {
				require.True(t, typed(err) || noticed(err), "%v", err)
				break
			}
		}
		if err == nil {
			again, err := conv.Compare(context.Background(), sides[0], sides[1])
			require.NoError(t, err)
			if finite(t, again); !apart {
				near(again)
			}
		}
		if o.LowPass {
			return
		}
		// What one image in float32 drowns of others probes may miss: Between takes float64 then.
		drowned := o.Precision == svcca.Mixed && o.Weights != nil
		p := conv.Pair{Precision: o.Precision}
		require.NoError(t, p.Add(context.Background(), x, y, o.Weights))
		o.Weights = nil
		again, err := p.Compare(o)
		if err != nil {
			require.True(t, typed(err) || noticed(err), "%v", err)
			return
		}
		if finite(t, again); !drowned {
			near(again)
		}
	})
}
