package conv_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
)

// Two machines sum their images, and one of them compares: the other sends its sums.
func ExamplePair() {
	x, y := network(1, 600, 4, 4, 1), network(2, 600, 4, 4, 1)
	near, far := shard(x, y, 0, 400), shard(x, y, 400, 600)
	sent, err := far.MarshalBinary()
	if err != nil {
		log.Fatal(err)
	}
	var received conv.Pair
	if err := received.UnmarshalBinary(sent); err != nil {
		log.Fatal(err)
	}
	if err := near.Merge(&received); err != nil {
		log.Fatal(err)
	}
	r, err := near.Compare(conv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	whole, err := conv.Between(context.Background(), x, y, conv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	images, _, _ := near.Dims()
	fmt.Printf("%d images: similarity %.6f, of all at once %.6f\n", images, r.Mean, whole.Mean)
	// Output:
	// 600 images: similarity 0.521230, of all at once 0.521230
}

// shard sums some of the images.
func shard(x, y conv.Maps, from, to int) *conv.Pair {
	p := &conv.Pair{}
	if err := p.Add(context.Background(), some(x, from, to), some(y, from, to), nil); err != nil {
		log.Fatal(err)
	}
	return p
}

// some returns images of a layer as another has them.
func some(m conv.Maps, from, to int) conv.Maps {
	_, h, w, c := m.Dims()
	values := make([]float64, (to-from)*h*w*c)
	if err := m.Flatten().Read(lapack.Of(to-from, h*w*c, values), from, 0); err != nil {
		log.Fatal(err)
	}
	narrow := make([]float32, len(values))
	for i, v := range values {
		narrow[i] = float32(v)
	}
	return conv.FromSlice(m.Name(), narrow, to-from, h, w, c, conv.NHWC)
}

// Where the variance of one layer lies, by frequency.
func ExampleMoments() {
	var m conv.Moments
	if err := m.Add(context.Background(), network(1, 400, 4, 3, 1), nil); err != nil {
		log.Fatal(err)
	}
	r, err := m.Reduce(conv.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d of %d directions\n", r.K, r.Rank)
	for _, b := range r.Blocks[:3] {
		fmt.Printf("(%d, %d), counted %d times: %d, the first of %.1f\n", b.U, b.V, b.Multiplicity, b.K, b.SingularValues[0])
	}
	// Output:
	// 46 of 48 directions
	// (0, 0), counted 1 times: 3, the first of 60.9
	// (0, 1), counted 2 times: 3, the first of 84.9
	// (0, 2), counted 1 times: 3, the first of 98.0
}
