package fftw

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// ErrNoPlan: the library gave no plan for a shape, as where memory is short.
var ErrNoPlan = errors.New("no plan")

const (
	errClosed   = "fftw: use of a plan that is closed or was never made"
	errShortDst = "fftw: dst shorter than the plan's output"
	errShortSrc = "fftw: src shorter than the plan's input"
)

// work is a backend's share of a plan. execute may run many times at once;
// release, nil where nothing is held, runs once, when execute runs no more.
// Neither may refer to the plan, which would then never be collected.
type work[D, S any] struct {
	execute func(dst []D, src []S)
	release func()
}

// plan holds what Forward and Inverse have in common: its life.
type plan[D, S any] struct {
	dst, src int // extents

	mutex sync.RWMutex // executions hold it for reading, close for writing
	work  work[D, S]   // zero once closed
	net   runtime.Cleanup
}

// newPlan checks the layout, of so many columns on either side, and has it made.
func newPlan[D, S any](l layout, dstCols, srcCols int, start func(layout) (work[D, S], error)) (*plan[D, S], error) {
	out, in := l.elements(dstCols), l.elements(srcCols)
	p := &plan[D, S]{dst: extent(out, Axis.out), src: extent(in, Axis.in)}
	checkNested(out, Axis.out)
	if l.empty() {
		p.work.execute = func([]D, []S) {}
		return p, nil
	}
	w, err := start(l)
	if err != nil {
		return nil, fmt.Errorf("fftw: %d × %d transforms, batch %v: %w", l.rows.Length, l.cols.Length, l.batch, err)
	}
	p.work = w
	if w.release != nil {
		p.net = runtime.AddCleanup(p, func(release func()) { release() }, w.release)
	}
	return p, nil
}

func (p *plan[D, S]) run(dst []D, src []S) {
	if p == nil {
		panic(errClosed)
	}
	p.mutex.RLock()
	defer p.mutex.RUnlock() // which also keeps p, and so its cleanup, until C is done
	switch {
	case p.work.execute == nil:
		panic(errClosed)
	case len(dst) < p.dst:
		panic(errShortDst)
	case len(src) < p.src:
		panic(errShortSrc)
	}
	p.work.execute(dst[:p.dst], src[:p.src])
}

func (p *plan[D, S]) close() error {
	if p == nil {
		return nil
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if release := p.work.release; release != nil {
		p.net.Stop()
		release()
	}
	p.work = work[D, S]{}
	return nil
}
