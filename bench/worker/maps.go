package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gosvcca/gosvcca/bench"
	"github.com/gosvcca/gosvcca/conv"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// loadMaps is W3.
func loadMaps(args []string, o svcca.Options) (runner, error) {
	return mapsOf(args, func(x, y []float32, n, h, w, c int) (bench.Result, error) {
		return compareMaps(x, y, n, h, w, c, o.Precision)
	})
}

// loadTranslated is W3 by SVCCA of all translations.
func loadTranslated(args []string, o svcca.Options) (runner, error) {
	return mapsOf(args, func(x, y []float32, n, h, w, c int) (bench.Result, error) {
		start := time.Now()
		tx, ty := newTranslated(x, n, h, w, c), newTranslated(y, n, h, w, c)
		compared, err := svcca.Between(tx, ty, o)
		if err != nil {
			return bench.Result{}, err
		}
		return resultOf(time.Since(start), compared), nil
	})
}

// mapsOf reads the layers whose size and files are args.
func mapsOf(args []string, run func(x, y []float32, n, h, w, c int) (bench.Result, error)) (runner, error) {
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
	return func() (bench.Result, error) { return run(layers[0], layers[1], n, h, w, c) }, nil
}

// compareMaps times SVCCA of two layers' maps by their DFT: all ρ and directions.
func compareMaps(x, y []float32, n, h, w, c int, precision svcca.Precision) (bench.Result, error) {
	o := conv.Options{Options: svcca.Options{Precision: precision}, OffBlock: -1}
	start := time.Now()
	r, err := conv.Between(context.Background(),
		conv.FromSlice("x", x, n, h, w, c, conv.NHWC), conv.FromSlice("y", y, n, h, w, c, conv.NHWC), o)
	if err != nil {
		return bench.Result{}, err
	}
	return resultOf(time.Since(start), &r.Comparison), nil
}

// translated is the data set of all translations of maps, each neuron centred before
// (DEFINITIONS §5). Row t·n + i is image i moved by t.
type translated struct {
	values     []float32
	mean       []float64 // by neuron
	n, h, w, c int
}

func newTranslated(values []float32, n, h, w, c int) translated {
	t := translated{values, make([]float64, h*w*c), n, h, w, c}
	for at, v := range values {
		t.mean[at%len(t.mean)] += float64(v) / float64(n)
	}
	return t
}

func (t translated) Dims() (datapoints, neurons int) { return t.n * t.h * t.w, len(t.mean) }
func (t translated) Storage() string                 { return string(svcca.Float32) }

func (t translated) Read(dst lapack.Matrix[float64], row, col int) error {
	for r := range dst.Rows {
		image, by := (row+r)%t.n, (row+r)/t.n
		values := t.values[image*len(t.mean):][:len(t.mean)]
		to := dst.Row(r)
		for j := range to {
			position, channel := (col+j)/t.c, (col+j)%t.c
			i, k := (position/t.w+by/t.w)%t.h, (position+by)%t.w
			from := (i*t.w+k)*t.c + channel
			to[j] = float64(values[from]) - t.mean[from]
		}
	}
	return nil
}
