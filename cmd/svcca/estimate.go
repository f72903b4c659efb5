package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/native"
	"github.com/gosvcca/gosvcca/svcca"
)

// estimate says what the work would take, as --dry-run asks.
type estimate struct {
	*page
	values float64     // in the layers' files
	bytes  int64       // of these
	sample svcca.Layer // one of the layers
	within string      // by what factor the time may be wrong
}

func newEstimate() *estimate { return &estimate{page: newPage(localStyle()), within: "two"} }

// add counts a layer and returns how many neurons it has.
func (e *estimate) add(l svcca.Layer, in input) (neurons int) {
	n, d := l.Dims()
	e.sample = l
	e.values += float64(n) * float64(d)
	for _, path := range in.paths {
		if isMember(path) {
			e.bytes += storedBytes(l)
			continue
		}
		if info, err := os.Stat(path); err == nil { // else it is told when it is read
			e.bytes += info.Size()
		}
	}
	return d
}

// storedBytes returns how many bytes the values of a layer take in its file, unless
// they are compressed there.
func storedBytes(l svcca.Layer) int64 {
	n, d := l.Dims()
	size := int64(8)
	if s, ok := l.(interface{ Storage() string }); ok {
		switch s.Storage() {
		case "int8":
			size = 1
		case "float16", "bfloat16":
			size = 2
		case "float32":
			size = 4
		}
	}
	return size * int64(n) * int64(d)
}

// cost says what is to be done, by so many goroutines (0: as many as run at once),
// and measures how long that takes here.
func (e *estimate) cost(ctx context.Context, c svcca.Cost, precision svcca.Precision, workers int) error {
	limit := native.LimitThreads(1) // as while the work is done
	rates, err := svcca.MeasureRates(ctx, precision)
	limit()
	if err != nil {
		return err
	}
	reading, err := readingRate(e.sample)
	if err != nil {
		return err
	}
	most := runtime.GOMAXPROCS(0)
	rates.Values = 1 / (1/rates.Values + 1/(reading*float64(most)))
	if workers > 0 && workers < most {
		share := float64(workers) / float64(most)
		rates.Products, rates.Factors, rates.Values = rates.Products*share, rates.Factors*share, rates.Values*share
	}
	took := c.Time(rates)
	read := svcca.Bytes(float64(e.bytes) * c.Values / max(1, e.values))
	e.line(fmt.Sprintf("%s values to read, %v", strings.TrimSpace(metric(c.Values)), read))
	e.line(fmt.Sprintf("%sflop in products, %sflop in eigen-solves and SVDs, overheads included", metric(c.Products), metric(c.Factors)))
	e.line(fmt.Sprintf("at most %v of memory: see --memory", svcca.Bytes(c.Memory)))
	e.paragraph("", "", fmt.Sprintf("about %s on this machine, within a factor of %s, if it does nothing else; more where files come from a slow disk", roughly(took), e.within))
	return nil
}

// readingRate returns how many values a second one goroutine reads of a layer that
// the system holds in memory.
func readingRate(l svcca.Layer) (float64, error) {
	const rows, most = 32, 1 << 20 // as the library reads; values
	n, d := l.Dims()
	if n < 1 || d < 1 {
		return math.Inf(1), nil
	}
	block, count := lapack.New[float64](min(rows, n), d), min(n, max(rows, most/d))
	least := math.Inf(1)
	for range 3 { // the first brings the file into memory
		start, values := time.Now(), 0
		for first := 0; first+block.Rows <= count; first += block.Rows {
			if err := l.Read(block, first, 0); err != nil {
				return 0, err
			}
			values += block.Rows * d
		}
		least = min(least, time.Since(start).Seconds()/float64(values))
	}
	return 1 / least, nil
}

// metric returns v in thousands, millions and so on, with a prefix to a unit.
func metric(v float64) string {
	prefixes := []string{"", "k", "M", "G", "T", "P", "E"}
	i := 0
	for v >= 999.5 && i < len(prefixes)-1 {
		v, i = v/1000, i+1
	}
	return fmt.Sprintf("%.3g %s", v, prefixes[i])
}

// roughly returns a time to two digits, or in whole seconds.
func roughly(d time.Duration) string {
	unit := time.Millisecond
	for d > 100*unit && unit < time.Second {
		unit *= 10
	}
	return max(unit, d.Round(unit)).String()
}

// estimate says what the work would take.
func (m *matrix) estimate(ctx context.Context, w io.Writer) error {
	e := newEstimate()
	narrowest, widest, layers := math.MaxInt, 0, 0
	widths := make([]int, len(m.files))
	for i, f := range m.files {
		if f != nil {
			layers++
			widths[i] = e.add(m.layer(i), m.inputs[i])
			narrowest, widest = min(narrowest, widths[i]), max(widest, widths[i])
		}
	}
	of := func(indices []int) (neurons []int) {
		for _, i := range m.present(indices) {
			neurons = append(neurons, widths[i])
		}
		return neurons
	}
	rows, columns := of(m.rows), of(m.columns)
	pairs := len(rows) * len(columns)
	if m.columns == nil {
		pairs = len(rows) * (len(rows) + 1) / 2
	}
	neurons := plural(widest, "neuron")
	if narrowest < widest {
		neurons = fmt.Sprintf("%d to %s", narrowest, neurons)
	}
	n, _ := m.layer(m.present(m.rows)[0]).Dims()
	o := m.paneOptions()
	e.line(fmt.Sprintf("%s of %s × %s, %v on disk", plural(layers, "layer"), plural(n, m.unit()), neurons, svcca.Bytes(e.bytes)))
	e.line(plural(pairs, "pair"))
	if err := e.cost(ctx, svcca.PaneCost(n, rows, columns, o), o.Precision, m.threads); err != nil {
		return err
	}
	if m.cache != "" {
		e.line("less for what the cache has")
	}
	return e.writeTo(w)
}

// estimate says what comparing two layers would take.
func (f *compareFlags) estimate(ctx context.Context, w io.Writer, rows *fileRows, x, y svcca.Layer) error {
	e := newEstimate()
	n, _ := x.Dims()
	d, other := e.add(x, rows.inputs[0]), e.add(y, rows.inputs[1])
	e.line(fmt.Sprintf("%s × %d and %s, %v on disk", plural(n, f.unit()), d, plural(other, "neuron"), svcca.Bytes(e.bytes)))
	if err := e.cost(ctx, svcca.BetweenCost(n, d, other, f.options), f.options.Precision, 0); err != nil {
		return err
	}
	return e.writeTo(w)
}
