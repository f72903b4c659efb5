// Package nn trains small networks: what the experiments need, on the BLAS of package
// lapack, and no more.
//
//	rng := rand.New(rand.NewPCG(seed, 0))
//	net := nn.New([]int{8, 8, 1},
//		nn.Named("conv", nn.NewConv[float32](rng, 3, 1, 1, 16), nn.NewReLU[float32]()),
//		nn.Named("pool", nn.NewMaxPool[float32](2)),
//		nn.Named("logits", nn.NewDense[float32](rng, 4*4*16, 10)),
//	)
//	sgd := &nn.SGD[float32]{Rate: 0.1, Momentum: 0.9}
//	for x, labels := range batches {
//		loss := net.Learn(x, nn.CrossEntropy[float32](labels), sgd)
//		…
//	}
//	layers := net.Activations(images, "conv", "logits")
//
// A batch is a Tensor of datapoints × neurons, or of maps, datapoints × height × width ×
// channels. A Layer maps one to another and takes gradients back; each is in a file of its
// own. A Network runs named blocks of them, one after another; NewResidual puts blocks
// beside each other.
//
// Everything is for float32, to train, and float64, in which tests hold every gradient
// against differences.
//
// Equal seeds give equal bits on any number of processors: work is cut into parts that
// depend on shapes alone, and sums of parts are taken in order. Other kernels of the BLAS,
// on another processor, give other last bits.
package nn
