package nn_test

import (
	"testing"

	"github.com/gosvcca/gosvcca/experiments/nets"
	"github.com/gosvcca/gosvcca/experiments/nn"
)

// BenchmarkLearn takes a step of training with 64 images of 32 × 32 × 3: conv32-conv32-bn-
// pool-conv64-conv64-conv64-bn-pool-fc256-bn-fc128-bn-10.
func BenchmarkLearn(b *testing.B) {
	const batch = 64
	net := nets.Convnet[float32](seeded(1), []int{32, 32, 3}, 32, 10)
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
