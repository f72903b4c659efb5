package svcca

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/gosvcca/gosvcca/native"
)

// crew is who works on a call: goroutines with one BLAS thread each, or, where
// the BLAS has several, its threads, one product after the other: they wait by
// spinning, and goroutines beside them would be in their way.
type crew struct {
	ctx      context.Context
	workers  int
	threaded bool
	tile     int // side of the parts into which products are cut
}

// The sides of parts of products: where workers share a product, small enough for
// several of them; else such that a context is looked at every tenth of a second.
// No more than that decides them, so that bits do not depend on how many work.
const (
	sharedTile = 256
	wholeTile  = 1024
)

func newCrew(ctx context.Context) crew {
	c := crew{ctx: ctx, workers: runtime.GOMAXPROCS(0), threaded: native.Threads() > 1, tile: sharedTile}
	if c.threaded {
		c.tile = wholeTile
	}
	return c
}

// alone returns a crew of one, for a goroutine beside which others do the like.
func alone(ctx context.Context) crew { return crew{ctx: ctx, workers: 1, tile: wholeTile} }

// run calls task for 0 … count−1 and returns the error of the least index, or
// the context's. Each worker takes the next index that is left; after an error no
// task of a higher index begins.
func (c crew) run(count int, task func(i, worker int) error) error {
	if count == 1 || c.workers == 1 {
		for i := range count {
			if err := c.ctx.Err(); err != nil {
				return err
			}
			if err := task(i, 0); err != nil {
				return err
			}
		}
		return nil
	}
	errs := make([]error, count)
	var next, failed atomic.Int64
	var group sync.WaitGroup
	for worker := range min(c.workers, count) {
		group.Go(func() {
			for failed.Load() == 0 { // what was taken before is finished
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				if errs[i] = c.ctx.Err(); errs[i] == nil {
					errs[i] = task(i, worker)
				}
				if errs[i] != nil {
					failed.Store(1)
				}
			}
		})
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// multiply calls task for 0 … count−1, each of which is BLAS and LAPACK calls.
func (c crew) multiply(count int, task func(i, worker int) error) error {
	if c.threaded {
		c.workers = 1
	}
	return c.run(count, task)
}

// tasks are calls of do for 0 … count−1.
type tasks struct {
	count int
	do    func(i, worker int) error
}

// both runs products and reads, at the same time where the crew can: the largest
// tasks, which are the products, begin first.
func (c crew) both(products, reads tasks) error {
	if c.threaded {
		if err := c.multiply(products.count, products.do); err != nil {
			return err
		}
		return c.run(reads.count, reads.do)
	}
	return c.run(products.count+reads.count, func(i, worker int) error {
		if i < products.count {
			return products.do(i, worker)
		}
		return reads.do(i-products.count, worker)
	})
}
