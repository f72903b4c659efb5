// Command freeze trains networks with and without Freeze Training: Fig. 5 of Raghu et al.
// 2017.
//
//	go run ./cmd/freeze -o freeze
//
// Exit status: 0 done, 1 failed, 2 misused, 130 interrupted.
package main

import "github.com/gosvcca/gosvcca/experiments/program"

func main() { program.Main("freeze", work) }
