// Command svcca compares layers of neural networks by their activations.
//
//	svcca demo
//	svcca compare a/layer3.npy b/layer3.npy
//
// The answer goes to standard output, everything else to standard error. Exit
// status: 0 done, 1 failed, 2 misused, 130 interrupted.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	// A closed pipe is then an error of the write, which run takes for the end.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
