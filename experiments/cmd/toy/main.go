// Command toy draws Figures 1 and 3 of the paper: the neurons, SVD directions and SVCCA
// directions of two networks that learn four simple functions, and what one of them gives
// with 2, 6, 15, 30 directions of its last hidden layer.
//
//	go run ./cmd/toy -o toy
//
// Exit status: 0 done, 1 failed, 2 misused, 130 interrupted.
package main

import "github.com/gosvcca/gosvcca/experiments/program"

func main() { program.Main("toy", toy) }
