package conv_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// referenceFolder lies beside the checkout, where it is.
const referenceFolder = "../../shared/activations"

// referenceTolerance is that of the reference values: they were computed twice, and agree
// to 8e-14, but float32 data and sums of products leave less.
const referenceTolerance = 1e-9

type referenceCase struct {
	X, Y         string
	First        int
	CropX        []int `json:"crop_x"`
	CropY        []int `json:"crop_y"`
	Translations []int
	OffBlock     map[string]struct {
		Share, Error float64
		MeanShare    float64 `json:"mean_share"`
		MeanError    float64 `json:"mean_error"`
	} `json:"off_block"`
	Results []referenceResult
}

type referenceResult struct {
	Way, Centered, Keep string
	RankX               int       `json:"rank_x"`
	RankY               int       `json:"rank_y"`
	KX                  int       `json:"k_x"`
	KY                  int       `json:"k_y"`
	SX                  []float64 `json:"singular_values_x"`
	SY                  []float64 `json:"singular_values_y"`
	Rho                 []float64
	Mean                float64
	MeanSquare          float64 `json:"mean_square"`
	WeightedX           float64 `json:"weighted_x"`
	WeightedY           float64 `json:"weighted_y"`
	PWCCAX              float64 `json:"pwcca_x"`
	PWCCAY              float64 `json:"pwcca_y"`
	Chance              float64
	Adjusted            *float64
	ForcedOnes          int   `json:"forced_ones"`
	KBlockX             []int `json:"k_per_block_x"`
	KBlockY             []int `json:"k_per_block_y"`
	Translations        []int
}

// referenceMaps reads a layer of the reference set into memory: cut, and in either layout.
func referenceMaps(t *testing.T, name string, first int, crop []int, layout conv.Layout) conv.Maps {
	t.Helper()
	f, err := activation.Open(filepath.Join(referenceFolder, "conv", name+".npy"))
	require.NoError(t, err)
	defer f.Close()
	shape := f.Shape()
	n, d := f.Dims()
	values := lapack.New[float64](n, d)
	require.NoError(t, f.Read(values, 0, 0))
	if first > 0 {
		n = first
	}
	if len(shape) == 2 {
		narrow := make([]float32, n*d)
		for i := range narrow {
			narrow[i] = float32(values.Data[i])
		}
		return conv.Vector(svcca.FromSlice(name, narrow, n, d))
	}
	h, w, c := shape[1], shape[2], shape[3]
	if crop != nil {
		h, w = crop[0], crop[1]
	}
	cut := make([]float32, 0, n*h*w*c)
	for i := range n {
		for at := range h * w * c {
			p, q, k := at/(w*c), at/c%w, at%c
			if layout == conv.NCHW {
				k, p, q = at/(h*w), at/w%h, at%w
			}
			cut = append(cut, float32(values.At(i, (p*shape[2]+q)*c+k)))
		}
	}
	return conv.FromSlice(name, cut, n, h, w, c, layout)
}

func TestReferenceSet(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(referenceFolder, "reference_conv.json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no " + referenceFolder)
	}
	require.NoError(t, err)
	var set struct{ Cases []referenceCase }
	require.NoError(t, json.Unmarshal(text, &set))
	require.NotEmpty(t, set.Cases)
	worst := 0.0
	near := func(t *testing.T, wanted, got float64, what string) {
		t.Helper()
		worst = max(worst, math.Abs(wanted-got))
		assert.InDelta(t, wanted, got, referenceTolerance, what)
	}
	for _, c := range set.Cases {
		t.Run(fmt.Sprintf("%s %s %d", c.X, c.Y, c.First), func(t *testing.T) {
			for _, layout := range []conv.Layout{conv.NHWC, conv.NCHW} {
				x, y := referenceMaps(t, c.X, c.First, c.CropX, layout), referenceMaps(t, c.Y, c.First, c.CropY, layout)
				for _, wanted := range c.Results {
					name := fmt.Sprintf("%v %s %s %s", layout, wanted.Way, wanted.Centered, wanted.Keep)
					got, blocks, off := referenceRun(t, x, y, wanted)
					assert.Equal(t, [4]int{wanted.RankX, wanted.RankY, wanted.KX, wanted.KY}, [4]int{got.X.Rank, got.Y.Rank, got.X.K, got.Y.K}, name)
					assert.Equal(t, wanted.ForcedOnes, got.ForcedOnes, name)
					require.Len(t, got.Rho, len(wanted.Rho), name)
					for i, rho := range wanted.Rho {
						near(t, rho, got.Rho[i], name+" ρ")
					}
					for i, s := range wanted.SX[:min(wanted.RankX, len(wanted.SX))] {
						near(t, s/wanted.SX[0], got.X.SingularValues[i]/wanted.SX[0], name+" s of x")
					}
					for i, s := range wanted.SY[:min(wanted.RankY, len(wanted.SY))] {
						near(t, s/wanted.SY[0], got.Y.SingularValues[i]/wanted.SY[0], name+" s of y")
					}
					near(t, wanted.Mean, got.Mean, name+" mean")
					near(t, wanted.MeanSquare, got.MeanSquare, name+" mean square")
					near(t, wanted.WeightedX, got.WeightedX, name+" weighted x")
					near(t, wanted.WeightedY, got.WeightedY, name+" weighted y")
					near(t, wanted.Chance, got.Chance, name+" chance")
					if got.PWCCAUnique {
						near(t, wanted.PWCCAX, got.PWCCAX, name+" pwcca x")
						near(t, wanted.PWCCAY, got.PWCCAY, name+" pwcca y")
					}
					require.Equal(t, wanted.Adjusted == nil, got.Adjusted == nil, name)
					if wanted.Adjusted != nil {
						near(t, *wanted.Adjusted, *got.Adjusted, name+" adjusted")
					}
					for _, b := range blocks {
						for _, at := range []int{b.U*wanted.Translations[1] + b.V,
							(wanted.Translations[0]-b.U)%wanted.Translations[0]*wanted.Translations[1] + (wanted.Translations[1]-b.V)%wanted.Translations[1]} {
							assert.Equal(t, [2]int{wanted.KBlockX[at], wanted.KBlockY[at]}, [2]int{b.KX, b.KY}, name+" k of block")
						}
					}
					for side, o := range off {
						if o == nil {
							continue
						}
						w := c.OffBlock[side]
						near(t, w.Share, o.Share, name+" off-block share of "+side)
						near(t, w.Error, o.Error, name+" its error")
						near(t, w.MeanShare, o.MeanShare, name+" mean share")
						near(t, w.MeanError, o.MeanError, name+" its error")
					}
				}
			}
		})
	}
	t.Logf("worst difference %.1e", worst)
}

// referenceRun computes what a result says.
func referenceRun(t *testing.T, x, y conv.Maps, wanted referenceResult) (*svcca.Comparison, []conv.Block, map[string]*conv.OffBlock) {
	t.Helper()
	keep, err := svcca.ParseKeep(wanted.Keep)
	require.NoError(t, err)
	o := conv.Options{Options: svcca.Options{Keep: keep}}
	switch wanted.Way {
	case "pixels":
		c, err := svcca.Between(x.Pixels(), y.Pixels(), o.Options)
		require.NoError(t, err)
		return c, nil, nil
	case "flatten":
		c, err := svcca.Between(x.Flatten(), y.Flatten(), o.Options)
		require.NoError(t, err)
		return c, nil, nil
	}
	o.LowPass = wanted.Way == "low_pass"
	if wanted.Centered == "mean" {
		o.Centering = svcca.CenterTranslated
		o.OffBlock = -1
	}
	r, err := conv.Between(context.Background(), x, y, o)
	require.NoError(t, err)
	alike(t, wanted.Way, r, compared(t, x, y, o))
	assert.Equal(t, wanted.Translations, r.Translations[:])
	assert.Equal(t, o.LowPass, r.Approximate)
	return &r.Comparison, r.Blocks, map[string]*conv.OffBlock{"x": r.OffBlockX, "y": r.OffBlockY}
}
