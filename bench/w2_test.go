package bench

import (
	"context"
	"fmt"
	"testing"

	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
	"github.com/stretchr/testify/require"
)

// BenchmarkW2 times a pane of 16 × 16 layers, 10000 × 512 float32 each, from
// values in memory to Weighted of all pairs, reductions included. Metrics are k of
// the first layer, milliseconds a pane and milliseconds a pair.
func BenchmarkW2(b *testing.B) {
	for _, spectrum := range Spectra {
		var layers []svcca.Layer // made by the first way that is asked for
		for _, way := range ways {
			b.Run("spectrum="+spectrum.String()+"/"+way.name, func(b *testing.B) {
				if layers == nil {
					layers = paneLayers(spectrum)
				}
				if way.one {
					defer native.LimitThreads(1)()
				}
				options := svcca.PaneOptions{Options: svcca.Options{Precision: way.precision}, Scores: svcca.NormScores}
				var pane *svcca.Pane
				b.ReportAllocs()
				for b.Loop() {
					var err error
					pane, err = svcca.Pairwise(context.Background(), layers[:W2Rows], layers[W2Rows:], options)
					require.NoError(b, err)
				}
				ms := float64(b.Elapsed().Microseconds()) / 1e3 / float64(b.N)
				b.ReportMetric(float64(pane.Rows[0].K), "k")
				b.ReportMetric(ms, "ms-pane")
				b.ReportMetric(ms/(W2Rows*W2Rows), "ms-pair")
			})
		}
	}
}

func paneLayers(spectrum Spectrum) []svcca.Layer {
	layers := make([]svcca.Layer, 2*W2Rows)
	for j := range layers {
		values := PaneLayer(spectrum, W2Datapoints, W2Neurons, j, len(layers), 1)
		layers[j] = svcca.FromSlice(fmt.Sprint("layer", j), values, W2Datapoints, W2Neurons)
	}
	return layers
}
