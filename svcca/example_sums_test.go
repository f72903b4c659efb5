package svcca_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"time"

	"github.com/gosvcca/gosvcca/internal/digits"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// batch is rows of a layer, as they come while a network runs.
func batch(name string, first, rows int) svcca.Layer {
	file, err := digits.Open(name)
	if err != nil {
		log.Fatal(err)
	}
	_, neurons := file.Dims()
	values := lapack.New[float64](rows, neurons)
	if err := file.Read(values, first, 0); err != nil {
		log.Fatal(err)
	}
	float32s := make([]float32, len(values.Data))
	for i, v := range values.Data {
		float32s[i] = float32(v)
	}
	return svcca.FromSlice(name, float32s, rows, neurons)
}

// Two networks, layer by layer: every layer of one against every layer of the other.
func ExamplePairwise() {
	var layers [2][]svcca.Layer
	for i, network := range []string{"a", "b"} {
		for _, layer := range []string{"fc3", "logits"} {
			file, err := digits.Open(network + "/" + layer)
			if err != nil {
				log.Fatal(err)
			}
			layers[i] = append(layers[i], file)
		}
	}
	pane, err := svcca.Pairwise(context.Background(), layers[0], layers[1], svcca.PaneOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for i, row := range pane.Pairs {
		for j, pair := range row {
			fmt.Printf("%s and %s: mean %.4f, weighted %.4f, chance %.4f\n",
				pane.Rows[i].Name, pane.Columns[j].Name, *pair.Mean, pair.Weighted, pair.Chance)
		}
	}
	// Output:
	// digits/a/fc3 and digits/b/fc3: mean 0.8967, weighted 0.9644, chance 0.0050
	// digits/a/fc3 and digits/b/logits: mean 0.9759, weighted 0.9150, chance 0.0050
	// digits/a/logits and digits/b/fc3: mean 0.9816, weighted 0.9259, chance 0.0050
	// digits/a/logits and digits/b/logits: mean 0.9573, weighted 0.9752, chance 0.0028
}

// Batches of both layers are summed as they come; no activation is kept.
func ExamplePair() {
	var pair svcca.Pair
	for first := 0; first < 1797; first += 256 {
		rows := min(256, 1797-first)
		if err := pair.Add(context.Background(), batch("a/fc3", first, rows), batch("b/fc3", first, rows), nil); err != nil {
			log.Fatal(err)
		}
	}
	c, err := pair.Compare(svcca.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("similarity %.4f over %d datapoints\n", c.Mean, c.X.Datapoints)
	// Output:
	// similarity 0.8967 over 1797 datapoints
}

// Two machines sum a shard each; their sums travel and merge.
func ExampleMoments() {
	shard := func(first, rows int) []byte {
		var m svcca.Moments
		if err := m.Add(context.Background(), batch("a/fc3", first, rows), nil); err != nil {
			log.Fatal(err)
		}
		data, err := m.MarshalBinary()
		if err != nil {
			log.Fatal(err)
		}
		return data
	}
	var all svcca.Moments
	for _, data := range [][]byte{shard(0, 1000), shard(1000, 797)} {
		var m svcca.Moments
		if err := m.UnmarshalBinary(data); err != nil {
			log.Fatal(err)
		}
		if err := all.Merge(&m); err != nil {
			log.Fatal(err)
		}
	}
	reduced, err := all.Reduce(svcca.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d of %d directions hold 99%% of the variance of %d datapoints\n", reduced.K, reduced.Rank, reduced.Datapoints)
	// Output:
	// 9 of 57 directions hold 99% of the variance of 1797 datapoints
}

// A triangle is as fine as an SVD of the rows themselves.
func ExampleTriangle() {
	var t svcca.Triangle
	for first := 0; first < 1797; first += 599 {
		if err := t.Add(context.Background(), batch("a/logits", first, 599), nil); err != nil {
			log.Fatal(err)
		}
	}
	reduced, err := t.Reduce(svcca.Options{Keep: svcca.FullRank()})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("rank %d, by %s, right to better than %.0e\n", reduced.Rank, reduced.Method, math.Pow(10, math.Ceil(math.Log10(reduced.ErrorBound))))
	// Output:
	// rank 10, by triangle, right to better than 1e-13
}

// Layers are reduced from their sums; a second pass over the rows, block by block,
// compares all of them at once.
func ExampleCross() {
	names := []string{"a/fc3", "b/fc3", "a/logits"}
	var reduced []*svcca.Reduced
	for _, name := range names {
		var m svcca.Moments
		if err := m.Add(context.Background(), batch(name, 0, 1797), nil); err != nil {
			log.Fatal(err)
		}
		r, err := m.Reduce(svcca.Options{})
		if err != nil {
			log.Fatal(err)
		}
		reduced = append(reduced, r)
	}
	cross, err := svcca.NewCross(reduced, nil)
	if err != nil {
		log.Fatal(err)
	}
	for first := 0; first < 1797; first += 599 {
		var blocks []svcca.Layer
		for _, name := range names {
			blocks = append(blocks, batch(name, first, 599))
		}
		if err := cross.Add(context.Background(), blocks, nil, nil); err != nil {
			log.Fatal(err)
		}
	}
	for i := range names {
		for j := range i {
			c, err := cross.Compare(j, i)
			if err != nil {
				log.Fatal(err)
			}
			fmt.Printf("%s and %s: %.4f\n", c.X.Name, c.Y.Name, c.Mean)
		}
	}
	// Output:
	// a/fc3 and b/fc3: 0.8967
	// a/fc3 and a/logits: 1.0000
	// b/fc3 and a/logits: 0.9816
}

// How long would a pane of 100 layers take, and how much memory?
func ExamplePaneCost() {
	widths := make([]int, 100)
	for i := range widths {
		widths[i] = 512
	}
	cost := svcca.PaneCost(50000, widths, nil, svcca.PaneOptions{Options: svcca.Options{Keep: svcca.Count(100)}, Scores: svcca.NormScores, Workers: 2})
	fmt.Printf("%.1f Tflop, %v\n", cost.Products/1e12, svcca.Bytes(cost.Memory))
	fmt.Println(cost.Time(svcca.Rates{Products: 80e9, Factors: 60e9, Values: 1e9}).Round(time.Second))
	// Output:
	// 6.9 Tflop, 958 MiB
	// 1m34s
}
