package nn_test

import (
	"testing"

	"github.com/gosvcca/gosvcca/experiments/nn"
	"github.com/gosvcca/gosvcca/lapack"
)

// cifar is a small convolutional network for images of 32 × 32 × 3.
func cifar[T lapack.Real]() *nn.Network[T] {
	rng := seeded(1)
	conv := func(name string, in, out int) *nn.Block[T] {
		return nn.Named(name, nn.NewConv[T](rng, 3, 1, in, out), nn.NewReLU[T]())
	}
	fc := func(name string, in, out int) *nn.Block[T] {
		return nn.Named(name, nn.NewDense[T](rng, in, out), nn.NewReLU[T]())
	}
	return nn.New([]int{32, 32, 3},
		conv("conv1", 3, 32), conv("conv2", 32, 32), nn.Named("pool1", nn.NewMaxPool[T](2)),
		conv("conv3", 32, 64), conv("conv4", 64, 64), conv("conv5", 64, 64), nn.Named("pool2", nn.NewMaxPool[T](2)),
		fc("fc1", 8*8*64, 256), fc("fc2", 256, 128), nn.Named("logits", nn.NewDense[T](rng, 128, 10)),
	)
}

// BenchmarkLearn takes a step of training on 64 images of 32 × 32 × 3.
func BenchmarkLearn(b *testing.B) {
	const batch = 64
	net := cifar[float32]()
	rng := seeded(2)
	x, labels := nn.NewTensor[float32](batch, 32, 32, 3), make([]int, batch)
	for i := range x.Data {
		x.Data[i] = float32(rng.NormFloat64())
	}
	for i := range labels {
		labels[i] = rng.IntN(10)
	}
	sgd := &nn.SGD[float32]{Rate: 0.01, Momentum: 0.9}
	net.Learn(x, nn.CrossEntropy[float32](labels), sgd)
	before := net.Work()
	for b.Loop() {
		net.Learn(x, nn.CrossEntropy[float32](labels), sgd)
	}
	work := net.Work()
	products := work.MultiplyAdds.Forward + work.MultiplyAdds.Backward - before.MultiplyAdds.Forward - before.MultiplyAdds.Backward
	b.ReportMetric(2*products/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	b.ReportMetric((work.Forward-before.Forward).Seconds()*1e3/float64(b.N), "forward-ms")
	b.ReportMetric((work.Backward-before.Backward).Seconds()*1e3/float64(b.N), "backward-ms")
	b.ReportMetric((work.Update-before.Update).Seconds()*1e3/float64(b.N), "update-ms")
}
