package main

import (
	"context"
	"fmt"
	"os"

	"github.com/gosvcca/gosvcca/bench"
)

type result = bench.Result

// race starts a worker for each contestant and lets them run in turn, rounds
// times. One that takes several turns has several results of each round.
func race(ctx context.Context, rounds int, turns []*contestant) error {
	workers := map[*contestant]*worker{}
	defer func() {
		for _, w := range workers {
			w.close()
		}
	}()
	for _, c := range turns {
		if workers[c] != nil {
			continue
		}
		w, err := start(ctx, c)
		if err != nil {
			return err
		}
		workers[c] = w
		c.about, c.results = w.about, nil
	}
	for round := range rounds {
		for _, c := range turns {
			r, err := workers[c].run(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			c.results = append(c.results, r)
			fmt.Fprintf(os.Stderr, "peers: round %d of %d, %s: %.3f s\n", round+1, rounds, c.name, r.Seconds)
		}
	}
	for c, w := range workers {
		c.peak = w.peak()
	}
	return nil
}
