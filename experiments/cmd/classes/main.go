// Command classes compares the layers of a convolutional and a residual network with single
// logits: Fig. 6 of Raghu et al. 2017.
//
//	go run ./cmd/classes -o classes
//
// Exit status: 0 done, 1 failed, 2 misused, 130 interrupted.
package main

import "github.com/gosvcca/gosvcca/experiments/program"

func main() { program.Main("classes", work) }
