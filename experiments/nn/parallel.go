package nn

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// each calls task for 0 … count−1 in as many goroutines as there are processors. worker
// tells them apart, for memory of their own: it is below workers(count).
func each(count int, task func(i, worker int)) {
	n := workers(count)
	if n == 1 {
		for i := range count {
			task(i, 0)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for worker := range n {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				task(i, worker)
			}
		})
	}
	all.Wait()
}

func workers(count int) int { return max(1, min(runtime.GOMAXPROCS(0), count)) }

// parts is into how many parts batches are cut whose sums are added up: a number of its own,
// so that sums do not depend on how many processors there are.
const parts = 16

// part returns the bounds of part i of n things.
func part(i, n int) (from, to int) { return i * n / parts, (i + 1) * n / parts }

// spans cuts n things of so many values each, which do not depend on each other, among
// goroutines.
func spans(n, values int, task func(from, to int)) {
	const least = 1 << 14 // values: a pass over them takes some µs, as a goroutine does to start
	count := max(1, min(parts, n, n*values/least))
	each(count, func(i, _ int) { task(i*n/count, (i+1)*n/count) })
}
