// Command dynamics trains a convolutional and a residual network and compares their layers
// at steps of training with those at the end: Fig. 4 of Raghu et al. 2017.
//
//	go run ./cmd/dynamics -o dynamics
//
// Exit status: 0 done, 1 failed, 2 misused, 130 interrupted.
package main

import "github.com/gosvcca/gosvcca/experiments/program"

func main() { program.Main("dynamics", work) }
