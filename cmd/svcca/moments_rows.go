package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/gosvcca/gosvcca/activation"
	"github.com/gosvcca/gosvcca/lapack"
	"github.com/gosvcca/gosvcca/svcca"
)

// summing trades speed for memory and for work lost to an interrupt. Tests lower
// it.
var summing = struct {
	rows    int     // least of a block
	flops   float64 // of a block of a file, about: half a second
	maximum int     // rows of a block of a file whose neurons are few
	every   time.Duration
}{4096, 2e10, 1 << 15, 30 * time.Second}

// blockRows returns how many rows are summed at a time, of d neurons in all: at
// least as many as bring the cost of merging, d³ for a triangle, under that of the
// rows. Blocks of a stream are held in memory and no larger than need be.
func blockRows(d int, triangle, held bool) int {
	rows := max(summing.rows, d)
	if triangle {
		rows = max(summing.rows, 4*d)
	}
	if held {
		return rows
	}
	return max(rows, int(min(summing.flops/(float64(d)*float64(d)), float64(summing.maximum))))
}

// rowSource gives rows of one layer, or the same rows of two, block by block.
type rowSource interface {
	// neurons returns those of each layer.
	neurons() []int
	// next returns the next rows of each layer, which hold until the call after
	// it, and their number, or io.EOF.
	next() ([]svcca.Layer, int, error)
	// unchanged returns an error where what was read is no longer there.
	unchanged() error
	close()
}

// fileRows are datapoints at to end−1 of layers.
type fileRows struct {
	inputs  []input
	layers  []activation.Layer
	at, end int
	step    int
}

// openRows opens the layers. The caller closes the source, and chooses what is to
// come of them.
func openRows(args []string, as opening) (*fileRows, error) {
	f := &fileRows{}
	for _, arg := range args {
		in, err := oneLayer(arg)
		if err == nil {
			var l activation.Layer
			if l, err = in.open(as); err == nil {
				f.inputs, f.layers = append(f.inputs, in), append(f.layers, l)
				continue
			}
		}
		f.close()
		return nil, err
	}
	return f, nil
}

// choose selects from the layers, alike from all.
func (f *fileRows) choose(s *selectFlags, m *mapFlags, transposed, weighted bool, say func(string)) (*choosing, error) {
	if len(f.layers) == 2 && len(s.ids) == 0 {
		if err := checkDatapoints(f.layers[0], f.layers[1], transposed); err != nil {
			return nil, err
		}
	}
	c := &choosing{selectFlags: s, maps: m, inputs: f.inputs, layers: f.layers, weighted: weighted, say: say,
		bad: func(_ int, err error) error { return err }}
	err := c.choose()
	f.end, _ = f.layers[0].Dims()
	return c, err
}

func (f *fileRows) neurons() (all []int) {
	for _, l := range f.layers {
		_, d := l.Dims()
		all = append(all, d)
	}
	return all
}

func (f *fileRows) next() (block []svcca.Layer, rows int, err error) {
	if f.at >= f.end {
		return nil, 0, io.EOF
	}
	rows = min(f.step, f.end-f.at)
	for _, l := range f.layers {
		block = append(block, activation.Take(l, 0, interval(f.at, f.at+rows)))
	}
	f.at += rows
	return block, rows, nil
}

// paths returns the files that are read.
func (f *fileRows) paths() (all []string) {
	for _, in := range f.inputs {
		all = append(all, in.paths...)
	}
	return all
}

func (f *fileRows) unchanged() error {
	for _, l := range f.layers {
		if err := l.Unchanged(); err != nil {
			return err
		}
	}
	return nil
}

func (f *fileRows) close() {
	for _, l := range f.layers {
		l.Close()
	}
}

// streamRows are what comes through a pipe: rows of one layer, or of two side by
// side.
type streamRows struct {
	*activation.Stream
	storage string
	widths  []int
	block   lapack.Matrix[float64] // allocated when the first rows are asked for
	step    int
	end     func()
}

// openStream waits for the stream's first header. The first split neurons are
// those of x, all where it is 0. The caller closes the source.
func openStream(ctx context.Context, r io.Reader, split int) (*streamRows, error) {
	r, end := interruptible(ctx, r)
	s := &streamRows{Stream: activation.NewStream("-", r), end: end}
	d, err := s.Neurons()
	if err == nil {
		s.storage, err = s.Stream.Storage()
	}
	if err == nil && split >= d {
		err = misusef("--split %d: rows of standard input have %d numbers: 1 to %d of them are x's neurons", split, d, d-1)
	}
	if err != nil {
		end()
		return nil, err
	}
	s.widths = []int{d}
	if split > 0 {
		s.widths = []int{split, d - split}
	}
	return s, nil
}

func (s *streamRows) neurons() []int { return s.widths }

func (s *streamRows) next() (layers []svcca.Layer, rows int, err error) {
	if s.block.Data == nil {
		d := 0
		for _, width := range s.widths {
			d += width
		}
		s.block = lapack.New[float64](s.step, d)
	}
	if rows, err = s.Read(s.block); err != nil {
		return nil, 0, err
	}
	at := 0
	for _, width := range s.widths {
		layers = append(layers, streamBlock{s.block.View(0, at, rows, width), s.name(at), s.storage})
		at += width
	}
	return layers, rows, nil
}

// name returns the name of the layer that begins with column at: of a pair in
// numpy's words.
func (s *streamRows) name(at int) string {
	switch {
	case len(s.widths) == 1:
		return "-"
	case at == 0:
		return fmt.Sprintf("-[:, :%d]", s.widths[0])
	}
	return fmt.Sprintf("-[:, %d:]", at)
}

func (s *streamRows) unchanged() error { return nil }

func (s *streamRows) close() { s.end() }

// streamBlock is rows of a layer that are in memory.
type streamBlock struct {
	values        lapack.Matrix[float64]
	name, storage string
}

func (b streamBlock) Name() string     { return b.name }
func (b streamBlock) Storage() string  { return b.storage }
func (b streamBlock) Dims() (n, d int) { return b.values.Rows, b.values.Cols }

func (b streamBlock) Read(dst lapack.Matrix[float64], row, col int) error {
	dst.CopyFrom(b.values.View(row, col, dst.Rows, dst.Cols))
	return nil
}

// interruptible returns what r gives, until ctx ends or the caller calls end: a
// read of standard input itself ends only when the other side writes. One that
// waits then is left waiting; the process is about to end.
func interruptible(ctx context.Context, r io.Reader) (_ io.Reader, end func()) {
	out, in := io.Pipe()
	stop := context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	go func() {
		_, err := io.CopyBuffer(in, struct{ io.Reader }{r}, make([]byte, 1<<17))
		in.CloseWithError(err)
	}()
	return out, func() {
		stop()
		out.Close()
	}
}

// weightRows gives weights row by row.
type weightRows struct {
	path string
	file activation.Layer
	at   int
}

// openWeights opens a file of a weight per datapoint, from an array of n or
// n × 1. The caller closes it.
func openWeights(path string) (*weightRows, error) {
	f, err := openLayer(path, opening{})
	if err != nil {
		return nil, err
	}
	if n, columns := f.Dims(); columns != 1 {
		f.Close()
		return nil, fmt.Errorf("%s holds %d × %d numbers: one weight per datapoint is needed", shown(path), n, columns)
	}
	return &weightRows{path: path, file: f}, nil
}

// take leaves the weights of the rows that are given, nil for all.
func (w *weightRows) take(rows []int) {
	if rows != nil {
		w.file = activation.Take(w.file, 0, rows)
	}
}

// checkCount returns an error where there are not as many weights as datapoints.
func (w *weightRows) checkCount(datapoints int) error {
	if n, columns := w.file.Dims(); n != datapoints {
		return fmt.Errorf("%s holds %d × %d numbers: one weight for each of %d datapoints is needed", shown(w.path), n, columns, datapoints)
	}
	return nil
}

// next returns the weights of the next rows.
func (w *weightRows) next(rows int) ([]float64, error) {
	if n, _ := w.file.Dims(); rows > n-w.at {
		return nil, fmt.Errorf("%s holds %d weights, and there are more datapoints", shown(w.path), n)
	}
	block := lapack.New[float64](rows, 1)
	if err := w.file.Read(block, w.at, 0); err != nil {
		return nil, err
	}
	for i, v := range block.Data {
		if !(v > 0) || v > maxFinite {
			_, row, _ := activation.Origin(w.file, w.at+i, 0)
			return nil, fmt.Errorf("%s: the weight of datapoint %d (counted from 0) is %v: weights are positive numbers; leave out datapoints that weigh nothing", shown(w.path), row, v)
		}
	}
	w.at += rows
	return block.Data, nil
}

// rows shows how many datapoints are done, some of them by this run; total is 0
// where it is not known.
func (p *progress) rows(here, done, total int) {
	share := 0.0
	if total > 0 {
		share = float64(done) / float64(total)
	}
	p.draw(share, func(gone time.Duration) string { return rowsText(here, done, total, gone) })
}

// rowsText says how far summing is that has gone on for a time.
func rowsText(here, done, total int, gone time.Duration) string {
	text := fmt.Sprintf("svcca: %d", done)
	if total > 0 {
		text += " of " + strconv.Itoa(total)
	}
	text += " datapoints"
	if gone < time.Second {
		return text
	}
	rate := float64(here) / gone.Seconds()
	text += fmt.Sprintf(", %.0f/s", rate)
	if total > 0 && rate > 0 {
		left := time.Duration(float64(total-done) / rate * float64(time.Second))
		text += fmt.Sprintf(", %v left", max(left, time.Second).Round(time.Second))
	}
	return text
}
