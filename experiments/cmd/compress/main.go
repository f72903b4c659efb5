// Command compress draws Figure 7 of the paper: how often a network is right once its last
// five hidden layers, one after another, are left with a share of their directions alone,
// chosen by what they share with another network, or with the logits.
//
//	go run ./cmd/compress -o compress
//
// Exit status: 0 done, 1 failed, 2 misused, 130 interrupted.
package main

import "github.com/gosvcca/gosvcca/experiments/program"

func main() { program.Main("compress", compressing) }
