package main

import (
	"errors"
	"fmt"

	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/svcca"
)

// loadMaps is W3.
func loadMaps(args []string, o svcca.Options) (runner, error) {
	if len(args) != 6 {
		return nil, fmt.Errorf("%d arguments, expected N H W C and two files", len(args))
	}
	size, err := integers(args[:4])
	if err != nil {
		return nil, err
	}
	n, h, w, c := size[0], size[1], size[2], size[3]
	var layers [2][]float32
	for i, path := range args[4:] {
		if layers[i], err = read(path, n*h*w*c); err != nil {
			return nil, err
		}
	}
	return func() (bench.Result, error) {
		return compareMaps(layers[0], layers[1], n, h, w, c, o.Precision)
	}, nil
}

// compareMaps times SVCCA of two layers' maps by their DFT: all ρ and directions.
func compareMaps(x, y []float32, n, h, w, c int, precision svcca.Precision) (bench.Result, error) {
	return bench.Result{}, errors.New("not there yet")
}
