package main

import (
	"fmt"
	"io"
	"math"
	"os"

	"github.com/gosvcca/gosvcca/svcca"
)

// estimate says what the work would take.
func (m *matrix) estimate(w io.Writer) error {
	rows, columns := len(m.present(m.rows)), len(m.present(m.columns))
	pairs := rows * columns
	if m.columns == nil {
		pairs = rows * (rows + 1) / 2
	}
	var bytes int64
	layers, narrowest, widest := 0, math.MaxInt, 0
	for i, f := range m.files {
		if f == nil {
			continue
		}
		layers++
		_, d := f.Dims()
		narrowest, widest = min(narrowest, d), max(widest, d)
		for _, path := range m.inputs[i].paths {
			if info, err := os.Stat(path); err == nil { // else it is told when it is read
				bytes += info.Size()
			}
		}
	}
	neurons := plural(widest, "neuron")
	if narrowest < widest {
		neurons = fmt.Sprintf("%d to %s", narrowest, neurons)
	}
	n, _ := m.firstFile().Dims()
	window := "1 GiB" // svcca.PaneOptions
	if v := m.window(); v > 0 {
		window = svcca.Bytes(v).String()
	}
	p := newPage(localStyle())
	p.line(fmt.Sprintf("%s of %s × %s, %v on disk", plural(layers, "layer"), plural(n, "datapoint"), neurons, svcca.Bytes(bytes)))
	p.line(plural(pairs, "pair"))
	p.line("at most " + window + " of memory at a time, beside the layers' bases: see --memory")
	return p.writeTo(w)
}
