// Command crossmodel compares the layers of a convolutional network with those of a residual
// network and of itself from another start: Fig. 7 and Appendix 4 of Raghu et al. 2017.
//
//	go run ./cmd/crossmodel -o crossmodel
//
// Exit status: 0 done, 1 failed, 2 misused, 130 interrupted.
package main

import "github.com/gosvcca/gosvcca/experiments/program"

func main() { program.Main("crossmodel", work) }
