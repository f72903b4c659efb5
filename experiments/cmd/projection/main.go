// Command projection draws Figure 2 of the paper: how often a network is right from the first
// k aligned directions of a layer, beside as many neurons; and from directions put onto few
// neurons.
//
//	go run ./cmd/projection -o projection
//
// Exit status: 0 done, 1 failed, 2 misused, 130 interrupted.
package main

import "github.com/gosvcca/gosvcca/experiments/program"

func main() { program.Main("projection", projection) }
