package nn_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gosvcca/gosvcca/experiments/nn"
)

// A network learns four functions of a number, and is asked for the activations of a layer.
func Example() {
	x, y := nn.NewTensor[float64](200, 1), nn.NewTensor[float64](200, 4)
	for i := range x.Data {
		v := float64(i)/100 - 1
		x.Data[i] = v
		copy(y.Part(i, i+1).Data, []float64{math.Sin(2 * math.Pi * v), v * v, 2*math.Abs(v) - 1, math.Tanh(6 * v)})
	}
	rng := rand.New(rand.NewPCG(1, 0))
	net := nn.New([]int{1},
		nn.Named("fc1", nn.NewDense[float64](rng, 1, 50), nn.NewReLU[float64]()),
		nn.Named("fc2", nn.NewDense[float64](rng, 50, 50), nn.NewReLU[float64]()),
		nn.Named("out", nn.NewDense[float64](rng, 50, 4)),
	)
	adam := &nn.Adam[float64]{Rate: 0.005}
	loss := 0.0
	for range 500 {
		loss = net.Learn(x, nn.SquaredError(y), adam)
	}
	fmt.Println("wrong by less than 0.1 on average:", math.Sqrt(2*loss/4) < 0.1)

	layers, err := net.Activations(x, "fc2")
	if err != nil {
		panic(err)
	}
	fmt.Println("fc2:", layers[0].Shape)
	// Output:
	// wrong by less than 0.1 on average: true
	// fc2: [200 50]
}
