package conv_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// network returns the feature maps of a small convolutional layer, as two networks might
// have them: the same images of two channels, the network's own 3 × 3 filters, and ReLU.
// A stride takes every stride-th position.
func network(seed uint64, images, size, channels, stride int) conv.Maps {
	pixels, weights := rand.New(rand.NewPCG(0, 0)), rand.New(rand.NewPCG(seed, 1))
	filters := make([]float64, channels*3*3*2)
	for i := range filters {
		filters[i] = weights.NormFloat64()
	}
	small := size / stride
	values := make([]float32, 0, images*small*small*channels)
	for range images {
		image := make([]float64, size*size*2)
		for i := range image {
			image[i] = pixels.NormFloat64()
		}
		for p := 0; p < size; p += stride {
			for q := 0; q < size; q += stride {
				for k := range channels {
					sum := 0.0
					for at := range 9 * 2 {
						a, b := (p+at/6)%size, (q+at/2%3)%size
						sum += filters[k*18+at] * image[(a*size+b)*2+at%2]
					}
					values = append(values, float32(max(sum, 0)))
				}
			}
		}
	}
	return conv.FromSlice(fmt.Sprint("network ", seed), values, images, small, small, channels, conv.NHWC)
}

// How alike are the maps of two networks, wherever in the image things are?
func ExampleBetween() {
	x, y := network(1, 500, 8, 4, 1), network(2, 500, 8, 4, 1)
	r, err := conv.Between(context.Background(), x, y, conv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d × %d translations: similarity %.4f of %d and %d directions\n", r.Translations[0], r.Translations[1], r.Mean, r.X.K, r.Y.K)
	fmt.Printf("mean square %.4f, of unrelated maps %.4f\n", r.MeanSquare, r.Chance)
	for _, o := range []*conv.OffBlock{r.OffBlockX, r.OffBlockY} {
		fmt.Println("far from translation invariant:", o.Share > 2*o.Error)
	}
	// Output:
	// 8 × 8 translations: similarity 0.5076 of 241 and 242 directions
	// mean square 0.3651, of unrelated maps 0.0076
	// far from translation invariant: false
	// far from translation invariant: false
}

// Each layer is reduced once, however many it is compared with.
func ExampleCompare() {
	ctx := context.Background()
	var layers []*conv.Reduced
	for seed := range uint64(3) {
		r, err := conv.Reduce(ctx, network(1+seed, 500, 8, 4, 1), [2]int{8, 8}, conv.Options{OffBlock: -1})
		if err != nil {
			log.Fatal(err)
		}
		layers = append(layers, r)
	}
	for i, x := range layers {
		for _, y := range layers[i+1:] {
			r, err := conv.Compare(ctx, x, y)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s with %s: %.4f\n", r.X.Name, r.Y.Name, r.Mean)
		}
	}
	// Output:
	// network 1 with network 2: 0.5076
	// network 1 with network 3: 0.5130
	// network 2 with network 3: 0.5021
}

// Layers of several sizes: which translations move both depends on the pair.
func ExamplePrepare() {
	ctx := context.Background()
	o := conv.Options{OffBlock: -1}
	layers := []*conv.Prepared{
		conv.Prepare(network(1, 500, 8, 4, 1), o), conv.Prepare(network(2, 500, 8, 4, 1), o), conv.Prepare(network(3, 500, 8, 4, 2), o),
	}
	conv.Hold(256<<20, layers...)
	for i, x := range layers {
		for _, y := range layers[i+1:] {
			r, err := x.Compare(ctx, y)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s with %s under %d × %d translations: %.4f\n", r.X.Name, r.Y.Name, r.Translations[0], r.Translations[1], r.Mean)
		}
	}
	// Output:
	// network 1 with network 2 under 8 × 8 translations: 0.5076
	// network 1 with network 3 under 4 × 4 translations: 0.7326
	// network 2 with network 3 under 4 × 4 translations: 0.7235
}

// A stride of 2 leaves maps of half the size: translations by two positions of the larger
// move the smaller by one, and the comparison is exact.
func ExampleBetween_stride() {
	x, y := network(1, 500, 8, 4, 1), network(2, 500, 8, 4, 2)
	r, err := conv.Between(context.Background(), x, y, conv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d × %d translations, blocks of %d and %d columns: similarity %.4f\n",
		r.Translations[0], r.Translations[1], r.DirectionsX.Blocks[0].Map.Rows, r.DirectionsY.Blocks[0].Map.Rows, r.Mean)
	// Output:
	// 4 × 4 translations, blocks of 16 and 4 columns: similarity 0.7371
}

// Sizes of 6 and 4 share few translations. A low pass compares the frequencies that both
// maps have, and says what it threw away.
func ExampleBetween_lowPass() {
	x, y := network(1, 500, 12, 4, 2), network(2, 500, 12, 4, 3)
	for _, lowPass := range []bool{false, true} {
		r, err := conv.Between(context.Background(), x, y, conv.Options{LowPass: lowPass})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%d × %d, thrown away %.0f%% and %.0f%%: mean square %.4f, of unrelated maps %.4f\n",
			r.Translations[0], r.Translations[1], 100*r.Thrown[0], 100*r.Thrown[1], r.MeanSquare, r.Chance)
	}
	// Output:
	// 2 × 2, thrown away 0% and 0%: mean square 0.2821, of unrelated maps 0.0696
	// 3 × 3, thrown away 72% and 44%: mean square 0.0546, of unrelated maps 0.0080
}

// Vector compares class logits, or any layer without positions, with maps: no translation
// moves a vector, so that of the maps only their means over positions take part.
func ExampleVector() {
	maps := network(1, 500, 8, 4, 1)
	logits := make([]float64, 500*2)
	noise := rand.New(rand.NewPCG(3, 3))
	for i := range 500 {
		// One class follows the mean of the first channel, the other nothing.
		logits[2*i], logits[2*i+1] = channelMean(maps, i, 0), noise.NormFloat64()
	}
	r, err := conv.Between(context.Background(), maps, conv.Vector(svcca.FromSlice("logits", logits, 500, 2)), conv.Options{Options: svcca.Options{Keep: svcca.FullRank()}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("ρ %.4f\n", r.Rho)
	// Output:
	// ρ [1.0000 0.1123]
}

// channelMean returns the mean over positions of a channel.
func channelMean(m conv.Maps, image, channel int) (mean float64) {
	_, h, w, c := m.Dims()
	row := make([]float64, h*w*c)
	if err := m.Flatten().Read(lapack.Of(1, len(row), row), image, 0); err != nil {
		log.Fatal(err)
	}
	for at := channel; at < len(row); at += c {
		mean += row[at] / float64(h*w)
	}
	return mean
}

// Every position of every image is a datapoint: many of them, for maps of one size.
func ExampleMaps_Pixels() {
	x, y := network(1, 500, 8, 4, 1), network(2, 500, 8, 4, 1)
	c, err := svcca.Between(x.Pixels(), y.Pixels(), svcca.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d datapoints, %d and %d neurons: similarity %.4f\n", c.X.Datapoints, c.X.Neurons, c.Y.Neurons, c.Mean)
	// Output:
	// 32000 datapoints, 4 and 4 neurons: similarity 0.2811
}

// Every position of a channel is a neuron: nothing is assumed, and images are soon too few.
func ExampleMaps_Flatten() {
	x, y := network(1, 500, 8, 4, 1), network(2, 500, 8, 4, 1)
	c, err := svcca.Between(x.Flatten(), y.Flatten(), svcca.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d datapoints, %d and %d neurons: similarity %.4f\n", c.X.Datapoints, c.X.Neurons, c.Y.Neurons, c.Mean)
	fmt.Printf("mean square %.4f, of unrelated maps %.4f\n", c.MeanSquare, c.Chance)
	// Output:
	// 500 datapoints, 256 and 256 neurons: similarity 0.7102
	// mean square 0.5909, of unrelated maps 0.4309
}

// The covariance of the translated maps is block diagonal: that is what makes them cheap.
func ExampleCovariance() {
	c, err := conv.Covariance(context.Background(), network(1, 500, 8, 4, 1), [2]int{}, conv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	rows, columns := c.Dims()
	fmt.Printf("%d × %d, %.1f%% of it in blocks\n", rows, columns, 100*float64(c.NNZ())/float64(rows*columns))
	// Output:
	// 256 × 256, 2.7% of it in blocks
}

// A filter applies the i-th direction of every frequency to a map, by correlation.
func ExampleDirections_Filter() {
	x, y := network(1, 500, 8, 4, 1), network(2, 500, 8, 4, 1)
	r, err := conv.Between(context.Background(), x, y, conv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	filter, err := r.DirectionsX.Filter(0)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d × %d translations × %d channels\n", len(filter), len(filter[0]), len(filter[0][0]))
	// Output:
	// 8 × 8 translations × 4 channels
}
