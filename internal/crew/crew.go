// Package crew shares the work of a call among goroutines, with the same result
// for any number of them.
package crew

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/gosvcca/gosvcca/native"
)

// Crew is who works on a call: goroutines with one BLAS thread each, or, where
// the BLAS has several, its threads, one product after the other: they wait by
// spinning, and goroutines beside them would be in their way.
type Crew struct {
	Ctx      context.Context
	Workers  int
	Threaded bool // the BLAS has threads of its own
	Tile     int  // side of the parts into which products are cut
}

// The sides of parts of products: where workers share a product, small enough for
// several of them; else such that a context is looked at every tenth of a second.
// No more than that decides them, so that bits do not depend on how many work.
const (
	sharedTile = 256
	wholeTile  = 1024
)

// New returns those whom native.Threads and GOMAXPROCS leave.
func New(ctx context.Context) Crew {
	c := Crew{Ctx: ctx, Workers: runtime.GOMAXPROCS(0), Threaded: native.Threads() > 1, Tile: sharedTile}
	if c.Threaded {
		c.Tile = wholeTile
	}
	return c
}

// Alone returns a crew of one, for a goroutine beside which others do the like.
func Alone(ctx context.Context) Crew { return Crew{Ctx: ctx, Workers: 1, Tile: wholeTile} }

// Run calls task for 0 … count−1 and returns the error of the least index, or
// the context's. Each worker takes the next index that is left; after an error no
// task of a higher index begins.
func (c Crew) Run(count int, task func(i, worker int) error) error {
	if count == 1 || c.Workers == 1 {
		for i := range count {
			if err := c.Ctx.Err(); err != nil {
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
	for worker := range min(c.Workers, count) {
		group.Go(func() {
			for failed.Load() == 0 { // what was taken before is finished
				i := int(next.Add(1)) - 1
				if i >= count {
					return
				}
				if errs[i] = c.Ctx.Err(); errs[i] == nil {
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

// Multiply calls task for 0 … count−1, each of which is BLAS and LAPACK calls.
func (c Crew) Multiply(count int, task func(i, worker int) error) error {
	if c.Threaded {
		c.Workers = 1
	}
	return c.Run(count, task)
}

// Tasks are calls of Do for 0 … count−1.
type Tasks struct {
	Count int
	Do    func(i, worker int) error
}

// Both runs products and reads, at the same time where the crew can: the largest
// tasks, which are the products, begin first.
func (c Crew) Both(products, reads Tasks) error {
	if c.Threaded {
		if err := c.Multiply(products.Count, products.Do); err != nil {
			return err
		}
		return c.Run(reads.Count, reads.Do)
	}
	return c.Run(products.Count+reads.Count, func(i, worker int) error {
		if i < products.Count {
			return products.Do(i, worker)
		}
		return reads.Do(i-products.Count, worker)
	})
}
