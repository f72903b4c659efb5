// Command train trains a network and writes its weights, and its activations on images it
// does not learn from, at steps of its training.
//
//	go run ./cmd/train -o run1
//	svcca dynamics run1/activations --conv dft -o curves.svg
//
// Exit status: 0 done, 1 failed, 2 misused, 130 interrupted.
package main

import "github.com/gosvcca/gosvcca/experiments/program"

func main() { program.Main("train", train) }
